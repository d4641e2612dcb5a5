/** What went wrong, said once at the foot of the page and to screen readers. */

import { signal } from "@preact/signals";

import { problemText, t } from "./i18n";

const SHOWN_MS = 8000;

export const toast = signal<{ text: string; bad: boolean } | null>(null);
let timer = 0;

export function say(text: string, bad = false): void {
  toast.value = { text, bad };
  clearTimeout(timer);
  timer = window.setTimeout(() => {
    toast.value = null;
  }, SHOWN_MS);
}

/** Do something; tell in words why it was refused. Returns whether it was done. */
export async function attempt(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (reason) {
    say(t("app.failed", { reason: problemText(reason) }), true);
    return false;
  }
}
