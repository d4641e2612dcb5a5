"""Late openers, silent lines, weak and noisy callers, long calls, and who hangs up."""

from dataclasses import replace

import pytest

from tests.core.script import (
    Script,
    answered,
    ended,
    figures,
    hangup,
    levels,
    ringing,
    spoken,
    spurt,
    voice,
)
from thirdring.protocol.events import Event, Levels
from thirdring_device.core.call import Call
from thirdring_device.core.commands import EndCall
from thirdring_device.core.judged import DeskSettings, JudgedCall
from thirdring_device.core.norms.settings import AnswerSettings, CallSettings
from thirdring_device.report.messages import catalogue
from thirdring_device.settings import Settings, setting_views

MEDIA_AT_S = 2.02


def call(*events: Event, settings: DeskSettings | None = None) -> Script:
    script = Script(settings)
    script.feed(*ringing(0.0), *answered(2.0), *events)
    return script


@pytest.mark.parametrize(
    ("answer_s", "verdict", "reason"), [(12.0, "not_applicable", "answered in time"), (17.0, "met", "")]
)
def test_the_late_opener_is_shown_to_late_answers(answer_s: float, verdict: str, reason: str) -> None:
    script = Script()
    script.feed(*ringing(0.0), *answered(answer_s), *ended(60.0))
    judged = script.verdict("answer.late_opener")
    assert (judged.verdict, judged.reason) == (verdict, reason)


GREETS = [*spurt(MEDIA_AT_S, 0.5, 2.0), *spurt(MEDIA_AT_S, 7.6, 9.0), *spurt(MEDIA_AT_S, 14.6, 17.0)]


def test_the_silent_call_procedure_is_prompted_step_by_step() -> None:
    script = call(*GREETS)
    script.wake(30.0)
    assert script.prompts("answer.silent_call") == ["silent_greet_again", "silent_explain", "silent_hang_up"]
    script.feed(hangup(25.0), *ended(25.1, by="agent"))
    verdict = script.verdict("answer.silent_call")
    assert (verdict.verdict, verdict.value, verdict.unit) == ("met", 3.0, "steps")
    assert script.verdict("call.release").reason == "a silent, weak or noisy caller"


def test_hanging_up_on_a_silent_line_too_early_is_breached() -> None:
    script = call(*GREETS[:4], hangup(12.0), *ended(12.1, by="agent"))
    verdict = script.verdict("answer.silent_call")
    assert (verdict.verdict, verdict.value) == ("breached", 1.0)


def test_the_appliance_hangs_up_after_the_last_step_when_it_may() -> None:
    settings = DeskSettings(5.0, answer=AnswerSettings(silent_release=True))
    script = call(*GREETS, settings=settings)
    script.wake(24.0)
    assert EndCall("a") not in script.commands
    script.wake(25.0)
    assert script.commands[-1] == EndCall("a")
    script.feed(*ended(25.0, by="agent"))
    assert script.verdict("answer.silent_call").verdict == "met"


def test_a_customer_who_speaks_ends_the_procedure() -> None:
    script = call(*GREETS[:2], spoken(MEDIA_AT_S, 5.0, "customer"))
    script.wake(60.0)
    assert script.prompts("answer.silent_call") == []
    script.feed(hangup(61.0), *ended(61.0, by="agent"))
    assert script.verdict("answer.silent_call").reason == "the customer spoke"


@pytest.mark.parametrize(
    ("loudest_dbov", "noise_dbov", "reason"),
    [
        (-100.0, -100.0, "no sound came from the line: muted, or no packets"),
        (-38.0, -40.0, "only noise came from the line"),
        (-70.0, -75.0, "the line was very quiet"),
    ],
)
def test_what_was_on_the_silent_line_is_told(loudest_dbov: float, noise_dbov: float, reason: str) -> None:
    heard = [event for event in levels(MEDIA_AT_S, [-26.0]) if isinstance(event, Levels)]
    script = call(
        *(replace(event, customer_rms_dbov=(loudest_dbov,) * 5, agent_active_s=0.0) for event in heard),
        figures(MEDIA_AT_S, 5.0, customer=voice(None, noise_dbov, None)),
        hangup(9.0),
        *ended(9.0, by="agent"),
    )
    assert script.verdict("answer.silent_call").reason == reason


def talk(start_s: float, count: int, agent_dbov: float, customer_dbov: float) -> list[Event]:
    """Half seconds in which both speak, at sliding levels before AGC and as received."""
    made = [event for event in levels(MEDIA_AT_S + start_s, [-26.0] * count) if isinstance(event, Levels)]
    return [
        replace(
            event,
            end_s=event.end_s + start_s,
            agent_before_sliding_dbov=agent_dbov,
            customer_sliding_dbov=customer_dbov,
            customer_active_s=0.5,
        )
        for event in made
    ]


def asked(times: int, start_s: float) -> list[Event]:
    """The agent asks, several times, 3 s apart."""
    return [e for i in range(times) for e in spurt(MEDIA_AT_S, start_s + 3 * i, start_s + 3 * i + 1.5)]


def test_a_caller_heard_well_is_no_case() -> None:
    script = call(*talk(0.0, 20, -26.0, -30.0), *ended(60.0))
    assert script.verdict("answer.weak_caller").reason == "the caller was heard well"
    assert script.verdict("answer.noisy_caller").verdict == "not_applicable"


def test_a_weak_caller_is_asked_and_the_voice_stays() -> None:
    script = call(
        *talk(0.0, 8, -26.0, -30.0), *talk(4.0, 4, -25.5, -50.0), *asked(3, 6.5), *talk(16.0, 4, -25.0, -50.0)
    )
    script.feed(hangup(30.0), *ended(30.0, by="agent"))
    verdict = script.verdict("answer.weak_caller")
    assert (verdict.verdict, verdict.value) == ("met", 1.0)
    assert verdict.measures["asked_count"] == 3.0
    assert script.prompts("answer.weak_caller")[0] == "ask_louder"
    assert script.verdict("call.release").verdict == "not_applicable"


def test_shouting_at_a_weak_caller_is_breached() -> None:
    script = call(*talk(0.0, 8, -26.0, -30.0), *talk(4.0, 8, -21.0, -50.0), *ended(30.0))
    verdict = script.verdict("answer.weak_caller")
    assert (verdict.verdict, verdict.value) == ("breached", 5.0)


def test_hanging_up_on_a_weak_caller_too_early_is_breached() -> None:
    script = call(*talk(0.0, 8, -26.0, -50.0), *asked(1, 5.0), hangup(9.0), *ended(9.0, by="agent"))
    assert script.verdict("answer.weak_caller").reason == "the agent hung up too early"


def test_a_caller_drowned_by_noise_is_noticed_and_mends() -> None:
    drowned, clear = voice(noise_level_dbov=-35.0, snr_db=6.0), voice(noise_level_dbov=-60.0, snr_db=30.0)
    script = call(
        *talk(0.0, 8, -26.0, -30.0),
        figures(MEDIA_AT_S, 5.0, customer=drowned),
        figures(MEDIA_AT_S, 10.0, customer=clear),
        *ended(30.0),
    )
    assert script.noted("answer.noisy_caller") == [(7.02, "warned"), (12.02, "met")]
    verdict = script.verdict("answer.noisy_caller")
    assert (verdict.verdict, verdict.measures["customer_snr_db"]) == ("met", 6.0)


def test_a_long_call_is_told_while_it_lasts() -> None:
    script = call(settings=DeskSettings(5.0, call=CallSettings(length_limit_s=60.0)))
    script.wake(70.0)
    assert script.noted("call.length") == [(62.0, "breached")]
    assert script.prompts("call.length") == ["long_call"]
    script.feed(*ended(75.0))
    verdict = script.verdict("call.length")
    assert (verdict.verdict, verdict.value) == ("breached", 73.0)


def test_the_customer_hangs_up_first() -> None:
    verdict = call(*ended(20.0)).verdict("call.release")
    assert (verdict.verdict, verdict.reason) == ("met", "the customer hung up first")


@pytest.mark.parametrize(
    ("asked_at_s", "verdict", "quiet_s"),
    [(10.0, "breached", 0.98), (12.1, "met", 3.08), (8.5, "breached", 0.0)],
)
def test_the_agent_hangs_up_after_a_pause_only(asked_at_s: float, verdict: str, quiet_s: float) -> None:
    script = call(spoken(MEDIA_AT_S, 1.0, "customer"), *spurt(MEDIA_AT_S, 4.0, 6.0))
    script.feed(*spurt(MEDIA_AT_S, 6.2, 7.0, "customer"), hangup(asked_at_s), *ended(asked_at_s, by="agent"))
    judged = script.verdict("call.release")
    assert judged.verdict == verdict
    assert judged.value == pytest.approx(quiet_s, abs=0.01)


def test_a_lost_call_was_released_by_nobody() -> None:
    verdict = call(*ended(20.0, by="network", cause="lost")).verdict("call.release")
    assert (verdict.verdict, verdict.reason) == ("not_applicable", "neither side hung up")


def test_every_norm_names_its_numbers_and_prompts() -> None:
    judged = JudgedCall(Call("a", 1), DeskSettings(5.0))
    norms = [*judged.norms, *judged.late]
    names = {view.name for view in setting_views(Settings())}
    used = {f"norms.{number}" for norm in norms for number in norm.numbers}
    assert used <= names
    assert used == {name for name in names if name.startswith("norms.") and ".prompt." not in name}
    assert {f"prompt.{key}" for norm in norms for key in norm.prompts} <= set(catalogue())
    assert all(norm.manuals for norm in norms)
