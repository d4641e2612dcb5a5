"""Signals for the call progress tests: tones of a plan with noise, speech and music."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from thirdring_dsp.progress_table import EVENT_KINDS
from thirdring_dsp.tone_plans import Segment, Tone, TonePlan, render

Samples = npt.NDArray[np.int16]

SOUNDS = Path("/usr/share/asterisk")
PROMPTS = ("en_US_f_Allison", "es_MX_f_Allison", "fr_CA_f_June", "ru_RU_f_IvrvoiceRU")
PROMPTS_IT = "it_IT_m_Carlo"
# An event's kind, by the kind of the tone.
EVENT_OF = EVENT_KINDS


def cycles_s(tone: Tone, cycles: int) -> float:
    """How long a signal with so many whole cycles is; endless tones last 8 s."""
    return 8.0 if tone.is_endless else cycles * tone.period_s


def signal_of(tone: Tone, cycles: int, level_dbm0: float = -13.0, sample_rate_hz: int = 8000) -> Samples:
    """0.5 s of silence, so many cycles, 0.5 s of silence."""
    quiet = np.zeros(sample_rate_hz // 2, np.int16)
    sound = render(tone, sample_rate_hz, cycles_s(tone, cycles), level_dbm0)
    return np.concatenate([quiet, sound, quiet])


def tone_power(tone: Tone, level_dbm0: float) -> float:
    """Mean square of the tone while it sounds."""
    return float(32768.0**2 / 2 * 10 ** ((level_dbm0 - 3.14) / 10))


def with_noise(signal: Samples, power: float, snr_db: float, random: np.random.Generator) -> Samples:
    """Add white noise so many dB below ``power``."""
    noise = random.normal(0.0, np.sqrt(power * 10 ** (-snr_db / 10)), len(signal))
    return np.clip(np.round(signal + noise), -32768, 32767).astype(np.int16)


def shifted(tone: Tone, offset_hz: float) -> Tone:
    """The tone with every frequency off by so much."""
    return Tone(
        tone.kind,
        tuple(
            Segment(
                tuple(f + offset_hz for f in segment.frequencies_hz),
                segment.modulation_hz,
                segment.duration_s,
            )
            for segment in tone.segments
        ),
    )


def stretched(tone: Tone, factor: float) -> Tone:
    """The tone with every time longer by a factor."""
    return Tone(
        tone.kind,
        tuple(Segment(s.frequencies_hz, s.modulation_hz, s.duration_s * factor) for s in tone.segments),
    )


def cycles_needed(tone: Tone) -> int:
    """Enough cycles for the tone to be certain."""
    if tone.kind == "ringback":
        return 2
    if tone.kind == "sit":
        return 1
    bursts = sum(not segment.is_silence for segment in tone.segments)
    return max(3, -(-9 // bursts) if tone.period_s < 3 else 3)


def recordings(folder: str) -> list[Path]:
    """Every recording of a package of prompts or of the music on hold."""
    return sorted((SOUNDS / folder).rglob("*.wav"))


def samples_of(path: Path) -> Samples:
    """One recording at 8 kHz."""
    data, rate_hz = soundfile.read(path, dtype="int16")
    assert rate_hz == 8000, path
    return np.ascontiguousarray(data)


def all_tones(plan: TonePlan) -> list[Tone]:
    """Every tone of a plan that can be told by its cadence."""
    return [
        tone
        for tone in plan.tones
        if tone.is_endless or min(s.duration_s for s in tone.segments if not s.is_silence) > 0.03
    ]
