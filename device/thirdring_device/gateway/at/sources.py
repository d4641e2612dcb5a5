"""What the consoles need of the rest of the gateway."""

from collections.abc import AsyncGenerator
from typing import Any, Protocol

from thirdring.protocol.commands import Command
from thirdring.protocol.events import Record
from thirdring.protocol.views import CallBackView, CallDetail, CallSummary, ContactView, NotesView

__all__ = ["Client", "Reader"]


class Client(Protocol):
    """The engine's socket; raises ``ThirdringError``."""

    async def command(self, command: Command) -> dict[str, Any]:
        """Execute one command and return its result object."""

    def events(self, after: int) -> AsyncGenerator[Record, None]:
        """Yield every event numbered above ``after``, then those to come, for ever."""


class Reader(Protocol):
    """The journal, from any thread; raises ``ThirdringError``."""

    def calls(self, limit: int = 100, before: str | None = None) -> list[CallSummary]:
        """Return calls, newest first."""

    def call(self, call_id: str) -> CallDetail:
        """Return one call with its verdicts."""

    def call_events(self, call_id: str) -> list[Record]:
        """Return the events of one call in order."""

    def newest_events(self, limit: int) -> list[Record]:
        """Return the newest ``limit`` events, in order."""

    def figure_records(self, start_utc: str, end_utc: str, *, verdicts: bool) -> list[Record]:
        """Return what key figures count of the calls that began from ``start_utc`` to ``end_utc``."""

    def notes(self, call_id: str = "", limit: int = 100) -> list[NotesView]:
        """Return the notes of one call, or without ``call_id`` the newest."""

    def contacts(self, number: str = "", limit: int = 10_000) -> list[ContactView]:
        """Return the contacts in order of number, or the one with ``number``."""

    def call_backs(self, limit: int = 1000, *, done: bool = False) -> list[CallBackView]:
        """Return the open call-backs, the most urgent first, or those that are done."""

    def last_number(self) -> int:
        """Return the newest number."""
