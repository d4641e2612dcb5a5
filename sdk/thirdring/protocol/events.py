"""The events: every fact of the desk, numbered once, stored once, read by everybody.

*Facts* come from the adapters (SIP, sound, people). *Derived* events are what the core concludes from
them; a replay of the facts gives them again. Times: ``at_s`` is the engine's monotonic clock; ``start_s``
and ``end_s`` of sound events are media time, seconds of signal since the call's ``media_started``, whose
``at_s`` ties the two together. Levels are dBov (ITU-T G.100.1); digital silence is ``SILENCE_DBOV``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, Literal

from thirdring.protocol.codec import from_fields, to_fields
from thirdring.protocol.errors import error

__all__ = [
    "EVENT_KINDS",
    "SILENCE_DBOV",
    "AgentRequested",
    "AutoAnswered",
    "CallAlerting",
    "CallAnswered",
    "CallEnded",
    "CallIncoming",
    "CallOutgoing",
    "CallProgress",
    "CallQuality",
    "ConferenceEnded",
    "ConferenceStarted",
    "DeadAir",
    "DialRefused",
    "Dtmf",
    "EngineStarted",
    "EngineStopped",
    "Event",
    "HoldEnded",
    "HoldStarted",
    "Interruption",
    "LevelSummary",
    "Levels",
    "MediaEnded",
    "MediaStarted",
    "MuteEnded",
    "MuteStarted",
    "NormNoted",
    "Overlap",
    "Prompt",
    "Record",
    "RequestFailed",
    "RingBurst",
    "RingOverflow",
    "SettingsChanged",
    "StorageChanged",
    "StrangerRefused",
    "TalkSpurt",
    "TalkSpurtStarted",
    "TalkSummary",
    "ToneHeard",
    "TransferProgress",
    "TrunkChanged",
    "UnknownEvent",
    "Verdict",
    "VerdictValue",
    "VoiceFigures",
    "VoiceSummary",
    "record_from_json",
    "record_to_json",
]

SILENCE_DBOV: Final = -100.0
"""Stands for minus infinity, which JSON cannot carry; below the 16-bit quantisation floor (-98)."""

Side = Literal["agent", "customer"]
Party = Literal["agent", "customer", "appliance", "network"]
Cause = Literal[
    "hangup",
    "cancelled",
    "busy",
    "rejected",
    "no_answer",
    "failed",
    "lost",
    "overflow",
    "interrupted",
    "transferred",
    "forwarded",
    "do_not_disturb",
]
AgentAction = Literal[
    "dial",
    "answer",
    "hangup",
    "dtmf",
    "hold",
    "resume",
    "mute",
    "unmute",
    "transfer",
    "conference",
    "forward",
]
ProgressKind = Literal[
    "ringback",
    "unknown_ringback",
    "announcement",
    "busy",
    "congestion",
    "number_unobtainable",
    "sit",
]
TrunkState = Literal["static", "registering", "registered", "refused", "unreachable"]
VerdictValue = Literal["met", "warned", "breached", "not_applicable"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What every event has. ``call_id`` is empty for events of the desk as a whole."""

    kind: ClassVar[str] = ""
    derived: ClassVar[bool] = False
    at_s: float
    call_id: str = ""


# --- the appliance --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineStarted(Event):
    """The engine is up; its monotonic clock starts here. ``sip_stack`` is the pjsua2 version."""

    kind = "engine_started"
    version: str
    board: str
    sip_stack: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineStopped(Event):
    """The engine stopped in an orderly way."""

    kind = "engine_stopped"
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrunkChanged(Event):
    """State of the trunk; ``sip_code`` 0 when no SIP answer is behind it; ``server`` when registered."""

    kind = "trunk_changed"
    state: TrunkState
    sip_code: int = 0
    reason: str = ""
    server: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StrangerRefused(Event):
    """An INVITE from a source that is not the trunk was refused; ``count`` since the start."""

    kind = "stranger_refused"
    source: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DialRefused(Event):
    """The dial plan refused a number; ``code`` is the numbered error, ``source`` who asked."""

    kind = "dial_refused"
    number: str
    code: int
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsChanged(Event):
    """Settings changed while running: dotted name to new value."""

    kind = "settings_changed"
    changes: Mapping[str, Any]
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageChanged(Event):
    """The journal can be written (``ok``) or could not be for a while (``full``, ``lost`` events)."""

    kind = "storage_changed"
    state: Literal["ok", "full"]
    lost: int = 0


# --- a call: signalling ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class CallIncoming(Event):
    """An INVITE arrived. ``number`` is empty when the caller withholds it or sent none.

    ``withheld``: the caller wants to be anonymous (RFC 3323). ``asserted``: the trunk vouches for number
    and name (RFC 3325); otherwise they are the caller's own word. ``answer_after_s``: the call is to be
    answered by itself so long after it began to ring, None when it is not.
    """

    kind = "call_incoming"
    number: str
    display_name: str = ""
    remote_uri: str = ""
    withheld: bool = False
    asserted: bool = False
    answer_after_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOutgoing(Event):
    """Our INVITE is on its way."""

    kind = "call_outgoing"
    number: str
    remote_uri: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallAlerting(Event):
    """The first 180 or 183: sent by us (incoming call) or received (outgoing call).

    ``early_media``: it was a 183, so the network is heard before the answer (RFC 3960). ``waiting``: another
    call was there when this one came in, so it alerts quietly.
    """

    kind = "call_alerting"
    waiting: bool = False
    early_media: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CallAnswered(Event):
    """The 200 OK: sent by us (incoming call) or received (outgoing call)."""

    kind = "call_answered"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEnded(Event):
    """The call is over; ``by`` is who released it."""

    kind = "call_ended"
    by: Party
    cause: Cause
    sip_code: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallQuality(Event):
    """What the network did to the call's sound, told at its end when there was any.

    ``received``, ``lost_percent``, ``discarded_percent`` (came too late to be played), ``jitter_ms`` and
    ``buffer_ms`` (mean delay in the jitter buffer) are of what came in; ``sent*`` of what we sent, as the
    other side reported it (RTCP, RFC 3550 clause 6.4), None without a report. ``heard_mos`` and ``sent_mos``:
    mean opinion score estimated by the E-model (ITU-T G.107), 1 to 4.5, None for codecs without published
    values.
    """

    kind = "call_quality"
    codec: str
    encrypted: bool
    received: int
    lost_percent: float
    discarded_percent: float
    jitter_ms: float
    buffer_ms: float
    sent: int
    sent_lost_percent: float | None
    sent_jitter_ms: float | None
    round_trip_ms: float | None
    heard_mos: float | None
    sent_mos: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentRequested(Event):
    """The agent (or a program for the agent) asked for something; ``source`` is the way it came.

    ``other_call_id``: the second call of a conference, or of a transfer after consultation. ``consent``:
    the customer agreed to the transfer. ``duration_ms``: of each digit, 0 as set.
    """

    kind = "agent_requested"
    action: AgentAction
    source: str = ""
    argument: str = ""
    other_call_id: str = ""
    consent: bool = False
    duration_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFailed(Event):
    """What the agent had asked for was not done; ``sip_code`` is the other side's answer, 0 without one."""

    kind = "request_failed"
    action: AgentAction
    sip_code: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldStarted(Event):
    """From ``at_s`` on the call is on hold: ``by`` the agent, or by the customer's own telephone."""

    kind = "hold_started"
    by: Side


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldEnded(Event):
    """The hold ``by`` that side is over: the two hear each other again, unless the other side holds, too."""

    kind = "hold_ended"
    by: Side


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferProgress(Event):
    """How a transfer goes on, as the customer's side tells it (RFC 3515).

    ``consulted``: to a call of ours (``other_call_id``, RFC 3891) instead of to a number. ``sip_code`` is
    what the customer's side got from ``target``, or its answer to our REFER.
    """

    kind = "transfer_progress"
    state: Literal["asked", "accepted", "ringing", "succeeded", "failed"]
    target: str
    consulted: bool = False
    other_call_id: str = ""
    sip_code: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConferenceStarted(Event):
    """The customer hears not only the agent but also the customer of ``other_call_id``."""

    kind = "conference_started"
    other_call_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConferenceEnded(Event):
    """The customer no longer hears the other customer."""

    kind = "conference_ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class MuteStarted(Event):
    """From ``at_s`` on the customer does not hear the agent, who hears the customer."""

    kind = "mute_started"


@dataclass(frozen=True, slots=True, kw_only=True)
class MuteEnded(Event):
    """The customer hears the agent again, or the call was put on hold."""

    kind = "mute_ended"


# --- a call: sound --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaStarted(Event):
    """Sample 0 of both directions was processed at ``at_s``."""

    kind = "media_started"
    codec: str
    sample_rate_hz: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelSummary:
    """ITU-T P.56 method B over the whole call, one point of measurement."""

    active_speech_level_dbov: float
    activity_percent: float
    active_s: float
    peak_dbov: float
    clipped_samples: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceSummary:
    """Pace and noise of one side, before anything was done to its sound.

    ``syllables_per_s``: syllables per second of articulated speech, None before there was 1 s of it.
    ``noise_level_dbov``: mean power of the background while nobody speaks. ``snr_db``: active speech
    level (ITU-T P.56) over it, None without speech or without noise.
    """

    syllables_per_s: float | None
    articulated_s: float
    noise_level_dbov: float
    snr_db: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TalkSummary:
    """How the two sides shared the whole call's sound.

    ``overlap_s``: both spoke at once, each time for 0.1 s or more; ``overlap_percent`` is its share of the
    time in which anybody spoke. ``dead_air_s``: the stretches of ``dead_air`` events.
    """

    agent_s: float
    customer_s: float
    overlap_s: float
    overlap_percent: float
    dead_air_s: float
    interruptions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaEnded(Event):
    """The last sample was processed; the figures of the whole call where they were measured.

    Levels ``agent_before`` and ``agent_after`` the AGC, and ``customer`` as received. Events of older
    versions have no ``agent_voice``, ``customer_voice`` and ``talk``.
    """

    kind = "media_ended"
    duration_s: float
    agent_before: LevelSummary
    agent_after: LevelSummary
    customer: LevelSummary
    agent_voice: VoiceSummary | None = None
    customer_voice: VoiceSummary | None = None
    talk: TalkSummary | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels(Event):
    """Levels over the half second of signal that ends at ``end_s``.

    ``*_rms_dbov``: one value a 100 ms, for pictures and meters. ``*_sliding_dbov``: ITU-T P.56 active
    speech level over the last 3 s of *active* speech. ``agent_active_s``: active speech within this
    half second, on which ``voice.level`` is judged.
    """

    kind = "levels"
    end_s: float
    interval_s: float
    agent_before_rms_dbov: tuple[float, ...]
    agent_after_rms_dbov: tuple[float, ...]
    customer_rms_dbov: tuple[float, ...]
    agent_before_sliding_dbov: float
    agent_after_sliding_dbov: float
    customer_sliding_dbov: float
    agent_active_s: float
    customer_active_s: float
    agc_gain_db: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TalkSpurtStarted(Event):
    """Somebody began to speak at ``start_s``."""

    kind = "talk_spurt_started"
    side: Side
    start_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TalkSpurt(Event):
    """Somebody spoke from ``start_s`` to ``end_s``."""

    kind = "talk_spurt"
    side: Side
    start_s: float
    end_s: float
    level_dbov: float


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceFigures(Event):
    """Pace and noise of both sides at ``end_s``, every 5 s of signal.

    Pace looks back on 10 s, the signal-to-noise ratio on 3 s of active speech.
    """

    kind = "voice_figures"
    end_s: float
    agent: VoiceSummary
    customer: VoiceSummary


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap(Event):
    """Both spoke from ``start_s`` to ``end_s``, for 0.1 s or more; ``side`` came in second."""

    kind = "overlap"
    side: Side
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Interruption(Event):
    """The agent may have talked over the customer, who had been speaking for 0.5 s or more.

    The agent began at ``start_s``, and both have spoken until ``end_s``, 0.8 s or more.
    """

    kind = "interruption"
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadAir(Event):
    """Nobody has spoken since ``start_s``: told when 10 s are over, and again when somebody speaks.

    ``end_s`` is how far it goes, to the end when it is ``over``.
    """

    kind = "dead_air"
    start_s: float
    end_s: float
    over: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ToneHeard(Event):
    """A tone of the network or of a machine was heard.

    ``tone``: fax ``cng``, ``ced`` and ``ced_end`` (ITU-T T.30, V.8; ``detail`` is ``ANS``, ``ANSam``,
    ``/ANS`` or ``/ANSam``); of the trunk's national plan ``dial_tone``, ``special_dial_tone``, ``ringback``
    (``detail`` counts the rings), ``busy``, ``congestion``, ``number_unobtainable``, ``call_waiting``,
    ``howler`` and ``sit``; ``unknown_ringback`` is 6 s of music. Told when it is certain, so a steady tone
    may go on after ``end_s``.
    """

    kind = "tone_heard"
    side: Side
    tone: str
    start_s: float
    end_s: float
    level_dbm0: float
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dtmf(Event):
    """A DTMF digit: RFC 4733 event or SIP INFO (``event``, ``info``) or heard as tones (``tone``).

    One that comes by several ways at once is told once, by the way that was first.
    """

    kind = "dtmf"
    side: Side
    digit: str
    method: Literal["event", "info", "tone"]
    start_s: float = 0.0


# --- derived by the core --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class RingBurst(Event):
    """The caller hears ring number ``ring`` begin; ``urgency`` is the ring ladder's step."""

    kind = "ring_burst"
    derived = True
    ring: int
    urgency: Literal["normal", "warn", "urgent", "breach"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallProgress(Event):
    """What the network lets a call of ours hear before it is answered, each time that changes.

    ``ringback`` of the trunk's national plan, ``unknown_ringback`` (music in its place), ``announcement``
    (somebody speaks), or a tone that says that nothing will come of it. ``start_s`` is media time.
    """

    kind = "call_progress"
    derived = True
    heard: ProgressKind
    start_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoAnswered(Event):
    """The appliance answers the call by itself, as was asked for."""

    kind = "auto_answered"
    derived = True


@dataclass(frozen=True, slots=True, kw_only=True)
class RingOverflow(Event):
    """The ring ladder reached its end."""

    kind = "ring_overflow"
    derived = True
    ring: int
    action: str
    target: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt(Event):
    """Something to show to the agent, never to the customer. ``key`` names it in the catalogues."""

    kind = "prompt"
    derived = True
    key: str
    rule: str = ""
    urgency: Literal["info", "warn", "urgent"] = "info"


@dataclass(frozen=True, slots=True, kw_only=True)
class NormNoted(Event):
    """A norm's live state changed."""

    kind = "norm_noted"
    derived = True
    rule: str
    state: Literal["met", "warned", "breached"]
    value: float | None = None
    unit: str = ""
    threshold: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict(Event):
    """The final judgement of one norm on one call.

    ``measures`` has every measured value by name with its unit in the name; ``evidence`` the numbers
    of the events it rests on; ``reason`` why a norm was not applicable.
    """

    kind = "verdict"
    derived = True
    rule: str
    verdict: VerdictValue
    value: float | None
    unit: str
    threshold: float | None
    reason: str = ""
    measures: Mapping[str, float] = field(default_factory=dict)
    evidence: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownEvent(Event):
    """An event of a kind that this version does not know."""

    kind = "unknown"
    unknown_kind: str
    fields: Mapping[str, Any]


def _all_kinds(cls: type[Event]) -> dict[str, type[Event]]:
    kinds = {sub.kind: sub for sub in cls.__subclasses__()}
    del kinds[UnknownEvent.kind]
    return kinds


EVENT_KINDS: Final[Mapping[str, type[Event]]] = _all_kinds(Event)


# --- numbered -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Record:
    """An event as the journal keeps it: its number and the wall clock (ISO 8601, UTC)."""

    number: int
    utc: str
    event: Event


RECORD_KEYS: Final = ("seq", "utc", "kind")
"""What a record's JSON object has besides the event's own fields; no event may use these names."""


def record_to_json(record: Record) -> dict[str, Any]:
    """Return the flat JSON object: ``seq`` (the number), ``utc``, ``kind`` and the event's own fields."""
    event = record.event
    if isinstance(event, UnknownEvent):
        kind, fields = event.unknown_kind, event.fields
    else:
        kind, fields = event.kind, to_fields(event)
    return {"seq": record.number, "utc": record.utc, "kind": kind, **fields}


def record_from_json(data: Mapping[str, Any]) -> Record:
    """Build a record from ``record_to_json``'s object; raises ``RequestError`` 1001 if it is not one."""
    number, utc, kind = (data.get(key) for key in RECORD_KEYS)
    if not (isinstance(number, int) and isinstance(utc, str) and isinstance(kind, str)):
        raise error(1001, f"seq, utc or kind of an event: {number!r:.30}, {utc!r:.30}, {kind!r:.30}")
    cls = EVENT_KINDS.get(kind)
    if cls is not None:
        return Record(number, utc, from_fields(cls, data))
    fields = {key: value for key, value in data.items() if key not in RECORD_KEYS}
    known = from_fields(Event, fields)
    return Record(
        number,
        utc,
        UnknownEvent(at_s=known.at_s, call_id=known.call_id, unknown_kind=kind, fields=fields),
    )
