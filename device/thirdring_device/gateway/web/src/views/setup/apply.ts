/** Settings of the set-up: read once, kept step by step, and made to count by a new start of the engine. */

import { effect, signal } from "@preact/signals";

import { api } from "../../api";
import { desk, loadSettings, log } from "../../desk";
import { restartNeeded } from "../../parts/restart";
import type { DeskState, EventRecord, SettingView } from "../../types";

const RESTART_MS = 60_000;
const REGISTERED_MS = 40_000;

export type Values = Record<string, unknown>;

/** Every setting by name. */
export const views = signal<Record<string, SettingView>>({});

export async function loadViews(): Promise<void> {
  const { settings } = await api.get<{ settings: SettingView[] }>("/v1/settings");
  views.value = Object.fromEntries(settings.map((one) => [one.name, one]));
}

export function kept<T>(name: string, otherwise: T): T {
  return (views.value[name]?.value as T | undefined) ?? otherwise;
}

/** Those of `values` that differ from what is kept. */
export function changed(values: Values): Values {
  return Object.fromEntries(
    Object.entries(values).filter(([name, value]) => JSON.stringify(kept<unknown>(name, undefined)) !== JSON.stringify(value)),
  );
}

/** Keep what has changed; returns whether the engine has to start anew for it. */
export async function keep(values: Values): Promise<boolean> {
  const changes = changed(values);
  if (Object.keys(changes).length === 0) return false;
  const { restart_required } = await api.patch<{ restart_required: boolean }>("/v1/settings", changes);
  await Promise.all([loadViews(), loadSettings()]);
  return restart_required;
}

/** Wait until `holds` of what signals say; false when it does not in time. */
function until(holds: () => boolean, patience_ms: number): Promise<boolean> {
  return new Promise((resolve) => {
    let stop: (() => void) | null = null;
    let over = false;
    const end = (held: boolean) => {
      if (over) return;
      over = true;
      clearTimeout(timer);
      stop?.();
      resolve(held);
    };
    const timer = setTimeout(() => end(false), patience_ms);
    stop = effect(() => {
      if (holds()) end(true);
    });
    if (over) stop();
  });
}

/** Have the engine start anew and wait until it is back, and until the trunk has said yes or no. */
export async function restart(): Promise<DeskState["trunk"] | "gone"> {
  const before = log.value.at(-1)?.seq ?? desk.value?.last_event ?? 0;
  const anew = (record: EventRecord) => record.kind === "engine_started" && record.seq > before;
  await api.post("/v1/restart");
  if (!(await until(() => log.value.some(anew), RESTART_MS))) return "gone";
  restartNeeded.value = false;
  desk.value = await api.get<DeskState>("/v1/state");
  if (kept<string>("trunk.mode", "static") === "registered" && kept<string>("trunk.server", "")) {
    await until(() => ["registered", "refused", "unreachable"].includes(desk.value?.trunk ?? ""), REGISTERED_MS);
  }
  return desk.value?.trunk ?? "gone";
}
