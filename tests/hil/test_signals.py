"""The bench's instruments, held against signals that are known."""

import numpy as np
import pytest

from thirdring_hil.codecs import G722, PCMA, Codec
from thirdring_hil.signals import (
    Samples,
    crest_safe_multitone,
    digits_in,
    dtmf,
    gains_db,
    level_dbov,
    noise_dbov,
    onset,
    peak_dbov,
    silence,
    thd_n_db,
    tone,
    tone_level_dbov,
)

RATE_HZ = 16000
TONES_HZ = (300.0, 500.0, 1020.0, 2400.0, 3400.0)


def through(codec: Codec, samples: Samples) -> Samples:
    coder, frame = codec.make(), codec.frame
    pieces = [samples[at : at + frame] for at in range(0, len(samples) // frame * frame, frame)]
    return np.concatenate([coder.decode(coder.encode(piece)) for piece in pieces])


@pytest.mark.parametrize("level", [-3.02, -16.0, -40.0])
def test_a_tone_has_the_level_it_was_made_with(level: float) -> None:
    samples = tone(1020.0, level, 1.0, RATE_HZ)
    assert tone_level_dbov(samples, 1020.0, RATE_HZ) == pytest.approx(level, abs=0.05)
    assert level_dbov(samples) == pytest.approx(level, abs=0.1), "less its fades"
    assert peak_dbov(samples) == pytest.approx(level + 3.01, abs=0.02)


def test_tones_are_as_equal_as_they_were_made_and_low_in_peaks() -> None:
    samples = crest_safe_multitone(TONES_HZ, -22.0, 1.5, RATE_HZ)
    levels = [tone_level_dbov(samples, hz, RATE_HZ) for hz in TONES_HZ]
    assert max(levels) - min(levels) < 0.05
    assert peak_dbov(samples) < -10.0
    louder = (samples * 10 ** (3 / 20)).astype(np.int16)
    assert gains_db(samples, RATE_HZ, louder, RATE_HZ, TONES_HZ) == pytest.approx([3.0] * 5, abs=0.05)


def test_distortion_and_noise_are_those_that_were_added() -> None:
    clean = tone(1020.0, -16.0, 1.5, RATE_HZ)
    assert thd_n_db(clean, 1020.0, RATE_HZ, 300, 3400) < -70
    harmonic = clean + tone(2040.0, -46.0, 1.5, RATE_HZ)
    assert thd_n_db(harmonic, 1020.0, RATE_HZ, 300, 3400) == pytest.approx(-30.0, abs=0.2)
    assert noise_dbov(silence(1.0, RATE_HZ), RATE_HZ, 300, 3400) == -100.0
    assert noise_dbov(tone(1000.0, -60.0, 1.0, RATE_HZ), RATE_HZ, 300, 3400) == pytest.approx(-60.0, abs=0.2)


def test_a_lost_packet_spoils_a_window_and_not_the_figure() -> None:
    samples = tone(1020.0, -16.0, 1.5, RATE_HZ)
    samples[1000:1320] = 0
    assert tone_level_dbov(samples, 1020.0, RATE_HZ) == pytest.approx(-16.0, abs=0.05)


def test_a_sound_begins_where_it_begins() -> None:
    samples = np.concatenate([silence(0.5, RATE_HZ), tone(1020.0, -16.0, 0.5, RATE_HZ)])
    assert onset(samples, RATE_HZ) / RATE_HZ == pytest.approx(0.5, abs=0.01)
    with pytest.raises(ValueError, match="nothing above"):
        onset(silence(1.0, RATE_HZ), RATE_HZ)


@pytest.mark.parametrize("codec", [PCMA, G722], ids=["pcma", "g722"])
def test_all_digits_are_told_through_the_codec(codec: Codec) -> None:
    keys = "1234567890*#ABCD1122"
    assert digits_in(through(codec, dtmf(keys, -16.0, 0.08, 0.08, codec.rate_hz)), codec.rate_hz) == keys
    assert digits_in(through(codec, tone(697.0, -16.0, 1.0, codec.rate_hz)), codec.rate_hz) == ""


@pytest.mark.parametrize("codec", [PCMA, G722], ids=["pcma", "g722"])
def test_a_codec_of_the_bench_keeps_the_level(codec: Codec) -> None:
    sent = tone(1020.0, -16.0, 1.0, codec.rate_hz)
    assert tone_level_dbov(through(codec, sent), 1020.0, codec.rate_hz) == pytest.approx(-16.0, abs=0.05)
