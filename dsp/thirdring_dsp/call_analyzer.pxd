from thirdring_dsp.agc cimport AutomaticGainControl
from thirdring_dsp.call_progress cimport CallProgressDetector
from thirdring_dsp.dtmf cimport DtmfDetector
from thirdring_dsp.fax_tone cimport FaxToneDetector
from thirdring_dsp.limiter cimport AcousticLimiter
from thirdring_dsp.noise_gate cimport NoiseGate
from thirdring_dsp.noise_meter cimport NoiseMeter
from thirdring_dsp.speech_level cimport SpeechLevelMeter
from thirdring_dsp.syllable_rate cimport SyllableRateMeter
from thirdring_dsp.talk cimport TalkAnalyzer, TalkEvents

cdef enum:
    PIECE_MOST = 960      # samples taken at a time: 20 ms at 48 kHz
    FRAMES_MOST = 4       # frames of the talk detectors that may end in a piece

cdef class CallAnalyzer:
    cdef readonly int sample_rate_hz
    cdef readonly TalkAnalyzer talk
    cdef readonly SpeechLevelMeter agent_before, agent_after, customer
    cdef readonly SyllableRateMeter agent_pace, customer_pace
    cdef readonly NoiseMeter agent_noise, customer_noise
    cdef readonly NoiseGate gate
    cdef readonly AutomaticGainControl gain
    cdef readonly AcousticLimiter mouth_limiter, ear_limiter
    cdef readonly DtmfDetector dtmf
    cdef readonly FaxToneDetector fax
    cdef readonly CallProgressDetector progress
    cdef bint has_plan
    cdef int piece
    cdef TalkEvents[FRAMES_MOST] told
    cdef int frames
    cdef short[PIECE_MOST] mouth, ear
    cdef void _paths(
        self, const short* agent, const short* customer, Py_ssize_t count) noexcept nogil
    cdef void _talk(self, const short* agent, const short* customer, Py_ssize_t count) noexcept nogil
