"""The journal: the one writer of the numbered events, in SQLite.

A record that ``append`` has returned survives ``kill -9`` and a power cut: WAL with ``synchronous=FULL``
(SQLite, "Write-Ahead Logging", section 2). When the disk is full, a reserve file is given up first; after
that the newest ``PENDING_LIMIT`` records wait in memory, in order, until they can be written.
"""

import contextlib
import fcntl
import json
import sqlite3
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from thirdring.protocol.errors import StorageError, error
from thirdring.protocol.events import AgentRequested, Event, Record, record_to_json
from thirdring.protocol.views import ContactView
from thirdring_device.adapters.store import work
from thirdring_device.adapters.store.going_back import go_back, keep_before_migration
from thirdring_device.adapters.store.projection import project
from thirdring_device.adapters.store.rows import records_after, records_of_call
from thirdring_device.adapters.store.schema import migrate

__all__ = ["Journal", "utc_now"]

PENDING_LIMIT: Final = 20_000
"""Records kept in memory while the disk is full: some 50 minutes of one call."""
CACHE_KB: Final = 256
"""SQLite's page cache; appending needs little, and a small box has better use for 2 MB."""
NEWEST_CALLS: Final = 2000
"""Among which those that are still to be judged are looked for: more than a desk has in a day."""
CLOCK_RECORDS: Final = 100
"""Looked at for the newest time: a timer's events carry its own time, which may be a little older."""
RESERVE_BYTES: Final = 2 * 1024 * 1024
"""Given up when the disk is full, so that calls can still be recorded (a DELETE also needs space)."""


def utc_now() -> str:
    """Return the wall clock as ISO 8601 with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Journal:
    """The journal of one state folder, open for writing. Not thread-safe: the engine's loop owns it."""

    def __init__(self, path: Path, *, now: Callable[[], str] = utc_now) -> None:
        """Open or create; raises ``StorageError`` 5001, 5002, 5006 or 5007."""
        self._now = now
        self._reserve = path.with_suffix(".reserve")
        self._pending: deque[Record] = deque(maxlen=PENDING_LIMIT)
        self.lost = 0
        """Records dropped because the disk stayed full for too long."""
        try:
            self._lock = path.with_suffix(".lock").open("w")
        except OSError as reason:
            raise error(5006, str(reason)) from reason
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as reason:
            self._lock.close()
            raise error(5007, str(path.parent)) from reason
        go_back(path)
        self._db = sqlite3.connect(path, isolation_level=None)
        try:
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.execute(f"PRAGMA cache_size = -{CACHE_KB}")
            keep_before_migration(self._db, path)
            migrate(self._db)
            (last, boot) = self._db.execute("SELECT max(number), max(boot) FROM events").fetchone()
        except sqlite3.DatabaseError as reason:
            self.close()
            raise error(5001, f"{path}: {reason}") from reason
        except StorageError:
            self.close()
            raise
        self._next = (last or 0) + 1
        self._boot = (boot or 0) + 1
        self._keep_reserve()

    @property
    def last_number(self) -> int:
        """Number of the newest record."""
        return self._next - 1

    @property
    def full(self) -> bool:
        """Whether records wait in memory for space on the disk."""
        return bool(self._pending)

    def number(self, events: Iterable[Event]) -> list[Record]:
        """Give the events their numbers; they must be written in this order."""
        utc = self._now()
        records = []
        for event in events:
            records.append(Record(self._next, utc, event))
            self._next += 1
        return records

    def append(self, events: Iterable[Event]) -> list[Record]:
        """Give the events their numbers and write them."""
        records = self.number(events)
        self.write(records)
        return records

    def write(self, records: Sequence[Record]) -> None:
        """Write numbered records in one transaction, after those that wait; on a full disk all wait."""
        waiting = [*self._pending, *records]
        if not waiting:
            return
        try:
            self._commit(waiting)
        except sqlite3.OperationalError:
            if not self._give_up_reserve() or not self._commit_again(waiting):
                self.lost += max(0, len(waiting) - PENDING_LIMIT)
                self._pending.extend(records)
                return
        if self._pending:
            self._pending.clear()
            self._keep_reserve()

    def _commit(self, records: Sequence[Record]) -> None:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            for record in records:
                text = json.dumps(record_to_json(record), ensure_ascii=False, separators=(",", ":"))
                self._db.execute(
                    "INSERT INTO events (number, utc, boot, call_id, kind, record) VALUES (?, ?, ?, ?, ?, ?)",
                    (record.number, record.utc, self._boot, record.event.call_id, record.event.kind, text),
                )
                project(self._db, record)
            self._db.execute("COMMIT")
        except sqlite3.OperationalError:
            with contextlib.suppress(sqlite3.OperationalError):
                self._db.execute("ROLLBACK")
            raise

    def _commit_again(self, records: Sequence[Record]) -> bool:
        try:
            self._commit(records)
        except sqlite3.OperationalError:
            return False
        return True

    def _give_up_reserve(self) -> bool:
        try:
            self._reserve.unlink()
        except OSError:
            return False
        return True

    def _keep_reserve(self) -> None:
        """Hold the reserve's space; without room for it the next full disk is met without one."""
        if self._reserve.exists() and self._reserve.stat().st_size == RESERVE_BYTES:
            return
        try:
            with self._reserve.open("wb") as reserve:
                reserve.write(bytes(RESERVE_BYTES))
        except OSError:
            self._reserve.unlink(missing_ok=True)

    def events(self, after: int, limit: int = 1000) -> list[Record]:
        """Return the records above ``after`` in order, those that wait for space included."""
        found = records_after(self._db, after, limit)
        if len(found) < limit:
            newest = found[-1].number if found else after
            found += [record for record in self._pending if record.number > newest]
        return found[:limit]

    def unfinished(self) -> dict[str, list[Record]]:
        """Return the records of every call that has not ended, by call id: an engine died on them."""
        rows = self._db.execute("SELECT call_id FROM calls WHERE ended_utc IS NULL ORDER BY first_event")
        return {call_id: records_of_call(self._db, call_id) for (call_id,) in rows.fetchall()}

    def unjudged(self, rules: Sequence[str]) -> list[list[Record]]:
        """Return the records of each answered call that has ended and lacks a verdict on one of ``rules``."""
        marks = ", ".join("?" * len(rules))
        judged = f"SELECT count(*) FROM verdicts AS v WHERE v.call_id = c.call_id AND v.rule IN ({marks})"  # noqa: S608
        rows = self._db.execute(
            "SELECT call_id FROM (SELECT * FROM calls ORDER BY first_event DESC LIMIT ?) AS c"  # noqa: S608
            f" WHERE answered_utc IS NOT NULL AND ended_utc IS NOT NULL AND ({judged}) < ?"
            " ORDER BY first_event",
            (NEWEST_CALLS, *rules, len(rules)),
        )
        return [records_of_call(self._db, call_id) for (call_id,) in rows.fetchall()]

    def clock_s(self) -> float:
        """Return where the engine's clock stands: where it last stood, and what has passed since.

        The latter by the wall clock; one that was set back adds nothing.
        """
        newest = records_after(self._db, self.last_number - CLOCK_RECORDS, CLOCK_RECORDS)
        if not newest:
            return 0.0
        passed = datetime.fromisoformat(self._now()) - datetime.fromisoformat(newest[-1].utc)
        return max(record.event.at_s for record in newest) + max(0.0, passed.total_seconds())

    def call_events(self, call_id: str) -> list[Record]:
        """Return the records of one call in order."""
        return records_of_call(self._db, call_id)

    def last_dialled(self) -> tuple[str, bool]:
        """Return the number of the newest outgoing call, empty without one, and whether ours was withheld."""
        row = self._db.execute(
            "SELECT number, call_id FROM calls WHERE direction = 'outgoing' ORDER BY first_event DESC LIMIT 1"
        ).fetchone()
        if row is None:
            return "", False
        asked = (record.event for record in self.call_events(str(row[1])))
        return str(row[0]), any(isinstance(event, AgentRequested) and event.withheld for event in asked)

    def number_of(self, call_id: str) -> str | None:
        """Return the other side's number of a call, None when there is no such call."""
        row = self._db.execute("SELECT number FROM calls WHERE call_id = ?", (call_id,)).fetchone()
        return str(row[0]) if row else None

    def contacts(self, number: str, limit: int) -> list[ContactView]:
        """Return the contact with ``number``, or without it all."""
        return work.contacts(self._db, number, limit)

    def open_call_backs(self) -> dict[str, str]:
        """Return the number by call id of every open call-back."""
        return work.open_call_backs(self._db)

    def dialled_within(self, span_s: float) -> list[float]:
        """Return how many seconds ago the calls of the last ``span_s`` began that went out or were sent on.

        Oldest first.
        """
        rows = self._db.execute(
            "SELECT (julianday('now') - julianday(started_utc)) * 86400.0 AS ago_s FROM calls"
            " WHERE ago_s BETWEEN 0 AND ? AND (direction = 'outgoing' OR EXISTS (SELECT 1 FROM events"
            " WHERE events.call_id = calls.call_id AND kind = 'call_ended' AND record ->> 'sip_code' = 302))"
            " ORDER BY ago_s DESC",
            (span_s,),
        )
        return [float(ago_s) for (ago_s,) in rows]

    def close(self) -> None:
        """Close; what still waits for space is lost."""
        self._db.close()
        self._lock.close()
