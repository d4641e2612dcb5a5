"""What an outgoing call hears before it is answered."""

from tests.core.script import Script
from thirdring.protocol.events import (
    CallAlerting,
    CallAnswered,
    CallOutgoing,
    CallProgress,
    Event,
    TalkSpurt,
    ToneHeard,
)


def tone(at_s: float, name: str) -> Event:
    return ToneHeard(
        at_s=at_s, call_id="a", side="customer", tone=name, start_s=at_s, end_s=at_s, level_dbm0=-20.0
    )


def speech(at_s: float, length_s: float) -> Event:
    return TalkSpurt(
        at_s=at_s, call_id="a", side="customer", start_s=at_s - length_s, end_s=at_s, level_dbov=-26.0
    )


def heard(*events: Event) -> list[str]:
    script = Script()
    script.feed(
        CallOutgoing(at_s=1.0, call_id="a", number="1"),
        CallAlerting(at_s=1.1, call_id="a", early_media=True),
        *events,
    )
    return [event.heard for event in script.derived if isinstance(event, CallProgress)]


def test_each_change_is_told_once() -> None:
    assert heard(tone(3.0, "ringback"), tone(8.0, "ringback"), tone(13.0, "busy")) == ["ringback", "busy"]


def test_speech_is_an_announcement_and_a_click_is_none() -> None:
    assert heard(speech(3.0, 0.4)) == []
    assert heard(speech(4.0, 1.4), speech(7.0, 2.0)) == ["announcement"]


def test_nothing_is_told_of_what_comes_after_the_answer_or_is_no_progress() -> None:
    assert heard(CallAnswered(at_s=2.0, call_id="a"), tone(3.0, "busy"), speech(9.0, 3.0)) == []
    assert heard(tone(3.0, "cng")) == []
