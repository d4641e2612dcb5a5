"""How much of the last 40 ms each of a plan's tones explains (inlined; works at 8 kHz).

Every 10 ms a frame of 80 samples is correlated with each frequency of the plan. Four frames make a
window. A tone of one line is followed to its own frequency: neighbouring frames turn by the
frequency's distance from nominal, so their phase gives it, and the four are added in step. Several
lines are solved together (least squares), because 40 ms do not keep lines 25 Hz apart from each other.
"""

from libc.math cimport M_PI, cos, cosf, rint, sin, sinf, sqrtf
from libc.stdint cimport int16_t, int32_t, int64_t, uint32_t
from libc.string cimport memmove, memset

cdef extern from "thirdring_dsp/_filter_bank.h" nogil:
    void correlate_4(
        const int16_t* window, const int16_t* rows, int taps, float scale, float* one, float* other
    )
    void sum_and_squares_32(const int16_t* samples, int count, int32_t* sum, uint32_t* squares)

cdef enum:
    FRAME = 80                # samples at 8 kHz: 10 ms
    WINDOW_FRAMES = 4
    BANK_LINES_MAX = 16
    BANK_ROWS_MAX = 32        # a cosine and a sine for each line
    SET_LINES_MAX = 4
    SETS_MAX = 16
    AMPLITUDE = 800           # of the coefficients: 80 products with int16 stay below 2**31

cdef struct ToneLock:
    int locked                # windows for which it has been followed
    float off_hz[4]           # of each line, from nominal
    float turn_re[4][4]       # what brings a frame into step with a line
    float turn_im[4][4]
    float inverse[4][4]       # from the sums over the window to the amplitudes
    float overlap[4][4]       # of the lines, for their energy
    float old_re[4]           # amplitudes 10 ms before
    float old_im[4]
    float step_re[4]          # smoothed steps
    float step_im[4]

cdef struct ToneSetSpec:
    int lines
    int carrier               # its place among the lines if the tone is modulated, else -1
    int line[4]               # places in the bank
    float nominal_hz[4]
    float low_hz[4]
    float high_hz[4]
    float gram[4][4]          # overlap of the lines over the window
    float least_overlap       # its smallest eigenvalue
    float inverse[4][4]
    float weakest             # least share of the weakest line (modulated: of the weaker sideband)
    float reach_hz            # how far from nominal the lines are followed
    bint together             # two lines so close that they are followed as one
    float search_hz           # where else to look for them; 0: nowhere
    ToneLock aside[2]         # prepared for that
    bint resolved             # the lines are far enough apart to be told from each other

cdef struct ToneReading:
    float share               # of the window's power that the tone explains
    float level               # mean square of the tone
    float power               # the same, but as if every line were as weak as the weakest: shows edges
    float balance             # share of the weakest line (modulated: of the weaker sideband)
    float rest                # mean square of what is left
    float step_re[4]          # product of each line with itself 10 ms before, turned back by nominal
    float step_im[4]

cdef struct ToneBank:
    int lines
    int rows
    int sets
    int64_t frames            # taken so far
    int16_t coefficients[32][80]    # of each two lines the cosines, then the sines
    float turn_re[16]         # e**-jw of a frame
    float turn_im[16]
    float place_re[4][16]     # e**-jw of each frame's place in the window
    float place_im[4][16]
    float frame_re[4][16]     # correlations, oldest first
    float frame_im[4][16]
    float power[4][16]        # of the same
    float product_re[4][16]   # of each with the one before, turned back by nominal; the oldest is not used
    float product_im[4][16]
    float energy[4]           # sums of squares, without DC
    float window_energy
    float best                # share of the best tone set 10 ms before
    float sum_re[16]          # over the window, in step with the nominal frequency
    float sum_im[16]
    float lag_re[16]          # products of neighbouring frames, turned back by nominal
    float lag_im[16]
    float incoherent[16]      # sum of the frames' powers
    ToneLock lock[16]
    ToneSetSpec spec[16]
    ToneReading reading[16]

cdef inline void bank_line(ToneBank* bank, int line, double hz) noexcept nogil:
    """Prepare one frequency: of each two, the cosines, then the sines."""
    cdef int i, row = 4 * (line // 2) + line % 2
    cdef double w = 2.0 * M_PI * hz / 8000.0
    for i in range(FRAME):
        bank.coefficients[row][i] = <int16_t>rint(AMPLITUDE * cos(w * (i - 39.5)))
        bank.coefficients[row + 2][i] = <int16_t>rint(-AMPLITUDE * sin(w * (i - 39.5)))
    bank.turn_re[line] = <float>cos(w * FRAME)
    bank.turn_im[line] = <float>-sin(w * FRAME)
    for i in range(WINDOW_FRAMES):
        bank.place_re[i][line] = <float>cos(w * FRAME * (i - 1.5))
        bank.place_im[i][line] = <float>-sin(w * FRAME * (i - 1.5))

cdef inline void bank_clear(ToneBank* bank) noexcept nogil:
    """Forget the signal."""
    bank.frames = 0
    bank.best = 0.0
    memset(bank.frame_re, 0, sizeof(bank.frame_re))
    memset(bank.frame_im, 0, sizeof(bank.frame_im))
    memset(bank.power, 0, sizeof(bank.power))
    memset(bank.product_re, 0, sizeof(bank.product_re))
    memset(bank.product_im, 0, sizeof(bank.product_im))
    memset(bank.energy, 0, sizeof(bank.energy))
    memset(bank.lock, 0, sizeof(bank.lock))
    memset(bank.reading, 0, sizeof(bank.reading))

cdef inline void _correlate(ToneBank* bank, const int16_t* x) noexcept nogil:
    """Take one frame in place of the oldest."""
    cdef int i, row
    cdef int32_t total = 0
    cdef uint32_t squares = 0
    cdef float* re = bank.frame_re[3]
    cdef float* im = bank.frame_im[3]
    memmove(bank.frame_re[0], bank.frame_re[1], 3 * sizeof(bank.frame_re[0]))
    memmove(bank.frame_im[0], bank.frame_im[1], 3 * sizeof(bank.frame_im[0]))
    memmove(bank.power[0], bank.power[1], 3 * sizeof(bank.power[0]))
    memmove(bank.product_re[0], bank.product_re[1], 3 * sizeof(bank.product_re[0]))
    memmove(bank.product_im[0], bank.product_im[1], 3 * sizeof(bank.product_im[0]))
    memmove(bank.energy, bank.energy + 1, 3 * sizeof(bank.energy[0]))
    sum_and_squares_32(x, FRAME, &total, &squares)
    bank.energy[3] = 32.0 * <float>squares - <float>total * <float>total / FRAME
    for row in range(0, bank.rows, 4):
        correlate_4(
            x, bank.coefficients[row], FRAME, <float>(1.0 / AMPLITUDE), re + row // 2, im + row // 2
        )

cdef inline void _sum_window(ToneBank* bank) noexcept nogil:
    """Add the four frames, line by line."""
    cdef int i, k, lines = bank.rows // 2
    cdef float re, im
    for k in range(lines):
        bank.sum_re[k] = bank.sum_im[k] = 0.0
    for i in range(WINDOW_FRAMES):
        for k in range(lines):
            re = bank.frame_re[i][k]
            im = bank.frame_im[i][k]
            bank.sum_re[k] += re * bank.place_re[i][k] - im * bank.place_im[i][k]
            bank.sum_im[k] += re * bank.place_im[i][k] + im * bank.place_re[i][k]
    for k in range(lines):
        re = bank.frame_re[3][k] * bank.frame_re[2][k] + bank.frame_im[3][k] * bank.frame_im[2][k]
        im = bank.frame_im[3][k] * bank.frame_re[2][k] - bank.frame_re[3][k] * bank.frame_im[2][k]
        bank.product_re[3][k] = re * bank.turn_re[k] - im * bank.turn_im[k]
        bank.product_im[3][k] = re * bank.turn_im[k] + im * bank.turn_re[k]
        bank.power[3][k] = bank.frame_re[3][k] * bank.frame_re[3][k] + bank.frame_im[3][k] * bank.frame_im[3][k]
    for k in range(lines):
        bank.lag_re[k] = bank.product_re[1][k] + bank.product_re[2][k] + bank.product_re[3][k]
        bank.lag_im[k] = bank.product_im[1][k] + bank.product_im[2][k] + bank.product_im[3][k]
        bank.incoherent[k] = bank.power[0][k] + bank.power[1][k] + bank.power[2][k] + bank.power[3][k]
    bank.window_energy = bank.energy[0] + bank.energy[1] + bank.energy[2] + bank.energy[3]

cdef inline float _angle(float y, float x) noexcept nogil:
    """Return the angle of (x, y) to 0.0002 rad, that is 0.003 Hz for frames of 10 ms."""
    cdef float ax = x if x >= 0.0 else -x
    cdef float ay = y if y >= 0.0 else -y
    cdef float high = ax if ax > ay else ay
    cdef float t, t2, angle
    if high <= 0.0:
        return 0.0
    t = (ay if ax > ay else ax) / high
    t2 = t * t
    angle = t * (<float>0.99986 + t2 * (<float>-0.3302995 + t2 * (
        <float>0.180141 + t2 * (<float>-0.085133 + t2 * <float>0.0208351)
    )))
    if ay > ax:
        angle = <float>(0.5 * M_PI) - angle
    if x < 0.0:
        angle = <float>M_PI - angle
    return -angle if y < 0.0 else angle

cdef inline void _read_single(ToneBank* bank, const ToneSetSpec* spec, ToneReading* out) noexcept nogil:
    """One line, followed to its own frequency."""
    cdef int i, k = spec.line[0]
    cdef float norm, turn, hz, u_re, u_im, t_re = 1.0, t_im = 0.0, s_re = 0.0, s_im = 0.0
    cdef float re, im, x, gain = 1.0, amplitude
    if bank.incoherent[k] < <float>(0.15 * 40.0) * bank.window_energy:
        return
    norm = sqrtf(bank.lag_re[k] * bank.lag_re[k] + bank.lag_im[k] * bank.lag_im[k])
    # Three products of four frames that are in step; fewer at an edge of the tone.
    if norm <= 0.3 * bank.incoherent[k]:
        return
    turn = _angle(bank.lag_im[k], bank.lag_re[k])
    hz = spec.nominal_hz[0] + turn * <float>(100.0 / (2.0 * M_PI))
    if hz < spec.low_hz[0] - 8.0 or hz > spec.high_hz[0] + 8.0:
        return
    u_re = bank.lag_re[k] / norm
    u_im = -bank.lag_im[k] / norm
    for i in range(WINDOW_FRAMES):
        re = bank.frame_re[i][k] * bank.place_re[i][k] - bank.frame_im[i][k] * bank.place_im[i][k]
        im = bank.frame_re[i][k] * bank.place_im[i][k] + bank.frame_im[i][k] * bank.place_re[i][k]
        s_re += re * t_re - im * t_im
        s_im += re * t_im + im * t_re
        x = t_re * u_re - t_im * u_im
        t_im = t_re * u_im + t_im * u_re
        t_re = x
    x = 0.5 * turn
    if x > 0.02 or x < -0.02:
        gain = sinf(x) / x    # of a frame, off its nominal frequency
    # A tone of amplitude A sums to A * 160 * gain.
    amplitude = (s_re * s_re + s_im * s_im) / (160.0 * 160.0 * gain * gain)
    out.level = out.power = 0.5 * amplitude
    out.balance = 1.0
    out.share = out.power * 320.0 / bank.window_energy
    if out.share > 1.0:
        out.share = 1.0
    out.rest = (1.0 - out.share) * bank.window_energy / 320.0
    out.step_re[0] = bank.lag_re[k]
    out.step_im[0] = bank.lag_im[k]

cdef inline float _frame_gain(float hz) noexcept nogil:
    """What a frame answers to a tone so far from the frequency it is correlated with."""
    cdef float x = hz * <float>(M_PI * 0.01)
    return sinf(x) / x if x > 0.01 or x < -0.01 else <float>1.0

cdef inline float _place_gain(float hz) noexcept nogil:
    """What four frames, added in step, answer to a tone so far from the frequency of the steps."""
    cdef float x = hz * <float>(M_PI * 0.01)
    cdef float y = sinf(x)
    return sinf(4.0 * x) / (4.0 * y) if y > 0.01 or y < -0.01 else <float>1.0

cdef inline void bank_tune(const ToneSetSpec* spec, ToneLock* lock) noexcept nogil:
    """Prepare the solution for lines that are ``off_hz`` from nominal."""
    cdef int i, j
    cdef float x, own0, own1, cross, scale = <float>(1.0 / 160.0)
    for i in range(spec.lines):
        x = lock.off_hz[i] * <float>(2.0 * M_PI * 0.01)
        for j in range(WINDOW_FRAMES):
            # Turns a frame into step with the line, seen from the window's middle.
            lock.turn_re[i][j] = cosf((j - <float>1.5) * x)
            lock.turn_im[i][j] = -sinf((j - <float>1.5) * x)
    if spec.carrier >= 0 or spec.lines != 2:
        scale /= _frame_gain(lock.off_hz[0])
        for i in range(spec.lines):
            for j in range(spec.lines):
                lock.inverse[i][j] = scale * spec.inverse[i][j]
                lock.overlap[i][j] = spec.gram[i][j]
        return
    x = spec.nominal_hz[1] - spec.nominal_hz[0]
    own0 = _frame_gain(lock.off_hz[0])
    own1 = _frame_gain(lock.off_hz[1])
    cross = _place_gain(x + lock.off_hz[1] - lock.off_hz[0])
    lock.inverse[0][0] = own1
    lock.inverse[1][1] = own0
    lock.inverse[0][1] = -cross * _frame_gain(x + lock.off_hz[1])
    lock.inverse[1][0] = -cross * _frame_gain(x - lock.off_hz[0])
    scale /= own0 * own1 - lock.inverse[0][1] * lock.inverse[1][0]
    for i in range(2):
        lock.overlap[i][i] = 1.0
        for j in range(2):
            lock.inverse[i][j] *= scale
    lock.overlap[0][1] = lock.overlap[1][0] = cross * _frame_gain(
        x + lock.off_hz[1] - lock.off_hz[0]
    )

cdef inline float _solve(
    const ToneBank* bank, const ToneSetSpec* spec, const ToneLock* lock, float* a_re, float* a_im
) noexcept nogil:
    """Find the lines' amplitudes; return the energy that they explain."""
    cdef int i, j, k
    cdef float s_re[4]
    cdef float s_im[4]
    cdef float re, im, explained = 0.0
    for i in range(spec.lines):
        k = spec.line[i]
        s_re[i] = s_im[i] = 0.0
        for j in range(WINDOW_FRAMES):
            re = bank.frame_re[j][k] * bank.place_re[j][k] - bank.frame_im[j][k] * bank.place_im[j][k]
            im = bank.frame_re[j][k] * bank.place_im[j][k] + bank.frame_im[j][k] * bank.place_re[j][k]
            s_re[i] += re * lock.turn_re[i][j] - im * lock.turn_im[i][j]
            s_im[i] += re * lock.turn_im[i][j] + im * lock.turn_re[i][j]
    for i in range(spec.lines):
        a_re[i] = a_im[i] = 0.0
        for j in range(spec.lines):
            a_re[i] += lock.inverse[i][j] * s_re[j]
            a_im[i] += lock.inverse[i][j] * s_im[j]
    for i in range(spec.lines):
        for j in range(spec.lines):
            explained += lock.overlap[i][j] * (a_re[i] * a_re[j] + a_im[i] * a_im[j])
    return 160.0 * explained

cdef inline float _solve_nominal(
    const ToneBank* bank, const ToneSetSpec* spec, float* a_re, float* a_im
) noexcept nogil:
    """The same at the nominal frequencies."""
    cdef int i, j
    cdef float explained = 0.0
    for i in range(spec.lines):
        a_re[i] = a_im[i] = 0.0
        for j in range(spec.lines):
            a_re[i] += spec.inverse[i][j] * bank.sum_re[spec.line[j]]
            a_im[i] += spec.inverse[i][j] * bank.sum_im[spec.line[j]]
        a_re[i] *= <float>(1.0 / 160.0)
        a_im[i] *= <float>(1.0 / 160.0)
        explained += a_re[i] * bank.sum_re[spec.line[i]] + a_im[i] * bank.sum_im[spec.line[i]]
    return explained

cdef inline bint _far_behind(const ToneBank* bank, const ToneSetSpec* spec) noexcept nogil:
    """Whether the lines cannot explain enough at their nominal frequencies, whatever they share."""
    cdef int i, k
    cdef float most = 0.0
    for i in range(spec.lines):
        k = spec.line[i]
        most += bank.sum_re[k] * bank.sum_re[k] + bank.sum_im[k] * bank.sum_im[k]
    return most < spec.least_overlap * 160.0 * (bank.best - <float>0.35) * bank.window_energy

cdef inline void _read_several(
    ToneBank* bank, const ToneSetSpec* spec, ToneReading* out, ToneLock* lock
) noexcept nogil:
    """Several lines, by least squares, once found followed to their own frequencies."""
    cdef int i, j, k, tries
    cdef float a_re[4]
    cdef float a_im[4]
    cdef float b_re[4]
    cdef float b_im[4]
    cdef float explained = 0.0, other, power = 0.0, least = -1.0, one, re, im, hz, found = 0.0
    for i in range(spec.lines):
        found += bank.incoherent[spec.line[i]]
    if found < <float>(0.15 * 40.0) * bank.window_energy or bank.window_energy <= 0.0:
        lock.locked = 0
        lock.step_re[0] = lock.step_im[0] = 0.0
        return
    if spec.carrier >= 0:
        # The middle of a modulated tone does not move with the modulation.
        k = spec.line[spec.carrier]
        hz = 0.7 if lock.locked > 0 else 0.2
        lock.step_re[0] = hz * lock.step_re[0] + bank.lag_re[k]
        lock.step_im[0] = hz * lock.step_im[0] + bank.lag_im[k]
        if lock.locked < 8 or lock.locked & 7 == 0:
            hz = _angle(lock.step_im[0], lock.step_re[0]) * <float>(100.0 / (2.0 * M_PI))
            hz = max(-spec.reach_hz, min(spec.reach_hz, hz))
            for i in range(spec.lines):
                lock.off_hz[i] = hz
            bank_tune(spec, lock)
        explained = _solve(bank, spec, lock, a_re, a_im)
    elif lock.locked > 1:
        explained = _solve(bank, spec, lock, a_re, a_im)
    elif spec.search_hz == 0.0 and _far_behind(bank, spec):
        lock.locked = 0
        return
    else:
        explained = _solve_nominal(bank, spec, a_re, a_im)
        if explained < max(<float>0.08, bank.best - <float>0.35) * bank.window_energy and spec.search_hz == 0.0:
            lock.locked = 0
            return
        for i in range(spec.lines):
            lock.off_hz[i] = 0.0
        if spec.search_hz > 0.0 and explained < 0.6 * bank.window_energy:
            for tries in range(2):
                other = _solve(bank, spec, &spec.aside[tries], b_re, b_im)
                # By far: at the tone's edges neither fits well.
                if 1.4 * explained < other < 1.1 * bank.window_energy:
                    explained = other
                    for i in range(2):
                        a_re[i] = b_re[i]
                        a_im[i] = b_im[i]
                        lock.off_hz[i] = spec.aside[tries].off_hz[i]
    for i in range(spec.lines):
        one = a_re[i] * a_re[i] + a_im[i] * a_im[i]
        power += one
        if i != spec.carrier and (least < 0.0 or one < least):
            least = one
    if explained > <float>1.3 * bank.window_energy or 40.0 * power > bank.window_energy and spec.resolved:
        # More than there is: lines moved so near to each other that they cannot be told apart.
        lock.locked = 0
        return
    # Amplitudes of lines nearer than the window resolves would magnify every error.
    out.level = 0.5 * power if spec.resolved else explained / 320.0
    out.power = 0.5 * spec.lines * least if spec.resolved and spec.carrier < 0 else out.level
    out.balance = least / power if power > 0.0 else 0.0
    out.share = min(<float>1.0, explained / bank.window_energy)
    out.rest = (1.0 - out.share) * bank.window_energy / 320.0
    if spec.carrier >= 0:
        out.step_re[0] = bank.lag_re[spec.line[spec.carrier]]
        out.step_im[0] = bank.lag_im[spec.line[spec.carrier]]
        lock.locked = lock.locked + 1 if out.share >= 0.3 else 0
        return
    if out.balance < spec.weakest:
        out.share = 0.0
    if out.share < 0.3 or out.share < bank.best - 0.25:
        lock.locked = 0
        return
    for i in range(spec.lines):
        if lock.locked > 0:
            k = spec.line[i]
            re = a_re[i] * lock.old_re[i] + a_im[i] * lock.old_im[i]
            im = a_im[i] * lock.old_re[i] - a_re[i] * lock.old_im[i]
            out.step_re[i] = re * bank.turn_re[k] - im * bank.turn_im[k]
            out.step_im[i] = re * bank.turn_im[k] + im * bank.turn_re[k]
        lock.old_re[i] = a_re[i]
        lock.old_im[i] = a_im[i]
    if lock.locked == 0:
        memset(lock.step_re, 0, sizeof(lock.step_re))
        memset(lock.step_im, 0, sizeof(lock.step_im))
    else:
        for i in range(spec.lines):
            lock.step_re[i] = 0.6 * lock.step_re[i] + out.step_re[i]
            lock.step_im[i] = 0.6 * lock.step_im[i] + out.step_im[i]
        if spec.lines == 2 and (lock.locked < 4 or lock.locked & 7 == 0):
            for i in range(2):
                j = 1 - i if spec.together else i
                hz = _angle(
                    lock.step_im[i] + (lock.step_im[j] if spec.together else <float>0.0),
                    lock.step_re[i] + (lock.step_re[j] if spec.together else <float>0.0),
                ) * <float>(100.0 / (2.0 * M_PI))
                lock.off_hz[i] = max(-spec.reach_hz, min(spec.reach_hz, hz))
            bank_tune(spec, lock)
        elif lock.locked == 1:
            bank_tune(spec, lock)
    lock.locked += 1

cdef inline void bank_frame(ToneBank* bank, const int16_t* frame) noexcept nogil:
    """Take 80 samples; ``reading`` then tells of the window that ends with them."""
    cdef int i
    _correlate(bank, frame)
    _sum_window(bank)
    for i in range(bank.sets):
        memset(&bank.reading[i], 0, sizeof(bank.reading[i]))
        bank.reading[i].rest = bank.window_energy / 320.0
        if bank.spec[i].lines == 1:
            _read_single(bank, &bank.spec[i], &bank.reading[i])
        else:
            _read_several(bank, &bank.spec[i], &bank.reading[i], &bank.lock[i])
    bank.frames += 1
