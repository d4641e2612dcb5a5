"""``customer.survey``: the agent's release asks the caller for a digit before it ends the call."""

from tests.core.script import CN_PERIOD_S, Script, answered, ended, hangup, ringing, spurt
from thirdring.protocol.events import CallEnded, Dtmf, SurveyEnded
from thirdring_device.core.commands import AnnounceToCustomer, EndCall
from thirdring_device.core.judged import DeskSettings
from thirdring_device.core.norms.settings import SurveySettings


def talked(*, enabled: bool = True) -> Script:
    script = Script(DeskSettings(CN_PERIOD_S, survey=SurveySettings(enabled=enabled)))
    talk = [*spurt(2.02, 0.2, 0.8), *spurt(2.02, 1.0, 3.0, "customer")]
    script.feed(*ringing(0.0), *answered(2.0), *talk)
    return script


def digit(at_s: float, key: str, side: str = "customer") -> Dtmf:
    return Dtmf(at_s=at_s, call_id="a", side=side, digit=key, method="event")  # type: ignore[arg-type]


def test_the_digit_is_taken_and_the_call_ended() -> None:
    script = talked()
    assert script.feed(hangup(20.0)) == [AnnounceToCustomer("a", "survey")]
    assert script.feed(digit(22.0, "9"), digit(23.0, "1", "agent")) == []
    assert script.feed(digit(25.0, "4")) == [EndCall("a")]
    script.feed(*ended(25.1, by="agent"))
    judged = script.verdict("customer.survey")
    assert (judged.verdict, judged.value, judged.unit) == ("met", 4.0, "score")
    assert script.verdict("call.release").verdict == "met"


def test_without_a_digit_the_call_ends_in_time() -> None:
    script = talked()
    script.feed(hangup(8.0))
    script.wake(22.9)
    assert not any(isinstance(event, SurveyEnded) for event in script.derived)
    script.wake(23.0)
    assert script.commands[-1] == EndCall("a")
    script.feed(*ended(23.1, by="agent"))
    assert script.verdict("customer.survey").reason == "the customer gave no digit"
    assert script.verdict("voice.dead_air").verdict != "breached"


def test_a_customer_who_leaves_during_the_survey_was_released_by_the_agent() -> None:
    script = talked()
    script.feed(hangup(5.3))
    assert script.feed(CallEnded(at_s=9.0, call_id="a", by="customer", cause="hangup")) == []
    assert script.verdict("customer.survey").verdict == "met"
    assert script.verdict("call.release").verdict == "breached"
    assert script.desk.wake_at_s is not None  # notes are still due
    script.wake(1000.0)
    assert script.commands.count(EndCall("a")) == 0


def test_nobody_is_asked_when_it_is_off_or_the_customer_hangs_up() -> None:
    script = talked(enabled=False)
    assert script.feed(hangup(20.0)) == [EndCall("a")]
    script.feed(*ended(20.1, by="agent"))
    assert script.verdict("customer.survey").reason == "no survey is set up"
    other = talked()
    other.feed(*ended(20.0))
    assert other.verdict("customer.survey").reason == "the agent did not release the call"


def test_a_silent_line_is_not_asked() -> None:
    script = Script(DeskSettings(CN_PERIOD_S, survey=SurveySettings(enabled=True)))
    script.feed(*ringing(0.0), *answered(2.0), *spurt(2.02, 0.2, 1.0))
    script.wake(10.0)
    assert script.feed(hangup(20.0)) == [EndCall("a")]
