/** What crosses the appliance's API; the fields are described in its /openapi.json. */

export type Side = "agent" | "customer";
export type AgentState = "ready" | "talking" | "wrap_up" | "break" | "away";
export type Direction = "incoming" | "outgoing";
export type VerdictValue = "met" | "warned" | "breached" | "not_applicable";
export type Role = "agent" | "lead" | "technician";

/** Who asks, as the gateway sees it. */
export interface SessionView {
  role: Role;
  kind: "session" | "token";
  csrf_token: string;
  must_change_password: boolean;
  ends_utc: string | null;
}

export type TrunkState = "static" | "registering" | "registered" | "refused" | "unreachable";

/** A numbered event; the fields besides these depend on its kind. */
export interface EventRecord {
  seq: number;
  utc: string;
  kind: string;
  at_s: number;
  call_id: string;
  [field: string]: unknown;
}

export interface CallView {
  call_id: string;
  direction: Direction;
  state: string;
  number: string;
  display_name: string;
}

export interface DeskState {
  version: string;
  board: string;
  sip_stack: string;
  trunk: TrunkState;
  trunk_reason: string;
  trunk_sip_code: number;
  storage: "ok" | "full";
  strangers_refused: number;
  calls: CallView[];
  last_event: number;
  agent: string;
  agent_state: AgentState;
}

/** What came of trying a trunk; 0: it took us. */
export interface TrunkTrial {
  code: number;
  sip_code: number;
  detail: string;
  server: string;
  realm: string;
  took_s: number;
}

export interface HeadsetTest {
  state: "idle" | "listening" | "playing";
  listen_s: number;
  heard_s: number;
  level_dbov: number;
  speech_dbov: number;
  microphone_dbov: number;
  clipped: number;
  broken_off: boolean;
}

export interface SoundDevice {
  device: string;
  name: string;
}

export interface Country {
  country: string;
  ring_s: number;
}

export interface Holiday {
  day: string;
  name: string;
}

export interface HeadsetView {
  device: string;
  leds: string[];
  family: string;
  buttons: string[];
  sound: string;
  present: boolean;
}

export interface CallSummary {
  call_id: string;
  direction: Direction;
  number: string;
  display_name: string;
  state: "live" | "ended";
  started_utc: string;
  answered_utc: string | null;
  ended_utc: string | null;
  ended_by: string;
  cause: string;
  wait_s: number | null;
  talk_s: number | null;
  rings_heard: number | null;
}

export interface Verdict {
  rule: string;
  verdict: VerdictValue;
  value: number | null;
  unit: string;
  threshold: number | null;
  reason: string;
  evidence: number[];
}

export interface PromptView {
  seq: number;
  key: string;
  urgency: "info" | "warn" | "urgent";
  text: string;
}

export interface NotesView {
  call_id: string;
  number: string;
  started_utc: string;
  name: string;
  firm: string;
  post: string;
  matter: string;
  promised: string;
  call_back_utc: string;
  read_back: boolean;
  complaint: boolean;
}

export interface ContactView {
  number: string;
  name: string;
  firm: string;
  post: string;
  remark: string;
  calls: number;
  last_call_utc: string | null;
}

export interface CallBackView {
  call_id: string;
  number: string;
  name: string;
  why: "dropped" | "promised";
  matter: string;
  listed_utc: string;
  due_utc: string;
  done_utc: string | null;
}

export interface RecordingView {
  call_id: string;
  size_bytes: number;
}

export interface SettingView {
  name: string;
  value: unknown;
  default: unknown;
  unit: string;
  low: number | null;
  high: number | null;
  choices: string[];
  live: boolean;
  description: string;
}

export interface NormScore {
  met: number;
  warned: number;
  breached: number;
  not_applicable: number;
  met_percent: number | null;
}

export interface FiguresRow {
  start_utc: string;
  end_utc: string;
  label: string;
  offered: number;
  answered: number;
  abandoned: number;
  abandoned_percent: number | null;
  service_level_percent: number | null;
  average_speed_of_answer_s: number | null;
  longest_wait_s: number | null;
  average_handling_time_s: number | null;
  occupancy_percent: number | null;
  first_call_resolution_percent: number | null;
  repeat_callers: number;
  outgoing: number;
  norms: Record<string, NormScore>;
}

export interface FiguresReport {
  from_utc: string;
  to_utc: string;
  time_zone: string;
  answer_within_s: number;
  rows: FiguresRow[];
  total: FiguresRow;
}

export interface Series {
  start_s: number;
  step_s: number;
  agent_after_rms: (number | null)[];
  customer_rms: (number | null)[];
}

export interface Report {
  call: CallSummary;
  duration_s: number;
  alerting_at_s: number | null;
  answered_at_s: number | null;
  ended_at_s: number | null;
  media_at_s: number | null;
  greeting_s: number | null;
  codec: string;
  end_sip_code: number;
  rings: { number: number; at_s: number; urgency: string }[];
  spurts: { side: Side; start_s: number; end_s: number }[];
  stretches: { kind: string; start_s: number; end_s: number }[];
  tones: { side: Side; tone: string; start_s: number; end_s: number }[];
  keys: { side: Side; digit: string; at_s: number }[];
  moments: { kind: string; at_s: number; name: string; rule: string; state: string }[];
  verdicts: Verdict[];
  evidence: Record<string, number>;
  series: Series | null;
  limits: { level_target_dbov: number; level_band_db: number; max_rings: number };
  agent_after: { active_speech_level_dbov: number } | null;
  customer: { active_speech_level_dbov: number } | null;
  talk: { span_s: number; agent_s: number; customer_s: number; both_s: number; silence_s: number } | null;
  quality: { codec: string; encrypted: boolean; lost_percent: number; jitter_ms: number; heard_mos: number | null } | null;
}

export interface UnitView {
  version: string;
  board: string;
  sip_stack: string;
  machine: {
    serial_number: string;
    model: string;
    processor: string;
    processors: number;
    system: string;
    kernel: string;
    python: string;
    up_s: number;
    load: number;
    disk_free_mb: number;
    disk_mb: number;
  };
  update: UpdateView;
}

/** Whether the unit installs updates, and where the last one is; `code` is the numbered error of one that failed. */
export interface UpdateView {
  supported: boolean;
  running: string;
  slot: string;
  phase: "idle" | "waiting" | "fetching" | "checking" | "installing" | "restarting" | "trial" | "done" | "failed";
  percent: number;
  version: string;
  code: number;
  detail: string;
  utc: string;
}

export interface SelfTestItem {
  name: string;
  result: "ok" | "warning" | "failed";
  finding: string;
  value: number | null;
  unit: string;
  low: number | null;
  high: number | null;
}

export interface SelfTestView {
  passed: boolean;
  items: SelfTestItem[];
}

export interface LogLine {
  utc: string;
  process: "engine" | "gateway";
  level: "debug" | "info" | "warning" | "error" | "critical";
  logger: string;
  text: string;
}

export interface SaidLine {
  utc: string;
  console: string;
  side: "host" | "unit";
  text: string;
}

export interface Comparison {
  etag: string;
  made_utc: string;
  version: string;
  changes: { name: string; now: unknown; then: unknown; live: boolean }[];
  unknown: string[];
  left_out: string[];
}
