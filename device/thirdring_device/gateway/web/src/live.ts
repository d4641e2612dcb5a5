/** What the page knows of a call that is going on: made from its events alone, one after the other. */

import type { Direction, EventRecord, Side, Verdict } from "./types";

export interface NormMark {
  state: "met" | "warned" | "breached";
  value: number | null;
  unit: string;
  threshold: number | null;
}

export interface LiveCall {
  id: string;
  direction: Direction;
  number: string;
  displayName: string;
  state: "ringing" | "dialling" | "active" | "ended";
  startedUtc: string;
  rings: number;
  urgency: "normal" | "warn" | "urgent" | "breach";
  waiting: boolean;
  progress: string;
  answeredAt_s: number | null;
  endedAt_s: number | null;
  mediaAt_s: number | null;
  heldAt_s: number | null;
  heldByCustomer: boolean;
  mutedAt_s: number | null;
  conference: boolean;
  recording: "off" | "on" | "paused";
  transfer: string;
  speaking: Record<Side, boolean>;
  agentSpoke: boolean;
  /** Media time at which the last talk-spurt ended. */
  quietSince_s: number;
  norms: Record<string, NormMark>;
  prompts: { seq: number; key: string; urgency: string; at_s: number }[];
  verdicts: Verdict[];
  endedBy: string;
  cause: string;
  notes: boolean;
}

function begun(record: EventRecord, direction: Direction): LiveCall {
  return {
    id: record.call_id,
    direction,
    number: String(record.number ?? ""),
    displayName: String(record.display_name ?? ""),
    state: direction === "incoming" ? "ringing" : "dialling",
    startedUtc: record.utc,
    rings: 0,
    urgency: "normal",
    waiting: false,
    progress: "",
    answeredAt_s: null,
    endedAt_s: null,
    mediaAt_s: null,
    heldAt_s: null,
    heldByCustomer: false,
    mutedAt_s: null,
    conference: false,
    recording: "off",
    transfer: "",
    speaking: { agent: false, customer: false },
    agentSpoke: false,
    quietSince_s: 0,
    norms: {},
    prompts: [],
    verdicts: [],
    endedBy: "",
    cause: "",
    notes: false,
  };
}

/** Return the call after `record`; undefined for an event of a call whose beginning is not known. */
export function after(call: LiveCall | undefined, record: EventRecord): LiveCall | undefined {
  if (record.kind === "call_incoming") return begun(record, "incoming");
  if (record.kind === "call_outgoing") return begun(record, "outgoing");
  if (!call) return undefined;
  const change = changes[record.kind]?.(record, call);
  return change ? { ...call, ...change } : call;
}

const changes: Record<string, (record: EventRecord, call: LiveCall) => Partial<LiveCall> | null> = {
  call_alerting: (r) => ({ waiting: Boolean(r.waiting) }),
  ring_burst: (r) => ({ rings: Number(r.ring), urgency: r.urgency as LiveCall["urgency"] }),
  call_progress: (r) => ({ progress: String(r.heard) }),
  call_answered: (r) => ({ state: "active", answeredAt_s: r.at_s }),
  call_ended: (r) => ({
    state: "ended",
    endedAt_s: r.at_s,
    endedBy: String(r.by),
    cause: String(r.cause),
    heldAt_s: null,
    mutedAt_s: null,
    recording: "off",
  }),
  media_started: (r) => ({ mediaAt_s: r.at_s }),
  hold_started: (r, call) =>
    r.by === "agent" ? { heldAt_s: r.at_s, mutedAt_s: null, transfer: call.transfer } : { heldByCustomer: true },
  hold_ended: (r) => (r.by === "agent" ? { heldAt_s: null } : { heldByCustomer: false }),
  mute_started: (r) => ({ mutedAt_s: r.at_s }),
  mute_ended: () => ({ mutedAt_s: null }),
  conference_started: () => ({ conference: true }),
  conference_ended: () => ({ conference: false }),
  recording_started: () => ({ recording: "on" }),
  recording_paused: () => ({ recording: "paused" }),
  recording_resumed: () => ({ recording: "on" }),
  recording_ended: () => ({ recording: "off" }),
  transfer_progress: (r) => ({ transfer: String(r.state) }),
  talk_spurt_started: (r, call) => ({
    speaking: { ...call.speaking, [r.side as Side]: true },
    agentSpoke: call.agentSpoke || (r.side === "agent" && call.state === "active"),
  }),
  talk_spurt: (r, call) => ({
    speaking: { ...call.speaking, [r.side as Side]: false },
    quietSince_s: Math.max(call.quietSince_s, Number(r.end_s)),
  }),
  norm_noted: (r, call) => ({ norms: { ...call.norms, [String(r.rule)]: r as unknown as NormMark } }),
  prompt: (r, call) => ({
    prompts: [...call.prompts, { seq: r.seq, key: String(r.key), urgency: String(r.urgency), at_s: r.at_s }],
  }),
  verdict: (r, call) => ({
    verdicts: [...call.verdicts.filter((v) => v.rule !== r.rule), r as unknown as Verdict],
  }),
  notes_taken: () => ({ notes: true }),
};

/** Seconds for which nobody has spoken, 0 while somebody does or while it does not count. */
export function silence_s(call: LiveCall, now_s: number): number {
  const talking = call.speaking.agent || call.speaking.customer;
  const excused = call.heldAt_s !== null || call.mutedAt_s !== null || call.heldByCustomer;
  if (call.state !== "active" || call.mediaAt_s === null || call.answeredAt_s === null) return 0;
  if (talking || excused) return 0;
  return Math.max(0, now_s - Math.max(call.answeredAt_s, call.mediaAt_s + call.quietSince_s));
}
