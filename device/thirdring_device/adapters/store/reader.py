"""Reading the journal while the engine writes it."""

import json
import sqlite3
from pathlib import Path
from typing import Any, Final

from thirdring.protocol.errors import error
from thirdring.protocol.events import Record, Verdict, record_from_json
from thirdring.protocol.views import CallDetail, CallSummary
from thirdring_device.adapters.store.rows import records_after, records_of_call
from thirdring_device.adapters.store.schema import APPLICATION_ID, SCHEMA_VERSION

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

    def calls(self, limit: int = 100, before: str | None = None) -> list[CallSummary]:
        """Return calls, newest first; ``before`` is the call_id to go on from."""
        where, values = "", ()
        if before is not None:
            where = "WHERE first_event < (SELECT first_event FROM calls WHERE call_id = ?)"
            values = (before,)  # type: ignore[assignment]
        rows = self._db.execute(
            f"SELECT {_COLUMNS} FROM calls {where} ORDER BY first_event DESC LIMIT ?",  # noqa: S608
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
