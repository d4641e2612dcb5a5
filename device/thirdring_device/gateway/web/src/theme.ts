/** Light or dark: as the system has it, until somebody chooses. */

import { effect, signal } from "@preact/signals";

export type Theme = "auto" | "light" | "dark";
const THEME_KEY = "thirdring.theme";
const NEXT: Record<Theme, Theme> = { auto: "light", light: "dark", dark: "auto" };

function kept(): Theme {
  const value = localStorage.getItem(THEME_KEY);
  return value === "light" || value === "dark" ? value : "auto";
}

export const theme = signal<Theme>(kept());
const systemDark = matchMedia("(prefers-color-scheme: dark)");
/** Rises when the colours change: what draws itself draws again. */
export const dark = signal(systemDark.matches);

export function nextTheme(): void {
  theme.value = NEXT[theme.value];
  localStorage.setItem(THEME_KEY, theme.value);
}

export function followTheme(): void {
  const apply = () => {
    dark.value = theme.value === "dark" || (theme.value === "auto" && systemDark.matches);
    document.documentElement.dataset.theme = dark.value ? "dark" : "light";
  };
  effect(apply);
  systemDark.addEventListener("change", apply);
}

/** A colour of the style sheet, for what is drawn on a canvas. */
export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}
