"""Whether a sound is in a recording, at whatever lag: normalised cross-correlation."""

import numpy as np
import numpy.typing as npt
from scipy.signal import correlate, hilbert

__all__ = ["deviations", "likeness"]

Signal = npt.NDArray[np.float64]

LSB = 1.0 / 32768.0


def _energy(heard: Signal, count: int) -> Signal:
    """The energy of every stretch of ``count`` samples, at least that of one quantisation step a sample."""
    summed = np.concatenate([[0.0], np.cumsum(heard**2)])
    return np.asarray(np.maximum(summed[count:] - summed[:-count], count * LSB**2))


def likeness(heard: Signal, said: Signal) -> float:
    """The largest normalised correlation of ``said`` with any stretch of ``heard``; 1 where it is that."""
    product = np.abs(correlate(heard, said, mode="valid"))
    return float(np.max(product / np.sqrt(_energy(heard, len(said)) * np.sum(said**2))))


def deviations(heard: Signal, said: Signal) -> Signal:
    """How far ``said`` stands out of ``heard`` at every lag, whatever its phase.

    In standard deviations of what white noise as strong as the stretch itself would show: the envelope's
    chance to exceed k of them is exp(-k**2 / 2) a lag.
    """
    product = np.abs(correlate(heard.astype(complex), hilbert(said), mode="valid"))
    stretch = _energy(heard, len(said)) / len(said)
    return np.asarray(product / np.sqrt(stretch * np.sum(said**2)))
