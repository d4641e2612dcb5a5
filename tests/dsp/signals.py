"""Signals with known contents, for the tests, the conformance run and the benchmarks of the DSP.

Makers return float64 arrays where 1.0 is the overload point; ``to_int16`` ends the chain. Speech
comes from Debian's packages or from espeak-ng and is cached below the temporary folder.
"""

import hashlib
import os
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import soundfile
from scipy.signal import resample_poly

from thirdring_dsp.reference.p56 import speech_level

Signal = npt.NDArray[np.float64]
Samples = npt.NDArray[np.int16]

CACHE = Path(tempfile.gettempdir()) / "thirdring-signals"
SOUNDS = Path("/usr/share/asterisk/sounds")
# Recorded words, not part of the repository: beside the clone, or where the environment says.
MANDARIN_WORDS = Path(
    os.environ.get("THIRDRING_MANDARIN_WORDS")
    or Path(__file__).resolve().parents[3] / "shared" / "data" / "mandarin-words"
)

MANDARIN = (
    "您好，这里是客户服务中心，请问有什么可以帮您？您反映的问题我已经记录下来了，"
    "技术部门会在明天下午三点以前给您回电话。请您再说一遍订单号码，谢谢。让您久等了，"
    "我查到您的包裹昨天已经从上海发出，预计后天送到。还有什么需要我帮忙的吗？感谢您的来电，再见。"
)
ENGLISH = (
    "Good morning, you are through to customer service, how may I help you? I have written down "
    "what you told me, and a technician will call you back before three o'clock tomorrow. Could "
    "you repeat the order number, please? Thank you for waiting. Your parcel left the warehouse "
    "yesterday and should arrive the day after tomorrow. Is there anything else? Goodbye."
)


def to_int16(signal: Signal) -> Samples:
    """Round to int16, saturating at the overload point."""
    return np.clip(np.rint(signal * 32768.0), -32768, 32767).astype(np.int16)


def from_int16(samples: Samples) -> Signal:
    return samples.astype(np.float64) / 32768.0


def silence(duration_s: float, sample_rate_hz: int = 8000) -> Signal:
    return np.zeros(round(duration_s * sample_rate_hz))


def tone(frequency_hz: float, duration_s: float, level_dbov: float, sample_rate_hz: int = 8000) -> Signal:
    """A sine of the given RMS level; a full-scale one is -3.01 dBov."""
    time_s = np.arange(round(duration_s * sample_rate_hz)) / sample_rate_hz
    amplitude = np.sqrt(2.0) * 10.0 ** (level_dbov / 20.0)
    return np.asarray(amplitude * np.sin(2.0 * np.pi * frequency_hz * time_s))


def rms_dbov(signal: Signal) -> float:
    power = float(np.mean(signal**2)) if signal.size else 0.0
    return 10.0 * float(np.log10(power)) if power > 0.0 else float("-inf")


def at_rms(signal: Signal, level_dbov: float) -> Signal:
    """Scale to an RMS level."""
    return np.asarray(signal * 10.0 ** ((level_dbov - rms_dbov(signal)) / 20.0))


def active_dbov(signal: Signal, sample_rate_hz: int = 8000) -> float:
    """Exact P.56 active speech level."""
    return speech_level(to_int16(signal), sample_rate_hz).active_dbov


def at_active_level(signal: Signal, level_dbov: float, sample_rate_hz: int = 8000) -> Signal:
    """Scale to an exact P.56 active speech level (twice: its thresholds are absolute)."""
    signal = at_rms(signal, level_dbov)
    for _ in range(2):
        difference_db = level_dbov - active_dbov(signal, sample_rate_hz)
        signal = signal * 10.0 ** (difference_db / 20.0)
    return signal


# Noise


def white(duration_s: float, level_dbov: float, sample_rate_hz: int = 8000, seed: int = 1) -> Signal:
    noise = np.random.default_rng(seed).standard_normal(round(duration_s * sample_rate_hz))
    return at_rms(noise, level_dbov)


def pink(duration_s: float, level_dbov: float, sample_rate_hz: int = 8000, seed: int = 1) -> Signal:
    """Noise of equal power an octave, from 50 Hz up."""
    spectrum = np.fft.rfft(white(duration_s, 0.0, sample_rate_hz, seed))
    frequency_hz = np.fft.rfftfreq(round(duration_s * sample_rate_hz), 1.0 / sample_rate_hz)
    spectrum *= np.where(frequency_hz < 50.0, 0.0, 1.0 / np.sqrt(np.maximum(frequency_hz, 50.0)))
    return at_rms(np.fft.irfft(spectrum, round(duration_s * sample_rate_hz)), level_dbov)


def hum(duration_s: float, level_dbov: float, sample_rate_hz: int = 8000) -> Signal:
    """Mains hum: 50 Hz with its odd harmonics."""
    parts = [tone(50.0 * k, duration_s, -6.0 * k, sample_rate_hz) for k in (1, 3, 5, 7)]
    return at_rms(np.sum(parts, axis=0), level_dbov)


def babble(duration_s: float, level_dbov: float, sample_rate_hz: int = 8000, talkers: int = 12) -> Signal:
    """Several prompts at once, each starting elsewhere in the material."""
    speech = prompts(sample_rate_hz=sample_rate_hz)
    count = round(duration_s * sample_rate_hz)
    step = speech.size // talkers
    return at_rms(
        np.sum([np.take(speech, np.arange(k * step, k * step + count), mode="wrap")
                for k in range(talkers)], axis=0),
        level_dbov,
    )  # fmt: skip


# Speech


def resample(signal: Signal, from_hz: int, to_hz: int) -> Signal:
    if from_hz == to_hz:
        return signal
    common = np.gcd(from_hz, to_hz)
    return np.asarray(resample_poly(signal, to_hz // common, from_hz // common))


def load(path: Path, sample_rate_hz: int = 8000) -> Signal:
    """Read a sound file, first channel, at the wanted rate."""
    data, rate_hz = soundfile.read(path, dtype="float64", always_2d=True)
    return resample(data[:, 0], int(rate_hz), sample_rate_hz)


@cache
def prompt_files(language: str = "en") -> tuple[Path, ...]:
    """Return Debian's recorded prompts (asterisk-core-sounds-*-wav), without tones and beeps."""
    tones = ("beep", "silence", "ascending", "descending", "confbridge", "tt-")
    return tuple(
        path
        for folder in sorted(SOUNDS.glob(f"{language}_*"))
        for path in sorted(folder.rglob("*.wav"))
        if not path.name.startswith(tones) and "silence" not in path.parts
    )


@cache
def prompts(count: int = 120, language: str = "en", sample_rate_hz: int = 8000) -> Signal:
    """Recorded prompts one after another with 0.3 s between, in a fixed shuffled order."""
    files = prompt_files(language)
    chosen = np.random.default_rng(7).permutation(len(files))[:count]
    gap = silence(0.3, sample_rate_hz)
    return np.concatenate([part for k in chosen for part in (load(files[k], sample_rate_hz), gap)])


@cache
def espeak(text: str, voice: str = "cmn", words_per_minute: int = 160) -> Path:
    """Return a WAV file of the text spoken by espeak-ng, made once."""
    name = hashlib.sha256(f"{voice} {words_per_minute} {text}".encode()).hexdigest()[:20]
    path = CACHE / f"{name}.wav"
    if not path.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=CACHE, suffix=".part", delete=False) as part:
            subprocess.run(
                ["espeak-ng", "-v", voice, "-s", str(words_per_minute), "-w", part.name, text],
                check=True,
            )
        Path(part.name).replace(path)
    return path


def synthetic_mandarin(sample_rate_hz: int = 8000) -> Signal:
    return load(espeak(MANDARIN, "cmn"), sample_rate_hz)


def synthetic_english(sample_rate_hz: int = 8000) -> Signal:
    return load(espeak(ENGLISH, "en"), sample_rate_hz)


@cache
def mandarin_words(sample_rate_hz: int = 8000) -> tuple[tuple[str, Signal], ...]:
    """Return recorded Mandarin words with their sound, empty where the recordings are not present.

    A word has as many syllables as characters.
    """
    files = sorted(MANDARIN_WORDS.glob("*.mp3")) if MANDARIN_WORDS.is_dir() else []
    return tuple((path.stem, load(path, sample_rate_hz)) for path in files)


# Composition


class Spurt(NamedTuple):
    """Speech to be placed."""

    start_s: float
    signal: Signal
    level_dbov: float
    """P.56 active speech level of this spurt."""


def place(spurts: Iterable[Spurt], duration_s: float, sample_rate_hz: int = 8000) -> Signal:
    """Return silence with the talk-spurts at their times and exact levels."""
    out = silence(duration_s, sample_rate_hz)
    for spurt in spurts:
        at = round(spurt.start_s * sample_rate_hz)
        part = at_active_level(spurt.signal, spurt.level_dbov, sample_rate_hz)
        part = part[: max(0, out.size - at)]
        out[at : at + part.size] += part
    return out


def mix(*signals: Signal) -> Signal:
    """Sum signals; the shorter end in silence."""
    out = np.zeros(max(signal.size for signal in signals))
    for signal in signals:
        out[: signal.size] += signal
    return out


def cuts(samples: Samples, sizes: Sequence[int]) -> list[Samples]:
    """Cut a stream into blocks of the given sizes, over and over, to its end."""
    blocks: list[Samples] = []
    at = turn = 0
    while at < samples.size:
        size = sizes[turn % len(sizes)]
        blocks.append(samples[at : at + size])
        at += size
        turn += 1
        if turn % len(sizes) == 0 and not any(sizes):
            raise ValueError("sizes must not all be 0")
    return blocks


def through_codec(signal: Signal, codec: str, sample_rate_hz: int = 8000) -> Signal:
    """Encode and decode with sox: ``a-law``, ``mu-law`` or ``gsm-full-rate``."""
    if codec == "gsm-full-rate":
        suffix, arguments = ".gsm", ["-t", "gsm"]
    else:
        suffix, arguments = ".raw", ["-t", "raw", "-e", codec, "-b", "8"]
    rate = ["-r", str(sample_rate_hz), "-c", "1"]
    with tempfile.TemporaryDirectory() as folder:
        coded, plain = (
            str(Path(folder) / f"coded{suffix}"),
            ["-t", "raw", "-e", "signed", "-b", "16"],
        )
        subprocess.run(
            ["sox", "-D", *plain, *rate, "-", *arguments, *rate, coded],
            input=to_int16(signal).tobytes(), check=True,
        )  # fmt: skip
        decoded = subprocess.run(
            ["sox", "-D", *arguments, *rate, coded, *plain, *rate, "-"],
            check=True, capture_output=True,
        )  # fmt: skip
    return from_int16(np.frombuffer(decoded.stdout, dtype=np.int16))[: signal.size]
