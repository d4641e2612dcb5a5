"""The prompts of a call in words: the team's catalogue, the firm's and the caller's names filled in."""

import zoneinfo
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Protocol

from thirdring.protocol.commands import Command, GetSettings
from thirdring.protocol.errors import error
from thirdring.protocol.events import AgentStateChanged, CallIncoming, CallOutgoing, Prompt, Record
from thirdring.protocol.views import ContactView, PromptView
from thirdring_device.adapters.calendar import festival, holiday
from thirdring_device.adapters.prompts import load_catalogue
from thirdring_device.core.catalogue import LANGUAGES, Situation

__all__ = ["Prompter"]

SOURCE: Final = "prompts"


class _Client(Protocol):
    async def command(self, command: Command) -> dict[str, Any]:
        """Execute one command and return its result object."""


class _Journal(Protocol):
    def call_events(self, call_id: str) -> list[Record]:
        """Return the events of one call in order."""

    def contacts(self, number: str = "", limit: int = 10_000) -> list[ContactView]:
        """Return the contact with ``number``."""

    def figure_records(self, start_utc: str, end_utc: str, *, verdicts: bool) -> list[Record]:
        """Return, among others, the changes of the agent's state."""


class Prompter:
    """Words for prompts; the settings are the engine's of the moment, so a switch of language is live."""

    def __init__(self, client: _Client, reader: _Journal, state_dir: Path | None) -> None:
        self._client = client
        self._reader = reader
        self._state_dir = state_dir

    async def settings(self) -> dict[str, Any]:
        """Return the engine's settings by dotted name."""
        views = (await self._client.command(GetSettings(source=SOURCE)))["settings"]
        return {str(view["name"]): view["value"] for view in views}

    def shown(self, call_id: str, language: str, settings: Mapping[str, Any]) -> list[PromptView]:
        """Return the prompts that a call's agent was shown, in order; any thread.

        An empty ``language`` is the one that is set. Raises ``CallError`` 2000 for an unknown call,
        ``RequestError`` 1004 for an unknown language, ``StorageError`` 5009 for a catalogue that is wrong.
        """
        language = language or str(settings["firm.language"])
        if language not in LANGUAGES:
            raise error(1004, f"language is {language!r:.20}, not one of {', '.join(LANGUAGES)}")
        records = self._reader.call_events(call_id)
        if not records:
            raise error(2000, call_id[:60])
        catalogue = load_catalogue(language, self._state_dir)
        situation = self._situation(records, language, settings)
        return [
            PromptView(
                seq=record.number,
                utc=record.utc,
                call_id=call_id,
                key=record.event.key,
                rule=record.event.rule,
                urgency=record.event.urgency,
                language=language,
                text=catalogue.text(record.event.key, situation),
            )
            for record in records
            if isinstance(record.event, Prompt)
        ]

    def _situation(self, records: list[Record], language: str, settings: Mapping[str, Any]) -> Situation:
        first = records[0]
        began = next((r.event for r in records if isinstance(r.event, CallIncoming | CallOutgoing)), None)
        number = began.number if began else ""
        zone = zoneinfo.ZoneInfo(str(settings["firm.time_zone"]))
        local = datetime.fromisoformat(first.utc).astimezone(zone)
        contacts = self._reader.contacts(number, 1) if number else []
        digits = number.removeprefix("+")
        internal = 0 < len(digits) <= int(settings["firm.internal_digits"])
        return Situation(
            at=local.time(),
            line="internal" if internal else "outside",
            repeat=bool(contacts) and contacts[0].calls > 1,
            holiday=festival(holiday(str(settings["trunk.country"]), local.date(), language)),
            firm=str(settings["firm.name"]),
            department=str(settings["firm.department"]),
            agent=self._agent(first.utc) or str(settings["firm.agent"]),
            name=contacts[0].name if contacts else "",
            number=number,
        )

    def _agent(self, utc: str) -> str:
        """Return who sat at the desk at ``utc``."""
        changes = self._reader.figure_records(utc, utc, verdicts=False)
        names = [record.event.agent for record in changes if isinstance(record.event, AgentStateChanged)]
        return names[-1] if names else ""
