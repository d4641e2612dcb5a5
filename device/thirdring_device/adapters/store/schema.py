"""The journal's tables and how older journals are brought up to date.

``events`` is the truth; ``calls`` and ``verdicts`` are kept in step with it in the same transaction, for
lists and reports. A new version adds a migration; none is ever changed once it was released.
"""

import sqlite3
from typing import Final

from thirdring.protocol.errors import error

__all__ = ["APPLICATION_ID", "COUNTED_EVENTS", "SCHEMA_VERSION", "migrate"]

APPLICATION_ID: Final = 0x54525247
"""``TRRG`` in SQLite's application_id: this file is a Thirdring journal."""

COUNTED_EVENTS: Final = (
    "kind IN ('call_incoming', 'call_outgoing', 'call_alerting', 'call_answered', 'call_ended',"
    " 'hold_started', 'hold_ended', 'transfer_progress')"
)
"""Events of calls that key figures count, in the words of the index (``core.figures_facts.CALL_KINDS``)."""

MIGRATIONS: Final = (
    """
    CREATE TABLE events (
        number INTEGER PRIMARY KEY,
        utc TEXT NOT NULL,
        boot INTEGER NOT NULL,
        call_id TEXT NOT NULL,
        kind TEXT NOT NULL,
        record TEXT NOT NULL
    ) STRICT;
    CREATE INDEX events_of_call ON events (call_id, number) WHERE call_id != '';
    CREATE TABLE calls (
        call_id TEXT PRIMARY KEY,
        direction TEXT NOT NULL,
        number TEXT NOT NULL,
        display_name TEXT NOT NULL,
        started_utc TEXT NOT NULL,
        answered_utc TEXT,
        ended_utc TEXT,
        ended_by TEXT NOT NULL DEFAULT '',
        cause TEXT NOT NULL DEFAULT '',
        alerting_at_s REAL,
        answered_at_s REAL,
        ended_at_s REAL,
        rings_heard INTEGER,
        first_event INTEGER NOT NULL,
        last_event INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX calls_by_time ON calls (first_event);
    CREATE INDEX calls_live ON calls (call_id) WHERE ended_utc IS NULL;
    CREATE TABLE verdicts (
        call_id TEXT NOT NULL,
        rule TEXT NOT NULL,
        verdict TEXT NOT NULL,
        value REAL,
        unit TEXT NOT NULL,
        threshold REAL,
        event INTEGER NOT NULL,
        PRIMARY KEY (call_id, rule)
    ) STRICT;
    CREATE INDEX verdicts_by_rule ON verdicts (rule, verdict);
    """,
    # For key figures: calls by their beginning, and the desk's few events among the calls' many.
    f"""
    CREATE INDEX calls_by_start ON calls (started_utc);
    CREATE INDEX events_of_desk ON events (utc) WHERE call_id = '';
    CREATE INDEX events_counted ON events (call_id) WHERE {COUNTED_EVENTS};
    """,
    # The agent's work. ``dialled`` is how trunks of the country write a contact's number without its code.
    """
    CREATE TABLE notes (
        call_id TEXT PRIMARY KEY,
        noted_utc TEXT NOT NULL,
        name TEXT NOT NULL,
        firm TEXT NOT NULL,
        post TEXT NOT NULL,
        matter TEXT NOT NULL,
        promised TEXT NOT NULL,
        call_back_utc TEXT NOT NULL,
        read_back INTEGER NOT NULL,
        complaint INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE contacts (
        number TEXT PRIMARY KEY,
        dialled TEXT NOT NULL,
        name TEXT NOT NULL,
        firm TEXT NOT NULL,
        post TEXT NOT NULL,
        remark TEXT NOT NULL
    ) STRICT;
    CREATE TABLE call_backs (
        call_id TEXT PRIMARY KEY,
        number TEXT NOT NULL,
        why TEXT NOT NULL,
        listed_utc TEXT NOT NULL,
        due_utc TEXT NOT NULL,
        done_utc TEXT
    ) STRICT;
    CREATE INDEX call_backs_open ON call_backs (due_utc) WHERE done_utc IS NULL;
    CREATE INDEX calls_by_number ON calls (number);
    """,
)
SCHEMA_VERSION: Final = len(MIGRATIONS)


def migrate(db: sqlite3.Connection) -> None:
    """Bring the journal to ``SCHEMA_VERSION``; raises ``StorageError`` 5001 or 5002."""
    (application,) = db.execute("PRAGMA application_id").fetchone()
    (version,) = db.execute("PRAGMA user_version").fetchone()
    (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application != APPLICATION_ID and (tables or version):
        raise error(5001, "another program's database")
    if version > SCHEMA_VERSION:
        raise error(5002, f"version {version}, known up to {SCHEMA_VERSION}")
    for number, script in enumerate(MIGRATIONS[version:], start=version + 1):
        db.executescript(
            f"BEGIN; {script}"
            f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {number}; COMMIT;"
        )
