"""What is said in the judged calls: sentences of known syllables at known paces, by several voices.

Synthesised by espeak-ng, Mandarin and English, trimmed to the sound itself. A Mandarin syllable is a
character; the English ones were counted by hand.
"""

import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import soundfile
from scipy.signal import resample_poly

from thirdring_dsp import SpeechLevelMeter

__all__ = ["RATE_HZ", "Pace", "Utterance", "voices"]

RATE_HZ: Final = 16_000
Pace = Literal["slow", "moderate", "fast"]
Signal = npt.NDArray[np.float64]

PACES: Final[dict[Pace, tuple[float, float]]] = {
    "slow": (2.9, 3.5),
    "moderate": (4.5, 5.5),
    "fast": (6.8, 9.0),
}
"""Syllables per second, off the limits of 4 and 6 by more than the meter's 10 %."""
SPEEDS_WPM: Final = range(80, 620, 20)
SILENT_DB: Final = -45.0
"""Below the loudest 10 ms of a sentence: its edges and its pauses."""

SENTENCES: Final[dict[str, tuple[tuple[str, int], ...]]] = {
    "cmn": (
        ("请问您的订单号码是多少", 11),
        ("我马上为您查询一下送货的时间", 13),
        ("您的货物明天下午可以送到公司", 13),
        ("我想知道什么时候能够收到发票", 13),
        ("上个星期我已经打过一次电话了", 13),
        ("这个问题我们会尽快给您答复", 12),
    ),
    "en-gb": (
        ("could you tell me the number of your order", 12),
        ("let me find out when the driver will arrive", 11),
        ("your parcel will be there tomorrow afternoon", 12),
        ("i would like to know when my money comes back", 11),
        ("my colleague called you about it last monday", 12),
        ("we will give you an answer as soon as we can", 12),
    ),
}
VARIANTS: Final = ("", "+f2", "+m3")


@dataclass(frozen=True, slots=True)
class Utterance:
    """One sentence: 16 kHz samples whose active speech level (ITU-T P.56) is 0 dBov, and its pace."""

    samples: Signal
    syllables_per_s: float
    pace: Pace

    @property
    def duration_s(self) -> float:
        """Length of the sound."""
        return len(self.samples) / RATE_HZ


def voices() -> list[dict[Pace, list[Utterance]]]:
    """Return for each voice its sentences by pace."""
    return [dict(_sentences(language, variant)) for language in SENTENCES for variant in VARIANTS]


def _sentences(language: str, variant: str) -> Iterator[tuple[Pace, list[Utterance]]]:
    found: dict[Pace, list[Utterance]] = {pace: [] for pace in PACES}
    for text, syllables in SENTENCES[language]:
        wanted = set(PACES)
        for speed_wpm in SPEEDS_WPM:
            samples = _spoken(language + variant, text, speed_wpm)
            syllables_per_s = syllables / _articulated_s(samples)
            for pace in sorted(wanted):
                low, high = PACES[pace]
                if low <= syllables_per_s <= high:
                    found[pace].append(Utterance(_levelled(samples), syllables_per_s, pace))
                    wanted.discard(pace)
            if not wanted:
                break
    yield from found.items()


def _spoken(voice: str, text: str, speed_wpm: int) -> Signal:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "said.wav"
        command = ["espeak-ng", "-v", voice, "-s", str(speed_wpm), "-w", str(path), text]
        subprocess.run(command, check=True, capture_output=True)
        data, rate_hz = soundfile.read(path, dtype="float64")
    speech: Signal = resample_poly(data, RATE_HZ, rate_hz)
    loud = np.flatnonzero(_loud(speech))
    step = RATE_HZ // 100
    return speech[loud[0] * step : (loud[-1] + 1) * step]


def _loud(speech: Signal) -> npt.NDArray[np.bool_]:
    """Return for every 10 ms whether it is above the edges."""
    step = RATE_HZ // 100
    power = np.square(speech[: len(speech) // step * step]).reshape(-1, step).mean(axis=1)
    loud: npt.NDArray[np.bool_] = power > power.max() * 10.0 ** (SILENT_DB / 10.0)
    return loud


def _articulated_s(speech: Signal) -> float:
    """Return the length without the pauses of 0.2 s and more."""
    pause, paused = 0, 0
    for loud in [*_loud(speech), True]:
        if not loud:
            pause += 1
            continue
        paused += pause if pause >= 20 else 0
        pause = 0
    return len(speech) / RATE_HZ - paused / 100.0


def _levelled(speech: Signal) -> Signal:
    """Scale to an active speech level of 0 dBov, measured at -26 dBov."""
    scaled = speech * 10.0 ** (-26.0 / 20.0) / np.sqrt(np.mean(np.square(speech)))
    meter = SpeechLevelMeter(RATE_HZ)
    meter.update(np.asarray(np.rint(np.clip(scaled, -1.0, 1.0) * 32767.0), dtype=np.int16))
    levelled: Signal = scaled * 10.0 ** (-meter.active_speech_level_dbov / 20.0)
    return levelled
