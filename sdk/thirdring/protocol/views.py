"""Read-only views: what ``GET`` requests, AT queries and the SDK return."""

from dataclasses import dataclass
from typing import Any, Literal

from thirdring.protocol.events import AgentState, TrunkState, Verdict

__all__ = [
    "CallBackView",
    "CallDetail",
    "CallSummary",
    "CallView",
    "ContactView",
    "DeadLetterView",
    "DeskState",
    "HeadsetTest",
    "HeadsetView",
    "HookView",
    "NotesView",
    "PromptView",
    "RecordingView",
    "SettingView",
    "TrunkTrial",
    "UpdatePhase",
    "UpdateState",
]

Direction = Literal["incoming", "outgoing"]
RecordingState = Literal["off", "on", "paused"]
LiveState = Literal["incoming", "answering", "active", "held", "dialing", "alerting", "ending"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallView:
    """A call that is there now. ``index`` is its 3GPP TS 27.007 call number, lowest free and stable.

    State ``held``: by the agent. ``held_by_customer`` tells the other side's hold, ``waiting`` an incoming
    call beside another call, ``conference`` that this customer and the other one hear each other,
    ``recording`` whether the call is recorded just now.
    """

    call_id: str
    index: int
    direction: Direction
    state: LiveState
    number: str
    display_name: str
    rings: int
    started_utc: str
    held_by_customer: bool = False
    muted: bool = False
    waiting: bool = False
    conference: bool = False
    recording: RecordingState = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskState:
    """The desk as a whole; ``last_event`` is where to resume the event stream from.

    ``trunk_sip_code`` is the SIP answer behind the trunk's state, 0 when there is none. ``agent`` is who sits
    at the desk, ``agent_state`` what the agent does.
    """

    version: str
    board: str
    sip_stack: str
    trunk: TrunkState
    trunk_reason: str
    storage: Literal["ok", "full"]
    strangers_refused: int
    calls: tuple[CallView, ...]
    last_event: int
    trunk_sip_code: int = 0
    agent: str = ""
    agent_state: AgentState = "ready"


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadsetView:
    """The headset's buttons and lamps; ``device`` is empty while there is none.

    ``leds``: lamps that are lit (``off_hook``, ``ring``, ``mute``, ``hold``, ...); the simulator tells those
    that its headset has understood, besides its ``family`` and its ``buttons``. ``sound``: the sound device,
    and whether it is ``present``.
    """

    device: str
    leds: tuple[str, ...]
    family: str = ""
    buttons: tuple[str, ...] = ()
    sound: str = ""
    present: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSummary:
    """A call as the journal keeps it. ``state`` is ``live`` until it has ended.

    ``wait_s``: from our 180 to the answer (or the end, when never answered). ``talk_s``: answer to end.
    ``rings_heard``: rings the caller heard begin; None where no ringback was given.
    """

    call_id: str
    direction: Direction
    number: str
    display_name: str
    state: Literal["live", "ended"]
    started_utc: str
    answered_utc: str | None
    ended_utc: str | None
    ended_by: str
    cause: str
    wait_s: float | None
    talk_s: float | None
    rings_heard: int | None
    first_event: int
    last_event: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CallDetail:
    """A call with its verdicts."""

    call: CallSummary
    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingView:
    """A finished recording that is kept: ``file`` in the folder ``recordings`` of the state folder."""

    call_id: str
    file: str
    encrypted: bool
    size_bytes: int
    finished_utc: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptView:
    """A prompt that the agent was shown, in words; ``seq`` is the event's number."""

    seq: int
    utc: str
    call_id: str
    key: str
    rule: str
    urgency: str
    language: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotesView:
    """What was written down of a call; the fields of ``NotesTaken``, and the call's own."""

    call_id: str
    number: str
    started_utc: str
    noted_utc: str
    name: str
    firm: str
    post: str
    matter: str
    promised: str
    call_back_utc: str
    read_back: bool
    complaint: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactView:
    """Somebody known by number; ``calls`` with that number, the newest of them at ``last_call_utc``."""

    number: str
    name: str
    firm: str
    post: str
    remark: str
    calls: int = 0
    last_call_utc: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallBackView:
    """A customer who is to be called; ``done_utc`` once that has happened."""

    call_id: str
    number: str
    name: str
    why: Literal["dropped", "promised"]
    matter: str
    listed_utc: str
    due_utc: str
    done_utc: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HookView:
    """A web hook: ``position`` is the last event taken from the journal, ``waiting`` are still to be posted.

    ``dead``: events that were given up. ``reason`` why the last post was in vain, empty when all is well.
    """

    url: str
    position: int
    waiting: int
    delivered: int
    delivered_utc: str
    dead: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetterView:
    """An event that a web hook's server did not take; ``seq`` is the event's number."""

    letter_id: int
    url: str
    seq: int
    kind: str
    call_id: str
    tries: int
    given_up_utc: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingView:
    """One setting; ``low`` and ``high`` are inclusive bounds of numbers, ``choices`` of words.

    ``live``: a change takes effect at once (otherwise at the next start). Passwords read as ``***``.
    """

    name: str
    value: Any
    default: Any
    unit: str
    low: float | None
    high: float | None
    choices: tuple[str, ...]
    live: bool
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrunkTrial:
    """What came of trying a trunk. ``code`` 0: it took us; else a numbered error, ``detail`` more about it.

    ``sip_code`` is the trunk's own answer, 0 when there was none; ``server`` who was asked. ``realm`` is the
    one that the trunk asks for, where it is another than ours (3014): ``trunk.realm`` makes it ours.
    """

    code: int
    sip_code: int = 0
    detail: str = ""
    server: str = ""
    realm: str = ""
    took_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadsetTest:
    """The headset test: first it listens for ``listen_s``, then what it heard is played in the ear.

    ``level_dbov`` is that of the last 20 ms, ``speech_dbov`` the speech so far (ITU-T P.56), both behind the
    gain control as the norm on loudness judges them; ``microphone_dbov`` is the speech before it. Without
    speech they are -100. ``clipped`` samples were at the converter's end. ``broken_off``: by a call.
    """

    state: Literal["idle", "listening", "playing"]
    listen_s: float
    heard_s: float = 0.0
    level_dbov: float = -100.0
    speech_dbov: float = -100.0
    microphone_dbov: float = -100.0
    clipped: int = 0
    broken_off: bool = False


UpdatePhase = Literal[
    "idle", "waiting", "fetching", "checking", "installing", "restarting", "trial", "done", "failed"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateState:
    """Whether this unit installs updates itself (``supported``), what runs, and where the last update is.

    ``slot`` is the half of the disk that it runs from, A or B, empty where there are no halves. ``version``
    is the new one, as soon as it is known; ``code`` the numbered error of one that failed, 0 otherwise, with
    ``detail`` more about it; ``utc`` when that was told.
    """

    supported: bool
    running: str
    slot: str
    phase: UpdatePhase
    percent: int
    version: str
    code: int
    detail: str
    utc: str
