"""What the key figures count: calls and stretches of the agent's states, out of the journal's records."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from thirdring.protocol.events import (
    AgentState,
    AgentStateChanged,
    CallAlerting,
    CallAnswered,
    CallEnded,
    CallIncoming,
    CallOutgoing,
    EngineStarted,
    EngineStopped,
    Event,
    HoldEnded,
    HoldStarted,
    Record,
    TransferProgress,
    Verdict,
)

__all__ = ["CALL_KINDS", "DESK_KINDS", "CallFacts", "Facts", "StateSpan", "collect"]

CALL_KINDS: Final = tuple(
    kind.kind
    for kind in (
        CallIncoming,
        CallOutgoing,
        CallAlerting,
        CallAnswered,
        CallEnded,
        HoldStarted,
        HoldEnded,
        TransferProgress,
    )
)
"""Events of a call that count; its verdicts besides."""
DESK_KINDS: Final = (EngineStarted.kind, EngineStopped.kind, AgentStateChanged.kind)


@dataclass(slots=True)
class CallFacts:
    """One call. Times in seconds are differences on the engine's clock, None until they happen."""

    call_id: str
    incoming: bool
    number: str
    started: datetime
    agent: str
    alerting_at_s: float | None = None
    answered_at_s: float | None = None
    ended_at_s: float | None = None
    ended_by: str = ""
    cause: str = ""
    hold_s: float = 0.0
    held: bool = False
    transferred: bool = False
    wrap_up_s: float = 0.0
    verdicts: dict[str, str] = field(default_factory=dict)
    _held_at_s: float | None = None

    def take(self, event: Event) -> None:
        """Take in an event of this call."""
        if isinstance(event, CallAlerting):
            self.alerting_at_s = event.at_s if self.alerting_at_s is None else self.alerting_at_s
        elif isinstance(event, CallAnswered):
            self.answered_at_s = event.at_s
        elif isinstance(event, HoldStarted) and event.by == "agent":
            self.held, self._held_at_s = True, event.at_s
        elif isinstance(event, HoldEnded) and event.by == "agent":
            self._hold_until(event.at_s)
        elif isinstance(event, TransferProgress):
            self.transferred = self.transferred or event.state == "succeeded"
        elif isinstance(event, Verdict):
            self.verdicts[event.rule] = event.verdict
        elif isinstance(event, CallEnded):
            self._hold_until(event.at_s)
            self.ended_at_s, self.ended_by, self.cause = event.at_s, event.by, event.cause

    def _hold_until(self, at_s: float) -> None:
        if self._held_at_s is not None:
            self.hold_s += at_s - self._held_at_s
            self._held_at_s = None

    @property
    def ended(self) -> bool:
        """Whether the call is over."""
        return self.ended_at_s is not None

    @property
    def offered(self) -> bool:
        """Whether it rang here."""
        return self.incoming and self.alerting_at_s is not None

    @property
    def answered(self) -> bool:
        """Whether it was answered."""
        return self.answered_at_s is not None

    @property
    def given_up(self) -> bool:
        """Whether the caller hung up while it rang."""
        return self.offered and not self.answered and self.ended_by in ("customer", "network")

    @property
    def wait_s(self) -> float:
        """From the 180 to the answer, or to the end."""
        until_s = self.answered_at_s if self.answered_at_s is not None else self.ended_at_s
        if self.alerting_at_s is None or until_s is None:
            return 0.0
        return until_s - self.alerting_at_s

    @property
    def talk_s(self) -> float:
        """From the answer to the end, holds by the agent apart."""
        if self.answered_at_s is None or self.ended_at_s is None:
            return 0.0
        return self.ended_at_s - self.answered_at_s - self.hold_s


@dataclass(frozen=True, slots=True)
class StateSpan:
    """A stretch of one state of the agent."""

    agent: str
    state: AgentState
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Facts:
    """Calls in the order they came, and the agent's states without gap while the engine ran."""

    calls: tuple[CallFacts, ...]
    spans: tuple[StateSpan, ...]


class _States:
    """Turns changes of state into stretches; lengths are by the engine's clock, places by the wall's."""

    def __init__(self) -> None:
        self.spans: list[StateSpan] = []
        self.agent = ""
        self._last: Record | None = None
        self._seen: Record | None = None

    def take(self, record: Record) -> float:
        """Take in a record of the desk; return how long the state lasted that it ended."""
        event = record.event
        until = self._seen if isinstance(event, EngineStarted) else record
        length_s = self.end(until)
        self._seen = record
        if isinstance(event, AgentStateChanged):
            self._last, self.agent = record, event.agent
        return length_s

    def seen(self, record: Record) -> None:
        """Note a sign of life."""
        self._seen = record

    def end(self, until: Record | None) -> float:
        """End the state under way at ``until``."""
        last, self._last = self._last, None
        if last is None or until is None or not isinstance(last.event, AgentStateChanged):
            return 0.0
        return self._add(last, max(0.0, until.event.at_s - last.event.at_s))

    def end_now(self, now: datetime) -> None:
        """End the state under way at wall-clock time ``now``."""
        if self._last is not None:
            self._add(self._last, max(0.0, (now - _time(self._last.utc)).total_seconds()))

    def _add(self, last: Record, length_s: float) -> float:
        event, start = last.event, _time(last.utc)
        assert isinstance(event, AgentStateChanged)  # noqa: S101 - only those are kept
        self.spans.append(StateSpan(event.agent, event.state, start, start + timedelta(seconds=length_s)))
        return length_s


def collect(records: Iterable[Record], now: datetime) -> Facts:
    """Gather the facts of ``records``, which are in the order of their numbers.

    Records of other kinds may be among them. ``now`` ends the state that the agent is in.
    """
    calls: dict[str, CallFacts] = {}
    states = _States()
    about = ""
    for record in records:
        event = record.event
        if event.kind in DESK_KINDS:
            length_s = states.take(record)
            if about in calls:
                calls[about].wrap_up_s += length_s
            wraps_up = isinstance(event, AgentStateChanged) and event.state == "wrap_up"
            about = event.about if wraps_up and isinstance(event, AgentStateChanged) else ""
            continue
        states.seen(record)
        if isinstance(event, CallIncoming | CallOutgoing):
            calls[event.call_id] = CallFacts(
                event.call_id,
                isinstance(event, CallIncoming),
                event.number,
                _time(record.utc),
                states.agent,
            )
        elif event.call_id in calls:
            calls[event.call_id].take(event)
    states.end_now(now)
    return Facts(tuple(calls.values()), tuple(states.spans))


def _time(utc: str) -> datetime:
    return datetime.fromisoformat(utc)
