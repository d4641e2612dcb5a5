"""The ear of a simulated headset: the file that it writes what the agent hears to."""

from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from thirdring_hil.poll import poll

__all__ = ["EAR_RATE_HZ", "Ear"]

EAR_RATE_HZ: Final = 16000
FILE: Final = "ear.wav"
HEADER_BYTES: Final = 44
"""Of a WAV file with 16-bit samples and nothing else."""


class Ear:
    """What the agent has heard since this object was made."""

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / FILE
        self._start = self._length()

    def _length(self) -> int:
        """Return the samples in the file, by its size: the header of a new one is not written at once."""
        size = self._path.stat().st_size if self._path.exists() else 0
        return max(0, size - HEADER_BYTES) // 2

    @property
    def heard_s(self) -> float:
        """How much there is."""
        return (self._length() - self._start) / EAR_RATE_HZ

    @property
    def samples(self) -> npt.NDArray[np.int16]:
        """All of it, shape (n,), 16 kHz."""
        samples: npt.NDArray[np.int16] = np.frombuffer(self._path.read_bytes(), "<i2", offset=HEADER_BYTES)
        return samples[self._start :]

    def wait_for_s(self, duration_s: float, timeout_s: float = 20.0) -> None:
        """Wait until there is so much; raises ``TimeoutError``."""
        poll(lambda: self.heard_s >= duration_s, f"{duration_s:g} s in the ear", timeout_s)
