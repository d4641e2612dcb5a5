"""What the network did to a call's sound, in every form of the report."""

import dataclasses
import json

import pytest

from tests.report import factory
from thirdring.protocol.events import CallQuality, Record
from thirdring.protocol.views import CallDetail
from thirdring_device.report import build

QUALITY = CallQuality(
    at_s=40.0,
    codec="PCMA",
    encrypted=True,
    received=2000,
    lost_percent=1.5,
    discarded_percent=0.2,
    jitter_ms=3.4,
    buffer_ms=40.0,
    sent=1990,
    sent_lost_percent=None,
    sent_jitter_ms=None,
    round_trip_ms=None,
    heard_mos=4.17,
    sent_mos=None,
)


def call() -> tuple[CallDetail, list[Record]]:
    detail, records = factory.answered_call()
    event = dataclasses.replace(QUALITY, call_id=detail.call.call_id, at_s=records[-1].event.at_s)
    return detail, [*records, Record(records[-1].number + 1, records[-1].utc, event)]


def test_text_tells_both_directions_and_leaves_out_what_nobody_reported() -> None:
    lines = [line.split() for line in build(*call()).to_text().splitlines()]
    assert ["customer", "to", "agent", "2000", "1.5", "%", "3.4", "ms", "-", "4.17"] in lines
    assert ["agent", "to", "customer", "1990", "-", "-", "-", "-"] in lines


@pytest.mark.parametrize(("language", "words"), [("en", "MOS estimate"), ("zh", "MOS 估计")])
def test_page_has_the_table(language: str, words: str) -> None:
    assert words in build(*call()).to_html(language)
    assert words not in build(*factory.answered_call()).to_html(language)


def test_json_has_the_figures() -> None:
    data = json.loads(json.dumps(build(*call()).to_json()))
    assert data["quality"]["heard_mos"] == 4.17
    assert data["quality"]["round_trip_ms"] is None
    assert json.loads(json.dumps(build(*factory.answered_call()).to_json()))["quality"] is None
