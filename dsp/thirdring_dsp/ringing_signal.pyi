import numpy as np
import numpy.typing as npt

from thirdring_dsp.events import DspEvent

class RingingSignalDetector:
    sample_rate_hz: int
    level_min_dbov: float
    def __init__(self, sample_rate_hz: int = 8000, level_min_dbov: float = -40.0) -> None: ...
    def update(self, block: npt.NDArray[np.int16] | memoryview) -> list[DspEvent]: ...
    def reset(self) -> None: ...
