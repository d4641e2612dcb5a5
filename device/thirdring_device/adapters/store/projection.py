"""Keeps ``calls`` and ``verdicts`` in step with the events, within the events' own transaction."""

import sqlite3

from thirdring.protocol.events import (
    CallAlerting,
    CallAnswered,
    CallEnded,
    CallIncoming,
    CallOutgoing,
    Record,
    RingBurst,
    Verdict,
)
from thirdring_device.adapters.store.work import project_work

__all__ = ["project"]


def project(db: sqlite3.Connection, record: Record) -> None:
    """Apply one event to the tables made from events."""
    event = record.event
    project_work(db, record)
    if not event.call_id:
        return
    if isinstance(event, CallIncoming | CallOutgoing):
        db.execute(
            "INSERT INTO calls"
            " (call_id, direction, number, display_name, started_utc, first_event, last_event)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                event.call_id,
                "incoming" if isinstance(event, CallIncoming) else "outgoing",
                event.number,
                event.display_name if isinstance(event, CallIncoming) else "",
                record.utc,
                record.number,
                record.number,
            ),
        )
        return
    change = _change(record)
    columns = "".join(f", {name} = ?" for name in change)
    db.execute(
        f"UPDATE calls SET last_event = ?{columns} WHERE call_id = ?",  # noqa: S608 - names are ours
        (record.number, *change.values(), event.call_id),
    )
    if isinstance(event, Verdict):
        db.execute(
            "INSERT OR REPLACE INTO verdicts (call_id, rule, verdict, value, unit, threshold, event)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                event.call_id,
                event.rule,
                event.verdict,
                event.value,
                event.unit,
                event.threshold,
                record.number,
            ),
        )


def _change(record: Record) -> dict[str, object]:
    """Return the columns of ``calls`` that an event changes."""
    event = record.event
    if isinstance(event, CallAlerting):
        return {"alerting_at_s": event.at_s}
    if isinstance(event, CallAnswered):
        return {"answered_utc": record.utc, "answered_at_s": event.at_s}
    if isinstance(event, CallEnded):
        return {
            "ended_utc": record.utc,
            "ended_at_s": event.at_s,
            "ended_by": event.by,
            "cause": event.cause,
        }
    if isinstance(event, RingBurst):
        return {"rings_heard": event.ring}
    if isinstance(event, Verdict) and "rings_heard" in event.measures:
        return {"rings_heard": int(event.measures["rings_heard"])}
    return {}
