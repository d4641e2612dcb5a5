"""Reading the journal while the engine writes it."""

import json
import sqlite3
from pathlib import Path
from typing import Any, Final

from thirdring.protocol.errors import error
from thirdring.protocol.events import AgentStateChanged, Record, Verdict, record_from_json
from thirdring.protocol.views import CallBackView, CallDetail, CallSummary, ContactView, NotesView
from thirdring_device.adapters.store import work
from thirdring_device.adapters.store.call_filter import EVERY_CALL, CallFilter
from thirdring_device.adapters.store.rows import records_after, records_of_call
from thirdring_device.adapters.store.schema import APPLICATION_ID, COUNTED_EVENTS, SCHEMA_VERSION
from thirdring_device.core.figures_facts import DESK_KINDS

__all__ = ["JournalReader"]

_COLUMNS: Final = (
    "call_id, direction, number, display_name, started_utc, answered_utc, ended_utc, ended_by, cause,"
    " alerting_at_s, answered_at_s, ended_at_s, rings_heard, first_event, last_event"
)


class JournalReader:
    """A read-only view of a journal; sees every committed record. Usable from any one thread at a time."""

    def __init__(self, path: Path) -> None:
        """Open; raises ``StorageError`` 5001 or 5002."""
        try:
            self._db = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode=ro", uri=True, check_same_thread=False
            )
            (application,) = self._db.execute("PRAGMA application_id").fetchone()
            (version,) = self._db.execute("PRAGMA user_version").fetchone()
        except sqlite3.DatabaseError as reason:
            raise error(5001, f"{path}: {reason}") from reason
        if application != APPLICATION_ID:
            self._db.close()
            raise error(5001, str(path))
        if version != SCHEMA_VERSION:
            self._db.close()
            raise error(5002, f"version {version}, known: {SCHEMA_VERSION}")

    def calls(
        self, limit: int = 100, before: str | None = None, wanted: CallFilter = EVERY_CALL
    ) -> list[CallSummary]:
        """Return calls, newest first; ``before`` is the call_id to go on from."""
        where, values = wanted.conditions()
        if before is not None:
            where += " AND first_event < (SELECT first_event FROM calls WHERE call_id = ?)"
            values += (before,)
        rows = self._db.execute(
            f"SELECT {_COLUMNS} FROM calls WHERE {where} ORDER BY first_event DESC LIMIT ?",  # noqa: S608
            (*values, limit),
        )
        return [_summary(row) for row in rows.fetchall()]

    def call(self, call_id: str) -> CallDetail:
        """Return one call with its verdicts; raises ``CallError`` 2000."""
        row = self._db.execute(
            f"SELECT {_COLUMNS} FROM calls WHERE call_id = ?",  # noqa: S608
            (call_id,),
        ).fetchone()
        if row is None:
            raise error(2000, call_id)
        texts = self._db.execute(
            "SELECT record FROM verdicts JOIN events ON number = event"
            " WHERE verdicts.call_id = ? ORDER BY number",
            (call_id,),
        ).fetchall()
        events = (record_from_json(json.loads(text)).event for (text,) in texts)
        return CallDetail(
            call=_summary(row), verdicts=tuple(event for event in events if isinstance(event, Verdict))
        )

    def call_events(self, call_id: str) -> list[Record]:
        """Return the events of one call in order (empty for an unknown call)."""
        return records_of_call(self._db, call_id)

    def events(self, after: int, limit: int = 1000) -> list[Record]:
        """Return the events with numbers above ``after``, in order."""
        return records_after(self._db, after, limit)

    def figure_records(self, start_utc: str, end_utc: str, *, verdicts: bool) -> list[Record]:
        """Return what key figures count, in order, of the calls that began from ``start_utc`` to ``end_utc``.

        And of the desk in that time, with the change of the agent's state before it. ``verdicts``: with the
        verdicts on those calls.
        """
        before = self._db.execute(
            "SELECT record FROM events WHERE call_id = '' AND utc < ? AND kind = ? ORDER BY utc DESC LIMIT 1",
            (start_utc, AgentStateChanged.kind),
        ).fetchall()
        of_desk = self._db.execute(
            "SELECT record FROM events WHERE call_id = '' AND utc >= ? AND utc < ?"  # noqa: S608 - marks
            f" AND kind IN ({', '.join('?' * len(DESK_KINDS))})",
            (start_utc, end_utc, *DESK_KINDS),
        ).fetchall()
        of_calls = self._db.execute(
            "SELECT events.record FROM calls JOIN events USING (call_id)"  # noqa: S608 - our own words
            f" WHERE started_utc >= ? AND started_utc < ? AND {COUNTED_EVENTS}",
            (start_utc, end_utc),
        ).fetchall()
        judged: list[tuple[str]] = []
        if verdicts:
            judged = self._db.execute(
                "SELECT events.record FROM calls JOIN verdicts USING (call_id)"
                " JOIN events ON events.number = verdicts.event"
                " WHERE started_utc >= ? AND started_utc < ?",
                (start_utc, end_utc),
            ).fetchall()
        found = (*before, *of_desk, *of_calls, *judged)
        records = [record_from_json(json.loads(text)) for (text,) in found]
        return sorted(records, key=lambda record: record.number)

    def notes(self, call_id: str = "", limit: int = 100) -> list[NotesView]:
        """Return the notes of one call, or without ``call_id`` the newest."""
        return work.notes(self._db, call_id, limit)

    def contacts(self, number: str = "", limit: int = 10_000, after: str = "") -> list[ContactView]:
        """Return the contacts in order of number, behind number ``after``, or the one with ``number``."""
        return work.contacts(self._db, number, limit, after)

    def call_backs(self, limit: int = 1000, *, done: bool = False) -> list[CallBackView]:
        """Return the open call-backs, the most urgent first, or those that are done."""
        return work.call_backs(self._db, limit, done=done)

    def last_number(self) -> int:
        """Return the newest number, 0 in an empty journal."""
        (number,) = self._db.execute("SELECT max(number) FROM events").fetchone()
        return int(number or 0)

    def close(self) -> None:
        """Close; may be called twice."""
        self._db.close()


def _summary(row: tuple[Any, ...]) -> CallSummary:
    (call_id, direction, number, name, started, answered, ended, by, cause) = row[:9]
    (alerting_at_s, answered_at_s, ended_at_s, rings, first, last) = row[9:]
    waited_until_s = answered_at_s if answered_at_s is not None else ended_at_s
    return CallSummary(
        call_id=call_id,
        direction=direction,
        number=number,
        display_name=name,
        state="live" if ended is None else "ended",
        started_utc=started,
        answered_utc=answered,
        ended_utc=ended,
        ended_by=by,
        cause=cause,
        wait_s=_span(alerting_at_s, waited_until_s),
        talk_s=_span(answered_at_s, ended_at_s),
        rings_heard=rings,
        first_event=first,
        last_event=last,
    )


def _span(start_s: float | None, end_s: float | None) -> float | None:
    return None if start_s is None or end_s is None else round(end_s - start_s, 3)
