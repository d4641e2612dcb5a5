import { useEffect, useState } from "preact/hooks";

import { api } from "../api";
import { loadSettings } from "../desk";
import { language, number, t } from "../i18n";
import { restartNeeded } from "../parts/restart";
import { attempt, say } from "../toast";
import type { SettingView } from "../types";

/** By name; numbers and lists as they were typed. */
export type Changes = Record<string, string | boolean>;

export function typed(value: unknown): string | boolean {
  return typeof value === "boolean" ? value : Array.isArray(value) ? value.join("\n") : String(value);
}

export function meant(setting: SettingView | undefined, value: string | boolean): unknown {
  if (typeof value === "boolean" || !setting) return value;
  if (Array.isArray(setting.default)) return value.split("\n").map((line) => line.trim()).filter(Boolean);
  return typeof setting.default === "number" ? Number(value) : value;
}

function sectionOf(name: string): string {
  return name.slice(0, name.lastIndexOf("."));
}

export function shownValue(value: unknown): string {
  if (typeof value === "boolean") return t(value ? "technician.yes" : "technician.no");
  return Array.isArray(value) ? value.join(", ") || t("app.none") : String(value) || t("app.none");
}

/** Every setting with its bounds; what was changed is sent as a whole. */
export function SettingsEditor() {
  const [all, setAll] = useState<SettingView[]>([]);
  const [changes, setChanges] = useState<Changes>({});
  const [search, setSearch] = useState("");

  const load = () => attempt(async () => setAll((await api.get<{ settings: SettingView[] }>("/v1/settings", { language: language.value })).settings));
  useEffect(() => void load(), [language.value]);

  const wanted = search.trim().toLowerCase();
  const shown = all.filter((one) => !wanted || `${one.name} ${one.description}`.toLowerCase().includes(wanted));
  const sections = [...new Set(shown.map((one) => sectionOf(one.name)))];
  const count = Object.keys(changes).length;

  async function submit(event: Event) {
    event.preventDefault();
    const done = await saveSettings(all, changes);
    if (!done) return;
    setChanges({});
    await load();
  }

  return (
    <form class="card settings" aria-label={t("technician.settings")} onSubmit={submit}>
      <div class="filters">
        <label>
          {t("technician.search")}
          <input type="search" value={search} onInput={(e) => setSearch(e.currentTarget.value)} />
        </label>
        <div class="row" aria-live="polite">
          {count > 0 && (
            <>
              <span class="hint">{t("technician.changed", { count: number(count) })}</span>
              <button type="submit" class="main">{t("app.save")}</button>
              <button type="button" class="quiet" onClick={() => setChanges({})}>{t("technician.revert")}</button>
            </>
          )}
        </div>
      </div>
      {sections.map((section) => (
        <details key={section} open={wanted !== "" || undefined}>
          <summary>
            <code>{section}</code>
          </summary>
          {shown
            .filter((one) => sectionOf(one.name) === section)
            .map((one) => (
              <Field
                key={one.name}
                setting={one}
                value={changes[one.name] ?? typed(one.value)}
                changed={one.name in changes}
                change={(value) => setChanges({ ...changes, [one.name]: value })}
              />
            ))}
        </details>
      ))}
    </form>
  );
}

/** Send the changes; true when they are kept. Says whether a new start is needed. */
export async function saveSettings(all: SettingView[], changes: Changes): Promise<boolean> {
  const values = Object.entries(changes).map(([name, value]) => [name, meant(all.find((one) => one.name === name), value)]);
  const done = await attempt(async () => {
    const { restart_required } = await api.patch<{ restart_required: boolean }>("/v1/settings", Object.fromEntries(values));
    say(t(restart_required ? "technician.restart.needed" : "app.saved"));
    if (restart_required) restartNeeded.value = true;
  });
  if (done) await loadSettings();
  return done;
}

interface FieldProps {
  /** In place of the setting's own name; the description is left out then. */
  label?: string;
  setting: SettingView;
  value: string | boolean;
  changed: boolean;
  change: (value: string | boolean) => void;
}

export function Field({ label, setting, value, changed, change }: FieldProps) {
  const id = `setting-${setting.name}`;
  const hint = `${id}-hint`;
  const bounds = setting.low !== null && setting.high !== null ? t("technician.bounds", { low: setting.low, high: setting.high }) : "";
  const common = { id, "aria-describedby": hint };
  const numeric = typeof setting.default === "number";
  return (
    <div class={`setting ${changed ? "changed" : ""}`}>
      <label for={id}>
        {label ?? <code>{setting.name.slice(setting.name.lastIndexOf(".") + 1)}</code>}
      </label>
      {typeof setting.default === "boolean" ? (
        <input {...common} type="checkbox" checked={Boolean(value)} onChange={(e) => change(e.currentTarget.checked)} />
      ) : setting.choices.length > 0 && !Array.isArray(setting.default) ? (
        <select {...common} value={String(value)} onChange={(e) => change(e.currentTarget.value)}>
          {setting.choices.map((choice) => (
            <option key={choice} value={choice}>
              {choice || t("app.none")}
            </option>
          ))}
        </select>
      ) : Array.isArray(setting.default) ? (
        <textarea
          {...common}
          rows={Math.min(5, String(value).split("\n").length)}
          value={String(value)}
          onInput={(e) => change(e.currentTarget.value)}
        />
      ) : numeric ? (
        <input
          {...common}
          type="number"
          step="any"
          min={setting.low ?? undefined}
          max={setting.high ?? undefined}
          value={String(value)}
          required
          onInput={(e) => change(e.currentTarget.value)}
        />
      ) : (
        <TextField {...common} secret={setting.name.endsWith("password")} value={String(value)} change={change} />
      )}
      <p id={hint} class="hint">
        {label ? "" : `${setting.description} · `}
        {setting.unit && `[${setting.unit}] `}
        {t("technician.default", { value: shownValue(setting.default) })}
        {bounds && ` · ${bounds}`}
        {Array.isArray(setting.default) && ` · ${t("technician.listHint")}`}
        {!setting.live && ` · ${t("technician.restart")}`}
      </p>
    </div>
  );
}

const HIDDEN = "***";

interface TextProps {
  id: string;
  "aria-describedby": string;
  secret: boolean;
  value: string;
  change: (value: string) => void;
}

function TextField({ secret, change, ...common }: TextProps) {
  if (secret) {
    // What is kept reads as ***, and is replaced as a whole by what is typed.
    const kept = common.value === HIDDEN;
    return <input {...common} type="password" autocomplete="off" value={kept ? "" : common.value} placeholder={kept ? HIDDEN : ""} onInput={(e) => change(e.currentTarget.value)} />;
  }
  return <input {...common} type="text" autocomplete="off" onInput={(e) => change(e.currentTarget.value)} />;
}
