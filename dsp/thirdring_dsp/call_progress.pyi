import numpy as np
import numpy.typing as npt

from thirdring_dsp.events import DspEvent
from thirdring_dsp.tone_plans import TonePlan

class CallProgressDetector:
    sample_rate_hz: int
    country_code: str
    def __init__(self, sample_rate_hz: int, plan: TonePlan) -> None: ...
    def update(self, block: npt.NDArray[np.int16] | memoryview) -> list[DspEvent]: ...
    def reset(self) -> None: ...
