import { useEffect, useState } from "preact/hooks";

import { api } from "../api";
import { dateTime, t } from "../i18n";
import { attempt, say } from "../toast";
import type { Role } from "../types";

const ROLES: Role[] = ["agent", "lead", "technician"];
const GIVEN: Role[] = ["agent", "lead"];
const SHORTEST = 10;

interface Account {
  role: Role;
  password: "none" | "first" | "set";
}

interface Token {
  token_id: string;
  name: string;
  role: Role;
  used_utc: string | null;
}

/** Who can sign in, and which programs have a token. */
export function Access() {
  return (
    <div class="cards">
      <Passwords />
      <Tokens />
    </div>
  );
}

function Passwords() {
  const [accounts, setAccounts] = useState<Account[]>([]);
  const [role, setRole] = useState<Role>("agent");
  const [password, setPassword] = useState("");
  const load = () => attempt(async () => setAccounts(await api.get<Account[]>("/v1/accounts")));
  useEffect(() => void load(), []);

  async function give(event: Event) {
    event.preventDefault();
    const done = await attempt(() => api.send("PUT", `/v1/accounts/${role}/password`, { password }));
    if (!done) return;
    setPassword("");
    say(t("access.given", { role: t(`role.${role}`) }));
    await load();
  }

  return (
    <section class="card" aria-labelledby="passwords-title">
      <h2 id="passwords-title">{t("access.passwords")}</h2>
      <ul class="rows">
        {accounts.map((account) => (
          <li key={account.role}>
            <strong>{t(`role.${account.role}`)}</strong>
            <span class={`state ${account.password === "set" ? "good" : "soon"}`}>{t(`access.${account.password}`)}</span>
          </li>
        ))}
      </ul>
      <form class="panel" aria-label={t("access.give")} onSubmit={give}>
        <div class="fields">
          <RoleField roles={GIVEN} label={t("signIn.role")} value={role} change={setRole} />
          <label>
            {t("signIn.new")}
            <input type="password" name="given" required minLength={SHORTEST} autocomplete="new-password" value={password} onInput={(e) => setPassword(e.currentTarget.value)} />
          </label>
        </div>
        <button type="submit" class="main">{t("access.give.do")}</button>
      </form>
    </section>
  );
}

function Tokens() {
  const [tokens, setTokens] = useState<Token[]>([]);
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("lead");
  const [shown, setShown] = useState("");
  const load = () => attempt(async () => setTokens(await api.get<Token[]>("/v1/tokens")));
  useEffect(() => void load(), []);

  async function make(event: Event) {
    event.preventDefault();
    await attempt(async () => {
      setShown((await api.post<{ token: string }>("/v1/tokens", { name, role })).token);
      setName("");
      await load();
    });
  }

  return (
    <section class="card" aria-labelledby="tokens-title">
      <h2 id="tokens-title">{t("access.tokens")}</h2>
      {tokens.length === 0 && <p class="hint">{t("access.tokens.none")}</p>}
      <ul class="rows">
        {tokens.map((token) => (
          <li key={token.token_id}>
            <span>
              <strong>{token.name}</strong>
              <small>
                {t(`role.${token.role}`)} · {token.used_utc ? t("access.token.used", { when: dateTime(token.used_utc) }) : t("access.token.unused")}
              </small>
            </span>
            <button
              type="button"
              aria-label={`${t("access.token.revoke")}: ${token.name}`}
              onClick={async () => {
                if (await attempt(() => api.send("DELETE", `/v1/tokens/${encodeURIComponent(token.token_id)}`))) await load();
              }}
            >
              {t("access.token.revoke")}
            </button>
          </li>
        ))}
      </ul>
      <form class="panel" aria-label={t("access.token.make")} onSubmit={make}>
        <div class="fields">
          <label>
            {t("access.token.name")}
            <input name="token-name" required maxLength={60} autocomplete="off" value={name} onInput={(e) => setName(e.currentTarget.value)} />
          </label>
          <RoleField roles={ROLES} label={t("access.token.role")} value={role} change={setRole} />
        </div>
        <button type="submit" class="main">{t("access.token.make")}</button>
        <div role="status">
          {shown && (
            <p class="shown">
              {t("access.token.shown")} <code>{shown}</code>
            </p>
          )}
        </div>
      </form>
    </section>
  );
}

function RoleField({ roles, label, value, change }: { roles: Role[]; label: string; value: Role; change: (role: Role) => void }) {
  return (
    <label>
      {label}
      <select value={value} onChange={(e) => change(e.currentTarget.value as Role)}>
        {roles.map((role) => (
          <option key={role} value={role}>
            {t(`role.${role}`)}
          </option>
        ))}
      </select>
    </label>
  );
}
