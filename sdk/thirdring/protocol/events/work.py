"""The agent's work between and beside the calls: states, notes, contacts, calls to be returned."""

from dataclasses import dataclass
from typing import Literal

from thirdring.protocol.events.base import AgentState, ChosenState, Event

__all__ = [
    "AgentStateChanged",
    "AgentStateRequested",
    "CallBackListed",
    "CallReturned",
    "ContactRemoved",
    "ContactSaved",
    "NotesTaken",
    "SurveyEnded",
    "SurveyStarted",
]


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


@dataclass(frozen=True, slots=True, kw_only=True)
class NotesTaken(Event):
    """What the agent wrote down of a call; the newest of a call counts, as a whole.

    ``number`` is the call's, filled in by the appliance. ``name``, ``firm`` and ``post`` are the customer's.
    ``promised`` is what was promised, ``call_back_utc`` when a promised call-back is due (ISO 8601, UTC).
    ``read_back``: numbers, times, quantities and decisions were read back to the customer.
    """

    kind = "notes_taken"
    number: str = ""
    name: str = ""
    firm: str = ""
    post: str = ""
    matter: str = ""
    promised: str = ""
    call_back_utc: str = ""
    read_back: bool = False
    complaint: bool = False
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallBackListed(Event):
    """The customer of this call is to be called: the call was dropped, or the agent promised it."""

    kind = "call_back_listed"
    derived = True
    number: str
    why: Literal["dropped", "promised"]
    due_utc: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallReturned(Event):
    """The two of this call try to speak again, or do (``reached``): by another call, or ticked off."""

    kind = "call_returned"
    by: Literal["agent", "customer"]
    reached: bool
    other_call_id: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactSaved(Event):
    """A contact was written, replacing the one with the same ``number``.

    ``dialled`` is the number as it is written within the country, filled in by the appliance.
    """

    kind = "contact_saved"
    number: str
    name: str
    dialled: str = ""
    firm: str = ""
    post: str = ""
    remark: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactRemoved(Event):
    """A contact was removed."""

    kind = "contact_removed"
    number: str
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyStarted(Event):
    """The agent has released the call; the customer is asked how satisfied he is, by a digit of 1 to 5."""

    kind = "survey_started"
    derived = True


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyEnded(Event):
    """The customer's ``score``, 1 (bad) to 5 (good), None without one; the call is ended now."""

    kind = "survey_ended"
    derived = True
    score: int | None = None
