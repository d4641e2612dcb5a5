"""``voice.noise``, ``voice.rate``, ``voice.interrupting``, ``voice.calm``, ``voice.dead_air``."""

import pytest

from tests.core.script import Script, answered, ended, figures, ringing, spoken, spurt, voice
from thirdring.protocol.events import Event, Interruption
from thirdring_device.core.desk import DeskSettings
from thirdring_device.core.norms.settings import PromptSettings

MEDIA_AT_S = 2.02


def call(*events: Event, end_s: float = 60.0, settings: DeskSettings | None = None) -> Script:
    script = Script(settings)
    script.feed(*ringing(0.0), *answered(2.0), *events, *ended(end_s))
    return script


def noisy(*levels_dbov: float, snr_db: float = 30.0) -> Script:
    measured = [
        figures(MEDIA_AT_S, 5.0 * (i + 1), voice(noise_level_dbov=level_dbov, snr_db=snr_db))
        for i, level_dbov in enumerate(levels_dbov)
    ]
    return call(spoken(MEDIA_AT_S, 0.1, "customer"), *measured)


def paced(*syllables_per_s: float) -> Script:
    measured = [figures(MEDIA_AT_S, 10.0 * i + 5.0, voice(pace)) for i, pace in enumerate(syllables_per_s)]
    return call(spoken(MEDIA_AT_S, 0.1, "customer"), *measured)


def test_a_quiet_room_is_met() -> None:
    verdict = noisy(-60.0, -58.0, -61.0).verdict("voice.noise")
    assert (verdict.verdict, verdict.value, verdict.unit) == ("met", -58.0, "dBov")


def test_noise_that_goes_away_is_warned() -> None:
    script = noisy(-60.0, -40.0, -40.0, -60.0)
    assert script.verdict("voice.noise").verdict == "warned"
    assert script.noted("voice.noise") == [(12.02, "warned"), (22.02, "met")]
    assert script.prompts("voice.noise") == []


def test_noise_that_lasts_is_breached_and_prompted() -> None:
    script = noisy(-60.0, -40.0, -40.0, -39.0, -60.0)
    verdict = script.verdict("voice.noise")
    assert (verdict.verdict, verdict.value) == ("breached", -39.0)
    assert script.noted("voice.noise") == [(12.02, "warned"), (22.02, "breached"), (27.02, "met")]
    assert script.prompts("voice.noise") == ["noisy_desk"]


def test_a_voice_hardly_above_the_noise_is_noisy() -> None:
    assert noisy(-50.0, -50.0, -50.0, snr_db=12.0).verdict("voice.noise").verdict == "breached"


def test_noise_of_a_call_too_short_is_not_judged() -> None:
    assert noisy().verdict("voice.noise").reason == "too little sound"


def test_a_moderate_pace_is_met() -> None:
    assert paced(4.5, 5.5, 5.0).verdict("voice.rate").verdict == "met"


@pytest.mark.parametrize(("pace", "key"), [(7.0, "too_fast"), (3.0, "too_slow")])
def test_another_pace_is_prompted_and_breached_when_it_stays(pace: float, key: str) -> None:
    script = paced(5.0, pace, pace, pace)
    verdict = script.verdict("voice.rate")
    assert (verdict.verdict, verdict.measures["pace_outside_percent"]) == ("breached", 75.0)
    assert script.prompts("voice.rate") == [key]


def test_a_pace_that_mends_is_warned() -> None:
    script = paced(7.0, 5.0, 5.0)
    assert script.verdict("voice.rate").verdict == "warned"
    assert script.noted("voice.rate") == [(7.02, "warned"), (17.02, "met")]


def test_windows_are_joined_until_there_is_enough_speech() -> None:
    def said(*windows: tuple[float, float, float]) -> str:
        measured = [figures(MEDIA_AT_S, end_s, voice(pace, articulated_s=s)) for end_s, pace, s in windows]
        return call(spoken(MEDIA_AT_S, 0.1, "customer"), *measured).verdict("voice.rate").verdict

    assert said((5.0, 7.0, 3.0), (15.0, 4.0, 3.5)) == "met"  # 35 syllables in 6.5 s
    assert said((5.0, 7.0, 3.0), (15.0, 6.0, 3.5)) == "breached"
    assert said((5.0, 7.0, 3.0), (10.0, 4.0, 3.5), (15.0, 6.0, 3.5)) == "breached"  # the one between overlaps
    assert said((5.0, 7.0, 3.0), (10.0, 7.0, 3.5)) == "not_applicable"


@pytest.mark.parametrize(
    ("pace", "articulated_s", "verdict"),
    [(5.0, 7.0, "met"), (7.0, 7.0, "breached"), (7.0, 5.0, "not_applicable")],
)
def test_a_short_call_is_judged_by_its_whole_pace(pace: float, articulated_s: float, verdict: str) -> None:
    script = Script()
    whole = voice(pace, articulated_s=articulated_s)
    script.feed(*ringing(0.0), *answered(2.0), *ended(14.0, agent_voice=whole))
    assert script.verdict("voice.rate").verdict == verdict


def test_too_little_speech_has_no_pace() -> None:
    script = call(figures(MEDIA_AT_S, 5.0, voice(9.0, articulated_s=1.5)))
    assert script.verdict("voice.rate").reason == "less than 6 s of speech"


@pytest.mark.parametrize(
    ("count", "verdict", "prompts"), [(0, "met", 0), (1, "warned", 0), (2, "warned", 1), (3, "breached", 2)]
)
def test_interruptions_are_counted(count: int, verdict: str, prompts: int) -> None:
    cuts = [
        Interruption(at_s=10.0 + 40 * i, call_id="a", start_s=8.0 + 40 * i, end_s=9.0 + 40 * i)
        for i in range(count)
    ]
    script = call(*cuts, end_s=200.0)
    judged = script.verdict("voice.interrupting")
    assert (judged.verdict, judged.value) == (verdict, float(count))
    assert len(script.prompts("voice.interrupting")) == prompts


def test_words_that_go_on_after_a_breath_are_one_interruption() -> None:
    def cut(start_s: float) -> Interruption:
        at_s = MEDIA_AT_S + start_s + 0.8
        return Interruption(at_s=at_s, call_id="a", start_s=start_s, end_s=start_s + 0.8)

    begins, ends = spurt(MEDIA_AT_S, 5.0, 6.2)
    again, over = spurt(MEDIA_AT_S, 6.6, 8.0)
    assert call(begins, cut(5.0), ends, again, cut(6.6), over).verdict("voice.interrupting").value == 1.0
    again, over = spurt(MEDIA_AT_S, 7.6, 9.0)
    assert call(begins, cut(5.0), ends, again, cut(7.6), over).verdict("voice.interrupting").value == 2.0


def test_silence_is_prompted_then_breached_at_its_time() -> None:
    script = Script()
    talk = [*spurt(MEDIA_AT_S, 0.2, 0.8, "customer"), *spurt(MEDIA_AT_S, 1.0, 3.0)]
    script.feed(*ringing(0.0), *answered(2.0), *talk)
    script.wake(30.0)
    assert script.noted("voice.dead_air") == [(12.42, "warned"), (15.42, "breached")]
    assert script.prompts("voice.dead_air") == ["dead_air"]
    script.feed(spoken(MEDIA_AT_S, 14.5, "customer"), *ended(17.0))
    verdict = script.verdict("voice.dead_air")
    assert verdict.verdict == "breached"
    assert verdict.value == pytest.approx(11.5)
    assert verdict.measures == {"dead_air_count": 1.0}


def test_silence_broken_in_time_is_warned() -> None:
    said = [*spurt(MEDIA_AT_S, 0.2, 0.8, "customer"), *spurt(MEDIA_AT_S, 1.0, 3.0)]
    script = call(*said, *spurt(MEDIA_AT_S, 12.0, 14.0, "customer"), end_s=18.0)
    verdict = script.verdict("voice.dead_air")
    assert verdict.verdict == "warned"
    assert verdict.value == pytest.approx(9.0)
    assert script.noted("voice.dead_air") == [(12.42, "warned"), (14.12, "met")]


def test_a_word_that_is_told_late_still_counts_in_time() -> None:
    said = [*spurt(MEDIA_AT_S, 0.2, 0.8, "customer"), *spurt(MEDIA_AT_S, 1.0, 3.0)]
    script = call(*said, spoken(MEDIA_AT_S, 12.9), end_s=15.0)
    assert script.verdict("voice.dead_air").verdict == "warned"
    assert "breached" not in [state for _, state in script.noted("voice.dead_air")]


def test_a_word_just_too_late_is_a_breach_at_once() -> None:
    said = [*spurt(MEDIA_AT_S, 0.2, 0.8, "customer"), *spurt(MEDIA_AT_S, 1.0, 3.0)]
    script = call(*said, spoken(MEDIA_AT_S, 13.2), end_s=15.0)
    assert script.verdict("voice.dead_air").verdict == "breached"
    assert script.noted("voice.dead_air") == [(12.42, "warned"), (15.32, "breached"), (15.32, "met")]


def test_silence_on_a_line_with_nobody_is_another_norms_matter() -> None:
    script = call(*spurt(MEDIA_AT_S, 1.0, 3.0), end_s=40.0)
    verdict = script.verdict("voice.dead_air")
    assert (verdict.verdict, verdict.reason) == ("not_applicable", "nobody was heard at the other end")
    assert script.prompts("voice.dead_air") == []


def test_silence_is_nobodys_only_while_neither_speaks() -> None:
    talk = [*spurt(MEDIA_AT_S, 0.5, 2.0), spoken(MEDIA_AT_S, 3.0, "customer")]
    assert call(*talk, end_s=13.0).verdict("voice.dead_air").verdict == "met"


def conversation(agent_dbov: float, customer_dbov: float, pace: float = 5.0) -> Script:
    """Both speak at -26 dBov; then the customer at one level, and the agent answers at another."""
    usual = [
        *spurt(MEDIA_AT_S, 0.5, 4.0),
        *spurt(MEDIA_AT_S, 5.0, 9.0, "customer"),
        figures(MEDIA_AT_S, 10.0, voice(5.0)),
    ]
    heated = [
        *spurt(MEDIA_AT_S, 11.0, 14.0, "customer", customer_dbov),
        *spurt(MEDIA_AT_S, 15.0, 18.0, "agent", agent_dbov),
        figures(MEDIA_AT_S, 25.0, voice(pace)),
    ]
    return call(*usual, *heated)


def test_a_calm_customer_is_no_case() -> None:
    assert conversation(-26.0, -24.0).verdict("voice.calm").reason == "the customer stayed calm"


def test_an_agent_who_stays_calm_is_met() -> None:
    script = conversation(-25.0, -19.0)
    verdict = script.verdict("voice.calm")
    assert (verdict.verdict, verdict.value) == ("met", 1.0)
    assert script.prompts("voice.calm") == ["breathe"]


def test_an_agent_who_grows_loud_is_breached() -> None:
    script = conversation(-21.0, -19.0)
    assert script.verdict("voice.calm").verdict == "breached"
    assert [state for _, state in script.noted("voice.calm")] == ["warned", "breached"]


def test_an_agent_who_grows_fast_is_breached() -> None:
    verdict = conversation(-26.0, -19.0, pace=6.5).verdict("voice.calm")
    assert (verdict.verdict, verdict.measures["pace_rise_percent"]) == ("breached", 30.0)


def test_prompts_keep_their_distance_and_quiet_mode_holds_them_back() -> None:
    measured = [figures(MEDIA_AT_S, 5.0 * (i + 1), voice(7.0, noise_level_dbov=-40.0)) for i in range(4)]
    measured.insert(0, spoken(MEDIA_AT_S, 0.1, "customer"))
    both = call(*measured)
    assert both.prompts("voice.rate") == ["too_fast"]
    assert both.prompts("voice.noise") == ["noisy_desk"]
    apart = call(*measured, settings=DeskSettings(5.0, prompt=PromptSettings(gap_s=20.0)))
    assert (apart.prompts("voice.rate"), apart.prompts("voice.noise")) == (["too_fast"], [])
    quiet = call(*measured, settings=DeskSettings(5.0, prompt=PromptSettings(quiet=True)))
    assert quiet.prompts("voice.rate") + quiet.prompts("voice.noise") == []
    assert quiet.verdict("voice.noise").verdict == "breached"
