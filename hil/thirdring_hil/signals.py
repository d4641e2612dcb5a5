"""Test signals, and what a path did to them. Levels are in dBov: 0 is a full-scale square wave (G.100.1).

Everything is measured in windows of half a second, and the median of them counts: a packet that the network
loses spoils one window and not the figure.
"""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

__all__ = [
    "REFERENCE_HZ",
    "cadence",
    "crest_safe_multitone",
    "digits_in",
    "dtmf",
    "gains_db",
    "level_dbov",
    "noise_dbov",
    "onset",
    "peak_dbov",
    "silence",
    "thd_n_db",
    "tone",
    "tone_level_dbov",
]

REFERENCE_HZ: Final = 1020.0
"""ITU-T O.6: the reference frequency, off the divisors of the sampling rate."""
WINDOW_S: Final = 0.5
FULL_SCALE: Final = 32768.0
FLOOR_DBOV: Final = -100.0
"""Stands for silence: below the 16-bit quantisation floor."""
FADE_S: Final = 0.01
KEYPAD: Final = "123A456B789C*0#D"
LOW_HZ: Final = (697, 770, 852, 941)
HIGH_HZ: Final = (1209, 1336, 1477, 1633)
PURE: Final = 0.9
WEAKER: Final = 0.15
DIGIT_FRAMES: Final = 3

Samples = npt.NDArray[np.int16]
Floats = npt.NDArray[np.float64]


def silence(duration_s: float, rate_hz: int) -> Samples:
    """Return zeros, shape (n,)."""
    return np.zeros(round(duration_s * rate_hz), dtype=np.int16)


def _scaled(signal: Floats, rms_dbov: float, rate_hz: int, fade_s: float = FADE_S) -> Samples:
    """Return ``signal`` at that level, with soft edges that do not splash over the band."""
    faded = signal.copy()
    count = round(fade_s * rate_hz)
    ramp = 0.5 - 0.5 * np.cos(np.pi * np.arange(count) / count)
    rms = math.sqrt(float(np.mean(signal**2)))
    faded[:count] *= ramp
    faded[-count:] *= ramp[::-1]
    samples = np.rint(faded * (FULL_SCALE * 10 ** (rms_dbov / 20) / rms))
    return np.clip(samples, -32768, 32767).astype(np.int16)


def tone(frequency_hz: float, rms_dbov: float, duration_s: float, rate_hz: int) -> Samples:
    """Return a sine, shape (n,)."""
    t = np.arange(round(duration_s * rate_hz)) / rate_hz
    return _scaled(np.sin(2 * np.pi * frequency_hz * t), rms_dbov, rate_hz)


def crest_safe_multitone(
    frequencies_hz: Sequence[float], rms_dbov: float, duration_s: float, rate_hz: int
) -> Samples:
    """Return equally strong sines at once, shape (n,), with the phases of Newman (1965): low peaks."""
    t = np.arange(round(duration_s * rate_hz)) / rate_hz
    count = len(frequencies_hz)
    signal = np.zeros(len(t))
    for index, frequency_hz in enumerate(frequencies_hz):
        signal += np.cos(2 * np.pi * frequency_hz * t + np.pi * index**2 / count)
    return _scaled(signal, rms_dbov, rate_hz)


def dtmf(digits: str, rms_dbov: float, on_s: float, off_s: float, rate_hz: int) -> Samples:
    """Return the digits as pairs of tones (ITU-T Q.23), each followed by a pause, shape (n,)."""
    pieces = []
    t = np.arange(round(on_s * rate_hz)) / rate_hz
    for digit in digits:
        row, column = divmod(KEYPAD.index(digit), 4)
        pair = np.sin(2 * np.pi * LOW_HZ[row] * t) + np.sin(2 * np.pi * HIGH_HZ[column] * t)
        pieces += [_scaled(pair, rms_dbov, rate_hz, fade_s=0.001), silence(off_s, rate_hz)]
    return np.concatenate(pieces)


def digits_in(samples: Samples, rate_hz: int) -> str:
    """Return the DTMF digits in a clean signal: three frames or more of 20 ms that are one pair of tones.

    Frames overlap by half. Nothing is a digit that has less than 90 % of the power in its pair, or less than
    15 % in one of the two.
    """
    length = round(0.02 * rate_hz)
    starts = range(0, len(samples) - length + 1, length // 2)
    frames = np.stack([samples[start : start + length] for start in starts]).astype(np.float64)
    frames -= frames.mean(axis=1, keepdims=True)
    n = np.arange(length)
    basis = np.exp(-2j * np.pi * np.outer(n, LOW_HZ + HIGH_HZ) / rate_hz)
    tones = 2 * np.abs(frames @ basis) ** 2 / length**2
    rows, columns = tones[:, :4], tones[:, 4:]
    power, low, high = np.mean(frames**2, axis=1), rows.max(axis=1), columns.max(axis=1)
    pure = (low + high > PURE * power + 1.0) & (np.minimum(low, high) > WEAKER * power)
    keys = 4 * rows.argmax(axis=1) + columns.argmax(axis=1)
    found, run, last = "", 0, -1
    for key in np.where(pure, keys, -1):
        run = run + 1 if key == last else 1
        last = int(key)
        if run == DIGIT_FRAMES and last >= 0:
            found += KEYPAD[last]
    return found


def cadence(frequency_hz: float, rms_dbov: float, on_off_s: Sequence[float], rate_hz: int) -> Samples:
    """Return a tone that is on, off, on, off, ... for so long, shape (n,)."""
    return np.concatenate(
        [
            silence(length_s, rate_hz) if index % 2 else tone(frequency_hz, rms_dbov, length_s, rate_hz)
            for index, length_s in enumerate(on_off_s)
        ]
    )


def onset(samples: Samples, rate_hz: int, threshold_dbov: float = -40.0) -> int:
    """Return where the signal begins: the first of 5 ms that are louder than that; raises ``ValueError``."""
    step = rate_hz // 200
    frames = samples[: len(samples) // step * step].astype(np.float64).reshape(-1, step)
    loud = np.flatnonzero(np.var(frames, axis=1) > (FULL_SCALE * 10 ** (threshold_dbov / 20)) ** 2)
    if not len(loud):
        raise ValueError(f"nothing above {threshold_dbov:g} dBov in {len(samples) / rate_hz:.1f} s")
    return int(loud[0]) * step


def _windows(samples: Samples, rate_hz: int) -> Floats:
    """Return the spectra's powers of windows that overlap by half, shape (windows, bins); 2 Hz a bin."""
    length = round(WINDOW_S * rate_hz)
    if len(samples) < length:
        raise ValueError(f"{len(samples) / rate_hz:.2f} s are less than a window of {WINDOW_S} s")
    weights = np.hanning(length + 1)[:-1]
    starts = range(0, len(samples) - length + 1, length // 2)
    frames = np.stack([samples[start : start + length] for start in starts]).astype(np.float64)
    # Scaled so that the sum over a tone's lines is its mean square.
    spectra = np.abs(np.fft.rfft(frames * weights, axis=1)) ** 2
    powers: Floats = 2 * spectra / (length * float(np.sum(weights**2))) / FULL_SCALE**2
    return powers


def _db(power: float) -> float:
    return max(FLOOR_DBOV, 10 * math.log10(power)) if power > 0 else FLOOR_DBOV


def _tone_powers(powers: Floats, frequency_hz: float) -> Floats:
    """Return the tone's power in each window: the main lobe of the window."""
    bin_ = round(frequency_hz * WINDOW_S)
    total: Floats = powers[:, max(0, bin_ - 3) : bin_ + 4].sum(axis=1)
    return total


def _band(powers: Floats, low_hz: float, high_hz: float) -> Floats:
    total: Floats = powers[:, round(low_hz * WINDOW_S) : round(high_hz * WINDOW_S) + 1].sum(axis=1)
    return total


def tone_level_dbov(samples: Samples, frequency_hz: float, rate_hz: int) -> float:
    """Return the level of one tone."""
    return _db(float(np.median(_tone_powers(_windows(samples, rate_hz), frequency_hz))))


def gains_db(
    sent: Samples, sent_rate_hz: int, heard: Samples, heard_rate_hz: int, frequencies_hz: Sequence[float]
) -> list[float]:
    """Return what the path added to each tone of a multitone."""
    before, after = _windows(sent, sent_rate_hz), _windows(heard, heard_rate_hz)
    return [
        _db(float(np.median(_tone_powers(after, hz)))) - _db(float(np.median(_tone_powers(before, hz))))
        for hz in frequencies_hz
    ]


def thd_n_db(samples: Samples, frequency_hz: float, rate_hz: int, low_hz: float, high_hz: float) -> float:
    """Return harmonics and noise within the band relative to the tone (ITU-T G.712, method with a sine)."""
    powers = _windows(samples, rate_hz)
    wanted = _tone_powers(powers, frequency_hz)
    ratio = np.maximum(_band(powers, low_hz, high_hz) - wanted, 0) / np.maximum(wanted, 1e-20)
    return _db(float(np.median(ratio)))


def noise_dbov(samples: Samples, rate_hz: int, low_hz: float, high_hz: float) -> float:
    """Return the level within the band, unweighted."""
    return _db(float(np.median(_band(_windows(samples, rate_hz), low_hz, high_hz))))


def level_dbov(samples: Samples) -> float:
    """Return the level of all of it, without its mean."""
    return _db(float(np.var(samples.astype(np.float64))) / FULL_SCALE**2) if len(samples) else FLOOR_DBOV


def peak_dbov(samples: Samples) -> float:
    """Return the largest magnitude relative to full scale."""
    peak = float(np.max(np.abs(samples.astype(np.float64)), initial=0.0)) / FULL_SCALE
    return _db(peak**2)
