import dataclasses
import json

import pytest

from thirdring.protocol.errors import RequestError
from thirdring.protocol.events import (
    EVENT_KINDS,
    RECORD_KEYS,
    CallIncoming,
    Record,
    UnknownEvent,
    record_from_json,
    record_to_json,
)


def test_no_event_field_hides_the_records_own() -> None:
    for event in EVENT_KINDS.values():
        assert not {field.name for field in dataclasses.fields(event)} & set(RECORD_KEYS), event


def test_record_survives_json_with_a_telephone_number_in_it() -> None:
    record = Record(7, "2026-05-04T09:00:00Z", CallIncoming(at_s=1.0, call_id="c1", number="13800138000"))
    assert record_from_json(json.loads(json.dumps(record_to_json(record)))) == record


def test_event_of_an_unknown_kind_is_handed_on_unchanged() -> None:
    data = {"seq": 7, "utc": "x", "kind": "from_the_future", "at_s": 1.0, "call_id": "c1", "colour": "red"}
    record = record_from_json(data)
    assert isinstance(record.event, UnknownEvent)
    assert record.event.call_id == "c1"
    assert record_to_json(record) == data


@pytest.mark.parametrize("key", RECORD_KEYS)
def test_record_without_number_time_or_kind_is_refused(key: str) -> None:
    data = {"seq": 7, "utc": "x", "kind": "engine_stopped", "at_s": 1.0}
    del data[key]
    with pytest.raises(RequestError):
        record_from_json(data)
