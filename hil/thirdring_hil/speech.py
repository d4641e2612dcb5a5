"""Speech for tests, made by espeak-ng."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile
from scipy.signal import resample_poly

from thirdring_dsp.reference.p56 import speech_level

__all__ = ["make_speech"]

TEXT = "Good morning, this is the service desk. My name is Wang. How may I help you today?"


def make_speech(
    path: Path, level_dbov: float, sample_rate_hz: int = 16000, text: str = TEXT
) -> npt.NDArray[np.int16]:
    """Write ``text`` spoken at an active speech level (ITU-T P.56) to ``path`` and return it, shape (n,).

    Raises ``FileNotFoundError`` without espeak-ng.
    """
    program = shutil.which("espeak-ng")
    if program is None:
        raise FileNotFoundError("espeak-ng")
    subprocess.run([program, "-w", str(path), text], check=True, capture_output=True)
    data, rate_hz = soundfile.read(path, dtype="float64")
    common = np.gcd(rate_hz, sample_rate_hz)
    speech = 0.25 * resample_poly(data, sample_rate_hz // common, rate_hz // common)
    present = speech_level(np.rint(speech * 32767).astype(np.int16), sample_rate_hz).active_dbov
    samples = np.clip(np.rint(speech * 32767 * 10 ** ((level_dbov - present) / 20)), -32768, 32767)
    result: npt.NDArray[np.int16] = samples.astype(np.int16)
    soundfile.write(path, result, sample_rate_hz, "PCM_16")
    return result
