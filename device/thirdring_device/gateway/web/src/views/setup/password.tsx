import { useState } from "preact/hooks";

import { session } from "../../api";
import { problemText, t } from "../../i18n";
import { Frame } from "./frame";

const SHORTEST = 10;

/** A password of one's own: a must in place of the first one, later a may. */
export function PasswordStep() {
  const must = Boolean(session.who.value?.must_change_password);
  const [old, setOld] = useState("");
  const [fresh, setFresh] = useState("");
  const [again, setAgain] = useState("");
  const [wrong, setWrong] = useState("");
  const [busy, setBusy] = useState(false);
  const wanted = must || old !== "" || fresh !== "" || again !== "";

  async function change(): Promise<boolean> {
    if (!wanted) return true;
    if (fresh !== again) {
      setWrong(t("signIn.differ"));
      return false;
    }
    setBusy(true);
    setWrong("");
    try {
      await session.changePassword(old, fresh);
      return true;
    } catch (reason) {
      setWrong(problemText(reason));
      return false;
    } finally {
      setBusy(false);
    }
  }

  const field = (name: "old" | "new" | "again", value: string, typed: (text: string) => void) => (
    <label>
      {t(name === "old" && !must ? "setup.password.old" : `signIn.${name}`)}
      <input
        type="password"
        name={name}
        required={wanted}
        minLength={name === "old" ? undefined : SHORTEST}
        autocomplete={name === "old" ? "current-password" : "new-password"}
        value={value}
        aria-invalid={wrong ? true : undefined}
        onInput={(e) => typed(e.currentTarget.value)}
      />
    </label>
  );
  if (session.who.value?.kind === "token") {
    return (
      <Frame name="password">
        <p>{t("setup.password.token")}</p>
      </Frame>
    );
  }
  return (
    <Frame name="password" next={change} busy={busy}>
      <p>{t(must ? "signIn.first.hint" : "setup.password.hint", { shortest: SHORTEST })}</p>
      <div class="fields narrow">
        {field("old", old, setOld)}
        {field("new", fresh, setFresh)}
        {field("again", again, setAgain)}
      </div>
      {wrong && <p class="wrong" role="alert">{wrong}</p>}
    </Frame>
  );
}
