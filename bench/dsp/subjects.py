"""What the cost bench measures: one line for each of our classes."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import webrtcvad

import thirdring_dsp as dsp
from thirdring_dsp.tone_plans import plan

Samples = npt.NDArray[np.int16]
Run = Callable[[Samples], object]


class Subject(NamedTuple):
    name: str
    make: Callable[[int], Run]
    """Given the sample rate, returns what takes a block."""
    instructions_max: float | None = None
    """Gate: instructions per sample."""
    us_max: float | None = None
    """Gate: microseconds per 20 ms at 8 kHz."""
    signals: tuple[str, ...] = ("speech",)


def both_ways(run: Callable[[Samples, Samples], object]) -> Run:
    """Return a run that gives the block to both directions of a call."""
    return lambda block: run(block, block)


def webrtc_vad(rate_hz: int) -> Run:
    vad = webrtcvad.Vad(2)
    length = rate_hz // 50

    def run(block: Samples) -> None:
        for start in range(0, len(block) - length + 1, length):
            vad.is_speech(block[start : start + length].tobytes(), rate_hz)

    return run


OURS = (
    Subject("DtmfDetector", lambda r: dsp.DtmfDetector(r).update, 25, signals=("speech", "noise", "digits")),
    Subject("FaxToneDetector", lambda r: dsp.FaxToneDetector(r).update),
    Subject("RingingSignalDetector", lambda r: dsp.RingingSignalDetector(r).update),
    Subject("CallProgressDetector US", lambda r: dsp.CallProgressDetector(r, plan("US")).update, 60),
    Subject("CallProgressDetector CN", lambda r: dsp.CallProgressDetector(r, plan("CN")).update, 60),
    Subject("SpeechLevelMeter", lambda r: dsp.SpeechLevelMeter(r).update, us_max=1),
    Subject("VoiceActivityDetector", lambda r: dsp.VoiceActivityDetector(r).update, us_max=2),
    Subject("TalkAnalyzer, both ways", lambda r: both_ways(dsp.TalkAnalyzer(r).update)),
    Subject("SyllableRateMeter", lambda r: dsp.SyllableRateMeter(r).update),
    Subject("AutomaticGainControl", lambda r: dsp.AutomaticGainControl(r).process, us_max=5),
    Subject("NoiseMeter", lambda r: dsp.NoiseMeter(r).update, us_max=1),
    Subject("NoiseGate", lambda r: dsp.NoiseGate(r).process),
    Subject("AcousticLimiter", lambda r: dsp.AcousticLimiter(r).process, us_max=5),
    Subject(
        "CallAnalyzer, both ways", lambda r: both_ways(dsp.CallAnalyzer(r, plan("US")).process), us_max=30
    ),
)

# Through Python as ours are; the other peers run in C (peers.c).
PYTHON_PEERS = (Subject("webrtcvad", webrtc_vad),)

C_PEERS = {
    "spandsp dtmf_rx": ("dtmf", ("speech", "noise", "digits")),
    "spandsp dtmf_rx, dial tone filter": ("dtmf_dial_tone", ("speech",)),
    "spandsp CNG": ("cng", ("speech",)),
    "spandsp CED and V.21": ("ced", ("speech",)),
    "spandsp ANSam": ("ansam", ("speech",)),
    "spandsp super_tone_rx, US plan": ("super_tone_us", ("speech",)),
    "spandsp super_tone_rx, CN plan": ("super_tone_cn", ("speech",)),
    "P.56 meter in C as in G.191": ("p56", ("speech",)),
    "speexdsp VAD": ("speex_vad", ("speech",)),
    "speexdsp VAD and AGC": ("speex_agc", ("speech",)),
}
