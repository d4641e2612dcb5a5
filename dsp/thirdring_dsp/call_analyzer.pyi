import numpy as np
from numpy.typing import NDArray

from thirdring_dsp.agc import AutomaticGainControl
from thirdring_dsp.call_progress import CallProgressDetector
from thirdring_dsp.dtmf import DtmfDetector
from thirdring_dsp.events import DspEvent
from thirdring_dsp.fax_tone import FaxToneDetector
from thirdring_dsp.limiter import AcousticLimiter
from thirdring_dsp.noise_gate import NoiseGate
from thirdring_dsp.noise_meter import NoiseMeter
from thirdring_dsp.speech_level import SpeechLevelMeter
from thirdring_dsp.syllable_rate import SyllableRateMeter
from thirdring_dsp.talk import TalkAnalyzer
from thirdring_dsp.tone_plans import TonePlan

class CallAnalyzer:
    def __init__(
        self,
        sample_rate_hz: int,
        plan: TonePlan | None = None,
        *,
        dead_air_s: float = 10.0,
        target_dbov: float = -26.0,
        gain_range_db: float = 15.0,
        gate_attenuation_db: float = 12.0,
        mouth_ceiling_dbov: float = -3.0,
        ear_ceiling_dbov: float = -6.0,
    ) -> None: ...
    @property
    def sample_rate_hz(self) -> int: ...
    @property
    def talk(self) -> TalkAnalyzer: ...
    @property
    def agent_before(self) -> SpeechLevelMeter: ...
    @property
    def agent_after(self) -> SpeechLevelMeter: ...
    @property
    def customer(self) -> SpeechLevelMeter: ...
    @property
    def agent_pace(self) -> SyllableRateMeter: ...
    @property
    def customer_pace(self) -> SyllableRateMeter: ...
    @property
    def agent_noise(self) -> NoiseMeter: ...
    @property
    def customer_noise(self) -> NoiseMeter: ...
    @property
    def gate(self) -> NoiseGate: ...
    @property
    def gain(self) -> AutomaticGainControl: ...
    @property
    def mouth_limiter(self) -> AcousticLimiter: ...
    @property
    def ear_limiter(self) -> AcousticLimiter: ...
    @property
    def dtmf(self) -> DtmfDetector: ...
    @property
    def fax(self) -> FaxToneDetector: ...
    @property
    def progress(self) -> CallProgressDetector | None: ...
    def process(
        self,
        agent_block: NDArray[np.int16],
        customer_block: NDArray[np.int16],
        agent_out: NDArray[np.int16] | None = None,
        ear_out: NDArray[np.int16] | None = None,
    ) -> list[DspEvent]: ...
    def reset(self) -> None: ...
