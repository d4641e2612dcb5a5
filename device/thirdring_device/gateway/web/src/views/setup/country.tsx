import { useEffect, useState } from "preact/hooks";

import { api } from "../../api";
import { dayOf, language, number, t } from "../../i18n";
import { attempt } from "../../toast";
import type { Country, Holiday } from "../../types";
import { kept, keep, restart, type Values } from "./apply";
import { Frame } from "./frame";

const HOURS = /^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]|24):[0-5]\d$/;

function names(codes: string[]): [string, string][] {
  const known = new Intl.DisplayNames([language.value === "zh" ? "zh-CN" : "en"], { type: "region" });
  const named = codes.map((code): [string, string] => [code, known.of(code) ?? code]);
  return named.sort(([, a], [, b]) => a.localeCompare(b, language.value));
}

function spans(text: string): string[] {
  return text.split(/[,，、;\s]+/).filter(Boolean);
}

/** Whose desk it is and where: tones, time, when people may be called. */
export function CountryStep() {
  const [countries, setCountries] = useState<Country[]>([]);
  const [holidays, setHolidays] = useState<Holiday[]>([]);
  const [typed, setTyped] = useState<Values>({});
  const [wrong, setWrong] = useState("");
  const [busy, setBusy] = useState(false);
  const value = (name: string) => typed[name] ?? kept<unknown>(name, "");
  const country = String(value("trunk.country"));
  const type = (name: string, what: unknown) => setTyped({ ...typed, [name]: what });
  const ours = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const zones = [...new Set([String(value("firm.time_zone")), ours, ...Intl.supportedValuesOf("timeZone")])];

  useEffect(() => void attempt(async () => setCountries(await api.get<Country[]>("/v1/countries"))), []);
  useEffect(() => {
    if (!country) return;
    let late = false;
    const path = `/v1/countries/${encodeURIComponent(country)}/holidays`;
    api
      .get<Holiday[]>(path, { language: language.value })
      .catch(() => [])
      .then((found) => late || setHolidays(found));
    return () => {
      late = true;
    };
  }, [country, language.value]);

  async function next(): Promise<boolean> {
    const values = { ...typed };
    for (const name of ["norms.outbound.weekday_hours", "norms.outbound.weekend_hours"]) {
      if (typeof values[name] !== "string") continue;
      const wanted = spans(values[name]);
      if (!wanted.every((span) => HOURS.test(span))) {
        setWrong(t("setup.hours.wrong"));
        return false;
      }
      values[name] = wanted;
    }
    setWrong("");
    setBusy(true);
    const done = await attempt(async () => {
      if (await keep(values)) await restart();
    });
    setBusy(false);
    return done;
  }

  const text = (name: string, label: string) => (
    <label>
      {label}
      <input type="text" name={name} autocomplete="off" maxLength={80} value={String(value(name))} onInput={(e) => type(name, e.currentTarget.value)} />
    </label>
  );
  const tick = (name: string, text: string) => (
    <label class="tick">
      <input
        type="checkbox"
        name={name}
        checked={Boolean(value(name))}
        onChange={(e) => type(name, e.currentTarget.checked)}
      />
      {text}
    </label>
  );
  const hours = (name: string, label: string) => {
    const now = value(name);
    return (
      <label>
        {label}
        <input
          type="text"
          name={name}
          autocomplete="off"
          inputMode="numeric"
          aria-describedby="hours-hint"
          aria-invalid={wrong ? true : undefined}
          value={Array.isArray(now) ? now.join(", ") : String(now)}
          onInput={(e) => type(name, e.currentTarget.value)}
        />
      </label>
    );
  };
  const ring_s = countries.find((one) => one.country === country)?.ring_s;
  return (
    <Frame name="country" next={next} busy={busy} skip>
      <div class="fields">
        {text("firm.name", t("setup.firm"))}
        {text("firm.department", t("setup.department"))}
        {text("firm.agent", t("setup.agent"))}
      </div>
      <div class="fields">
        <label>
          {t("setup.country.field")}
          <select name="trunk.country" value={country} onChange={(e) => type("trunk.country", e.currentTarget.value)}>
            {names([...new Set([country, ...countries.map((one) => one.country)])]).map(([code, name]) => (
              <option key={code} value={code}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <label>
          {t("setup.zone")}
          <select name="firm.time_zone" value={String(value("firm.time_zone"))} onChange={(e) => type("firm.time_zone", e.currentTarget.value)}>
            {zones.map((zone) => (
              <option key={zone} value={zone}>
                {zone}
              </option>
            ))}
          </select>
        </label>
      </div>
      {ring_s && <p class="hint">{t("setup.country.ring", { seconds: number(ring_s, ring_s % 1 ? 1 : 0) })}</p>}
      <h3>{t("setup.hours")}</h3>
      <div class="fields">
        {hours("norms.outbound.weekday_hours", t("setup.hours.weekday"))}
        {hours("norms.outbound.weekend_hours", t("setup.hours.weekend"))}
      </div>
      <p class="hint" id="hours-hint">{t("setup.hours.hint")}</p>
      {tick("norms.outbound.holidays", t("setup.holidays"))}
      <p class="hint">
        {holidays.length > 0
          ? t("setup.holidays.next", { days: holidays.map((one) => `${one.name} ${dayOf(one.day)}`).join(" · ") })
          : t("setup.holidays.none")}
      </p>
      {tick("recording.enabled", t("setup.recording"))}
      {busy && <p class="state soon" role="status">{t("trial.applying")}</p>}
      {wrong && <p class="wrong" role="alert">{wrong}</p>}
    </Frame>
  );
}
