# cython: language_level=3
"""Everything that is heard in a call, both directions, in one pass over each block."""

from libc.stdint cimport int16_t
from libc.string cimport memcpy

from thirdring_dsp.agc cimport AutomaticGainControl
from thirdring_dsp.call_progress cimport CallProgressDetector
from thirdring_dsp.dtmf cimport DtmfDetector
from thirdring_dsp.fax_tone cimport FaxToneDetector
from thirdring_dsp.limiter cimport AcousticLimiter
from thirdring_dsp.noise_gate cimport NoiseGate
from thirdring_dsp.noise_meter cimport NoiseMeter
from thirdring_dsp.speech_level cimport SpeechLevelMeter
from thirdring_dsp.syllable_rate cimport SyllableRateMeter
from thirdring_dsp.talk cimport TalkAnalyzer, talk_event


cdef class CallAnalyzer:
    """Run a call's detectors and meters, and the mouth and ear paths, in step.

    Mouth path, from the microphone to the line: noise gate, gain control, limiter; what comes out
    is ``gate.delay_samples + mouth_limiter.delay_samples`` late. Ear path, from the line to the
    headset: limiter, ``ear_limiter.delay_samples`` late. The detectors hear both untouched.

    Args:
        sample_rate_hz: 8000, 16000 or 48000, of both directions.
        plan: The national ``TonePlan`` of the trunk; without one, call progress is not listened for.
        dead_air_s: Silence of both sides that counts as dead air.
        target_dbov: Active speech level the gain control brings the agent to (ITU-T P.56).
        gain_range_db: Most gain of the gain control, up and down; 0 turns it off.
        gate_attenuation_db: By how much the noise gate turns the background down; 0 turns it off.
        mouth_ceiling_dbov: Ceiling of the limiter towards the line.
        ear_ceiling_dbov: Ceiling of the limiter towards the headset.

    Raises ``ValueError`` for values that a part refuses.

    The parts are properties: ``talk``; ``agent_before`` and ``agent_after``, the agent's level before
    and after the mouth path; ``customer``, the customer's level; ``agent_pace`` and
    ``customer_pace``; ``agent_noise`` and ``customer_noise``; ``gate``, ``gain``, ``mouth_limiter``
    and ``ear_limiter``; ``dtmf``, ``fax`` and ``progress`` (``None`` without a plan), which hear the
    customer's side. Read them; only ``process`` and ``reset`` drive them.
    """

    def __cinit__(
        self, int sample_rate_hz, plan=None, *, double dead_air_s=10.0, double target_dbov=-26.0,
        double gain_range_db=15.0, double gate_attenuation_db=12.0,
        double mouth_ceiling_dbov=-3.0, double ear_ceiling_dbov=-6.0,
    ):
        self.talk = TalkAnalyzer(sample_rate_hz, dead_air_s=dead_air_s)
        self.sample_rate_hz = sample_rate_hz
        self.piece = sample_rate_hz // 50
        self.agent_before = SpeechLevelMeter(sample_rate_hz)
        self.agent_after = SpeechLevelMeter(sample_rate_hz)
        self.customer = SpeechLevelMeter(sample_rate_hz)
        self.agent_pace = SyllableRateMeter(sample_rate_hz)
        self.customer_pace = SyllableRateMeter(sample_rate_hz)
        self.agent_noise = NoiseMeter(sample_rate_hz)
        self.customer_noise = NoiseMeter(sample_rate_hz)
        self.gate = NoiseGate(sample_rate_hz, gate_attenuation_db)
        self.gain = AutomaticGainControl(
            sample_rate_hz, target_dbov=target_dbov, max_gain_db=gain_range_db,
            min_gain_db=-gain_range_db)
        self.mouth_limiter = AcousticLimiter(sample_rate_hz, ceiling_dbov=mouth_ceiling_dbov)
        self.ear_limiter = AcousticLimiter(sample_rate_hz, ceiling_dbov=ear_ceiling_dbov)
        self.dtmf = DtmfDetector(sample_rate_hz)
        self.fax = FaxToneDetector(sample_rate_hz)
        self.has_plan = plan is not None
        self.progress = CallProgressDetector(sample_rate_hz, plan) if self.has_plan else None

    def reset(self):
        """Begin a new call: the next sample is at 0 s."""
        for part in (
            self.talk, self.agent_before, self.agent_after, self.customer, self.agent_pace,
            self.customer_pace, self.gain, self.mouth_limiter, self.ear_limiter, self.dtmf,
            self.fax, self.agent_noise, self.customer_noise, self.gate,
        ):
            part.reset()
        if self.has_plan:
            self.progress.reset()

    def process(
        self, const short[::1] agent_block not None, const short[::1] customer_block not None,
        short[::1] agent_out=None, short[::1] ear_out=None,
    ):
        """Take as many samples of each direction (int16, any number); return what they complete.

        ``agent_out`` receives what goes to the line, ``ear_out`` what goes to the headset; each may
        be left out, or be its input. All that are given must be equally long: ``ValueError``.

        Events: those of ``TalkAnalyzer`` on both, and of ``DtmfDetector``,
        ``FaxToneDetector`` and ``CallProgressDetector`` on the customer's side. The stream may be cut at will: the events are the
        same, but those of different detectors within 20 ms may change places.
        """
        cdef Py_ssize_t at = 0, count = agent_block.shape[0], size
        cdef int i, j
        cdef list events = []
        cdef short* to_line = NULL
        cdef short* to_ear = NULL
        if (
            customer_block.shape[0] != count
            or agent_out is not None and agent_out.shape[0] != count
            or ear_out is not None and ear_out.shape[0] != count
        ):
            raise ValueError("blocks and outputs must be equally long")
        if count and agent_out is not None:
            to_line = &agent_out[0]
        if count and ear_out is not None:
            to_ear = &ear_out[0]
        while at < count:
            size = min(count - at, <Py_ssize_t>self.piece)
            with nogil:
                self._talk(&agent_block[at], &customer_block[at], size)
                self._paths(&agent_block[at], &customer_block[at], size)
            for i in range(self.frames):
                for j in range(self.told[i].count):
                    events.append(talk_event(&self.told[i].events[j]))
            self.dtmf.hear(<const int16_t*>&customer_block[at], size, events)
            self.fax.hear(<const int16_t*>&customer_block[at], size, events)
            if self.has_plan:
                self.progress.hear(<const int16_t*>&customer_block[at], size, events)
            # The outputs may be the inputs, so they are written last.
            if to_line != NULL:
                memcpy(to_line + at, self.mouth, size * sizeof(short))
            if to_ear != NULL:
                memcpy(to_ear + at, self.ear, size * sizeof(short))
            at += size
        return events

    cdef void _paths(
        self, const short* agent, const short* customer, Py_ssize_t count
    ) noexcept nogil:
        """Run the mouth and ear paths, and the level meters along them."""
        self.agent_before.feed(agent, count)
        self.customer.feed(customer, count)
        self.agent_noise.feed(agent, count)
        self.customer_noise.feed(customer, count)
        self.gate.feed(agent, self.mouth, count)
        self.gain.feed(self.mouth, self.mouth, count)
        self.mouth_limiter.feed(self.mouth, self.mouth, count)
        self.agent_after.feed(self.mouth, count)
        self.ear_limiter.feed(customer, self.ear, count)

    cdef void _talk(
        self, const short* agent, const short* customer, Py_ssize_t count
    ) noexcept nogil:
        """Run the talk analyzer; the pace meters look at what its detectors found."""
        cdef Py_ssize_t at = 0
        cdef long long before
        self.frames = 0
        while at < count:
            before = self.talk.agent.frames
            at += self.talk.advance(agent + at, customer + at, count - at, &self.told[self.frames])
            if self.talk.agent.frames != before:
                self.agent_pace.hop(self.talk.agent, &self.talk.of_agent)
                self.customer_pace.hop(self.talk.customer, &self.talk.of_customer)
                self.frames += 1
