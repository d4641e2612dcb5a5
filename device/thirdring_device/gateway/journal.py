"""The gateway's view of the journal: opened when it is there, opened again when it was replaced."""

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol, TypeVar

from thirdring.protocol.errors import error
from thirdring.protocol.events import Record
from thirdring.protocol.views import CallBackView, CallDetail, CallSummary, ContactView, NotesView
from thirdring_device.adapters.store.call_filter import EVERY_CALL, CallFilter
from thirdring_device.adapters.store.reader import JournalReader

__all__ = ["JOURNAL_FILE", "JournalView", "Reader"]

JOURNAL_FILE: Final = "journal.sqlite3"
"""Name of the journal in the state folder."""

T = TypeVar("T")


class Reader(Protocol):
    """What the servers read: ``JournalReader``'s methods, from any thread."""

    def calls(
        self, limit: int = 100, before: str | None = None, wanted: CallFilter = EVERY_CALL
    ) -> list[CallSummary]:
        """Return calls, newest first; ``before`` is the call id to go on from."""

    def call(self, call_id: str) -> CallDetail:
        """Return one call with its verdicts; raises ``CallError`` 2000."""

    def call_events(self, call_id: str) -> list[Record]:
        """Return the events of one call in order."""

    def events(self, after: int, limit: int = 1000) -> list[Record]:
        """Return the events with numbers above ``after``, in order."""

    def figure_records(self, start_utc: str, end_utc: str, *, verdicts: bool) -> list[Record]:
        """Return what key figures count of the calls that began from ``start_utc`` to ``end_utc``."""

    def notes(self, call_id: str = "", limit: int = 100) -> list[NotesView]:
        """Return the notes of one call, or without ``call_id`` the newest."""

    def contacts(self, number: str = "", limit: int = 10_000, after: str = "") -> list[ContactView]:
        """Return the contacts in order of number, behind number ``after``, or the one with ``number``."""

    def call_backs(self, limit: int = 1000, *, done: bool = False) -> list[CallBackView]:
        """Return the open call-backs, the most urgent first, or those that are done."""

    def last_number(self) -> int:
        """Return the newest number, 0 in an empty journal."""

    def close(self) -> None:
        """Close; may be called twice."""


class JournalView:
    """A ``Reader`` of ``path`` that may be made before the engine has made the journal.

    Every method may be called from any thread and raises ``ApplianceError`` 7000 while there is no journal,
    ``StorageError`` 5001 or 5002 when it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        """``path`` need not exist yet."""
        self._path = path
        self._lock = threading.Lock()
        self._reader: JournalReader | None = None
        self._file: tuple[int, int] | None = None

    def calls(
        self, limit: int = 100, before: str | None = None, wanted: CallFilter = EVERY_CALL
    ) -> list[CallSummary]:
        """Return calls, newest first; ``before`` is the call id to go on from."""
        return self._read(lambda reader: reader.calls(limit, before, wanted))

    def call(self, call_id: str) -> CallDetail:
        """Return one call with its verdicts; raises ``CallError`` 2000."""
        return self._read(lambda reader: reader.call(call_id))

    def call_events(self, call_id: str) -> list[Record]:
        """Return the events of one call in order."""
        return self._read(lambda reader: reader.call_events(call_id))

    def events(self, after: int, limit: int = 1000) -> list[Record]:
        """Return the events with numbers above ``after``, in order."""
        return self._read(lambda reader: reader.events(after, limit))

    def newest_events(self, limit: int) -> list[Record]:
        """Return the newest ``limit`` events, in order."""
        return self._read(lambda reader: reader.events(max(0, reader.last_number() - limit), limit))

    def figure_records(self, start_utc: str, end_utc: str, *, verdicts: bool) -> list[Record]:
        """Return what key figures count of the calls that began from ``start_utc`` to ``end_utc``."""
        return self._read(lambda reader: reader.figure_records(start_utc, end_utc, verdicts=verdicts))

    def notes(self, call_id: str = "", limit: int = 100) -> list[NotesView]:
        """Return the notes of one call, or without ``call_id`` the newest."""
        return self._read(lambda reader: reader.notes(call_id, limit))

    def contacts(self, number: str = "", limit: int = 10_000, after: str = "") -> list[ContactView]:
        """Return the contacts in order of number, behind number ``after``, or the one with ``number``."""
        return self._read(lambda reader: reader.contacts(number, limit, after))

    def call_backs(self, limit: int = 1000, *, done: bool = False) -> list[CallBackView]:
        """Return the open call-backs, the most urgent first, or those that are done."""
        return self._read(lambda reader: reader.call_backs(limit, done=done))

    def last_number(self) -> int:
        """Return the newest number, 0 in an empty journal."""
        return self._read(lambda reader: reader.last_number())

    def close(self) -> None:
        """Close; may be called twice. The next read opens again."""
        with self._lock:
            self._close()

    def _read(self, query: Callable[[JournalReader], T]) -> T:
        with self._lock:
            reader = self._opened()
            try:
                return query(reader)
            except sqlite3.Error as reason:
                self._close()
                raise error(5001, f"{self._path}: {reason}") from reason

    def _opened(self) -> JournalReader:
        try:
            status = self._path.stat()
        except OSError as reason:
            self._close()
            raise error(7000, f"no journal yet: {reason}") from reason
        file = (status.st_dev, status.st_ino)
        if self._reader is None or self._file != file:
            self._close()
            self._reader = JournalReader(self._path)
            self._file = file
        return self._reader

    def _close(self) -> None:
        if self._reader is not None:
            self._reader.close()
        self._reader = None
