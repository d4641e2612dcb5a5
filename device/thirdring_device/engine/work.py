"""Commands about the agent's work: states, notes, contacts, call-backs; each becomes a fact."""

import zoneinfo
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from thirdring.protocol.commands import (
    Command,
    FinishCallBack,
    RemoveContact,
    SaveContact,
    SetAgentState,
    TakeNotes,
)
from thirdring.protocol.errors import error
from thirdring.protocol.events import (
    AgentRequested,
    AgentStateRequested,
    CallReturned,
    ContactRemoved,
    ContactSaved,
    Event,
    NotesTaken,
)
from thirdring_device.adapters.calendar import holiday, local_time, region_of
from thirdring_device.adapters.store.journal import Journal
from thirdring_device.core.desk import Desk
from thirdring_device.settings import Settings

__all__ = ["WORK_COMMANDS", "DeskWork"]

WORK_COMMANDS: Final = (SetAgentState, TakeNotes, FinishCallBack, SaveContact, RemoveContact)
LONGEST_FIELD: Final = 120
"""Characters of a name, a number, a reason."""
LONGEST_TEXT: Final = 2000
"""Characters of a matter, a promise, a remark."""
TEXTS: Final = frozenset({"matter", "promised", "remark"})


class DeskWork:
    """Turns those commands into facts, and fills in what is known of a number before it is dialled."""

    def __init__(self, journal: Journal, desk: Desk, settings: Callable[[], Settings]) -> None:
        self._journal = journal
        self._desk = desk
        self._settings = settings

    def fact(self, command: Command, at_s: float) -> Event:
        """Return the fact that a command stands for; raises ``RequestError`` or ``CallError``."""
        _check_lengths(command)
        match command:
            case SetAgentState():
                return AgentStateRequested(
                    at_s=at_s,
                    state=command.state,
                    agent=command.agent,
                    reason=command.reason,
                    source=command.source,
                )
            case TakeNotes():
                return self._notes(command, at_s)
            case FinishCallBack():
                if command.call_id not in self._desk.call_backs:
                    raise error(2000, f"no call-back for {command.call_id:.40}")
                return CallReturned(
                    at_s=at_s, call_id=command.call_id, by="agent", reached=True, source=command.source
                )
            case SaveContact():
                if not command.contact.strip():
                    raise error(1004, "contact is empty")
                return ContactSaved(
                    at_s=at_s,
                    number=self.key(command.number),
                    name=command.contact,
                    dialled=self._desk.plan.national(self.key(command.number)),
                    firm=command.firm,
                    post=command.post,
                    remark=command.remark,
                    source=command.source,
                )
            case RemoveContact():
                number = self.key(command.number)
                if not self._journal.contacts(number, 1):
                    raise error(1003, f"no contact {number:.40}")
                return ContactRemoved(at_s=at_s, number=number, source=command.source)
        raise error(1002, command.name)

    def answer(self, command: Command) -> dict[str, Any]:
        """Return the result object of a command whose fact was taken in."""
        if isinstance(command, SetAgentState):
            return {"state": self._desk.agent.state, "agent": self._desk.agent.name}
        return {"call_id": getattr(command, "call_id", "")}

    def key(self, number: str) -> str:
        """Return a number as contacts are kept under; raises ``CallError`` 2005."""
        plain = "".join(char for char in number if char not in " -()/.")
        if not plain.removeprefix("+").isdecimal() or not plain.isascii():
            raise error(2005, number[:60])
        return self._desk.plan.key(plain)

    def _notes(self, command: TakeNotes, at_s: float) -> NotesTaken:
        number = self._journal.number_of(command.call_id)
        if number is None:
            raise error(2000, command.call_id[:60])
        return NotesTaken(
            at_s=at_s,
            call_id=command.call_id,
            number=number,
            name=command.customer,
            firm=command.firm,
            post=command.post,
            matter=command.matter,
            promised=command.promised,
            call_back_utc=_utc(command.call_back_utc, self._zone()),
            read_back=command.read_back,
            complaint=command.complaint,
            source=command.source,
        )

    def _zone(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(self._settings().firm.time_zone)

    def prepared(self, request: AgentRequested) -> AgentRequested:
        """Fill in of a request to dial whether the number is known, and hour and holiday there."""
        plan = self._desk.plan
        if plan.kind(request.argument) == "emergency":
            return request
        key = plan.key(request.argument)
        home = plan.settings.country or self._settings().trunk.country
        there = local_time(key, datetime.now(UTC), self._zone())
        waiting = {plan.key(number) for number in self._desk.call_backs.values()}
        return replace(
            request,
            known=bool(self._journal.contacts(key, 1)) or key in waiting,
            local_time=there.isoformat(timespec="seconds"),
            holiday=holiday(region_of(key, home), there.date()),
        )


def _check_lengths(command: Command) -> None:
    for name in command.__dataclass_fields__:
        value = getattr(command, name)
        longest = LONGEST_TEXT if name in TEXTS else LONGEST_FIELD
        if isinstance(value, str) and len(value) > longest:
            raise error(1004, f"{name} has more than {longest} characters")


def _utc(text: str, zone: zoneinfo.ZoneInfo) -> str:
    """Return a time as people write it (ISO 8601, local without a zone) in UTC; raises 1004."""
    if not text:
        return ""
    try:
        at = datetime.fromisoformat(text)
        at = at if at.tzinfo else at.replace(tzinfo=zone)
        return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    except (ValueError, OverflowError) as reason:
        raise error(1004, f"{text!r:.40} is not a date and time (ISO 8601)") from reason
