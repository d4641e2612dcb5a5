import { signal } from "@preact/signals";

import { api } from "../api";
import { promptText } from "../desk";
import { named, t } from "../i18n";
import type { LiveCall } from "../live";
import { attempt } from "../toast";

/** Those that ask for a call to the same customer. */
const CALLS = new Set(["redial", "call_back"]);
const OPENERS = new Set(["opener", "opener_late"]);
/** Until which prompt the agent has said "got it". */
const doneUntil = signal(0);

/** What the agent says first. */
export function Opener({ call }: { call: LiveCall }) {
  const opener = call.prompts.filter((prompt) => OPENERS.has(prompt.key)).at(-1);
  const text = opener ? promptText(opener.seq) : "";
  if (!text || (call.state === "active" && call.agentSpoke)) return null;
  return (
    <p class="opener">
      <span>{t("desk.say")}</span>
      <q>{text}</q>
    </p>
  );
}

/** One prompt at a time, the newest; it goes when the agent has seen it. */
export function Prompt({ call }: { call: LiveCall }) {
  const from_s = call.endedAt_s ?? 0; // what was said during the call is over with it
  const last = call.prompts.filter((prompt) => !OPENERS.has(prompt.key) && prompt.at_s >= from_s).at(-1);
  const shown = last && last.seq > doneUntil.value ? last : null;
  return (
    <div class="prompt-place" role="status" aria-live="polite">
      {shown && (
        <div class={`prompt ${shown.urgency}`} data-prompt={shown.key}>
          <p>{promptText(shown.seq) || named("prompt", shown.key)}</p>
          {CALLS.has(shown.key) && call.number && (
            <button type="button" onClick={() => void attempt(() => api.post("/v1/dial", { number: call.number }))}>
              {t("callBacks.call")}
            </button>
          )}
          <button
            type="button"
            onClick={() => {
              doneUntil.value = shown.seq;
            }}
          >
            {t("desk.prompt.done")}
          </button>
        </div>
      )}
    </div>
  );
}
