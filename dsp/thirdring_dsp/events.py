"""What the detectors report."""

from typing import NamedTuple

__all__ = ["DspEvent"]


class DspEvent(NamedTuple):
    """One thing heard in the signal.

    Times are of the signal (seconds from the first sample since ``reset``), never of the block or
    of the wall clock.
    """

    kind: str
    """What was heard: ``dtmf``, ``talk_spurt``, ``ringback``, ..."""
    value: str = ""
    """What it was, where the kind alone does not say: the DTMF key, the tone's name."""
    start_s: float = 0.0
    end_s: float = 0.0
    level_dbov: float = float("-inf")
    """Level while it lasted, dB relative to the overload point (ITU-T G.100.1)."""
    level_dbm0: float = float("-inf")
    """Tones only: the same in dBm0 (G.711 A-law: 0 dBm0 is -3.14 dB below the overload sine)."""
