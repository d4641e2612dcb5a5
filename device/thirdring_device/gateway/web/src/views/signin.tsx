import { useState } from "preact/hooks";

import { Problem, session } from "../api";
import { problemText, t } from "../i18n";
import type { Role } from "../types";
import { FirstSteps } from "./setup";

const ROLES: Role[] = ["agent", "lead", "technician"];
const ROLE_KEY = "thirdring.role";
const SHORTEST = 10;
const TOKEN_UNKNOWN = 6000;

/** Sign in by role and password, or change the first password, which is everybody's. */
export function SignIn() {
  const who = session.who.value;
  if (!who?.must_change_password) return <Credentials />;
  return who.role === "technician" ? <FirstSteps /> : <FirstPassword />;
}

function useAttempt(): [string, boolean, (work: () => Promise<void>) => Promise<void>] {
  const [wrong, setWrong] = useState("");
  const [busy, setBusy] = useState(false);
  async function run(work: () => Promise<void>) {
    setBusy(true);
    setWrong("");
    try {
      await work();
    } catch (reason) {
      const token = reason instanceof Problem && reason.code === TOKEN_UNKNOWN;
      setWrong(token ? t("signIn.wrong") : reason instanceof Error && !(reason instanceof Problem) ? reason.message : problemText(reason));
    }
    setBusy(false);
  }
  return [wrong, busy, run];
}

function Credentials() {
  const kept = ROLES.find((role) => role === localStorage.getItem(ROLE_KEY));
  const [role, setRole] = useState<Role>(kept ?? "technician");
  const [password, setPassword] = useState("");
  const [token, setToken] = useState("");
  const [wrong, busy, run] = useAttempt();

  function submit(event: Event) {
    event.preventDefault();
    void run(async () => {
      if (token) {
        await session.signInByToken(token);
      } else {
        await session.signIn(role, password);
        localStorage.setItem(ROLE_KEY, role);
      }
    });
  }

  return (
    <form class="card sign-in" onSubmit={submit}>
      <h1>{t("signIn.title")}</h1>
      <label>
        {t("signIn.role")}
        <select name="username" autocomplete="username" value={role} onChange={(e) => setRole(e.currentTarget.value as Role)}>
          {ROLES.map((one) => (
            <option key={one} value={one}>
              {t(`role.${one}`)}
            </option>
          ))}
        </select>
      </label>
      <label>
        {t("signIn.password")}
        <input
          type="password"
          name="password"
          autocomplete="current-password"
          required={!token}
          autofocus
          value={password}
          aria-describedby="sign-in-hint"
          aria-invalid={wrong ? true : undefined}
          onInput={(e) => setPassword(e.currentTarget.value)}
        />
      </label>
      <p id="sign-in-hint" class="hint">{t("signIn.hint")}</p>
      {wrong && <p class="wrong" role="alert">{wrong}</p>}
      <button type="submit" class="main" disabled={busy}>{t("signIn.do")}</button>
      <details>
        <summary class="hint">{t("signIn.byToken")}</summary>
        <label>
          {t("signIn.token")}
          <input type="password" name="token" autocomplete="off" value={token} onInput={(e) => setToken(e.currentTarget.value)} />
        </label>
      </details>
    </form>
  );
}

function FirstPassword() {
  const [old, setOld] = useState("");
  const [fresh, setFresh] = useState("");
  const [again, setAgain] = useState("");
  const [wrong, busy, run] = useAttempt();

  function submit(event: Event) {
    event.preventDefault();
    void run(async () => {
      if (fresh !== again) throw new Error(t("signIn.differ"));
      await session.changePassword(old, fresh);
    });
  }

  const field = (name: "old" | "new" | "again", value: string, change: (text: string) => void) => (
    <label>
      {t(`signIn.${name}`)}
      <input
        type="password"
        name={name}
        required
        minLength={name === "old" ? undefined : SHORTEST}
        autocomplete={name === "old" ? "current-password" : "new-password"}
        value={value}
        onInput={(e) => change(e.currentTarget.value)}
      />
    </label>
  );
  return (
    <form class="card sign-in" onSubmit={submit}>
      <h1>{t("signIn.first")}</h1>
      <p class="hint">{t("signIn.first.hint", { shortest: SHORTEST })}</p>
      {field("old", old, setOld)}
      {field("new", fresh, setFresh)}
      {field("again", again, setAgain)}
      {wrong && <p class="wrong" role="alert">{wrong}</p>}
      <button type="submit" class="main" disabled={busy}>{t("signIn.change")}</button>
    </form>
  );
}
