import pytest

from tests.core.script import Script, answered, ended, levels, ringing
from thirdring.protocol.events import NormNoted, Prompt

IN_BAND, LOUD, EDGE = -26.0, -18.0, -20.5


def judged(after_dbov: list[float]) -> Script:
    script = Script()
    script.feed(*ringing(0.0), *answered(2.0), *levels(2.02, after_dbov), *ended(60.0))
    return script


def test_level_in_the_band_is_met() -> None:
    verdict = judged([IN_BAND] * 20).verdict("voice.level")
    assert (verdict.verdict, verdict.value) == ("met", 0.0)
    assert verdict.measures["active_speech_level_before_dbov"] == -26.0
    assert verdict.measures["active_speech_level_after_dbov"] == -26.0


def test_level_that_mended_is_warned() -> None:
    script = judged([IN_BAND] * 10 + [LOUD] * 3 + [IN_BAND] * 10)
    verdict = script.verdict("voice.level")
    assert verdict.verdict == "warned"
    assert verdict.value == pytest.approx(100 * 1.5 / 9.0, abs=0.1)
    assert [e.state for e in script.derived if isinstance(e, NormNoted) and e.rule == "voice.level"] == [
        "warned",
        "met",
    ]


@pytest.mark.parametrize(("level_dbov", "key"), [(-18.0, "too_loud"), (-34.0, "too_quiet")])
def test_level_outside_for_too_long_is_breached_and_prompted(level_dbov: float, key: str) -> None:
    script = judged([IN_BAND] * 10 + [level_dbov] * 10)
    assert script.verdict("voice.level").verdict == "breached"
    assert [e.key for e in script.derived if isinstance(e, Prompt) and e.rule == "voice.level"] == [key]


def test_level_is_back_only_inside_the_hysteresis() -> None:
    just_inside_the_edge = judged([IN_BAND] * 10 + [LOUD] + [EDGE] * 5)
    never_left = judged([IN_BAND] * 10 + [EDGE] * 6)
    assert just_inside_the_edge.verdict("voice.level").value == pytest.approx(100 * 3.0 / 5.5, abs=0.1)
    assert never_left.verdict("voice.level").value == 0.0


def test_too_little_speech_is_not_judged() -> None:
    verdict = judged([LOUD] * 5).verdict("voice.level")
    assert (verdict.verdict, verdict.reason) == ("not_applicable", "less than 3 s of speech")
