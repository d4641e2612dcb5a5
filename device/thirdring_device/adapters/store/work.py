"""Notes, contacts and call-backs: tables kept in step with their events, and what is read from them."""

import sqlite3
from typing import Any, Final

from thirdring.protocol.events import (
    CallBackListed,
    CallReturned,
    ContactRemoved,
    ContactSaved,
    NotesTaken,
    Record,
)
from thirdring.protocol.views import CallBackView, ContactView, NotesView

__all__ = ["call_backs", "contacts", "notes", "open_call_backs", "project_work"]

_NOTES: Final = "name, firm, post, matter, promised, call_back_utc"


def project_work(db: sqlite3.Connection, record: Record) -> None:
    """Apply one event to the tables of the agent's work."""
    event = record.event
    if isinstance(event, NotesTaken):
        db.execute(
            f"INSERT OR REPLACE INTO notes (call_id, noted_utc, {_NOTES}, read_back, complaint)"  # noqa: S608
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                event.call_id,
                record.utc,
                event.name,
                event.firm,
                event.post,
                event.matter,
                event.promised,
                event.call_back_utc,
                event.read_back,
                event.complaint,
            ),
        )
        if not event.call_back_utc:
            db.execute(
                "DELETE FROM call_backs WHERE call_id = ? AND why = 'promised' AND done_utc IS NULL",
                (event.call_id,),
            )
    elif isinstance(event, CallBackListed):
        db.execute(
            "INSERT OR REPLACE INTO call_backs (call_id, number, why, listed_utc, due_utc)"
            " VALUES (?, ?, ?, ?, ?)",
            (event.call_id, event.number, event.why, record.utc, event.due_utc or record.utc),
        )
    elif isinstance(event, CallReturned) and event.reached:
        db.execute(
            "UPDATE call_backs SET done_utc = ? WHERE call_id = ? AND done_utc IS NULL",
            (record.utc, event.call_id),
        )
    elif isinstance(event, ContactSaved):
        db.execute(
            "INSERT OR REPLACE INTO contacts (number, dialled, name, firm, post, remark)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (event.number, event.dialled, event.name, event.firm, event.post, event.remark),
        )
    elif isinstance(event, ContactRemoved):
        db.execute("DELETE FROM contacts WHERE number = ?", (event.number,))


def notes(db: sqlite3.Connection, call_id: str, limit: int) -> list[NotesView]:
    """Return the notes of one call, or without ``call_id`` the newest."""
    rows = db.execute(
        f"SELECT call_id, number, started_utc, noted_utc, {_NOTES}, read_back, complaint"  # noqa: S608
        " FROM notes JOIN calls USING (call_id) WHERE ? IN ('', call_id)"
        " ORDER BY first_event DESC LIMIT ?",
        (call_id, limit),
    )
    return [
        NotesView(
            call_id=row[0],
            number=row[1],
            started_utc=row[2],
            noted_utc=row[3],
            name=row[4],
            firm=row[5],
            post=row[6],
            matter=row[7],
            promised=row[8],
            call_back_utc=row[9],
            read_back=bool(row[10]),
            complaint=bool(row[11]),
        )
        for row in rows.fetchall()
    ]


def contacts(db: sqlite3.Connection, number: str, limit: int, after: str = "") -> list[ContactView]:
    """Return the contacts with their calls, by number, behind ``after``, or the one with ``number``."""
    rows = db.execute(
        "SELECT contacts.number, name, firm, post, remark, count(call_id), max(started_utc)"
        " FROM contacts LEFT JOIN calls ON calls.number IN (contacts.number, contacts.dialled)"
        " WHERE ? IN ('', contacts.number, contacts.dialled) AND contacts.number > ?"
        " GROUP BY contacts.number ORDER BY contacts.number LIMIT ?",
        (number, after, limit),
    )
    return [
        ContactView(
            number=row[0],
            name=row[1],
            firm=row[2],
            post=row[3],
            remark=row[4],
            calls=row[5],
            last_call_utc=row[6],
        )
        for row in rows.fetchall()
    ]


def call_backs(db: sqlite3.Connection, limit: int, *, done: bool) -> list[CallBackView]:
    """Return the open call-backs, the most urgent first; with ``done`` those that happened, newest first."""
    where, order = ("NOT NULL", "done_utc DESC") if done else ("NULL", "due_utc")
    rows = db.execute(
        "SELECT call_id, call_backs.number, coalesce(notes.name, ''), why, coalesce(matter, ''), listed_utc,"  # noqa: S608
        " due_utc, done_utc FROM call_backs LEFT JOIN notes USING (call_id)"
        f" WHERE done_utc IS {where} ORDER BY {order} LIMIT ?",
        (limit,),
    )
    return [_call_back(row) for row in rows.fetchall()]


def _call_back(row: tuple[Any, ...]) -> CallBackView:
    return CallBackView(
        call_id=row[0],
        number=row[1],
        name=row[2],
        why=row[3],
        matter=row[4],
        listed_utc=row[5],
        due_utc=row[6],
        done_utc=row[7],
    )


def open_call_backs(db: sqlite3.Connection) -> dict[str, str]:
    """Return the number by call id of every open call-back."""
    return dict(db.execute("SELECT call_id, number FROM call_backs WHERE done_utc IS NULL").fetchall())
