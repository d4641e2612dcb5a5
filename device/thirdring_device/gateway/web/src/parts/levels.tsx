import { useEffect, useRef } from "preact/hooks";

import { type LevelFrame, levels, setting } from "../desk";
import { level, t } from "../i18n";

const LOW_DBOV = -60;
const HIGH_DBOV = -6;
const STEP_MS = 100;

function share(dbov: number): number {
  return Math.min(1, Math.max(0, (dbov - LOW_DBOV) / (HIGH_DBOV - LOW_DBOV)));
}

/** Ten values a second out of two messages a second: the bar is moved by its transform alone. */
function Meter({ side, frame }: { side: "agent" | "customer"; frame: LevelFrame | null }) {
  const bar = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const values = frame?.[`${side}_dbov`] ?? [];
    let place = 0;
    const show = () => {
      const value = values[place++] ?? LOW_DBOV;
      if (bar.current) bar.current.style.transform = `scaleX(${share(value).toFixed(3)})`;
    };
    show();
    const timer = setInterval(() => (place < values.length ? show() : clearInterval(timer)), STEP_MS);
    return () => clearInterval(timer);
  }, [frame, side]);

  const target = setting("norms.voice.level_target_dbov", -26);
  const half = setting("norms.voice.level_band_db", 6);
  const [low, high] = [target - half, target + half];
  const active = frame?.[`${side}Active_dbov`] ?? -100;
  const heard = active > -100;
  const verdict = !heard ? "none" : active < low ? "quiet" : active > high ? "loud" : "good";
  return (
    <div class={`meter ${side}`}>
      <span class="name">{t(`level.${side}`)}</span>
      <div
        class="track"
        role="meter"
        aria-label={t(`level.${side}`)}
        aria-valuemin={LOW_DBOV}
        aria-valuemax={HIGH_DBOV}
        aria-valuenow={heard ? Math.round(Math.min(HIGH_DBOV, Math.max(LOW_DBOV, active))) : LOW_DBOV}
        aria-valuetext={heard ? `${level(active)}, ${t(`level.${verdict}`)}` : t("level.none")}
      >
        <div class="bar" ref={bar} />
        {side === "agent" && (
          <div class="band" style={{ left: `${share(low) * 100}%`, right: `${(1 - share(high)) * 100}%` }} />
        )}
        {heard && <div class="needle" style={{ left: `${share(active) * 100}%` }} />}
      </div>
      <span class={`reading ${side === "agent" ? verdict : ""}`}>
        {heard ? level(active) : t("app.none")}
        {side === "agent" && heard && <em>{t(`level.${verdict}`)}</em>}
      </span>
    </div>
  );
}

export function Levels({ callId }: { callId: string }) {
  const frame = levels.value?.callId === callId ? levels.value : null;
  const target = setting("norms.voice.level_target_dbov", -26);
  const half = setting("norms.voice.level_band_db", 6);
  return (
    <section class="card levels" aria-labelledby="levels-title">
      <h2 id="levels-title">
        {t("level.title")} <small>{t("level.band", { low: level(target - half), high: level(target + half) })}</small>
      </h2>
      <Meter side="agent" frame={frame} />
      <Meter side="customer" frame={frame} />
    </section>
  );
}
