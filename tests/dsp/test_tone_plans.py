"""The national tone plans: what the data says, and that wrong data is refused."""

import math
from typing import Any

import numpy as np
import pytest

from thirdring_dsp import tone_plans
from thirdring_dsp.tone_plans import RingCadence, plan, render, ring_cadence

FACTS: dict[str, Any] = {
    "code": "XX",
    "name": "Nowhere",
    "sources": ["a"],
    "frequency_tolerance_hz": 10,
    "tones": {"dial": ["425"], "ringback": ["425/1 0/4"]},
}


def test_there_are_plans_for_sixty_countries_and_more() -> None:
    assert len(tone_plans.countries()) >= 60


def test_china_comes_first_and_every_country_has_ringback_and_busy() -> None:
    assert tone_plans.countries()[0] == "CN"
    rest = tone_plans.countries()[1:]
    assert list(rest) == sorted(rest)
    for code in tone_plans.countries():
        for kind in ("ringback", "busy", "sit"):
            assert plan(code).alternatives(kind), (code, kind)
        assert plan(code).sources


@pytest.mark.parametrize(
    ("code", "bursts", "period_s"),
    [
        ("CN", ((0.0, 1.0),), 5.0),
        ("UK", ((0.0, 0.4), (0.6, 1.0)), 3.0),
        ("us", ((0.0, 2.0),), 6.0),
        ("JP", ((0.0, 1.0),), 3.0),
        ("FR", ((0.0, 1.5),), 5.0),
    ],
)
def test_one_ring_is_counted_by_its_cycle(
    code: str, bursts: tuple[tuple[float, float], ...], period_s: float
) -> None:
    assert ring_cadence(code) == RingCadence(bursts, period_s)
    assert tone_plans.ringback_cycle_s(code) == period_s


def test_every_ring_is_explained_in_words() -> None:
    assert tone_plans.explain_ring("GB") == (
        "One ring in United Kingdom is 0.4 s tone, 0.2 s pause, 0.4 s tone, 2 s pause: "
        "2 bursts, a new ring every 3 s."
    )
    for code in tone_plans.countries():
        assert "One ring" in tone_plans.explain_ring(code)


def test_china_plan_has_the_values_of_its_standard() -> None:
    china = plan("CN")
    assert china.frequency_tolerance_hz == 25
    assert china.tone("ringback").segments[0].frequencies_hz == (450.0,)
    assert [s.duration_s for s in china.tone("busy").segments] == [0.35, 0.35]
    assert [s.duration_s for s in china.tone("congestion").segments] == [0.7, 0.7]
    assert china.tone("dial").is_endless


def test_japanese_ringback_has_sidebands_16_hz_away() -> None:
    assert plan("JP").tone("ringback").segments[0].lines_hz == (384.0, 400.0, 416.0)


def test_unknown_country_is_refused_in_clear_words() -> None:
    with pytest.raises(ValueError, match="no tone plan for 'QQ'; there are CN, "):
        plan("QQ")


def test_missing_tone_is_refused_in_clear_words() -> None:
    with pytest.raises(ValueError, match="the plan of FR has no howler tone; it has dial"):
        plan("FR").tone("howler")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"code": "x"}, "two capital letters"),
        ({"tones": {"dial": ["425"]}}, "no ringback"),
        ({"tones": {"ringback": ["425/1 0/4"], "noise": ["1"]}}, "unknown tones"),
        ({"tones": {"ringback": ["425/1"]}}, "ends with its pause"),
        ({"tones": {"ringback": ["425"]}}, "ends with its pause"),
        ({"tones": {"ringback": ["0/1 425/1 0/1"]}}, "starts with sound"),
        ({"tones": {"ringback": ["425 0/1"]}}, "only the last"),
        ({"tones": {"ringback": ["425/1 0/1 0/1"]}}, "two silences"),
        ({"tones": {"ringback": ["42/1 0/4"]}}, "frequencies are"),
        ({"tones": {"ringback": ["425*3/1 0/4"]}}, "modulation is"),
        ({"tones": {"ringback": ["425+425/1 0/4"]}}, "stands twice"),
        ({"tones": {"ringback": ["425/100 0/4"]}}, "lasts 100 s"),
        ({"tones": {"ringback": ["x/1 0/4"]}}, "could not convert"),
        ({"frequency_tolerance_hz": 0}, "1 to 50"),
        ({"cadence_tolerance": 0.9}, "0.02 to 0.25"),
        ({"sources": []}, "names its sources"),
        ({"sources": ["b"]}, "'b' is missing"),
    ],
)
def test_wrong_facts_are_refused_with_the_country_named(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=f"tone plan of .*{words}"):
        tone_plans.plan_from_facts(FACTS | change, {"a": "a source"})


@pytest.mark.parametrize("rate_hz", [8000, 16000, 48000])
def test_rendered_tone_has_the_level_and_the_cadence(rate_hz: int) -> None:
    signal = render(plan("CN").tone("ringback"), rate_hz, 10.0, -10.0).astype(float)
    assert len(signal) == 10 * rate_hz
    burst = signal[:rate_hz]
    level_dbov = 10 * math.log10(np.mean(burst**2) / 32768**2)
    assert level_dbov == pytest.approx(-10 - 3.14 - 3.01, abs=0.02)
    assert not signal[rate_hz : 5 * rate_hz].any()
    assert signal[5 * rate_hz : 5 * rate_hz + 40].any()
    assert not signal[6 * rate_hz :].any()


def test_rendered_modulated_tone_has_its_lines_and_level() -> None:
    signal = render(plan("JP").tone("ringback"), 8000, 1.0, -10.0).astype(float)
    spectrum = np.abs(np.fft.rfft(signal))
    assert {int(k) for k in np.argsort(spectrum)[-3:]} == {384, 400, 416}
    level_dbov = 10 * math.log10(np.mean(signal**2) / 32768**2)
    assert level_dbov == pytest.approx(-16.15, abs=0.05)


def test_every_tone_of_every_plan_renders_from_its_first_onset() -> None:
    for code in tone_plans.countries():
        for tone in plan(code).tones:
            signal = render(tone, 8000, 0.05)
            assert signal[:40].any(), (code, tone.kind)


def test_rendering_refuses_to_clip_and_to_alias() -> None:
    with pytest.raises(ValueError, match="would clip"):
        render(plan("CN").tone("dial"), 8000, 0.1, 6.0)
    with pytest.raises(ValueError, match="does not fit"):
        render(plan("US").tone("howler"), 4000, 0.1)
