import { useState } from "preact/hooks";

import { Problem, session } from "../api";
import { problemText, t } from "../i18n";

export function SignIn() {
  const [token, setToken] = useState("");
  const [wrong, setWrong] = useState("");
  const [busy, setBusy] = useState(false);

  async function submit(event: Event) {
    event.preventDefault();
    setBusy(true);
    setWrong("");
    try {
      await session.signIn(token);
    } catch (reason) {
      setWrong(reason instanceof Problem && reason.code === 6000 ? t("signIn.wrong") : problemText(reason));
    }
    setBusy(false);
  }

  return (
    <form class="card sign-in" onSubmit={submit}>
      <h1>{t("signIn.title")}</h1>
      <label>
        {t("signIn.token")}
        <input
          type="password"
          name="token"
          autocomplete="current-password"
          required
          autofocus
          value={token}
          aria-describedby="sign-in-hint"
          aria-invalid={wrong ? true : undefined}
          onInput={(typed) => setToken(typed.currentTarget.value)}
        />
      </label>
      <p id="sign-in-hint" class="hint">{t("signIn.hint")}</p>
      {wrong && <p class="wrong" role="alert">{wrong}</p>}
      <button type="submit" class="main" disabled={busy}>{t("signIn.do")}</button>
    </form>
  );
}
