/** Single letters as commands. They can be switched off (WCAG 2.1.4), and rest while somebody types. */

import { signal } from "@preact/signals";

const KEYS_KEY = "thirdring.keys";

export const keysOn = signal(localStorage.getItem(KEYS_KEY) !== "off");
const commands = new Map<string, () => void>();

export function switchKeys(): void {
  keysOn.value = !keysOn.value;
  localStorage.setItem(KEYS_KEY, keysOn.value ? "on" : "off");
}

/** Let `key` do something until the returned function is called. */
export function bind(key: string, command: () => void): () => void {
  commands.set(key, command);
  return () => {
    if (commands.get(key) === command) commands.delete(key);
  };
}

function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest("input, textarea, select, [contenteditable], dialog") !== null;
}

export function followKeys(): void {
  addEventListener("keydown", (pressed) => {
    if (!keysOn.value || pressed.repeat || pressed.ctrlKey || pressed.metaKey || pressed.altKey) return;
    if (typing(pressed.target)) return;
    const command = commands.get(pressed.key.toLowerCase());
    if (!command) return;
    pressed.preventDefault();
    command();
  });
}
