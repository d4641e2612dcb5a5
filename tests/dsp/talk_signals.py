"""Speech at known times for the tests of the talk detectors: prompts of Debian's Asterisk package."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

PROMPTS = Path("/usr/share/asterisk/sounds/en_US_f_Allison")
Samples = NDArray[np.int16]
Signal = NDArray[np.float64]


@cache
def prompt(name: str, level_dbov: float = -26.0) -> Signal:
    """A prompt at 8 kHz, its silent ends cut off, at a mean level."""
    samples, _ = soundfile.read(PROMPTS / f"{name}.wav", dtype="float64")
    loud = np.flatnonzero(np.abs(samples) > 0.03 * np.abs(samples).max())
    samples = samples[loud[0] : loud[-1] + 1]
    return np.asarray(samples * 10 ** (level_dbov / 20) / np.sqrt(np.mean(samples**2)))


def talk(seconds: float, name: str = "vm-instructions", level_dbov: float = -26.0) -> Signal:
    """Speech without a pause of 100 ms or more, as long as asked, repeated when need be."""
    samples = prompt(name, level_dbov)
    loud = np.convolve(np.abs(samples) > 0.03 * np.abs(samples).max(), np.ones(800), "same") > 0
    dense = samples[loud]
    count = round(8000 * seconds)
    return np.asarray(np.tile(dense, -(-count // len(dense)))[:count])


def silence(seconds: float) -> Signal:
    return np.zeros(round(8000 * seconds))


def placed(seconds: float, *pieces: tuple[float, Signal]) -> Signal:
    """A signal with each piece at its time in seconds."""
    signal = silence(seconds)
    for start_s, piece in pieces:
        at = round(8000 * start_s)
        signal[at : at + len(piece)] += piece
    return signal


def noise(seconds: float, level_dbov: float) -> Signal:
    rng = np.random.default_rng(5)
    return rng.standard_normal(round(8000 * seconds)) * 10 ** (level_dbov / 20)


def as_int16(samples: Signal) -> Samples:
    return np.clip(np.round(samples * 32768), -32768, 32767).astype(np.int16)


def cuts(samples: Samples, lengths: list[int]) -> Iterator[Samples]:
    """Blocks of the given lengths in turn."""
    at = turn = 0
    while at < len(samples):
        yield samples[at : at + lengths[turn % len(lengths)]]
        at += lengths[turn % len(lengths)]
        turn += 1
