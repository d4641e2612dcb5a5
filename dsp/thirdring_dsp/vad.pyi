import numpy as np
from numpy.typing import NDArray

from thirdring_dsp.events import DspEvent

class VoiceActivityDetector:
    """Tell talk-spurts apart from pauses, noise, tones and music (ITU-T P.59 talk-spurts)."""

    def __init__(self, sample_rate_hz: int) -> None:
        """Raise ``ValueError`` for a sample rate other than 8000, 16000 or 48000."""

    @property
    def sample_rate_hz(self) -> int: ...
    @property
    def active(self) -> bool:
        """Whether a talk-spurt is going on."""

    @property
    def speech_probability(self) -> float:
        """How sure the network is, 0 to 1, that there was speech 80 ms ago."""

    def update(self, block: NDArray[np.int16]) -> list[DspEvent]:
        """Take the next samples (1-D, contiguous, any number); return the events they complete.

        ``talk_spurt_start``: ``start_s`` is the onset; about 150 ms after it.
        ``talk_spurt``: ``start_s``, ``end_s``, ``level_dbov`` (mean, telephone band), once ended.
        """

    def reset(self) -> None:
        """Forget the signal: the next sample is at 0 s."""
