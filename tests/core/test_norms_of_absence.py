"""``hold.check_in``, ``voice.mute_pause``, ``transfer.consent``, and dead air that is none."""

import pytest

from tests.core.script import Script, answered, ended, ringing, spurt
from thirdring.protocol.events import (
    AgentRequested,
    Event,
    HoldEnded,
    HoldStarted,
    MuteEnded,
    MuteStarted,
)

MEDIA_AT_S = 2.02


def call(*events: Event, end_s: float = 400.0) -> Script:
    script = Script()
    talk = [*spurt(MEDIA_AT_S, 0.2, 0.8, "customer"), *spurt(MEDIA_AT_S, 1.0, 3.0)]
    script.feed(*ringing(0.0), *answered(2.0), *talk, *events, *ended(end_s))
    return script


def hold(start_s: float, end_s: float, by: str = "agent") -> list[Event]:
    return [
        HoldStarted(at_s=start_s, call_id="a", by=by),  # type: ignore[arg-type]
        HoldEnded(at_s=end_s, call_id="a", by=by),  # type: ignore[arg-type]
    ]


@pytest.mark.parametrize(
    ("end_s", "verdict", "noted"),
    [
        (100.0, "met", []),
        (170.0, "warned", [(160.0, "warned"), (170.0, "met")]),
        (200.0, "breached", [(160.0, "warned"), (190.0, "breached"), (200.0, "met")]),
    ],
)
def test_a_held_customer_is_not_left_for_long(
    end_s: float, verdict: str, noted: list[tuple[float, str]]
) -> None:
    script = call(*hold(10.0, end_s))
    judged = script.verdict("hold.check_in")
    assert (judged.verdict, judged.value) == (verdict, end_s - 10.0)
    assert script.noted("hold.check_in") == noted
    assert script.prompts("hold.check_in") == ["hold_return"] * (len(noted) > 0) + ["hold_return"] * (
        verdict == "breached"
    )


def test_the_customers_own_hold_is_not_judged() -> None:
    assert call(*hold(10.0, 300.0, by="customer")).verdict("hold.check_in").reason == "no hold"


def test_a_hold_that_the_call_ends_in_counts() -> None:
    judged = call(hold(10.0, 0.0)[0], end_s=250.0).verdict("hold.check_in")
    assert (judged.verdict, judged.value) == ("breached", 240.0)


@pytest.mark.parametrize(("end_s", "verdict"), [(19.0, "met"), (25.0, "breached")])
def test_mute_is_for_a_moment(end_s: float, verdict: str) -> None:
    script = call(MuteStarted(at_s=10.0, call_id="a"), MuteEnded(at_s=end_s, call_id="a"))
    judged = script.verdict("voice.mute_pause")
    assert (judged.verdict, judged.value) == (verdict, end_s - 10.0)
    assert script.prompts("voice.mute_pause") == ["mute_end"] * (verdict == "breached")


def test_held_and_muted_silence_is_not_dead_air() -> None:
    held = [HoldStarted(at_s=8.0, call_id="a", by="agent"), HoldEnded(at_s=60.0, call_id="a", by="agent")]
    muted = [MuteStarted(at_s=65.0, call_id="a"), MuteEnded(at_s=74.0, call_id="a")]
    script = call(*held, *muted, end_s=78.0)
    judged = script.verdict("voice.dead_air")
    assert (judged.verdict, judged.value) == ("met", 5.0)
    assert script.noted("voice.dead_air") == []


@pytest.mark.parametrize(
    ("consent", "other", "verdict"), [(False, "", "breached"), (True, "", "met"), (False, "b", "met")]
)
def test_a_transfer_wants_consent_or_consultation(consent: bool, other: str, verdict: str) -> None:
    asked = AgentRequested(
        at_s=20.0, call_id="a", action="transfer", argument="1001", other_call_id=other, consent=consent
    )
    script = call(asked)
    assert script.verdict("transfer.consent").verdict == verdict
    assert script.prompts("transfer.consent") == ["ask_consent"] * (verdict == "breached")
    assert call().verdict("transfer.consent").reason == "no transfer"
