/** The page's words and its forms of numbers and dates; what reads them follows a switch of language. */

import { signal } from "@preact/signals";

import { Problem } from "../api";
import { errorsZh } from "./errors";
import { en, type Key, zh } from "./words";

export type Language = "en" | "zh";
export type { Key };

const LANGUAGE_KEY = "thirdring.language";
const COLUMN: Record<Language, number> = { en: 0, zh: 1 };
const TAG: Record<Language, string> = { en: "en-GB", zh: "zh-CN" };

function first(): Language {
  const kept = localStorage.getItem(LANGUAGE_KEY);
  if (kept === "en" || kept === "zh") return kept;
  return navigator.languages.some((tag) => tag.toLowerCase().startsWith("zh")) ? "zh" : "en";
}

export const language = signal<Language>(first());
/** The catalogue that reports are written with, `{key: [English, Chinese]}`: norms, causes, units. */
const words = signal<Record<string, string[]>>({});

export function setLanguage(to: Language): void {
  localStorage.setItem(LANGUAGE_KEY, to);
  language.value = to;
}

export async function loadWords(): Promise<void> {
  const response = await fetch("/words.json");
  if (response.ok) words.value = (await response.json()) as Record<string, string[]>;
}

function filled(text: string, values: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (hole, name: string) => String(values[name] ?? hole));
}

/** The page's own word. */
export function t(key: Key, values: Record<string, string | number> = {}): string {
  return filled((language.value === "zh" ? zh : en)[key], values);
}

/** Whether `key` is one of the page's words: for keys made of what the appliance says. */
export function isKey(key: string): key is Key {
  return key in en;
}

export function tOr(key: string, otherwise: string): string {
  return isKey(key) ? t(key) : otherwise;
}

/** A word of the report's catalogue such as `named("rule", "answer.rings")`; a newer name stands for itself. */
export function named(family: string, name: string, values: Record<string, string | number> = {}): string {
  return filled(words.value[`${family}.${name}`]?.[COLUMN[language.value]] ?? name, values);
}

/** A verdict's reason, which the appliance gives in English. */
export function reasonText(reason: string): string {
  if (language.value === "en") return reason;
  for (const [key, columns] of Object.entries(words.value)) {
    if (!key.startsWith("reason.")) continue;
    const names: string[] = [];
    const pattern = key
      .slice("reason.".length)
      .replace(/[.*+?^$()|[\]\\]/g, "\\$&")
      .replace(/\{(\w+)\}/g, (_, name: string) => {
        names.push(name);
        return "(.+)";
      });
    const match = new RegExp(`^${pattern}$`).exec(reason);
    if (match) {
      const values = Object.fromEntries(names.map((name, place) => [name, match[place + 1] ?? ""]));
      return filled(columns[COLUMN[language.value]] ?? reason, values);
    }
  }
  return reason;
}

/** Why something was refused, in words, with its number. */
export function problemText(reason: unknown): string {
  if (!(reason instanceof Problem)) return String(reason);
  const title = language.value === "zh" ? (errorsZh[reason.code] ?? reason.title) : reason.title;
  return `${reason.code}: ${title}${reason.detail ? ` (${reason.detail})` : ""}`;
}

export function number(value: number | null | undefined, digits = 0): string {
  if (value === null || value === undefined) return t("app.none");
  return new Intl.NumberFormat(TAG[language.value], {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  }).format(value);
}

export function percent(value: number | null | undefined, digits = 0): string {
  return value === null || value === undefined ? t("app.none") : `${number(value, digits)} %`;
}

export function level(dbov: number | null | undefined): string {
  if (dbov === null || dbov === undefined || dbov <= -100) return t("app.none");
  return `${number(dbov, 1)} dBov`;
}

/** `0:07`, `3:12`, `1:02:00`. */
export function clockTime(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (value: number) => String(value).padStart(2, "0");
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)];
  return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined) return t("app.none");
  if (seconds < 59.95) return named("unit", "s", { value: number(seconds, seconds % 1 ? 1 : 0) });
  const whole = Math.round(seconds);
  const [minutes, rest] = [Math.floor(whole / 60), String(whole % 60).padStart(2, "0")];
  return minutes < 60
    ? named("unit", "min", { minutes, seconds: rest })
    : named("unit", "h", { hours: Math.floor(minutes / 60), minutes: String(minutes % 60).padStart(2, "0") });
}

/** A value in the unit that events name. */
export function quantity(value: number | null, unit: string): string {
  if (value === null) return t("app.none");
  if (unit === "s") return duration(value);
  if (unit === "%") return percent(value, 1);
  if (unit === "dBov") return level(value);
  if (unit === "dB") return `${number(value, 1)} dB`;
  if (unit === "syllables/s") return named("unit", "pace", { value: number(value, 1) });
  const one = value === 1 && unit.endsWith("s") ? unit.slice(0, -1) : unit;
  const known = named("unit", one, { value: number(value) });
  return known === one ? `${number(value, 1)} ${unit}`.trim() : known;
}

function dated(utc: string, options: Intl.DateTimeFormatOptions): string {
  const at = new Date(utc);
  return Number.isNaN(at.getTime()) ? "" : new Intl.DateTimeFormat(TAG[language.value], options).format(at);
}

/** A day such as `2027-01-01`, wherever one is. */
export function dayOf(day: string): string {
  return dated(`${day}T00:00:00Z`, { month: "short", day: "numeric", timeZone: "UTC" });
}

export function dateTime(utc: string): string {
  return dated(utc, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" });
}

export function longDateTime(utc: string): string {
  return dated(utc, { dateStyle: "medium", timeStyle: "medium" });
}

export function timeOfDay(utc: string): string {
  return dated(utc, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
}

/** A number as people read it: mainland mobile numbers in threes and fours, others as they are. */
export function phone(digits: string): string {
  if (!digits) return t("desk.withheld");
  const mobile = /^(\+86)?(1\d{2})(\d{4})(\d{4})$/.exec(digits);
  if (mobile) return [mobile[1], mobile[2], mobile[3], mobile[4]].filter(Boolean).join(" ");
  return digits;
}

/** Keep `<html lang>` in step. */
export function tagPage(): void {
  document.documentElement.lang = TAG[language.value];
}
