"""The agent's states: one table of what follows what.

Calls make the agent ``talking`` and leave a ``wrap_up``; ready, break and away are the agent's own choice. A
choice made while talking or wrapping up counts afterwards, and ends a wrap-up.
"""

from collections.abc import Callable, Mapping
from typing import Final

from thirdring.protocol.events import (
    AgentState,
    AgentStateChanged,
    AgentStateRequested,
    CallAnswered,
    CallEnded,
    CallOutgoing,
    ChosenState,
    EngineStarted,
    Event,
    Record,
)
from thirdring_device.core.agent_settings import AgentSettings

__all__ = ["AGENT_TRANSITIONS", "Agent"]

START_STATES: Final[Mapping[str, ChosenState]] = {"ready": "ready", "break": "break", "away": "away"}
CHOSEN: Final = "chosen"
"""Stands for the state that the agent wants to be in."""

# (state, what happened) -> next state. A pair that is not here changes nothing.
# "taken": the first call has the agent; "left": the last one no longer has, after talk;
# "given_up": the last one never was answered; "chosen": the agent asked for a state; "done": the wrap-up is.
AGENT_TRANSITIONS: Final[Mapping[tuple[AgentState, str], str]] = {
    ("ready", "taken"): "talking",
    ("ready", "chosen"): CHOSEN,
    ("break", "taken"): "talking",
    ("break", "chosen"): CHOSEN,
    ("away", "taken"): "talking",
    ("away", "chosen"): CHOSEN,
    ("talking", "left"): "wrap_up",
    ("talking", "given_up"): CHOSEN,
    ("wrap_up", "taken"): "talking",
    ("wrap_up", "chosen"): CHOSEN,
    ("wrap_up", "done"): CHOSEN,
}


class Agent:
    """The agent of one desk, from ``EngineStarted`` on; before that (in a replayed call) nothing happens."""

    def __init__(self, settings: Callable[[], AgentSettings], name: str = "") -> None:
        self._settings = settings
        self.name = name
        self.state: AgentState = "ready"
        self.wake_at_s: float | None = None
        self._wanted: ChosenState = "ready"
        self._here = False
        self._up: dict[str, bool] = {}
        """The calls that have the agent: whether they were answered."""

    @property
    def absent(self) -> bool:
        """Whether the agent takes no calls."""
        return self._here and self.state in ("break", "away")

    def handle(self, record: Record) -> list[Event]:
        """Take in a fact of the desk or of any call; return the change of state that follows."""
        event = record.event
        if isinstance(event, EngineStarted):
            self._here = True
            self._wanted = START_STATES[self._settings().start_state]
            self.state = self._wanted
            return [self._told(event.at_s)]
        if not self._here:
            return []
        if isinstance(event, AgentStateRequested):
            signs_in = bool(event.agent) and event.agent != self.name
            self.name = event.agent or self.name
            self._wanted = event.state
            return self._advance(event.at_s, "chosen", reason=event.reason, tell=signs_in)
        if isinstance(event, CallOutgoing | CallAnswered):
            first = not self._up
            self._up[event.call_id] = isinstance(event, CallAnswered)
            return self._advance(event.at_s, "taken", about=event.call_id) if first else []
        if isinstance(event, CallEnded) and event.call_id in self._up:
            talked = self._up.pop(event.call_id)
            if self._up:
                return []
            wraps_up = talked and self._settings().wrap_up_s > 0.0
            return self._advance(event.at_s, "left" if wraps_up else "given_up", about=event.call_id)
        return []

    def wake(self, at_s: float) -> list[Event]:
        """End the wrap-up."""
        self.wake_at_s = None
        return self._advance(at_s, "done")

    def _advance(
        self, at_s: float, what: str, *, about: str = "", reason: str = "", tell: bool = False
    ) -> list[Event]:
        following = AGENT_TRANSITIONS.get((self.state, what), self.state)
        state: AgentState = self._wanted if following == CHOSEN else following  # type: ignore[assignment]
        if state == self.state and not tell:
            return []
        changed = state != self.state
        self.state = state
        if changed:
            self.wake_at_s = at_s + self._settings().wrap_up_s if state == "wrap_up" else None
        return [self._told(at_s, about if state in ("talking", "wrap_up") else "", reason)]

    def _told(self, at_s: float, about: str = "", reason: str = "") -> AgentStateChanged:
        return AgentStateChanged(at_s=at_s, state=self.state, agent=self.name, about=about, reason=reason)
