import { nowS } from "../clock";
import { setting } from "../desk";
import { clockTime, t } from "../i18n";
import { type LiveCall, silence_s } from "../live";

const SILENCE_SHOWN_S = 3;

interface Due {
  key: "hold" | "mute" | "silence" | "greeting";
  passed_s: number;
  limit_s: number;
  warn_s: number;
}

/** What runs out first, if anything does: one countdown at a time. */
function due(call: LiveCall, now_s: number): Due | null {
  if (call.heldAt_s !== null) {
    const limit_s = setting("norms.hold.limit_s", 180);
    return { key: "hold", passed_s: now_s - call.heldAt_s, limit_s, warn_s: setting("norms.hold.warn_s", 150) };
  }
  if (call.mutedAt_s !== null) {
    const limit_s = setting("norms.voice.mute_limit_s", 10);
    return { key: "mute", passed_s: now_s - call.mutedAt_s, limit_s, warn_s: limit_s * 0.7 };
  }
  if (call.direction === "incoming" && call.answeredAt_s !== null && !call.agentSpoke) {
    const passed_s = now_s - call.answeredAt_s;
    const limit_s = setting("norms.answer.greeting_limit_s", 2);
    if (passed_s < limit_s + SILENCE_SHOWN_S) return { key: "greeting", passed_s, limit_s, warn_s: limit_s / 2 };
  }
  const passed_s = silence_s(call, now_s);
  if (passed_s < SILENCE_SHOWN_S) return null;
  const limit_s = setting("norms.voice.dead_air_limit_s", 10);
  return { key: "silence", passed_s, limit_s, warn_s: setting("norms.voice.dead_air_warn_s", 7) };
}

export function Countdown({ call }: { call: LiveCall }) {
  const now = due(call, nowS.value);
  if (!now) return null;
  const left_s = now.limit_s - now.passed_s;
  const state = left_s <= 0 ? "breached" : now.passed_s >= now.warn_s ? "warned" : "met";
  return (
    <div class={`countdown ${state}`} data-countdown={now.key} role="timer">
      <span>{t(left_s > 0 ? `countdown.${now.key}` : `countdown.${now.key}.over`)}</span>
      <strong>{clockTime(left_s > 0 ? Math.ceil(left_s) : now.passed_s)}</strong>
      <div class="track" aria-hidden="true">
        <div class="bar" style={{ transform: `scaleX(${Math.min(1, Math.max(0, left_s / now.limit_s))})` }} />
      </div>
    </div>
  );
}
