"""ITU-T G.711 A-law, for the bench's own telephone."""

from typing import Final

import numpy as np
import numpy.typing as npt

__all__ = ["SILENCE", "a_law_decode", "a_law_encode"]

SILENCE: Final = 0xD5
"""The code word of the smallest positive value."""


def _table() -> npt.NDArray[np.int16]:
    """Return the 16-bit value of every code word (G.711 table 1a, values scaled to 16 bits)."""
    codes = np.arange(256) ^ 0x55
    segment, step = (codes >> 4) & 7, codes & 15
    magnitude = np.where(segment == 0, 16 * step + 8, (16 * step + 264) << np.maximum(segment - 1, 0))
    return np.where(codes & 0x80, magnitude, -magnitude).astype(np.int16)


_DECODED: Final = _table()
_ORDER: Final = np.argsort(_DECODED, kind="stable")
_EDGES: Final = np.convolve(_DECODED[_ORDER].astype(np.float64), [0.5, 0.5], "valid")


def a_law_decode(data: bytes) -> npt.NDArray[np.int16]:
    """Return the samples of A-law ``data``, shape (len(data),)."""
    return _DECODED[np.frombuffer(data, dtype=np.uint8)]


def a_law_encode(samples: npt.NDArray[np.int16]) -> bytes:
    """Return each sample's nearest code word."""
    return _ORDER[np.searchsorted(_EDGES, samples)].astype(np.uint8).tobytes()
