import { useEffect, useState } from "preact/hooks";

import { api } from "../api";
import { desk } from "../desk";
import { type Key, t } from "../i18n";
import { attempt } from "../toast";
import type { SettingView } from "../types";
import { type Changes, Field, saveSettings, typed } from "./settings";

/** What a new unit needs, in this order; everything else has a default that works. */
const STEPS: { title: Key; settings: Record<string, Key> }[] = [
  {
    title: "setup.desk",
    settings: {
      "firm.name": "setup.firm",
      "firm.department": "setup.department",
      "firm.agent": "setup.agent",
      "firm.language": "setup.language",
      "trunk.country": "setup.country",
      "firm.time_zone": "setup.zone",
    },
  },
  {
    title: "setup.trunk",
    settings: {
      "trunk.mode": "setup.mode",
      "trunk.server": "setup.server",
      "trunk.transport": "setup.transport",
      "trunk.user": "setup.user",
      "trunk.password": "setup.password",
    },
  },
  {
    title: "technician.headset",
    settings: {
      "headset.device": "setup.device",
      "headset.ear_db": "setup.ear",
      "headset.sidetone_db": "setup.sidetone",
      "recording.enabled": "setup.recording",
    },
  },
];

export function Setup() {
  const [all, setAll] = useState<SettingView[]>([]);
  const [changes, setChanges] = useState<Changes>({});
  const load = () => attempt(async () => setAll((await api.get<{ settings: SettingView[] }>("/v1/settings")).settings));
  useEffect(() => void load(), []);

  async function submit(event: Event) {
    event.preventDefault();
    if (!(await saveSettings(all, changes))) return;
    setChanges({});
    await load();
  }

  const trunk = desk.value?.trunk ?? "static";
  const good = trunk === "registered" || trunk === "static";
  return (
    <form class="setup" aria-label={t("technician.setup")} onSubmit={submit}>
      {STEPS.map((step, place) => (
        <fieldset key={step.title} class="card settings">
          <legend>
            {place + 1} · {t(step.title)}
          </legend>
          {step.title === "setup.trunk" && (
            <p role="status">
              <span class={`state ${good ? "good" : "bad"}`}>{t(`trunk.${trunk}`)}</span>{" "}
              {!good && t(`technician.trunk.fix.${trunk}` as Key)} {desk.value?.trunk_reason}
            </p>
          )}
          {Object.entries(step.settings).map(([name, label]) => {
            const setting = all.find((one) => one.name === name);
            return (
              setting && (
                <Field
                  key={name}
                  label={t(label)}
                  setting={setting}
                  value={changes[name] ?? typed(setting.value)}
                  changed={name in changes}
                  change={(value) => setChanges({ ...changes, [name]: value })}
                />
              )
            );
          })}
        </fieldset>
      ))}
      <div class="row">
        <button type="submit" class="main" disabled={Object.keys(changes).length === 0}>{t("app.save")}</button>
        <p class="hint">{t("setup.hint")}</p>
      </div>
    </form>
  );
}
