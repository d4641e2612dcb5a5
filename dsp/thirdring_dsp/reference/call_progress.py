"""Oracle of the call progress detector: rings of a whole recording, found by filtering it at once.

Slow and simple: an ideal band-pass over the tolerance of each ringback's lines, its envelope, bursts
where the envelope is above half its highest, and the rings that those bursts make.
"""

import numpy as np
import numpy.typing as npt

from thirdring_dsp.progress_table import Sequence, ToneSet, progress_table
from thirdring_dsp.tone_plans import TonePlan

__all__ = ["bursts", "rings"]

Spans = list[tuple[float, float]]


def bursts(signal: npt.NDArray[np.int16], rate_hz: int, tone_set: ToneSet) -> Spans:
    """Return start and end (s) of every burst of a tone set of at least 50 ms."""
    spectrum = np.fft.rfft(signal.astype(float))
    frequency_hz = np.fft.rfftfreq(len(signal), 1 / rate_hz)
    # 25 Hz more than the tolerance: a burst's edges need some bandwidth.
    inside = (frequency_hz > min(tone_set.low_hz) - 25) & (frequency_hz < max(tone_set.high_hz) + 25)
    power = np.fft.irfft(np.where(inside, spectrum, 0), len(signal)) ** 2
    # 40 ms average out the carrier and the beat of two lines.
    envelope = np.sqrt(np.convolve(power, np.ones(rate_hz // 25) / (rate_hz // 25), "same"))
    edges = np.flatnonzero(np.diff(np.r_[0, envelope > 0.6 * envelope.max(), 0]))
    spans = np.column_stack([edges[::2], edges[1::2]]) / rate_hz
    return [(float(a), float(b)) for a, b in spans if b - a >= 0.05]


def _fits(found: Spans, ring: Sequence, slack_s: float = 0.05) -> bool:
    lengths = all(
        low - slack_s <= b - a <= high + slack_s
        for (a, b), (low, high) in zip(found, (burst.on_s for burst in ring.bursts), strict=True)
    )
    gaps = (burst.gap_s for burst in ring.bursts[1:])
    return lengths and all(
        low - slack_s <= later[0] - earlier[1] <= high + slack_s
        for earlier, later, (low, high) in zip(found, found[1:], gaps, strict=False)
    )


def rings(signal: npt.NDArray[np.int16], rate_hz: int, plan: TonePlan) -> Spans:
    """Return start and end (s) of every ring of the plan's usual ringback in a recording."""
    table = progress_table(plan)
    ring = table.rings[0]
    found = bursts(signal, rate_hz, table.tone_sets[ring.bursts[-1].tone_set])
    count = len(ring.bursts)
    result: Spans = []
    at = 0
    while at + count <= len(found):
        group = found[at : at + count]
        if _fits(group, ring):
            result.append((group[0][0], group[-1][1]))
            at += count
        else:
            at += 1
    return result
