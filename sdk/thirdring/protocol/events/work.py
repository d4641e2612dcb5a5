"""The agent's work between and beside the calls."""

from dataclasses import dataclass

from thirdring.protocol.events.base import AgentState, ChosenState, Event

__all__ = ["AgentStateChanged", "AgentStateRequested"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentStateRequested(Event):
    """The agent wants to be ``state`` as soon as no call stands in the way.

    ``agent``: who sits at the desk from now on, empty for the one who does. ``reason`` in the agent's words.
    """

    kind = "agent_state_requested"
    state: ChosenState
    agent: str = ""
    reason: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentStateChanged(Event):
    """The agent's state from ``at_s`` on; an event of the desk.

    ``agent`` is who sits there. ``about`` is the call that brought ``talking`` or ``wrap_up``.
    """

    kind = "agent_state_changed"
    derived = True
    state: AgentState
    agent: str = ""
    about: str = ""
    reason: str = ""
