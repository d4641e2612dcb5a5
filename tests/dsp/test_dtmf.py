import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.dsp.tone_signals import (
    CODECS,
    DTMF_KEYS,
    Samples,
    Signal,
    amplitude,
    dial_tone,
    drop_out,
    dtmf_digit,
    dtmf_string,
    silence,
    through_codec,
    to_int16,
    tone,
    white_noise,
)
from thirdring_dsp import DspEvent, DtmfDetector
from thirdring_dsp.reference.dtmf import dtmf_keys


def digits(events: list[DspEvent]) -> str:
    return "".join(event.value for event in events if event.kind == "dtmf")


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20)


def heard(samples: Samples, rate_hz: int = 8000) -> str:
    return digits(DtmfDetector(rate_hz).update(samples))


def between_silence(signal: Signal) -> Samples:
    return to_int16(np.concatenate([silence(40), signal, silence(60)]))


@pytest.mark.parametrize("rate_hz", [8000, 16000, 48000])
def test_all_keys_are_heard_at_every_rate(rate_hz: int, rng: np.random.Generator) -> None:
    assert heard(to_int16(dtmf_string(DTMF_KEYS, rate_hz=rate_hz, rng=rng)), rate_hz) == DTMF_KEYS


def test_unknown_rate_is_refused() -> None:
    with pytest.raises(ValueError, match="sample_rate_hz"):
        DtmfDetector(11025)


def test_a_block_must_be_int16() -> None:
    with pytest.raises(ValueError, match="mismatch"):
        DtmfDetector().update(np.zeros(8))  # type: ignore[arg-type]


@settings(max_examples=25, deadline=None)
@given(
    cuts=st.lists(st.integers(0, 700), min_size=1, max_size=60),
    rate_hz=st.sampled_from([8000, 16000, 48000]),
    seed=st.integers(0, 1000),
)
def test_events_do_not_depend_on_how_the_stream_is_cut(cuts: list[int], rate_hz: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    signal = dtmf_string("7*A2", rate_hz=rate_hz, rng=rng)
    samples = to_int16(signal + white_noise(len(signal), 1e4, rng))
    whole = DtmfDetector(rate_hz).update(samples)
    detector = DtmfDetector(rate_hz)
    pieces = np.split(samples, np.minimum(np.cumsum(cuts), len(samples)))
    assert [event for piece in pieces for event in detector.update(piece)] == whole
    assert digits(whole) == "7*A2"


def test_reset_makes_the_detector_new(rng: np.random.Generator) -> None:
    samples = to_int16(dtmf_string("159D", rng=rng))
    detector = DtmfDetector()
    first = detector.update(samples)
    detector.update(samples[:700])
    detector.reset()
    assert detector.update(samples) == first


def test_times_and_levels_are_those_of_the_signal() -> None:
    samples = to_int16(np.concatenate([silence(100), dtmf_digit("5", 80, level_dbm0=-12), silence(60)]))
    start, end = DtmfDetector().update(samples)
    assert (start.kind, end.kind) == ("dtmf_start", "dtmf")
    assert end.start_s == pytest.approx(0.100, abs=0.003)
    assert end.end_s == pytest.approx(0.180, abs=0.003)
    assert end.level_dbm0 == pytest.approx(-12.0, abs=0.3)
    assert end.level_dbov == pytest.approx(-12.0 - 6.15 + 3.01, abs=0.3)


def test_early_notice_comes_within_45_ms() -> None:
    samples = to_int16(np.concatenate([silence(100), dtmf_digit("5", 400)]))
    detector = DtmfDetector()
    for at in range(0, len(samples), 8):
        if detector.update(samples[at : at + 8]):
            assert at / 8000 - 0.100 < 0.045
            return
    pytest.fail("no notice")


@pytest.mark.parametrize("off", [-0.018, 0.018])
@pytest.mark.parametrize("key", list(DTMF_KEYS))
def test_both_tones_off_by_1_8_percent_are_accepted(key: str, off: float, rng: np.random.Generator) -> None:
    for _ in range(3):
        assert heard(between_silence(dtmf_digit(key, 50, low_off=off, high_off=off, rng=rng))) == key


@pytest.mark.parametrize("off", [-0.035, 0.035, -0.05, 0.05])
@pytest.mark.parametrize("key", list(DTMF_KEYS))
def test_one_tone_off_by_3_5_percent_is_rejected(key: str, off: float, rng: np.random.Generator) -> None:
    assert heard(between_silence(dtmf_digit(key, 60, low_off=off, rng=rng))) == ""
    assert heard(between_silence(dtmf_digit(key, 60, high_off=off, rng=rng))) == ""


@pytest.mark.parametrize(("twist_db", "accepted"), [(-8, True), (4, True), (-12, False), (8, False)])
def test_twist(twist_db: float, accepted: bool, rng: np.random.Generator) -> None:
    for key in DTMF_KEYS:
        digit = dtmf_digit(key, 50, twist_db=twist_db, rng=rng)
        assert heard(between_silence(digit)) == (key if accepted else "")


@settings(max_examples=80, deadline=None)
@given(
    key=st.sampled_from(DTMF_KEYS),
    duration_ms=st.one_of(st.floats(1, 23), st.floats(40, 400)),
    seed=st.integers(0, 10000),
    offset_ms=st.floats(0, 5),
)
def test_23_ms_are_never_a_digit_and_40_ms_always(
    key: str, duration_ms: float, seed: int, offset_ms: float
) -> None:
    digit = dtmf_digit(key, duration_ms, rng=np.random.default_rng(seed))
    samples = between_silence(np.concatenate([silence(offset_ms), digit]))
    assert heard(samples) == (key if duration_ms >= 40 else "")


@settings(max_examples=60, deadline=None)
@given(key=st.sampled_from(DTMF_KEYS), start_ms=st.floats(5, 85), seed=st.integers(0, 10000))
def test_a_dropout_of_10_ms_does_not_split_a_digit(key: str, start_ms: float, seed: int) -> None:
    digit = dtmf_digit(key, 100, rng=np.random.default_rng(seed))
    assert heard(between_silence(drop_out(digit, start_ms, 10))) == key


@settings(max_examples=60, deadline=None)
@given(key=st.sampled_from(DTMF_KEYS), other=st.sampled_from(DTMF_KEYS), seed=st.integers(0, 10000))
def test_a_pause_of_20_ms_parts_two_digits(key: str, other: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    signal = np.concatenate([dtmf_digit(key, 50, rng=rng), silence(20), dtmf_digit(other, 50, rng=rng)])
    assert heard(between_silence(signal)) == key + other


@pytest.mark.parametrize("level_dbm0", [0, -3, -20, -41])
def test_dynamic_range(level_dbm0: float, rng: np.random.Generator) -> None:
    samples = to_int16(dtmf_string(DTMF_KEYS, level_dbm0=level_dbm0, rng=rng))
    assert heard(samples) == DTMF_KEYS
    assert heard(to_int16(dtmf_string(DTMF_KEYS, level_dbm0=-55, rng=rng))) == ""


def test_a_long_digit_is_one_digit(rng: np.random.Generator) -> None:
    detector = DtmfDetector()
    events = [e for _ in range(4) for e in detector.update(to_int16(dtmf_digit("9", 20000, level_dbm0=0)))]
    events += detector.update(to_int16(silence(100)))
    assert digits(events) == "9"
    assert events[-1].end_s == pytest.approx(80.0, abs=0.003)


def test_noise_at_10_db(rng: np.random.Generator) -> None:
    keys = DTMF_KEYS * 20
    signal = dtmf_string(keys, rng=rng)
    noisy = signal + white_noise(len(signal), amplitude(-10) ** 2 / 10, rng)
    assert heard(to_int16(noisy)) == keys


@pytest.mark.parametrize("frequencies_hz", [[350, 440], [425], [450], [400], [350, 450]])
@pytest.mark.parametrize("over_db", [-9, 0, 12])
def test_dial_tone_under_the_digits(
    frequencies_hz: list[float], over_db: float, rng: np.random.Generator
) -> None:
    signal = np.concatenate([silence(200), dtmf_string(DTMF_KEYS, 50, 150, level_dbm0=-18, rng=rng)])
    assert heard(to_int16(signal + dial_tone(frequencies_hz, len(signal), -18 + over_db))) == DTMF_KEYS


@pytest.mark.parametrize("codec", [name for name in CODECS if name != "gsm"])
def test_coded_digits(codec: str, rng: np.random.Generator) -> None:
    assert heard(through_codec(to_int16(dtmf_string(DTMF_KEYS * 4, rng=rng)), codec)) == DTMF_KEYS * 4


def test_most_gsm_coded_digits_are_heard(rng: np.random.Generator) -> None:
    # GSM full rate codes two tones badly: figures in docs/conformance.md.
    keys = DTMF_KEYS * 10
    events = DtmfDetector().update(through_codec(to_int16(dtmf_string(keys, 80, 80, rng=rng)), "gsm"))
    starts_s = 0.08 + 0.16 * np.arange(len(keys))
    right = sum(
        [e.value for e in events if e.kind == "dtmf" and -0.02 < e.start_s - start_s < 0.1] == [key]
        for key, start_s in zip(keys, starts_s, strict=True)
    )
    assert right >= 0.95 * len(keys)


def test_other_tones_and_noise_are_not_digits(rng: np.random.Generator) -> None:
    for pair in ([697, 770], [1209, 1336], [350, 440], [480, 620], [1400, 2060], [697, 1100], [620, 1477]):
        assert heard(to_int16(dial_tone(pair, 8000, -12))) == ""
    assert heard(to_int16(tone(1336, 1000, -6))) == ""
    assert heard(to_int16(white_noise(80000, 1e6, rng))) == ""


@pytest.mark.parametrize("rate_hz", [8000, 16000])
def test_agrees_with_the_oracle(rate_hz: int, rng: np.random.Generator) -> None:
    for seed in range(4):
        rng = np.random.default_rng(seed)
        keys = "".join(rng.choice(list(DTMF_KEYS), 6))
        signal = dtmf_string(keys, 45, 45, rate_hz=rate_hz, rng=rng)
        samples = to_int16(signal + white_noise(len(signal), amplitude(-10) ** 2 / 60, rng))
        assert heard(samples, rate_hz) == dtmf_keys(samples, rate_hz) == keys


def test_two_threads_run_two_detectors(rng: np.random.Generator) -> None:
    samples = to_int16(dtmf_string(DTMF_KEYS * 10, rng=rng))
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(heard(samples))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [DTMF_KEYS * 10] * 2


@pytest.mark.parametrize("samples", [[32767] * 4000, [-32768] * 4000, [32767, -32768] * 4000])
def test_extreme_samples_do_no_harm(samples: list[int]) -> None:
    assert heard(np.array(samples, np.int16)) == ""
