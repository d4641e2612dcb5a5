"""Voices whose harmonics lie where the tones of a digit do."""

from pathlib import Path

import numpy as np
import pytest

from tests.dsp import signals
from thirdring_dsp import DtmfDetector

MANDARIN_SYLLABLES = Path("/usr/share/gcin-voice/ogg")


def digits(samples: signals.Samples) -> list[str]:
    padded = np.concatenate([samples, np.zeros(800, np.int16)])
    return [event.value for event in DtmfDetector().update(padded) if event.kind == "dtmf_start"]


@pytest.mark.parametrize("fundamental_hz", [*range(385, 404), *range(428, 447), *range(472, 493)])
def test_second_and_third_harmonic_of_a_voice_are_no_digit(fundamental_hz: int) -> None:
    parts = [signals.tone(k * fundamental_hz, 0.3, level) for k, level in ((1, -30), (2, -20), (3, -21))]
    assert digits(signals.to_int16(np.sum(parts, axis=0))) == []


@pytest.mark.parametrize("final", ["ㄥ", "ㄡ", "ㄛ"])
def test_high_and_level_mandarin_syllables_are_no_digits(final: str) -> None:
    """First tones (no mark) of a woman stay within a semitone of 394 Hz."""
    files = sorted(MANDARIN_SYLLABLES.glob(f"*{final}/5.ogg"))
    assert len(files) > 8
    heard = {path.parent.name: digits(signals.to_int16(signals.load(path))) for path in files}
    assert not {name for name, keys in heard.items() if keys}


@pytest.mark.parametrize("off", [-0.018, 0.018])
def test_tones_off_in_opposite_directions_are_a_digit(off: float) -> None:
    low, high = 770 * (1 + off), 1209 * (1 - off)
    digit = signals.tone(low, 0.05, -15) + signals.tone(high, 0.05, -15)
    assert digits(signals.to_int16(np.concatenate([np.zeros(800), digit]))) == ["4"]
