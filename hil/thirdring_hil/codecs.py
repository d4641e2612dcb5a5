"""The codecs of the bench's own telephone: ITU-T G.711 A-law, and G.722 by libg722."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from thirdring_hil.g711 import a_law_decode, a_law_encode

__all__ = ["FRAME_S", "G722", "PCMA", "Codec", "Coder"]

FRAME_S: Final = 0.02
"""One packet (RFC 3551: 20 ms by default)."""

Samples = npt.NDArray[np.int16]


class Coder(Protocol):
    """One direction of a stream: coders of one stream carry state from frame to frame."""

    def encode(self, samples: Samples) -> bytes:
        """Return the payload of a frame, shape (n,)."""

    def decode(self, data: bytes) -> Samples:
        """Return the samples of a payload."""


@dataclass(frozen=True)
class Codec:
    """``clock_hz`` is the clock of the RTP time stamp (8000 for G.722, too: RFC 3551 clause 4.5.2)."""

    name: str
    payload: int
    rate_hz: int
    clock_hz: int
    make: Callable[[], Coder]

    @property
    def frame(self) -> int:
        """Samples of a frame."""
        return round(self.rate_hz * FRAME_S)


class _ALaw:
    def encode(self, samples: Samples) -> bytes:
        return a_law_encode(samples)

    def decode(self, data: bytes) -> Samples:
        return a_law_decode(data)


class _G722:
    def __init__(self) -> None:
        library = importlib.import_module("G722")  # only a bench with wideband calls needs it
        self._encoder, self._decoder = library.G722(16000, 64000), library.G722(16000, 64000)

    def encode(self, samples: Samples) -> bytes:
        return bytes(self._encoder.encode(samples.tolist()))

    def decode(self, data: bytes) -> Samples:
        return np.asarray(self._decoder.decode(data), dtype=np.int16)


PCMA: Final = Codec("PCMA", 8, 8000, 8000, _ALaw)
G722: Final = Codec("G722", 9, 16000, 8000, _G722)
