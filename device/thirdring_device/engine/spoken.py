"""What the appliance says to a customer in the agent's place: a WAV of the team's, or spoken by espeak-ng."""

import logging
import subprocess
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import soundfile

from thirdring_device.adapters.resample import resample
from thirdring_device.engine.media import SAMPLE_RATE_HZ

__all__ = ["Announcement", "announcement_file"]

log = logging.getLogger(__name__)

LEVEL_DBOV: Final = -26.0
"""RMS of an announcement, the level aimed at for the agent's voice."""
VOICES: Final = {"zh": "cmn", "en": "en-gb"}
SPEAK_TIMEOUT_S: Final = 20.0

Samples = npt.NDArray[np.int16]


def announcement_file(folder: Path, key: str, language: str, text: str) -> Path | None:
    """Return the file of an announcement, spoken anew when there is none; None when it cannot be spoken.

    A team puts its own ``KEY-LANGUAGE.wav`` into ``folder`` instead.
    """
    path = folder / f"{key}-{language}.wav"
    if path.exists():
        return path
    try:
        folder.mkdir(parents=True, exist_ok=True)
        command = ["espeak-ng", "-v", VOICES.get(language, language), "-s", "150", "-w", str(path), text]
        subprocess.run(command, check=True, capture_output=True, timeout=SPEAK_TIMEOUT_S)
    except (OSError, subprocess.SubprocessError) as reason:
        log.warning("no announcement %s: %s", path.name, reason)
        path.unlink(missing_ok=True)
        return None
    return path


class Announcement:
    """An announcement being played, block by block; silence follows it."""

    def __init__(self, path: Path) -> None:
        """Read a sound file of any rate; raises ``soundfile.LibsndfileError``."""
        samples, rate_hz = soundfile.read(path, dtype="float64", always_2d=True)
        mono = resample(samples.mean(axis=1), rate_hz, SAMPLE_RATE_HZ)
        rms = float(np.sqrt(np.mean(mono**2))) if len(mono) else 0.0
        scaled = mono * (10.0 ** (LEVEL_DBOV / 20.0) / rms if rms else 0.0) * 32768.0
        self._samples: Samples = np.clip(np.rint(scaled), -32768, 32767).astype(np.int16)
        self._at = 0

    @property
    def duration_s(self) -> float:
        """Its whole length."""
        return len(self._samples) / SAMPLE_RATE_HZ

    def fill(self, block: Samples) -> None:
        """Write the next piece over ``block``."""
        piece = self._samples[self._at : self._at + len(block)]
        block[: len(piece)] = piece
        block[len(piece) :] = 0
        self._at += len(block)
