"""Where one tone carries a signal: by filtering the whole of it forwards and backwards."""

import numpy as np
import numpy.typing as npt
from scipy import signal

__all__ = ["tone_spans"]


def tone_spans(
    samples: npt.NDArray[np.int16],
    sample_rate_hz: int,
    low_hz: float,
    high_hz: float,
    *,
    share: float = 0.6,
    smoothing_s: float = 0.03,
    power_min: float = 500.0,
) -> list[tuple[float, float]]:
    """Return start and end in seconds of the spans where the band carries that share of the power.

    The direct component does not count. Shape (n,) in, spans in order; gaps below the smoothing are closed.
    """
    centred = samples.astype(float) - np.median(samples)
    sections = signal.butter(2, [low_hz, high_hz], "bandpass", fs=sample_rate_hz, output="sos")
    kernel = np.ones(round(smoothing_s * sample_rate_hz)) / round(smoothing_s * sample_rate_hz)
    in_band = np.convolve(signal.sosfiltfilt(sections, centred) ** 2, kernel, "same")
    power = np.convolve(centred**2, kernel, "same")
    heard = (in_band > share * power) & (power > power_min)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], heard.astype(np.int8), [0]])))
    spans: list[tuple[float, float]] = []
    for start, end in zip(edges[::2] / sample_rate_hz, edges[1::2] / sample_rate_hz, strict=True):
        if spans and start - spans[-1][1] < smoothing_s:
            spans[-1] = (spans[-1][0], float(end))
        else:
            spans.append((float(start), float(end)))
    return spans
