import { useComputed, useSignal } from "@preact/signals";
import { useLayoutEffect } from "preact/hooks";

import { api } from "../api";
import { nowS } from "../clock";
import { agentSince_s, callBacks, calls, contactOf, current, desk, ended, setting } from "../desk";
import { clockTime, dateTime, duration, named, phone, t, tOr } from "../i18n";
import { bind, keysOn } from "../keys";
import type { LiveCall } from "../live";
import { Controls, Dial } from "../parts/controls";
import { Countdown } from "../parts/countdowns";
import { Levels } from "../parts/levels";
import { NormMarks } from "../parts/norms";
import { Notes } from "../parts/notes";
import { Opener, Prompt } from "../parts/prompt";
import { Rings } from "../parts/rings";
import { attempt } from "../toast";

/** What stands in front of the agent now, and nothing else. */
export function DeskView() {
  const call = current.value;
  const last = ended.value;
  const written = call && call.state === "active" ? call : call ? null : last;
  const others = calls.value.filter((one) => one.id !== call?.id);
  return (
    <div class={`desk ${call ? call.state : "idle"}`}>
      <h1 class="for-readers">{t("view.desk")}</h1>
      <div class="front">
        {call ? <CallCard call={call} /> : last ? <EndedCard call={last} /> : <Idle />}
        {others.length > 0 && <Others others={others} />}
        {call?.state === "active" && <Levels callId={call.id} />}
        {!call && last && <Idle />}
      </div>
      {written && (
        <div class="beside">
          <NormMarks call={written} />
          <Notes key={written.id} callId={written.id} caller={written.number} />
        </div>
      )}
    </div>
  );
}

function Who({ call }: { call: LiveCall }) {
  const contact = contactOf(call.number);
  const name = contact?.name || call.displayName;
  return (
    <div class="who">
      <h2>{name || phone(call.number)}</h2>
      <p>
        {name && phone(call.number)}
        {contact?.firm && ` · ${contact.firm}`}
        {contact?.post && ` · ${contact.post}`}
      </p>
      {contact?.remark && <p class="hint">{contact.remark}</p>}
    </div>
  );
}

function badges(call: LiveCall): { text: string; kind: string }[] {
  const all: { text: string; kind: string }[] = [];
  if (call.heldAt_s !== null) all.push({ text: t("desk.held"), kind: "soon" });
  if (call.heldByCustomer) all.push({ text: t("desk.heldByCustomer"), kind: "soon" });
  if (call.mutedAt_s !== null) all.push({ text: t("desk.muted"), kind: "soon" });
  if (call.conference) all.push({ text: t("desk.conference"), kind: "" });
  if (call.recording !== "off") all.push({ text: t(`desk.recording.${call.recording}`), kind: call.recording === "on" ? "rec" : "soon" });
  if (call.transfer) all.push({ text: tOr(`desk.transfer.${call.transfer}`, call.transfer), kind: call.transfer === "failed" ? "bad" : "" });
  return all;
}

/** Counts on its own, so that nothing else is drawn again. */
function Clock({ since_s }: { since_s: number }) {
  const since = useSignal(since_s);
  since.value = since_s;
  const shown = useComputed(() => clockTime(nowS.value - since.value));
  return (
    <p class="clock" role="timer">
      {shown}
    </p>
  );
}

function CallCard({ call }: { call: LiveCall }) {
  return (
    <section class={`card call ${call.state} ${call.urgency}`} aria-label={t("desk.call")} data-call={call.id}>
      {call.state === "ringing" && <Rings call={call} />}
      <div class="line">
        <Who call={call} />
        {call.state === "active" && (
          <Clock since_s={call.answeredAt_s ?? 0} />
        )}
      </div>
      {call.state === "dialling" && (
        <p class="progress" role="status">
          {call.progress ? t(`desk.progress.${call.progress}` as never) : t("desk.dialling")}
        </p>
      )}
      {call.state === "active" && (
        <ul class="badges">
          {badges(call).map((badge) => (
            <li key={badge.text} class={`state ${badge.kind}`}>
              {badge.text}
            </li>
          ))}
        </ul>
      )}
      <Opener call={call} />
      {call.state === "active" && <Countdown call={call} />}
      <Prompt call={call} />
      <Controls call={call} />
    </section>
  );
}

function take(call: LiveCall): void {
  void attempt(() => api.post(call.state === "ringing" ? "/v1/answer" : "/v1/resume", { call_id: call.id }));
}

function Others({ others }: { others: LiveCall[] }) {
  const waits = others.find((call) => call.state === "ringing");
  useLayoutEffect(() => waits && bind("a", () => take(waits)), [waits?.id]);
  return (
    <section class="card others" aria-labelledby="others-title">
      <h2 id="others-title">{t("desk.otherCalls")}</h2>
      <ul>
        {others.map((call) => {
          const held = call.heldAt_s !== null;
          return (
            <li key={call.id}>
              <span>
                <strong>{contactOf(call.number)?.name || call.displayName || phone(call.number)}</strong>{" "}
                {call.state === "ringing" ? `${t("desk.waiting")} · ${t("desk.rings.say", { ring: call.rings })}` : held ? t("desk.held") : t("desk.inTalk")}
                {held && ` ${clockTime(nowS.value - (call.heldAt_s ?? 0))}`}
              </span>
              <button type="button" class={call === waits ? "go" : undefined} onClick={() => take(call)}>
                {t(call.state === "ringing" ? "do.answer" : "do.resume")}
                {call === waits && keysOn.value && <kbd aria-hidden="true">A</kbd>}
              </button>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

function EndedCard({ call }: { call: LiveCall }) {
  const talk_s = call.answeredAt_s !== null && call.endedAt_s !== null ? call.endedAt_s - call.answeredAt_s : null;
  const writing = desk.value?.agent_state === "wrap_up";
  const left_s = agentSince_s.value === null ? null : setting("agent.wrap_up_s", 30) - (nowS.value - agentSince_s.value);
  return (
    <section class="card call ended" aria-label={t("desk.ended")} data-call={call.id}>
      <div class="line">
        <Who call={call} />
        <p class="progress" role="status">
          {t("desk.ended")} · {tOr(`calls.by.${call.endedBy}`, call.endedBy)}: {named("cause", call.cause)}
          {talk_s !== null && ` · ${duration(talk_s)}`}
        </p>
      </div>
      <Prompt call={call} />
      <div class="controls">
        <button
          type="button"
          class="go"
          onClick={() => {
            ended.value = null;
            if (writing) void attempt(() => api.post("/v1/agent", { state: "ready" }));
          }}
        >
          {t("agent.next")}
        </button>
        {writing && left_s !== null && left_s > 0 && (
          <p class="hint" role="timer">
            {t(`agent.wrap_up`)}: {t("agent.left", { time: clockTime(Math.ceil(left_s)) })}
          </p>
        )}
      </div>
    </section>
  );
}

function Idle() {
  const state = desk.value?.agent_state ?? "ready";
  const due = callBacks.value.slice(0, 4);
  return (
    <section class="card waiting" aria-labelledby="idle-title">
      {!ended.value && (
        <>
          <h2 id="idle-title" class="calm">
            {state === "break" || state === "away" ? t(`desk.idle.${state}`) : t("desk.idle")}
          </h2>
          <p class="hint">{t("desk.idle.hint")}</p>
        </>
      )}
      {ended.value && <h2 id="idle-title">{t("desk.dial.do")}</h2>}
      <Dial />
      {due.length > 0 && (
        <>
          <h3>{t("desk.due")}</h3>
          <ul class="rows">
            {due.map((one) => (
              <li key={one.call_id}>
                <span>
                  <strong>{one.name || phone(one.number)}</strong>{" "}
                  <small>
                    {t(`callBacks.why.${one.why}`)}
                    {one.due_utc && ` · ${t("callBacks.due", { when: dateTime(one.due_utc) })}`}
                  </small>
                </span>
                <button
                  type="button"
                  aria-label={`${t("callBacks.call")}: ${one.name || phone(one.number)}`}
                  onClick={() => void attempt(() => api.post("/v1/dial", { number: one.number }))}
                >
                  {t("callBacks.call")}
                </button>
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}
