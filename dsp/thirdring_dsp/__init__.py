"""Detectors and meters for telephone audio: 16-bit linear samples at 8, 16 or 48 kHz."""

from thirdring_dsp.agc import AutomaticGainControl
from thirdring_dsp.call_analyzer import CallAnalyzer
from thirdring_dsp.call_progress import CallProgressDetector
from thirdring_dsp.dtmf import DtmfDetector
from thirdring_dsp.events import DspEvent
from thirdring_dsp.fax_tone import FaxToneDetector
from thirdring_dsp.limiter import AcousticLimiter
from thirdring_dsp.noise_gate import NoiseGate
from thirdring_dsp.noise_meter import NoiseMeter
from thirdring_dsp.ringing_signal import RingingSignalDetector
from thirdring_dsp.speech_level import SpeechLevelMeter
from thirdring_dsp.syllable_rate import SyllableRateMeter
from thirdring_dsp.talk import TalkAnalyzer
from thirdring_dsp.vad import VoiceActivityDetector

__all__ = [
    "AcousticLimiter",
    "AutomaticGainControl",
    "CallAnalyzer",
    "CallProgressDetector",
    "DspEvent",
    "DtmfDetector",
    "FaxToneDetector",
    "NoiseGate",
    "NoiseMeter",
    "RingingSignalDetector",
    "SpeechLevelMeter",
    "SyllableRateMeter",
    "TalkAnalyzer",
    "VoiceActivityDetector",
]
