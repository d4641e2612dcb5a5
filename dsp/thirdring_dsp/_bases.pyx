"""What the public classes have in common: the sample rates, and how blocks go in and results come out."""

from cpython.object cimport PyTypeObject
from cpython.ref cimport Py_INCREF
from cpython.tuple cimport PyTuple_SET_ITEM

from thirdring_dsp._decimator cimport decimator_init

import numpy as np

from thirdring_dsp.events import DspEvent

cdef extern from "Python.h":
    object PyType_GenericAlloc(PyTypeObject* type, Py_ssize_t items)

assert issubclass(DspEvent, tuple) and len(DspEvent._fields) == 6


cdef class Sampled:
    """Something that is given samples: of 8, 16 or 48 kHz."""

    def __cinit__(self, int sample_rate_hz=8000, *arguments, **named):
        if sample_rate_hz not in (8000, 16000, 48000):
            raise ValueError(f"sample_rate_hz must be 8000, 16000 or 48000, not {sample_rate_hz}")
        self.sample_rate_hz = sample_rate_hz

    def reset(self):
        """Forget everything heard; time starts again at 0."""
        self.clear()

    cdef void clear(self) noexcept nogil:
        """Forget everything heard."""


cdef class Detector(Sampled):
    """Turns samples into events; works at 8 kHz."""

    def update(self, const int16_t[::1] block not None):
        """Take the next samples: a contiguous one-dimensional int16 buffer of any length, also 0.

        Returns the events that became certain with this block. The result does not depend on how the
        stream is cut into blocks. Runs without the GIL; one instance serves one thread at a time.
        """
        cdef list found = []
        if block.shape[0]:
            self.hear(&block[0], block.shape[0], found)
        return found

    cdef void hear(self, const int16_t* block, Py_ssize_t count, list found):
        """Take samples and add to a list what was heard."""
        cdef Py_ssize_t at = 0
        cdef int i
        while at < count:
            with nogil:
                at += self.feed(block + at, count - at)
            for i in range(self.events.count):
                found.append(self.told(&self.events.items[i]))
            self.events.count = 0

    cdef Py_ssize_t feed(self, const int16_t* block, Py_ssize_t count) noexcept nogil:
        """Take samples until all are taken or ``events`` should be drained; return how many."""
        return count

    cdef object told(self, const DetectorEvent* event):
        """Return the event as Python sees it."""
        return dsp_event("", "", event)

    cdef void clear_input(self) noexcept nogil:
        """Forget what waits to be worked on or to be told."""
        self.events.count = 0
        if self.sample_rate_hz != 8000:
            decimator_init(&self.decimator, self.sample_rate_hz // 8000)


cdef class Meter(Sampled):
    """Turns samples into figures that are properties."""

    def update(self, const short[::1] block not None):
        """Take a block of contiguous int16 samples, shape (n,), n >= 0. Reports no events."""
        cdef Py_ssize_t count = block.shape[0]
        if count:
            with nogil:
                self.feed(&block[0], count)
        return []

    cdef void feed(self, const short* samples, Py_ssize_t count) noexcept nogil:
        """Take count samples."""


cdef class Processor(Sampled):
    """Turns samples into as many others."""

    def process(self, const short[::1] block not None, out=None):
        """Take a block of contiguous int16 samples, shape (n,), n >= 0, and give as many.

        Writes to ``out``, which may be ``block``, and returns it; makes a new array without.

        Raises:
            ValueError: ``out`` is not of the block's length.
        """
        cdef Py_ssize_t count = block.shape[0]
        cdef short[::1] target
        if out is None:
            out = np.empty(count, dtype=np.int16)
        target = out
        if target.shape[0] != count:
            raise ValueError(f"out must hold {count} samples, not {target.shape[0]}")
        if count:
            with nogil:
                self.feed(&block[0], &target[0], count)
        return out

    cdef void feed(self, const short* samples, short* out, Py_ssize_t count) noexcept nogil:
        """Take count samples, give as many; out may be samples."""


cdef object dsp_event(kind, value, const DetectorEvent* event):
    """Return an event as Python sees it."""
    # What tuple.__new__ does, without a first tuple and a call: DspEvent(...) costs five times as much.
    cdef object made = PyType_GenericAlloc(<PyTypeObject*>DspEvent, 6)
    _set(made, 0, kind)
    _set(made, 1, value)
    _set(made, 2, event.start_s)
    _set(made, 3, event.end_s)
    _set(made, 4, event.level_dbov)
    _set(made, 5, event.level_dbm0)
    return made


cdef inline void _set(object event, int place, object value):
    Py_INCREF(value)
    PyTuple_SET_ITEM(event, place, value)
