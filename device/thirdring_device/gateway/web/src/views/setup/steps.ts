/** The steps of the set-up, which of them is shown, and when the set-up shows itself. */

import { computed, effect, signal } from "@preact/signals";

import { session } from "../../api";
import { desk, settings } from "../../desk";

export const STEPS = ["language", "password", "trunk", "headset", "country", "done"] as const;
export type Step = (typeof STEPS)[number];

const SHOWN_KEY = "thirdring.setup-shown";

export const step = signal<Step>("language");

export function go(by: number): void {
  step.value = STEPS[Math.min(STEPS.length - 1, Math.max(0, STEPS.indexOf(step.value) + by))] as Step;
}

/** A unit as it left the factory: no trunk, and nobody has gone through the set-up. */
const factory = computed(
  () =>
    session.signedIn.value &&
    session.may("technician") &&
    desk.value !== null &&
    settings.value["trunk.server"] === "" &&
    settings.value["firm.set_up"] === false,
);

/** Show the set-up to the technician of a new unit, once after signing in: it may be left. */
export function followSetup(): void {
  effect(() => {
    if (session.who.value === null) sessionStorage.removeItem(SHOWN_KEY);
    if (!factory.value || sessionStorage.getItem(SHOWN_KEY)) return;
    sessionStorage.setItem(SHOWN_KEY, "1");
    location.hash = "#/technician/setup";
  });
}
