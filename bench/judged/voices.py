"""What is said in the judged calls: sentences of known length, some of known syllables at known paces.

Mandarin and English by espeak-ng (the syllables are those it pronounces, see ``tests/dsp/spoken.py``),
English by a person (Debian's recorded prompts, whose syllables were counted), faster and slower by sox;
further people at their own pace, whose syllables nobody counted. All trimmed to the sound itself.
"""

import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import soundfile
from scipy.signal import resample_poly
from tests.dsp import signals
from tests.dsp.spoken import syllables

from bench.conformance.pace import COUNTED, at_tempo
from thirdring_dsp import SpeechLevelMeter

__all__ = ["RATE_HZ", "Pace", "Utterance", "Voice", "voices"]

RATE_HZ: Final = 16_000
Pace = Literal["slow", "moderate", "fast"]
Signal = npt.NDArray[np.float64]

PACES: Final[dict[Pace, tuple[float, float]]] = {
    "slow": (2.9, 3.5),
    "moderate": (4.5, 5.4),
    "fast": (6.8, 9.0),
}
"""Syllables per second, off the limits of 4 and 6 by more than the meter's 10 %."""
SPEEDS_WPM: Final = range(80, 620, 20)
SILENT_DB: Final = -45.0
"""Below the loudest 10 ms of a sentence: its edges and its pauses."""

MANDARIN: Final = (
    "请问您的订单号码是多少",
    "我马上为您查询一下送货的时间",
    "您的货物明天下午可以送到公司",
    "我想知道什么时候能够收到发票",
    "上个星期我已经打过一次电话了",
    "这个问题我们会尽快给您答复",
)
ENGLISH: Final = (
    "could you tell me the number of your order",
    "let me find out when the driver will arrive",
    "your parcel will be there tomorrow afternoon",
    "i would like to know when my money comes back",
    "my colleague called you about it last monday",
    "we will give you an answer as soon as we can",
)
MANDARIN_VOICES: Final = ("cmn-latn-pinyin", "cmn-latn-pinyin+f2", "cmn-latn-pinyin+m3")
ENGLISH_VOICES: Final = ("en", "en-us+f2")
PEOPLE: Final = ("fr", "es", "ru", "it")
LENGTHS_S: Final = (2.1, 4.5)
TEMPI: Final = (0.6, 1.7)
"""What sox does to a person's voice without spoiling it."""
PEOPLES_SENTENCES: Final = 8


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


@dataclass(frozen=True, slots=True)
class Voice:
    """One voice; ``pace_known`` when its syllables were counted, else all is said at its own pace."""

    name: str
    pace_known: bool
    said: dict[Pace, list[Utterance]] = field(default_factory=lambda: {pace: [] for pace in PACES})

    def at(self, pace: Pace) -> list[Utterance]:
        """Return the sentences at a pace; a voice of unknown pace has one."""
        return self.said[pace] or self.said["moderate"]


def voices() -> list[Voice]:
    """Return every voice, always in the same order."""
    made = [_synthetic(name, MANDARIN) for name in MANDARIN_VOICES]
    made.append(_counted_person())
    made += [_synthetic(name, ENGLISH) for name in ENGLISH_VOICES]
    made += [_person(language) for language in PEOPLE]
    return made


def _synthetic(name: str, sentences: tuple[str, ...]) -> Voice:
    """Return every sentence at the speed of each pace that comes closest to the middle of it."""
    voice = Voice(name, True)
    for text in sentences:
        count = syllables(text, name)
        tried = [_spoken(name, text, speed_wpm) for speed_wpm in SPEEDS_WPM]
        found = [(count / _articulated_s(samples), samples) for samples in tried]
        for pace, (low, high) in PACES.items():
            rate, samples = min(found, key=lambda one: abs(one[0] - (low + high) / 2.0))
            if low <= rate <= high:
                voice.said[pace].append(_utterance(samples, rate, pace))
    return voice


def _counted_person() -> Voice:
    """Return the English prompts whose syllables were counted, at three tempi."""
    voice = Voice("Allison", True)
    for path in signals.prompt_files("en"):
        samples = _trimmed(_loaded(path))
        syllables = COUNTED.get(path.stem, 0)
        length_s = len(samples) / RATE_HZ
        if syllables < 8 or _articulated_s(samples) < length_s:
            continue
        for pace, (low, high) in PACES.items():
            tempo = (low + high) / 2.0 * length_s / syllables
            if TEMPI[0] <= tempo <= TEMPI[1]:
                changed = np.asarray(at_tempo(np.asarray(resample_poly(samples, 1, 2)), tempo))
                if LENGTHS_S[0] / 1.5 <= len(changed) / 8000 <= LENGTHS_S[1]:
                    wide = _trimmed(np.asarray(resample_poly(changed, 2, 1)))
                    voice.said[pace].append(_utterance(wide, syllables / _articulated_s(wide), pace))
    return voice


def _person(language: str) -> Voice:
    said = []
    for path in signals.prompt_files(language):
        samples = _trimmed(_loaded(path))
        length_s = len(samples) / RATE_HZ
        if LENGTHS_S[0] <= length_s <= LENGTHS_S[1] and _articulated_s(samples) == length_s:
            said.append(_utterance(samples, 0.0, "moderate"))
        if len(said) == PEOPLES_SENTENCES:
            break
    return _uncounted(language, said)


def _uncounted(name: str, said: list[Utterance]) -> Voice:
    voice = Voice(name, False)
    voice.said["moderate"].extend(said)
    return voice


def _loaded(path: Path) -> Signal:
    data, rate_hz = soundfile.read(path, dtype="float64")
    return np.asarray(resample_poly(data, RATE_HZ, rate_hz))


def _utterance(samples: Signal, syllables_per_s: float, pace: Pace) -> Utterance:
    return Utterance(_levelled(samples), syllables_per_s, pace)


def _trimmed(speech: Signal) -> Signal:
    """Return the sound without the silence around it."""
    loud = np.flatnonzero(_loud(speech))
    step = RATE_HZ // 100
    return speech[loud[0] * step : (loud[-1] + 1) * step]


def _spoken(voice: str, text: str, speed_wpm: int) -> Signal:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "said.wav"
        command = ["espeak-ng", "-v", voice, "-s", str(speed_wpm), "-w", str(path), text]
        subprocess.run(command, check=True, capture_output=True)
        data, rate_hz = soundfile.read(path, dtype="float64")
    return _trimmed(np.asarray(resample_poly(data, RATE_HZ, rate_hz)))


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
