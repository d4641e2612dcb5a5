"""The numbered record of an event, and its JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from thirdring.protocol.codec import from_fields, to_fields
from thirdring.protocol.errors import error
from thirdring.protocol.events import derived, desk, headset, recording, signalling, sound, work
from thirdring.protocol.events.base import Event

__all__ = [
    "EVENT_KINDS",
    "RECORD_KEYS",
    "Record",
    "UnknownEvent",
    "record_from_json",
    "record_to_json",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownEvent(Event):
    """An event of a kind that this version does not know."""

    kind = "unknown"
    unknown_kind: str
    fields: Mapping[str, Any]


EVENT_KINDS: Final[Mapping[str, type[Event]]] = {
    event.kind: event
    for family in (desk, headset, work, signalling, sound, recording, derived)
    for event in vars(family).values()
    if isinstance(event, type) and issubclass(event, Event) and event is not Event
}


@dataclass(frozen=True, slots=True)
class Record:
    """An event as the journal keeps it: its number and the wall clock (ISO 8601, UTC)."""

    number: int
    utc: str
    event: Event


RECORD_KEYS: Final = ("seq", "utc", "kind")
"""What a record's JSON object has besides the event's own fields; no event may use these names."""


def record_to_json(record: Record) -> dict[str, Any]:
    """Return the flat JSON object: ``seq`` (the number), ``utc``, ``kind`` and the event's own fields."""
    event = record.event
    if isinstance(event, UnknownEvent):
        kind, fields = event.unknown_kind, event.fields
    else:
        kind, fields = event.kind, to_fields(event)
    return {"seq": record.number, "utc": record.utc, "kind": kind, **fields}


def record_from_json(data: Mapping[str, Any]) -> Record:
    """Build a record from ``record_to_json``'s object; raises ``RequestError`` 1001 if it is not one."""
    number, utc, kind = (data.get(key) for key in RECORD_KEYS)
    if not (isinstance(number, int) and isinstance(utc, str) and isinstance(kind, str)):
        raise error(1001, f"seq, utc or kind of an event: {number!r:.30}, {utc!r:.30}, {kind!r:.30}")
    cls = EVENT_KINDS.get(kind)
    if cls is not None:
        return Record(number, utc, from_fields(cls, data))
    fields = {key: value for key, value in data.items() if key not in RECORD_KEYS}
    known = from_fields(Event, fields)
    return Record(
        number,
        utc,
        UnknownEvent(at_s=known.at_s, call_id=known.call_id, unknown_kind=kind, fields=fields),
    )
