"""What every event has, and the words that several of them share."""

from dataclasses import dataclass
from typing import ClassVar, Final, Literal

__all__ = [
    "SILENCE_DBOV",
    "AgentAction",
    "AgentState",
    "Cause",
    "ChosenState",
    "Event",
    "Party",
    "ProgressKind",
    "Side",
    "TrunkState",
    "VerdictValue",
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
    "pause_recording",
    "resume_recording",
]
AgentState = Literal["ready", "talking", "wrap_up", "break", "away"]
ChosenState = Literal["ready", "break", "away"]
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
