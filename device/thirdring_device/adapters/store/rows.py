"""Records out of the ``events`` table, for the writer and for readers."""

import json
import sqlite3

from thirdring.protocol.events import Record, record_from_json

__all__ = ["records_after", "records_of_call"]


def records_after(db: sqlite3.Connection, after: int, limit: int) -> list[Record]:
    """Return at most ``limit`` records with numbers above ``after``, in order."""
    return _records(db, "SELECT record FROM events WHERE number > ? ORDER BY number LIMIT ?", (after, limit))


def records_of_call(db: sqlite3.Connection, call_id: str) -> list[Record]:
    """Return every record of one call, in order."""
    return _records(db, "SELECT record FROM events WHERE call_id = ? ORDER BY number", (call_id,))


def _records(db: sqlite3.Connection, query: str, values: tuple[int | str, ...]) -> list[Record]:
    return [record_from_json(json.loads(text)) for (text,) in db.execute(query, values).fetchall()]
