"""What the core concludes from the facts; a replay of the facts gives it again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from thirdring.protocol.events.base import Event, ProgressKind, VerdictValue

__all__ = [
    "AutoAnswered",
    "CallProgress",
    "NormNoted",
    "Prompt",
    "RingBurst",
    "RingOverflow",
    "Verdict",
]


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
