import { useState } from "preact/hooks";

import { api } from "../../api";
import { desk } from "../../desk";
import { type Key, number, problemText, t, tOr } from "../../i18n";
import { attempt } from "../../toast";
import type { TrunkTrial } from "../../types";
import { changed, kept, keep, restart, type Values, views } from "./apply";
import { Frame } from "./frame";

const MORE = ["trunk.auth_user", "trunk.domain", "trunk.realm", "trunk.outbound_proxy", "trunk.server2", "trunk.tls_ca_file"] as const;
const HIDDEN = "***";
const OTHER_REALM = 3014;

type Outcome = { trial: TrunkTrial } | { wrong: string } | { busy: Key } | { live: string } | null;

/** What came of a try, in plain words, with the number and the trunk's own answer. */
function Told({ outcome, realm }: { outcome: Outcome; realm: (name: string) => void }) {
  if (!outcome) return null;
  if ("busy" in outcome) return <p class="state soon">{t(outcome.busy)}</p>;
  if ("wrong" in outcome) return <p class="state bad">{outcome.wrong}</p>;
  if ("live" in outcome) return <p class="state bad">{t("trial.live", { why: outcome.live })}</p>;
  const { trial } = outcome;
  if (trial.code === 0) return <p class="state good">{t("trial.0", { seconds: number(trial.took_s, 1) })}</p>;
  return (
    <>
      <p class="state bad">
        <span>
          <strong>{tOr(`trial.${trial.code}`, t("trial.other"))}</strong> {tOr(`trial.${trial.code}.fix`, "")}
        </span>
      </p>
      <p class="hint">
        {t("trial.number", { code: trial.code })}
        {trial.sip_code > 0 && ` · SIP ${trial.sip_code}`}
        {trial.server && ` · ${trial.server}`}
        {trial.detail && (
          <>
            {" · "}
            <span lang="en">{trial.detail}</span>
          </>
        )}
      </p>
      {trial.code === OTHER_REALM && (
        <button type="button" onClick={() => realm(trial.realm)}>
          {t("trial.realm.do", { realm: trial.realm })}
        </button>
      )}
    </>
  );
}

/** The trunk: its values are tried before they are kept, and the engine starts anew with them. */
export function TrunkStep() {
  const fresh = !kept("trunk.server", "");
  const [typed, setTyped] = useState<Values>(fresh ? { "trunk.mode": "registered" } : {});
  const [outcome, setOutcome] = useState<Outcome>(null);
  const busy = outcome !== null && "busy" in outcome;
  const value = (name: string) => String(typed[name] ?? kept(name, ""));
  const registers = value("trunk.mode") === "registered";

  function type(name: string, text: string) {
    setTyped({ ...typed, [name]: text });
    setOutcome(null);
  }

  async function attemptTrial(values: Values): Promise<boolean> {
    setOutcome({ busy: "trial.busy" });
    try {
      const trial = await api.post<TrunkTrial>("/v1/trunk/test", changed(values));
      setOutcome({ trial });
      return trial.code === 0;
    } catch (reason) {
      setOutcome({ wrong: problemText(reason) });
      return false;
    }
  }

  async function next(): Promise<boolean> {
    const settled = desk.value?.trunk === "registered" || (desk.value?.trunk === "static" && !fresh);
    if (Object.keys(changed(typed)).length === 0 && settled) return true;
    if (!(await attemptTrial(typed))) return false;
    setOutcome({ busy: "trial.applying" });
    let found: string = "gone";
    const done = await attempt(async () => {
      await keep(typed);
      found = await restart();
    });
    if (done && (found === "registered" || (!registers && found === "static"))) return true;
    setOutcome(done ? { live: found === "gone" ? t("trial.gone") : desk.value?.trunk_reason || t(`trunk.${found}` as Key) } : null);
    return false;
  }

  async function answerTo(realm: string) {
    const values = { ...typed, "trunk.realm": realm };
    setTyped(values);
    await attemptTrial(values);
  }

  const field = (name: string, label: Key, secret = false, required = false) => {
    const hidden = secret && value(name) === HIDDEN;
    const common = {
      name,
      autocomplete: "off",
      required,
      value: hidden ? "" : value(name),
      placeholder: hidden ? HIDDEN : "",
      onInput: (event: preact.TargetedInputEvent<HTMLInputElement>) => type(name, event.currentTarget.value),
    };
    return (
      <label>
        {t(label)}
        {secret ? <input {...common} type="password" /> : <input {...common} type="text" autocapitalize="off" spellcheck={false} />}
      </label>
    );
  };
  return (
    <Frame name="trunk" next={next} nextLabel={t("setup.trunk.next")} busy={busy} skip>
      <p>{t("setup.trunk.hint")}</p>
      <div class="fields">
        <label>
          {t("setup.mode")}
          <select name="trunk.mode" value={value("trunk.mode")} onChange={(e) => type("trunk.mode", e.currentTarget.value)}>
            <option value="registered">{t("setup.mode.registered")}</option>
            <option value="static">{t("setup.mode.static")}</option>
          </select>
        </label>
        {field("trunk.server", "setup.server", false, true)}
        <label>
          {t("setup.transport")}
          <select name="trunk.transport" value={value("trunk.transport")} onChange={(e) => type("trunk.transport", e.currentTarget.value)}>
            {(views.value["trunk.transport"]?.choices ?? []).map((choice) => (
              <option key={choice} value={choice}>
                {choice.toUpperCase()}
              </option>
            ))}
          </select>
        </label>
        {field("trunk.user", "setup.user", false, true)}
        {field("trunk.password", "setup.password", true)}
      </div>
      <details>
        <summary>{t("setup.more")}</summary>
        <div class="fields">{MORE.map((name) => field(name, `setup.${name}` as Key))}</div>
      </details>
      <div class="row">
        <button type="button" data-do="try" disabled={busy} onClick={() => void attemptTrial(typed)}>
          {t("trial.do")}
        </button>
      </div>
      <div class="told" role="status" aria-live="polite" data-code={outcome && "trial" in outcome ? outcome.trial.code : undefined}>
        <Told outcome={outcome} realm={(name) => void answerTo(name)} />
      </div>
    </Frame>
  );
}
