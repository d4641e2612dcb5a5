import { useRef, useState } from "preact/hooks";

import { api, Problem } from "../api";
import { loadSettings } from "../desk";
import { longDateTime, number, t } from "../i18n";
import { restartNeeded } from "../parts/restart";
import { save } from "../save";
import { attempt, say } from "../toast";
import type { Comparison } from "../types";
import { shownValue } from "./settings";

/** What the appliance takes at once; a backup has about 10 kB. */
const MOST_BYTES = 64 * 1024;

async function contentOf(file: File): Promise<unknown> {
  if (file.size > MOST_BYTES) throw new Problem(1007, "the request is too large", file.name);
  try {
    return JSON.parse(await file.text());
  } catch {
    throw new Problem(5010, "this is not a backup of settings", file.name);
  }
}

/** The settings as a file, and what a file would change before it does. */
export function Backup() {
  const [found, setFound] = useState<Comparison | null>(null);
  const [left, setLeft] = useState<Set<string>>(new Set());
  const input = useRef<HTMLInputElement>(null);

  async function download() {
    const day = new Date().toISOString().slice(0, 10);
    await attempt(async () => save(await api.blob("/v1/settings/backup"), `thirdring-${day}.json`));
  }

  function forget() {
    setFound(null);
    setLeft(new Set());
    if (input.current) input.current.value = "";
  }

  async function compare(file: File | undefined) {
    setFound(null);
    setLeft(new Set());
    if (!file) return;
    const done = await attempt(async () => setFound(await api.post<Comparison>("/v1/settings/compare", await contentOf(file))));
    if (!done) forget();
  }

  const taken = found?.changes.filter((change) => !left.has(change.name)) ?? [];

  async function apply() {
    if (!found) return;
    const values = Object.fromEntries(taken.map((change) => [change.name, change.then]));
    const done = await attempt(async () => {
      const { restart_required } = await api.patch<{ restart_required: boolean }>("/v1/settings", values, found.etag);
      say(t(restart_required ? "technician.restart.needed" : "app.saved"));
      if (restart_required) restartNeeded.value = true;
    });
    if (!done) return;
    forget();
    await loadSettings();
  }

  return (
    <div class="cards">
      <section class="card" aria-labelledby="backup-title">
        <h2 id="backup-title">{t("backup.title")}</h2>
        <p>{t("backup.hint")}</p>
        <p class="row">
          <button type="button" class="main" onClick={() => void download()}>{t("backup.do")}</button>
        </p>
      </section>
      <section class="card" aria-labelledby="restore-title">
        <h2 id="restore-title">{t("restore.title")}</h2>
        <p>{t("restore.hint")}</p>
        <label>
          {t("restore.file")}
          <input ref={input} type="file" name="backup" accept="application/json,.json" onChange={(e) => void compare(e.currentTarget.files?.[0])} />
        </label>
        <div role="status">
          {found && (
            <p>
              {t("restore.of", { version: found.version || t("app.none"), when: longDateTime(found.made_utc) || t("app.none") })}{" "}
              {found.changes.length === 0 ? t("restore.same") : t("restore.changes", { count: number(found.changes.length) })}{" "}
              {found.left_out.length > 0 && t("restore.leftOut", { names: found.left_out.join(", ") })}{" "}
              {found.unknown.length > 0 && t("restore.unknown", { names: found.unknown.join(", ") })}
            </p>
          )}
        </div>
        {found && found.changes.length > 0 && (
          <>
            <table class="plain" data-table="changes">
              <caption>{t("restore.caption")}</caption>
              <thead>
                <tr>
                  <th scope="col">{t("restore.setting")}</th>
                  <th scope="col">{t("restore.now")}</th>
                  <th scope="col">{t("restore.then")}</th>
                </tr>
              </thead>
              <tbody>
                {found.changes.map((change) => (
                  <tr key={change.name} data-item={change.name}>
                    <th scope="row">
                      <label class="tick">
                        <input
                          type="checkbox"
                          checked={!left.has(change.name)}
                          onChange={(e) => {
                            const next = new Set(left);
                            if (e.currentTarget.checked) next.delete(change.name);
                            else next.add(change.name);
                            setLeft(next);
                          }}
                        />
                        <code>{change.name}</code>
                      </label>
                      {!change.live && <small>{t("technician.restart")}</small>}
                    </th>
                    <td>{shownValue(change.now)}</td>
                    <td>{shownValue(change.then)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
            <p class="row">
              <button type="button" class="main" disabled={taken.length === 0} onClick={() => void apply()}>
                {t("restore.do", { count: number(taken.length) })}
              </button>
              <button type="button" class="quiet" onClick={forget}>{t("app.cancel")}</button>
            </p>
          </>
        )}
      </section>
    </div>
  );
}
