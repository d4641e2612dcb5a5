# cython: language_level=3
"""Who talks when: talk-spurts of both directions of a call, and what lies between them."""

from libc.math cimport INFINITY

from thirdring_dsp.events import DspEvent
from thirdring_dsp.vad cimport MARK_NONE, MARK_START, TalkMark, VoiceActivityDetector

cdef double INTERRUPTED_AFTER_S = 0.5  # the customer's spurt has run as long when the agent begins
cdef double INTERRUPTION_S = 0.8       # and both talk as long: shorter is a back-channel

cdef tuple KINDS = (
    "talk_spurt_start", "talk_spurt", "overlap", "interruption", "dead_air", "dead_air")
cdef tuple SIDES = ("agent", "customer", "")


cdef object talk_event(const TalkEvent* event):
    """Return the event as Python sees it."""
    cdef object value = SIDES[event.side]
    if event.kind == TALK_DEAD_AIR:
        value = "begun"
    elif event.kind == TALK_DEAD_AIR_ENDED:
        value = "ended"
    return DspEvent(KINDS[event.kind], value, event.start_s, event.end_s, event.level_dbov)


cdef void _add(
    TalkEvents* out, TalkEventKind kind, int side, double start_s, double end_s,
    double level_dbov=-INFINITY,
) noexcept nogil:
    cdef TalkEvent* event = &out.events[out.count]
    event.kind = kind
    event.side = side
    event.start_s = start_s
    event.end_s = end_s
    event.level_dbov = level_dbov
    out.count += 1


cdef class TalkAnalyzer:
    """Follow agent and customer in step.

    Events; ``value`` is ``agent`` or ``customer``:

    - ``talk_spurt_start``, ``talk_spurt``: as ``VoiceActivityDetector`` reports them.
    - ``overlap``: both talked from ``start_s`` to ``end_s`` (at least ``overlap_least_s``), told
      when it is over; ``value`` is who came in second.
    - ``interruption``: the agent began at ``start_s``, when the customer's talk-spurt had run for
      0.5 s or more, and both have talked for 0.8 s since; told then, once a talk-spurt.
    - ``dead_air``: nobody has talked for ``dead_air_s``; told at the crossing with the value
      ``begun`` (``end_s`` is the crossing) and when somebody talks again with the value ``ended``
      (``end_s`` is the onset). Silence at the very start counts from 0 s.

    Raises ``ValueError`` for an unsupported sample rate or a limit that is not positive.
    """

    def __cinit__(
        self, int sample_rate_hz, *, double dead_air_s=10.0, double overlap_least_s=0.1
    ):
        if not dead_air_s > 0:
            raise ValueError(f"dead_air_s must be positive, not {dead_air_s}")
        if not overlap_least_s > 0:
            raise ValueError(f"overlap_least_s must be positive, not {overlap_least_s}")
        self.agent = VoiceActivityDetector(sample_rate_hz)
        self.customer = VoiceActivityDetector(sample_rate_hz)
        self.dead_air_s = dead_air_s
        self.overlap_least_s = overlap_least_s
        self._forget()

    @property
    def sample_rate_hz(self):
        """The sample rate of both directions."""
        return self.agent.sample_rate_hz

    def reset(self):
        """Forget the signal: the next sample is at 0 s."""
        self.agent.reset()
        self.customer.reset()
        self._forget()

    def _forget(self):
        cdef int side
        for side in range(2):
            self.spurts[side].going_on = False
            self.spurts[side].start_s = self.spurts[side].end_s = 0
        self.interruption_told = self.dead_air_told = False
        self.silent_since_s = 0

    def update(self, const short[::1] agent_block not None, const short[::1] customer_block not None):
        """Take as many samples of each direction; return what they complete.

        Raises ``ValueError`` when the blocks differ in length.
        """
        cdef TalkEvents out
        cdef Py_ssize_t at = 0, count = agent_block.shape[0]
        cdef int i
        cdef list events = []
        if customer_block.shape[0] != count:
            raise ValueError(
                f"blocks of {count} and {customer_block.shape[0]} samples: must be equal")
        while at < count:
            with nogil:
                at += self.advance(&agent_block[at], &customer_block[at], count - at, &out)
            for i in range(out.count):
                events.append(talk_event(&out.events[i]))
        return events

    cdef Py_ssize_t advance(
        self, const short* agent, const short* customer, Py_ssize_t count, TalkEvents* out
    ) noexcept nogil:
        """Take samples of both, at most up to the end of a frame; return how many were taken."""
        cdef Py_ssize_t taken = self.agent.advance(agent, count, &self.of_agent)
        self.customer.advance(customer, count, &self.of_customer)
        out.count = 0
        if self.of_agent.kind != MARK_NONE:
            self._mark(SIDE_AGENT, &self.of_agent, out)
        if self.of_customer.kind != MARK_NONE:
            self._mark(SIDE_CUSTOMER, &self.of_customer, out)
        self._interruption(out)
        self._dead_air(out)
        return taken

    cdef void _mark(
        self, int side, const TalkMark* mark, TalkEvents* out
    ) noexcept nogil:
        """Note that a side's talk-spurt began or ended."""
        cdef Spurt* own = &self.spurts[side]
        cdef Spurt* other = &self.spurts[1 - side]
        cdef double from_s
        cdef int second
        if mark.kind == MARK_START:
            if self.dead_air_told:
                self.dead_air_told = False
                _add(out, TALK_DEAD_AIR_ENDED, SIDE_NONE, self.silent_since_s, mark.start_s)
            own.going_on = True
            own.start_s = mark.start_s
            _add(out, TALK_SPURT_START, side, mark.start_s, mark.start_s)
            if side == SIDE_AGENT:
                self.interruption_told = False
            # The other's end may have been told while this onset was not yet certain.
            if not other.going_on and other.end_s - mark.start_s >= self.overlap_least_s:
                second = side if mark.start_s >= other.start_s else 1 - side
                _add(out, TALK_OVERLAP, second, max(mark.start_s, other.start_s), other.end_s)
            return
        own.going_on = False
        own.end_s = mark.end_s
        self.silent_since_s = max(self.silent_since_s, mark.end_s)
        _add(out, TALK_SPURT, side, mark.start_s, mark.end_s, mark.level_dbov)
        from_s = max(mark.start_s, other.start_s)
        if other.going_on and mark.end_s - from_s >= self.overlap_least_s:
            second = side if mark.start_s >= other.start_s else 1 - side
            _add(out, TALK_OVERLAP, second, from_s, mark.end_s)

    cdef void _interruption(self, TalkEvents* out) noexcept nogil:
        cdef double start_s = self.spurts[SIDE_AGENT].start_s
        cdef double until_s
        if (
            self.interruption_told
            or not self.spurts[SIDE_AGENT].going_on
            or not self.spurts[SIDE_CUSTOMER].going_on
            or start_s - self.spurts[SIDE_CUSTOMER].start_s < INTERRUPTED_AFTER_S
        ):
            return
        until_s = self.agent.seconds(min(self.agent.last_speech, self.customer.last_speech))
        if until_s - start_s >= INTERRUPTION_S:
            self.interruption_told = True
            _add(out, TALK_INTERRUPTION, SIDE_AGENT, start_s, until_s)

    cdef void _dead_air(self, TalkEvents* out) noexcept nogil:
        cdef double limit_s = self.silent_since_s + self.dead_air_s
        if (
            self.dead_air_told
            or self.spurts[SIDE_AGENT].going_on
            or self.spurts[SIDE_CUSTOMER].going_on
            or self.agent.seconds(self.agent.decided) < limit_s
            # Somebody may have begun before the limit without it being certain yet.
            or self.agent.evidence > 0 and self.agent.seconds(self.agent.onset) < limit_s
            or self.customer.evidence > 0 and self.customer.seconds(self.customer.onset) < limit_s
        ):
            return
        self.dead_air_told = True
        _add(out, TALK_DEAD_AIR, SIDE_NONE, self.silent_since_s, limit_s)
