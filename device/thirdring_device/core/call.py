"""One call: its states, and the one table of what may follow what."""

from collections.abc import Mapping
from typing import Final, Literal

from thirdring.protocol.events import (
    AgentRequested,
    CallAlerting,
    CallAnswered,
    CallEnded,
    CallIncoming,
    CallOutgoing,
    ConferenceEnded,
    ConferenceStarted,
    Event,
    HoldEnded,
    HoldStarted,
    MuteEnded,
    MuteStarted,
    Record,
    RecordingEnded,
    RecordingPaused,
    RecordingResumed,
    RecordingStarted,
    RequestFailed,
    TransferProgress,
)
from thirdring.protocol.views import RecordingState

__all__ = ["TRANSITIONS", "Call", "CallState", "ImpossibleTransition"]

CallState = Literal[
    "new", "incoming", "answering", "dialing", "alerting", "active", "held", "ending", "ended"
]

# What may happen in a state without changing it. The other side may hold while we hold, and facts may be
# on their way when the agent hangs up.
_STANDING: Final[Mapping[str, tuple[CallState, ...]]] = {
    "customer_hold_started": ("active", "held", "ending"),
    "customer_hold_ended": ("active", "held", "ending"),
    "mute_started": ("active", "ending"),
    "mute_ended": ("active", "held", "ending"),
    "transfer_progress": ("active", "held", "ending"),
    "conference_started": ("active", "ending"),
    "conference_ended": ("active", "held", "ending"),
    "request_failed": ("dialing", "alerting", "active", "held", "ending"),
    "dtmf": ("active",),
    "hold": ("active",),
    "resume": ("held",),
    "mute": ("active",),
    "unmute": ("active",),
    "pause_recording": ("active", "held"),
    "resume_recording": ("active", "held"),
    "transfer": ("active", "held"),
    "conference": ("active",),
}

# (state, what happened) -> next state. A pair that is not here cannot happen.
# "incoming" holds from the INVITE to the agent's answer; "answering" until our 200 OK is out;
# "held" while the agent holds the call (the desk holds it, too, to take another one);
# "ending" from the agent's hang-up until the SIP stack says that the call is over.
TRANSITIONS: Final[Mapping[tuple[CallState, str], CallState]] = {
    ("new", "call_incoming"): "incoming",
    ("new", "call_outgoing"): "dialing",
    ("incoming", "call_alerting"): "incoming",
    ("incoming", "answer"): "answering",
    ("incoming", "hangup"): "ending",
    ("incoming", "refuse"): "ending",
    ("incoming", "forward"): "ending",
    ("incoming", "call_answered"): "active",  # it takes the place of another one, which the stack answers
    ("incoming", "call_ended"): "ended",
    ("answering", "call_alerting"): "answering",
    ("answering", "call_answered"): "active",
    ("answering", "hangup"): "ending",
    ("answering", "call_ended"): "ended",
    ("dialing", "call_alerting"): "alerting",
    ("dialing", "call_answered"): "active",
    ("dialing", "hangup"): "ending",
    ("dialing", "call_ended"): "ended",
    ("alerting", "call_alerting"): "alerting",
    ("alerting", "call_answered"): "active",
    ("alerting", "hangup"): "ending",
    ("alerting", "call_ended"): "ended",
    ("active", "hangup"): "ending",
    ("active", "call_ended"): "ended",
    ("active", "agent_hold_started"): "held",
    ("held", "agent_hold_ended"): "active",
    ("held", "hangup"): "ending",
    ("held", "call_ended"): "ended",
    # Facts that were on their way when the agent hung up.
    ("ending", "call_alerting"): "ending",
    ("ending", "call_answered"): "ending",
    ("ending", "agent_hold_started"): "ending",
    ("ending", "agent_hold_ended"): "ending",
    ("ending", "call_ended"): "ended",
    **{(state, what): state for what, states in _STANDING.items() for state in states},
}

_SIGNALLING: Final = (
    CallIncoming,
    CallOutgoing,
    CallAlerting,
    CallAnswered,
    CallEnded,
    MuteStarted,
    MuteEnded,
    RequestFailed,
    TransferProgress,
    ConferenceStarted,
    ConferenceEnded,
)

_RECORDING: Final = (RecordingStarted, RecordingPaused, RecordingResumed, RecordingEnded)
_RECORDING_STATES: Final[Mapping[str, RecordingState]] = {
    "recording_started": "on",
    "recording_paused": "paused",
    "recording_resumed": "on",
    "recording_ended": "off",
}


class ImpossibleTransition(Exception):  # noqa: N818 - the name says what happened
    """A fact that cannot follow on the call's state: an adapter's mistake, never a user's."""


class Call:
    """What is known of one call. Times are the engine's monotonic seconds, None until they happen."""

    def __init__(self, call_id: str, index: int) -> None:
        self.call_id = call_id
        self.index = index
        self.state: CallState = "new"
        self.incoming = True
        self.number = ""
        self.display_name = ""
        self.started_utc = ""
        self.alerting: Record | None = None
        self.answered: Record | None = None
        self.media_started: Record | None = None
        self.ended: CallEnded | None = None
        self.held_by_customer = False
        self.muted = False
        self.conference = False
        self.recording: RecordingState = "off"

    def advance(self, what: str) -> None:
        """Follow the table; raises ``ImpossibleTransition``."""
        following = TRANSITIONS.get((self.state, what))
        if following is None:
            raise ImpossibleTransition(f"{what} in state {self.state} of call {self.call_id}")
        self.state = following

    def can(self, what: str) -> bool:
        """Whether ``what`` may happen now."""
        return (self.state, what) in TRANSITIONS

    def apply(self, record: Record) -> None:
        """Take in one fact of this call; raises ``ImpossibleTransition``."""
        event: Event = record.event
        if isinstance(event, _SIGNALLING):
            self.advance(event.kind)
        elif isinstance(event, HoldStarted | HoldEnded):
            self.advance(f"{event.by}_{event.kind}")
        elif isinstance(event, AgentRequested) and event.action != "dial":
            self.advance(event.action)
        if isinstance(event, CallIncoming):
            self.number, self.display_name, self.started_utc = event.number, event.display_name, record.utc
        elif isinstance(event, CallOutgoing):
            self.incoming, self.number, self.started_utc = False, event.number, record.utc
        elif isinstance(event, CallAlerting):
            self.alerting = self.alerting or record
        elif isinstance(event, CallAnswered):
            self.answered = record
        elif event.kind == "media_started":
            self.media_started = record
        elif isinstance(event, HoldStarted | HoldEnded) and event.by == "customer":
            self.held_by_customer = isinstance(event, HoldStarted)
        elif isinstance(event, MuteStarted | MuteEnded):
            self.muted = isinstance(event, MuteStarted)
        elif isinstance(event, ConferenceStarted | ConferenceEnded):
            self.conference = isinstance(event, ConferenceStarted)
        elif isinstance(event, _RECORDING):
            self.recording = _RECORDING_STATES[event.kind]
        elif isinstance(event, CallEnded):
            self.ended = event
