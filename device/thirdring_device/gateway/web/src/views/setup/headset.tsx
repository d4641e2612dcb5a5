import { useEffect, useRef, useState } from "preact/hooks";

import { api } from "../../api";
import { desk, headset } from "../../desk";
import { level, number, t } from "../../i18n";
import { attempt } from "../../toast";
import type { HeadsetTest, SoundDevice } from "../../types";
import { changed, kept, keep, restart, type Values } from "./apply";
import { Frame } from "./frame";

const POLL_MS = 150;
const LOW_DBOV = -60;
const HIGH_DBOV = -6;
const NOTHING_DBOV = -100;

type Verdict = "none" | "quiet" | "loud" | "good";

function share(dbov: number): number {
  return Math.min(1, Math.max(0, (dbov - LOW_DBOV) / (HIGH_DBOV - LOW_DBOV)));
}

function Meter({ test }: { test: HeadsetTest }) {
  const target = kept("norms.voice.level_target_dbov", -26);
  const half = kept("norms.voice.level_band_db", 6);
  const [low, high] = [target - half, target + half];
  const heard = test.speech_dbov > NOTHING_DBOV;
  const verdict: Verdict = !heard ? "none" : test.speech_dbov < low ? "quiet" : test.speech_dbov > high ? "loud" : "good";
  const momentary = test.state === "listening" ? test.level_dbov : LOW_DBOV;
  return (
    <>
      <div class="meter agent">
        <span class="name">{t("level.agent")}</span>
        <div
          class="track"
          role="meter"
          aria-label={t("level.agent")}
          aria-valuemin={LOW_DBOV}
          aria-valuemax={HIGH_DBOV}
          aria-valuenow={heard ? Math.round(Math.min(HIGH_DBOV, Math.max(LOW_DBOV, test.speech_dbov))) : LOW_DBOV}
          aria-valuetext={heard ? `${level(test.speech_dbov)}, ${t(`level.${verdict}`)}` : t("level.none")}
        >
          <div class="bar" style={{ transform: `scaleX(${share(momentary).toFixed(3)})` }} />
          <div class="band" style={{ left: `${share(low) * 100}%`, right: `${(1 - share(high)) * 100}%` }} />
          {heard && <div class="needle" style={{ left: `${share(test.speech_dbov) * 100}%` }} />}
        </div>
        <span class={`reading ${verdict}`}>
          {heard ? level(test.speech_dbov) : t("app.none")}
          {heard && <em>{t(`level.${verdict}`)}</em>}
        </span>
      </div>
      <p class="hint">{t("level.band", { low: level(low), high: level(high) })}</p>
      <div role="status" aria-live="polite" data-test={test.state} data-verdict={verdict}>
        {test.state === "listening" && <p class="state soon">{t("setup.headset.speak")}</p>}
        {test.state === "playing" && <p class="state soon">{t("setup.headset.listen")}</p>}
        {test.state === "idle" && test.broken_off && <p class="state bad">{t("setup.headset.broken")}</p>}
        {test.state === "idle" && !test.broken_off && (
          <p class={`state ${verdict === "good" ? "good" : "bad"}`}>
            <span>
              {t(`setup.headset.${verdict}`)} {test.clipped > 0 && t("setup.headset.clipped")}
            </span>
          </p>
        )}
      </div>
    </>
  );
}

/** The headset: which, how loud in the ear, and a test in which one speaks, sees the level and hears oneself. */
export function HeadsetStep() {
  const [devices, setDevices] = useState<SoundDevice[]>([]);
  const [typed, setTyped] = useState<Values>({});
  const [test, setTest] = useState<HeadsetTest | null>(null);
  const [busy, setBusy] = useState(false);
  const timer = useRef(0);
  const device = String(typed["headset.device"] ?? kept("headset.device", ""));
  const running = test !== null && test.state !== "idle";
  const inCall = (desk.value?.calls.length ?? 0) > 0;

  useEffect(() => {
    void attempt(async () => setDevices(await api.get<SoundDevice[]>("/v1/headset/devices")));
    return () => clearTimeout(timer.current);
  }, []);

  async function apply(): Promise<boolean> {
    if (Object.keys(changed(typed)).length === 0) return true;
    setBusy(true);
    const done = await attempt(async () => {
      if (await keep(typed)) await restart();
    });
    setBusy(false);
    return done;
  }

  async function follow() {
    const now = await api.get<HeadsetTest>("/v1/headset/test").catch(() => null);
    setTest(now);
    if (now && now.state !== "idle") timer.current = window.setTimeout(() => void follow(), POLL_MS);
  }

  async function begin() {
    if (!(await apply())) return;
    await attempt(async () => setTest(await api.post<HeadsetTest>("/v1/headset/test")));
    await follow();
  }

  const range = (name: string, label: string, low: number, high: number) => (
    <label>
      {label} · {number(Number(typed[name] ?? kept(name, low)))} dB
      <input
        type="range"
        name={name}
        min={low}
        max={high}
        step={1}
        value={Number(typed[name] ?? kept(name, low))}
        aria-valuetext={`${number(Number(typed[name] ?? kept(name, low)))} dB`}
        onChange={(e) => {
          const values = { ...typed, [name]: Number(e.currentTarget.value) };
          setTyped(values);
          void attempt(() => keep({ [name]: values[name] }));
        }}
      />
    </label>
  );
  return (
    <Frame name="headset" next={apply} busy={busy || running} skip>
      <p>{t("setup.headset.hint")}</p>
      <div class="fields">
        <label>
          {t("setup.device")}
          <select name="headset.device" value={device} disabled={running} onChange={(e) => setTyped({ ...typed, "headset.device": e.currentTarget.value })}>
            {!devices.some((one) => one.device === device) && <option value={device}>{device}</option>}
            {devices.map((one) => (
              <option key={one.device} value={one.device}>
                {one.device === "simulated" ? t("setup.device.simulated") : one.name}
              </option>
            ))}
          </select>
        </label>
        {range("headset.ear_db", t("setup.ear"), -40, 0)}
        {range("headset.sidetone_db", t("setup.sidetone"), -60, -6)}
      </div>
      {headset.value && !headset.value.present && <p class="state bad">{t("technician.headset.lost")}</p>}
      {inCall && <p class="state bad">{t("setup.headset.inCall")}</p>}
      <div class="row">
        <button type="button" data-do="headset-test" disabled={busy || running || inCall} onClick={() => void begin()}>
          {t(test ? "setup.headset.again" : "setup.headset.do")}
        </button>
        <span class="hint">{t("setup.headset.sentence")}</span>
      </div>
      {test && <Meter test={test} />}
    </Frame>
  );
}
