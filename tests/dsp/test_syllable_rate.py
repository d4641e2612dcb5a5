import json
import math
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import butter, resample_poly, sosfilt

from tests.dsp.signals import ENGLISH, MANDARIN, MANDARIN_WORDS
from tests.dsp.spoken import espeak, nuclei, said, syllables
from tests.dsp.talk_signals import PROMPTS, Samples, Signal, as_int16, cuts, noise, prompt, silence
from thirdring_dsp import SyllableRateMeter, VoiceActivityDetector
from thirdring_dsp.reference.talk_network import syllable_density

# Syllables of prompts, counted from their transcripts; the network has not seen any of them.
COUNTED: dict[str, int] = json.loads(Path(__file__).with_name("prompt_syllables.json").read_text())


def one_after_another(pieces: list[Signal], pause_s: float = 0.4) -> Signal:
    return np.concatenate([part for piece in pieces for part in (piece, silence(pause_s))])


def telephone_band(signal: Signal) -> Signal:
    band = butter(4, (300, 3400), "bandpass", fs=8000, output="sos")
    return np.asarray(sosfilt(band, signal))


def metered(signal: Signal, rate: int = 8000) -> SyllableRateMeter:
    meter = SyllableRateMeter(rate)
    assert meter.update(as_int16(signal)) == []
    meter.update(np.zeros(rate, np.int16))
    return meter


@pytest.fixture(scope="module")
def english() -> Signal:
    return one_after_another([prompt(name) for name in COUNTED])


def test_english_syllables_are_counted_without_bias(english: Signal) -> None:
    meter = metered(telephone_band(english) + noise(len(english) / 8000, -60)[: len(english)])
    assert meter.syllables == pytest.approx(sum(COUNTED.values()), rel=0.1)
    assert 3 < meter.syllables_per_s < 6


@pytest.mark.skipif(not MANDARIN_WORDS.is_dir(), reason="recorded Mandarin is not present")
def test_mandarin_syllables_are_counted_without_bias() -> None:
    words = sorted(MANDARIN_WORDS.glob("*.mp3"))[1::4]
    pieces = []
    for word in words:
        samples, rate = soundfile.read(word, dtype="float64")
        pieces.append(resample_poly(samples, 8000, rate) * 0.3)
    meter = metered(telephone_band(one_after_another(pieces, 0.3)))
    assert meter.syllables == pytest.approx(sum(len(word.stem) for word in words), rel=0.1)


@pytest.mark.parametrize("speed_wpm", [110, 165, 210, 265])
@pytest.mark.parametrize("voice", ["cmn-latn-pinyin", "cmn-latn-pinyin+m3", "en", "en-us+f2", "en-us+m7"])
def test_voices_and_speeds_it_was_not_trained_on_are_counted_without_bias(voice: str, speed_wpm: int) -> None:
    text = MANDARIN if voice.startswith("cmn") else ENGLISH
    sound, count = said(text, voice, speed_wpm)
    meter = metered(telephone_band(sound) + noise(len(sound) / 8000 + 0.1, -60)[: len(sound)])
    assert meter.syllables == pytest.approx(count, rel=0.1)


def test_characters_are_the_syllables_that_espeak_speaks() -> None:
    assert nuclei(espeak().phonemes(MANDARIN, "cmn-latn-pinyin")) == syllables(MANDARIN, "cmn-latn-pinyin")
    assert nuclei(espeak().phonemes(MANDARIN, "cmn")) > 2 * syllables(MANDARIN, "cmn")


def test_faster_speech_has_a_higher_rate(english: Signal) -> None:
    raw = ["-t", "raw", "-r", "8000", "-e", "signed", "-b", "16", "-c", "1"]
    slow = as_int16(english[: 8000 * 60])
    made = subprocess.run(
        ["sox", *raw, "-", *raw, "-", "tempo", "-s", "1.3"],
        input=slow.tobytes(),
        capture_output=True,
        check=True,
    )
    fast = np.frombuffer(made.stdout, np.int16) / 32768
    change = metered(fast).syllables_per_s / metered(english[: 8000 * 60]).syllables_per_s
    assert 1.12 < change < 1.45


@pytest.mark.parametrize("rate", [16000, 48000])
def test_other_sample_rates_count_alike(english: Signal, rate: int) -> None:
    piece = english[: 8000 * 20]
    there = metered(resample_poly(piece, rate // 8000, 1), rate)
    assert there.syllables == pytest.approx(metered(piece).syllables, rel=0.05)


@pytest.mark.parametrize("gain_db", [-20, 15])
def test_level_does_not_matter(english: Signal, gain_db: float) -> None:
    piece = english[: 8000 * 90]
    quiet = metered(piece * 10 ** (gain_db / 20))
    assert quiet.syllables_per_s == pytest.approx(metered(piece).syllables_per_s, rel=0.08)


def test_sliding_rate_is_of_the_last_seconds_only() -> None:
    meter = SyllableRateMeter(8000, window_s=5)
    meter.update(as_int16(one_after_another([prompt("vm-instructions")])))
    assert meter.sliding_articulated_s > 2
    assert meter.sliding_syllables_per_s == pytest.approx(meter.syllables_per_s, rel=0.4)
    meter.update(as_int16(silence(6)))
    assert meter.sliding_articulated_s == 0
    assert math.isnan(meter.sliding_syllables_per_s)
    assert meter.syllables > 5


def test_noise_has_no_pace() -> None:
    meter = metered(noise(10, -40))
    assert meter.articulated_s == meter.syllables == 0
    assert math.isnan(meter.syllables_per_s)


def test_network_agrees_with_the_slow_reference() -> None:
    signal = as_int16(one_after_another([prompt("agent-incorrect")], 1)) / 32768
    meter = metered(signal)
    detector = VoiceActivityDetector(8000)
    told = detector.update(as_int16(np.concatenate([signal, silence(1)])))
    spurts = [event for event in told if event.kind == "talk_spurt"]
    # A hop is 16 ms; what it holds is told six hops later, and six beside a talk-spurt count as well.
    counted = np.zeros(len(signal) // 128 + 64, bool)
    for spurt in spurts:
        first, end = int(spurt.start_s * 62.5 + 0.01), int(spurt.end_s * 62.5 + 0.51)
        counted[max(first - 6, 0) : end + 6] = True
    density = syllable_density(np.concatenate([signal, silence(1)]))
    assert len(spurts) == 2
    assert meter.syllables == pytest.approx(density[6:][counted[: len(density) - 6]].sum(), abs=0.02)


@pytest.mark.parametrize("window_s", [0, 0.5, 61, math.nan])
def test_windows_out_of_range_are_refused(window_s: float) -> None:
    with pytest.raises(ValueError, match="window_s"):
        SyllableRateMeter(8000, window_s=window_s)


def test_other_sample_rates_are_refused() -> None:
    with pytest.raises(ValueError, match="sample_rate_hz"):
        SyllableRateMeter(22050)


@settings(max_examples=20, deadline=None)
@given(
    lengths=st.lists(st.integers(0, 700), min_size=1, max_size=5).filter(lambda some: sum(some)),
    rate=st.sampled_from([8000, 16000, 48000]),
)
def test_the_way_the_stream_is_cut_changes_nothing(lengths: list[int], rate: int) -> None:
    samples: Samples = as_int16(
        resample_poly(one_after_another([prompt("agent-incorrect")], 0.6), rate // 8000, 1)
    )
    whole, pieces = SyllableRateMeter(rate), SyllableRateMeter(rate)
    whole.update(samples)
    for cut in cuts(samples, lengths):
        pieces.update(cut)
    assert pieces.syllables == whole.syllables > 3
    assert pieces.sliding_articulated_s == whole.sliding_articulated_s
    pieces.reset()
    assert pieces.syllables == 0
    pieces.update(samples)
    assert pieces.syllables == whole.syllables


def test_prompts_are_there() -> None:
    assert all((PROMPTS / f"{name}.wav").is_file() for name in COUNTED)
