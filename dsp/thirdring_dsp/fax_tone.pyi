import numpy as np
import numpy.typing as npt

from thirdring_dsp.events import DspEvent

class FaxToneDetector:
    sample_rate_hz: int
    def __init__(self, sample_rate_hz: int = 8000) -> None: ...
    def update(self, block: npt.NDArray[np.int16] | memoryview) -> list[DspEvent]: ...
    def reset(self) -> None: ...
