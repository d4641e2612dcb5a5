# Any supported rate to 8 kHz, where the talk detectors work.

cdef struct Narrowband:
    int factor            # input samples per output sample: 1, 2 or 6
    int taps              # length of the low-pass filter; 0 at 8 kHz
    int position          # where the next input sample goes in `history`
    int phase             # input samples since the last output sample
    float[192] filter
    float[384] history    # written twice, so that the last `taps` samples are always contiguous

cdef void narrowband_init(Narrowband* self, int sample_rate_hz) noexcept nogil
cdef void narrowband_reset(Narrowband* self) noexcept nogil
cdef double narrowband_delay_s(const Narrowband* self) noexcept nogil
cdef int narrowband_run(
    Narrowband* self, const short* samples, Py_ssize_t count, float* out, int room,
    Py_ssize_t* used,
) noexcept nogil
