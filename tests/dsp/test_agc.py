import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.dsp import signals
from tests.dsp.test_noise_meter import spoken
from thirdring_dsp import AutomaticGainControl
from thirdring_dsp.reference.p56 import MARGIN_DB, envelope, speech_level

RATES_HZ = (8000, 16000, 48000)


def wide(sample_rate_hz: int = 8000) -> AutomaticGainControl:
    return AutomaticGainControl(sample_rate_hz, max_gain_db=30.0, min_gain_db=-30.0)


def active_mask(samples: signals.Samples, sample_rate_hz: int) -> np.ndarray:
    level_dbov = speech_level(samples, sample_rate_hz).active_dbov
    threshold = 32768.0 * 10.0 ** ((level_dbov - MARGIN_DB) / 20.0)
    return np.asarray(envelope(samples, sample_rate_hz) >= threshold)


def after_active(samples: signals.Samples, duration_s: float, sample_rate_hz: int) -> int:
    """Return the sample at which so much speech has passed."""
    active = np.cumsum(active_mask(samples, sample_rate_hz))
    return int(np.searchsorted(active, duration_s * sample_rate_hz))


@pytest.mark.parametrize("sample_rate_hz", RATES_HZ)
@pytest.mark.parametrize("level_dbov", [-50.0, -26.0, -6.0])
def test_speech_of_any_level_is_on_target_after_two_seconds_of_it(
    level_dbov: float, sample_rate_hz: int
) -> None:
    speeches = [signals.prompts(12, sample_rate_hz=sample_rate_hz)]
    if sample_rate_hz == 8000:
        speeches += [signals.synthetic_mandarin(), signals.synthetic_english()]
    for speech in speeches:
        scaled = signals.at_active_level(speech, level_dbov, sample_rate_hz)
        samples = signals.to_int16(scaled)
        out = wide(sample_rate_hz).process(samples)
        at = after_active(samples, 2.0, sample_rate_hz)
        after = speech_level(out[at:], sample_rate_hz).active_dbov
        assert after == pytest.approx(-26.0, abs=1.0)


@pytest.mark.parametrize(
    ("before_dbov", "now_dbov"), [(-50.0, -8.0), (-10.0, -45.0), (-20.0, -34.0), (-30.0, -46.0)]
)
def test_a_change_of_level_is_made_up_for_within_two_seconds_of_speech(
    before_dbov: float, now_dbov: float
) -> None:
    before = signals.at_active_level(signals.prompts(8), before_dbov)
    now = signals.to_int16(signals.at_active_level(signals.synthetic_english(), now_dbov))
    control = wide()
    control.process(signals.to_int16(before))
    at = after_active(now, 2.0, 8000)
    after = speech_level(control.process(now)[at:], 8000).active_dbov
    assert after == pytest.approx(-26.0, abs=1.0)


@pytest.mark.parametrize("kind", ["white", "pink", "hum", "babble"])
@pytest.mark.parametrize("level_dbov", [-48.0, -38.0, -26.0, -12.0])
def test_pauses_move_no_gain_and_keep_the_noise_down(kind: str, level_dbov: float) -> None:
    speech = spoken(level_dbov)
    noise = getattr(signals, kind)(speech.size / 8000, level_dbov - 22.0)[: speech.size]
    samples = signals.to_int16(signals.mix(speech, noise))
    control = wide()
    out, gains_db = np.empty_like(samples), np.empty(samples.size)
    for start in range(0, samples.size, 80):
        block = slice(start, start + 80)
        out[block] = control.process(samples[block])
        gains_db[block] = control.gain_db
    quiet = np.convolve(np.abs(speech), np.ones(6400), "same") == 0.0  # 0.4 s from any speech
    edges = np.flatnonzero(np.diff(np.concatenate([[0], quiet.astype(np.int8), [0]])))
    pauses = [slice(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if b - a > 1600]
    assert len(pauses) >= 8
    for pause in pauses:
        assert np.ptp(gains_db[pause]) <= 1.0
        raised_db = signals.rms_dbov(signals.from_int16(out[pause])) - signals.rms_dbov(
            signals.from_int16(samples[pause])
        )
        assert raised_db <= 3.0


@pytest.mark.parametrize(("before_dbov", "now_dbov"), [(-22.0, -8.0), (-40.0, -14.0), (-46.0, -22.0)])
def test_babble_as_loud_as_the_talk_before_a_step_moves_no_gain_in_long_pauses(
    before_dbov: float, now_dbov: float
) -> None:
    talk: list[signals.Signal] = []
    for level_dbov in (before_dbov, now_dbov):
        words = [signals.load(path) for path in signals.prompt_files() if path.stat().st_size > 24000][:6]
        for word in words:
            talk += [signals.at_active_level(word, level_dbov), signals.silence(1.5)]
    clean = np.concatenate(talk)
    samples = np.concatenate(
        [
            signals.to_int16(half + signals.babble(half.size / 8000, level_dbov - 20.0)[: half.size])
            for half, level_dbov in zip(np.split(clean, 2), (before_dbov, now_dbov), strict=True)
        ]
    )
    control, gains_db = wide(), np.empty(samples.size // 80)
    for index in range(gains_db.size):
        control.process(samples[80 * index : 80 * index + 80])
        gains_db[index] = control.gain_db
    ends = np.cumsum([part.size for part in talk])[1::2]
    for end in ends:
        assert np.ptp(gains_db[(end - 8800) // 80 : end // 80]) < 1.0


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 700), min_size=1, max_size=12).filter(any), st.booleans())
def test_the_cut_of_the_stream_does_not_matter(sizes: list[int], in_place: bool) -> None:
    samples = signals.to_int16(
        np.concatenate(
            [
                signals.at_active_level(signals.synthetic_mandarin()[:16000], -40.0),
                signals.at_active_level(signals.synthetic_english()[:16000], -8.0),
            ]
        )
    )
    whole, cut = wide(), wide()
    expected = whole.process(samples)
    pieces = [
        cut.process(block, block) if in_place else cut.process(block)
        for block in signals.cuts(samples.copy(), sizes)
    ]
    assert np.array_equal(np.concatenate(pieces), expected)
    assert cut.gain_db == whole.gain_db


def test_silence_stays_silence_and_moves_nothing() -> None:
    control = wide()
    assert not control.process(np.zeros(80000, np.int16)).any()
    assert control.gain_db == 0.0


def test_room_noise_that_comes_and_goes_with_the_words_lifts_no_gain() -> None:
    speech = spoken(-26.0)
    spurts = np.convolve(np.abs(speech), np.ones(16000), "same") > 0.0  # 1 s around the words
    noisy = signals.mix(speech, signals.white(speech.size / 8000, -62.0)[: speech.size] * spurts)
    control = wide()
    control.process(signals.to_int16(noisy[:40000]))
    for block in signals.cuts(signals.to_int16(noisy[40000:]), [800]):
        control.process(block)
        assert control.gain_db < 3.0


def test_noise_alone_is_not_amplified() -> None:
    for noise in (signals.white, signals.pink):
        for level_dbov in (-60.0, -50.0, -40.0):
            samples = signals.to_int16(noise(10.0, level_dbov))
            out = wide().process(samples)
            raised_db = signals.rms_dbov(signals.from_int16(out[16000:])) - level_dbov
            assert raised_db <= 3.0


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(-32768, 32767), max_size=2000))
def test_no_sample_wraps_around(values: list[int]) -> None:
    samples = np.concatenate(
        [signals.to_int16(signals.at_active_level(signals.synthetic_english()[:24000], -50.0)),
         np.array(values, np.int16)]
    )  # fmt: skip
    out = wide().process(samples)
    assert np.all(out.astype(np.int32) * samples >= 0)


def test_reset_forgets_everything() -> None:
    samples = signals.to_int16(signals.at_active_level(signals.synthetic_english(), -40.0))
    control = wide()
    first = control.process(samples)
    control.reset()
    assert control.gain_db == 0.0
    assert np.array_equal(control.process(samples), first)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((11025,), "sample_rate_hz"),
        ((8000, 0.0), "target_dbov"),
        ((8000, -26.0, -1.0), "max_gain_db"),
        ((8000, -26.0, 15.0, 1.0), "min_gain_db"),
        ((8000, -26.0, 15.0, -15.0, -1.0), "max_noise_gain_db"),
    ],
)
def test_arguments_out_of_range_are_refused(
    arguments: tuple[int, float, float, float, float], named: str
) -> None:
    with pytest.raises(ValueError, match=named):
        AutomaticGainControl(*arguments)
