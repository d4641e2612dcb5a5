/** The appliance's clock as the page knows it: events tell monotonic seconds, countdowns need "now" in them. */

import { signal } from "@preact/signals";

import type { EventRecord } from "./types";

const TICK_MS = 250;

let offset_s: number | null = null;
let rough = true;

/** Monotonic seconds of the appliance now; changes every quarter of a second while somebody reads it. */
export const nowS = signal(0);

function here_s(): number {
  return performance.now() / 1000;
}

function tick(): void {
  if (offset_s !== null) nowS.value = here_s() - offset_s;
}

/** Learn from an event: one that just happened tells best, an old one goes by the wall clocks of both. */
export function learn(record: EventRecord, live: boolean): void {
  const age_s = live ? 0 : Math.max(0, (Date.now() - Date.parse(record.utc)) / 1000);
  const offset = here_s() - age_s - record.at_s;
  if (offset_s === null || (rough && live) || record.kind === "engine_started") {
    offset_s = offset;
    rough = !live;
  } else if (live && offset < offset_s) {
    offset_s = offset; // what travelled faster knows better
  }
  tick();
}

setInterval(tick, TICK_MS);
