import { useEffect, useRef, useState } from "preact/hooks";

import { api, session } from "../api";
import { contactOf } from "../desk";
import { duration, language, level, longDateTime, named, number, percent, phone, t, tOr } from "../i18n";
import { Facts } from "../parts/facts";
import { Notes } from "../parts/notes";
import { Timeline } from "../parts/timeline";
import { Verdicts } from "../parts/norms";
import { save } from "../save";
import { attempt, say } from "../toast";
import type { RecordingView, Report } from "../types";

/** One call: its facts, its picture, every verdict, its recording and its notes. */
export function ReportView({ callId }: { callId: string }) {
  const [report, setReport] = useState<Report | null>(null);
  const [recorded, setRecorded] = useState(false);
  const [sound, setSound] = useState("");
  const player = useRef<HTMLAudioElement>(null);
  const path = `/v1/calls/${encodeURIComponent(callId)}`;

  useEffect(() => {
    void attempt(async () => {
      setReport(await api.get<Report>(`${path}/report`));
      if (!session.may("lead")) return;
      setRecorded((await api.get<RecordingView[]>("/v1/recordings", { call_id: callId })).length > 0);
    });
  }, [callId]);
  useEffect(() => () => URL.revokeObjectURL(sound), [sound]);

  if (!report) return <p class="empty">{t("app.loading")}</p>;
  const { call } = report;
  const who = contactOf(call.number)?.name || call.display_name || phone(call.number);
  const start_s = report.media_at_s ?? 0;

  // The browser fetches what it plays by itself, with a session's cookie; a token it would not send along.
  const source = session.who.value?.kind === "session" ? `${path}/recording` : sound;
  async function fetchSound() {
    await attempt(async () => setSound(URL.createObjectURL(await api.blob(`${path}/recording`))));
  }
  async function download() {
    await attempt(async () => save(await api.blob(`${path}/report?format=html&language=${language.value}`), `${callId}.html`));
  }
  function play(at_s: number) {
    const element = player.current;
    if (!element) return;
    element.currentTime = Math.max(0, at_s - start_s);
    void element.play().catch(() => undefined); // onError says why
  }

  const facts: [string, string][] = [
    [t("calls.direction"), t(`calls.${call.direction}`)],
    [t("contacts.number"), phone(call.number)],
    [t("calls.rings"), number(call.rings_heard)],
    [t("calls.wait"), duration(call.wait_s)],
    [t("calls.talk"), duration(call.talk_s)],
    [t("report.greeting"), duration(report.greeting_s)],
    [t("report.levelAgent"), level(report.agent_after?.active_speech_level_dbov)],
    [t("report.levelCustomer"), level(report.customer?.active_speech_level_dbov)],
    [t("calls.end"), call.state === "live" ? t("calls.live") : `${tOr(`calls.by.${call.ended_by}`, call.ended_by)}: ${named("cause", call.cause)}`],
    [t("report.codec"), report.codec || t("app.none")],
    [t("report.lost"), percent(report.quality?.lost_percent, 1)],
    [t("report.mos"), number(report.quality?.heard_mos, 1)],
  ];
  return (
    <div class="report">
      <p class="back">
        <a href="#/calls">← {t("report.back")}</a>
      </p>
      <div class="title">
        <h1>{who}</h1>
        <p>{t("report.title", { when: longDateTime(call.started_utc) })}</p>
        <button type="button" onClick={() => void download()}>{t("report.download")}</button>
      </div>
      <section class="card" aria-labelledby="facts-title">
        <h2 id="facts-title">{t("report.facts")}</h2>
        <Facts facts={facts} />
      </section>
      <Timeline report={report} play={recorded && source ? play : undefined} />
      {recorded && (
        <section class="card" aria-labelledby="recording-title">
          <h2 id="recording-title">{t("report.recording")}</h2>
          {source ? (
            <audio
              ref={player}
              controls
              preload="none"
              src={source}
              aria-label={t("report.recording")}
              onError={() => say(t("report.recording.wrong"), true)}
            />
          ) : (
            <button type="button" onClick={() => void fetchSound()}>{t("report.recording.load")}</button>
          )}
        </section>
      )}
      <section class="card" aria-labelledby="verdicts-title">
        <h2 id="verdicts-title">{t("report.verdicts")}</h2>
        <Verdicts verdicts={report.verdicts} />
      </section>
      <Notes callId={callId} caller={call.number} />
    </div>
  );
}
