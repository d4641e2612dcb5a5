/** The desk as the page shows it: read once, then kept by the events of the WebSocket, resumed by number. */

import { computed, effect, signal } from "@preact/signals";

import { api, Problem, session } from "./api";
import { learn } from "./clock";
import { language } from "./i18n";
import { after, type LiveCall } from "./live";
import type { AgentState, CallBackView, ContactView, DeskState, EventRecord, HeadsetView, PromptView } from "./types";

const LOG_LENGTH = 400;
const PROMPT_RETRY_MS = [100, 200, 400, 800];
const RETRY_MS = [300, 1000, 2000, 5000];

export interface LevelFrame {
  callId: string;
  agent_dbov: number[];
  customer_dbov: number[];
  agentActive_dbov: number;
  customerActive_dbov: number;
  gain_db: number;
}

export const desk = signal<DeskState | null>(null);
export const online = signal(false);
export const calls = signal<LiveCall[]>([]);
/** The call that ended last, while the agent may still be writing it down. */
export const ended = signal<LiveCall | null>(null);
export const levels = signal<LevelFrame | null>(null);
export const settings = signal<Record<string, unknown>>({});
export const headset = signal<HeadsetView | null>(null);
export const contacts = signal<ContactView[]>([]);
export const callBacks = signal<CallBackView[]>([]);
export const log = signal<EventRecord[]>([]);
export const agentSince_s = signal<number | null>(null);
/** Rises with every change that figures and lists may want to be read anew for. */
export const changedCalls = signal(0);
const words = signal<Record<string, string>>({});

/** The call in front of the agent: the one in talk, else one that rings, else one that is held. */
export const current = computed(() => {
  const all = calls.value;
  return (
    all.find((call) => call.state === "active" && call.heldAt_s === null) ??
    all.find((call) => call.state === "ringing" && !call.waiting) ??
    all.find((call) => call.state === "dialling") ??
    all.find((call) => call.state === "ringing") ??
    all[0] ??
    null
  );
});

export function setting<T>(name: string, otherwise: T): T {
  return (settings.value[name] as T | undefined) ?? otherwise;
}

const SHORTEST_NUMBER = 7;

function digitsOf(number: string): string {
  return number.replace(/\D/g, "").replace(/^0+/, "");
}

/** The contact with a number: contacts have full numbers (+86138...), callers often the country's own form. */
export function contactOf(number: string): ContactView | undefined {
  const known = contacts.value.find((contact) => contact.number === number);
  const digits = digitsOf(number);
  if (known || digits.length < SHORTEST_NUMBER) return number ? known : undefined;
  return contacts.value.find((contact) => digitsOf(contact.number).endsWith(digits));
}

/** The words of a prompt in the page's language, empty until they are there. */
export function promptText(seq: number): string {
  return words.value[`${language.value}${seq}`] ?? "";
}

/** Read the words of a call's prompts; an event may be heard of before the journal can tell its words. */
async function loadPrompts(callId: string, seq = 0): Promise<void> {
  const spoken = language.value;
  for (const pause_ms of PROMPT_RETRY_MS) {
    const shown = await api.get<PromptView[]>("/v1/prompts", { call_id: callId, language: spoken });
    words.value = { ...words.value, ...Object.fromEntries(shown.map((one) => [`${spoken}${one.seq}`, one.text])) };
    if (!seq || shown.some((one) => one.seq === seq)) return;
    await new Promise((resume) => setTimeout(resume, pause_ms));
  }
}

export async function loadSettings(): Promise<void> {
  const { settings: views } = await api.get<{ settings: { name: string; value: unknown }[] }>("/v1/settings");
  settings.value = Object.fromEntries(views.map((view) => [view.name, view.value]));
}

export async function loadContacts(): Promise<void> {
  contacts.value = await api.get<ContactView[]>("/v1/contacts");
}

export async function loadCallBacks(): Promise<void> {
  callBacks.value = await api.get<CallBackView[]>("/v1/call_backs");
}

async function loadHeadset(): Promise<void> {
  headset.value = await api.get<HeadsetView>("/v1/headset");
}

function quietly(work: Promise<unknown>): void {
  work.catch((reason: unknown) => console.warn(String(reason)));
}

/** Take one event into account. */
export function take(record: EventRecord, live: boolean): void {
  learn(record, live);
  if (live) {
    if (record.kind !== "levels") log.value = [...log.value.slice(1 - LOG_LENGTH), record];
    takeOfTheDesk(record);
  }
  if (record.kind === "levels") {
    levels.value = frame(record);
    return;
  }
  if (!record.call_id) return;
  const known = calls.value.find((call) => call.id === record.call_id);
  if (!known && ended.value?.id === record.call_id) {
    ended.value = after(ended.value, record) ?? null;
    if (record.kind === "prompt" && live) quietly(loadPrompts(record.call_id, record.seq));
    return;
  }
  const now = after(known, record);
  if (!now || now === known) return;
  const others = calls.value.filter((call) => call.id !== now.id);
  if (now.state === "ended") {
    calls.value = others;
    ended.value = now;
    if (levels.value?.callId === now.id) levels.value = null;
    changedCalls.value++;
  } else {
    calls.value = known ? calls.value.map((call) => (call.id === now.id ? now : call)) : [...others, now];
  }
  if (record.kind === "prompt" && live) quietly(loadPrompts(record.call_id, record.seq));
}

function takeOfTheDesk(record: EventRecord): void {
  const state = desk.value;
  if (!state) return;
  switch (record.kind) {
    case "trunk_changed":
      desk.value = {
        ...state,
        trunk: record.state as DeskState["trunk"],
        trunk_reason: String(record.reason ?? ""),
        trunk_sip_code: Number(record.sip_code ?? 0),
      };
      break;
    case "storage_changed":
      desk.value = { ...state, storage: record.state as DeskState["storage"] };
      break;
    case "agent_state_changed":
      agentSince_s.value = record.at_s;
      desk.value = { ...state, agent_state: record.state as AgentState, agent: String(record.agent ?? "") };
      changedCalls.value++;
      break;
    case "stranger_refused":
      desk.value = { ...state, strangers_refused: Number(record.count) };
      break;
    case "settings_changed":
      quietly(loadSettings());
      break;
    case "headset_changed":
    case "headset_buttons_changed":
    case "headset_button":
      quietly(loadHeadset());
      break;
    case "contact_saved":
    case "contact_removed":
      quietly(loadContacts());
      break;
    case "call_back_listed":
    case "call_returned":
    case "notes_taken":
      quietly(loadCallBacks());
      changedCalls.value++;
      break;
  }
}

function frame(record: EventRecord): LevelFrame {
  return {
    callId: record.call_id,
    agent_dbov: record.agent_after_rms_dbov as number[],
    customer_dbov: record.customer_rms_dbov as number[],
    agentActive_dbov: Number(record.agent_after_sliding_dbov),
    customerActive_dbov: Number(record.customer_sliding_dbov),
    gain_db: Number(record.agc_gain_db),
  };
}

let socket: WebSocket | null = null;
let tries = 0;
let retry = 0;

/** Read the desk as it is, then follow it. Called again after every break of the connection. */
async function connect(): Promise<void> {
  const state = await api.get<DeskState>("/v1/state");
  const going = await Promise.all(
    state.calls.map((call) => api.get<EventRecord[]>(`/v1/calls/${encodeURIComponent(call.call_id)}/events`)),
  );
  desk.value = state;
  calls.value = [];
  for (const record of going.flat()) if (record.seq <= state.last_event) take(record, false);
  for (const call of state.calls) quietly(loadPrompts(call.call_id));
  for (const load of [loadSettings, loadContacts, loadCallBacks, loadHeadset]) quietly(load());
  if (!session.signedIn.value) return;
  const opened = new WebSocket(session.streamUrl(state.last_event));
  socket = opened;
  opened.onopen = () => {
    online.value = true;
    tries = 0;
  };
  opened.onmessage = (message) => take(JSON.parse(String(message.data)) as EventRecord, true);
  opened.onclose = () => {
    if (socket === opened) again();
  };
}

function again(): void {
  online.value = false;
  socket = null;
  clearTimeout(retry);
  if (!session.signedIn.value) return;
  retry = window.setTimeout(start, RETRY_MS[Math.min(tries++, RETRY_MS.length - 1)]);
}

function start(): void {
  connect().catch((reason: unknown) => {
    if (!(reason instanceof Problem)) console.error(reason);
    again();
  });
}

/** Follow the desk while somebody is signed in. */
export function followDesk(): void {
  effect(() => {
    if (session.signedIn.value) {
      start();
    } else {
      clearTimeout(retry);
      const open = socket;
      socket = null;
      open?.close();
      online.value = false;
      desk.value = null;
      calls.value = [];
      ended.value = null;
      levels.value = null;
      log.value = [];
    }
  });
  effect(() => {
    const spoken = language.value; // the prompts that are shown follow the language
    for (const call of [...calls.peek(), ended.peek()]) if (spoken && call) quietly(loadPrompts(call.id));
  });
}
