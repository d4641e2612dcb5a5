"""Tones made to order for the tests and the conformance run: DTMF, fax, dial tone, noise, codecs.

Signals are float64 arrays in units of one 16-bit step, so that parts can be added before rounding.
Levels are in dBm0 of G.711 A-law (0 dBm0: a sine whose peak is 3.14 dB below the overload point).
"""

import subprocess
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Signal = npt.NDArray[np.float64]
Samples = npt.NDArray[np.int16]

DTMF_KEYS = "123A456B789C*0#D"
DTMF_LOW_HZ = (697.0, 770.0, 852.0, 941.0)
DTMF_HIGH_HZ = (1209.0, 1336.0, 1477.0, 1633.0)


def amplitude(level_dbm0: float) -> float:
    """Return the peak of a sine of that level."""
    return float(32768.0 * 10 ** ((level_dbm0 - 3.14) / 20))


def to_int16(signal: Signal) -> Samples:
    """Round and clip, as a converter does."""
    return np.clip(np.rint(signal), -32768, 32767).astype(np.int16)


def silence(duration_ms: float, rate_hz: int = 8000) -> Signal:
    return np.zeros(round(duration_ms * rate_hz / 1000))


def tone(
    frequency_hz: float,
    duration_ms: float,
    level_dbm0: float = -10.0,
    rate_hz: int = 8000,
    phase: float = 0.0,
) -> Signal:
    n = np.arange(round(duration_ms * rate_hz / 1000))
    return np.asarray(amplitude(level_dbm0) * np.sin(2 * np.pi * frequency_hz / rate_hz * n + phase))


def dtmf_digit(
    key: str,
    duration_ms: float = 50.0,
    *,
    level_dbm0: float = -10.0,
    twist_db: float = 0.0,
    low_off: float = 0.0,
    high_off: float = 0.0,
    rate_hz: int = 8000,
    rng: np.random.Generator | None = None,
) -> Signal:
    """Return one digit: ``level_dbm0`` is the louder tone's, ``twist_db`` is high over low.

    ``low_off`` and ``high_off`` are relative frequency deviations (0.018 is +1.8 %). Phases are
    random with ``rng``, else 0.
    """
    index = DTMF_KEYS.index(key)
    phases = rng.uniform(0, 2 * np.pi, 2) if rng is not None else (0.0, 0.0)
    return tone(
        DTMF_LOW_HZ[index // 4] * (1 + low_off),
        duration_ms,
        level_dbm0 - max(twist_db, 0.0),
        rate_hz,
        phases[0],
    ) + tone(
        DTMF_HIGH_HZ[index % 4] * (1 + high_off),
        duration_ms,
        level_dbm0 + min(twist_db, 0.0),
        rate_hz,
        phases[1],
    )


def dtmf_string(
    keys: str,
    on_ms: float = 50.0,
    off_ms: float = 50.0,
    *,
    level_dbm0: float = -10.0,
    rate_hz: int = 8000,
    rng: np.random.Generator | None = None,
) -> Signal:
    """Return digits with a pause after each, and one before the first."""
    parts = [silence(off_ms, rate_hz)]
    for key in keys:
        parts.append(dtmf_digit(key, on_ms, level_dbm0=level_dbm0, rate_hz=rate_hz, rng=rng))
        parts.append(silence(off_ms, rate_hz))
    return np.concatenate(parts)


def drop_out(signal: Signal, start_ms: float, duration_ms: float, rate_hz: int = 8000) -> Signal:
    """Return the signal with a hole of silence."""
    result = signal.copy()
    start = round(start_ms * rate_hz / 1000)
    result[start : start + round(duration_ms * rate_hz / 1000)] = 0.0
    return result


def white_noise(count: int, power: float, rng: np.random.Generator) -> Signal:
    """Return Gaussian noise of that mean square."""
    return rng.normal(0.0, np.sqrt(power), count)


def dial_tone(frequencies_hz: Sequence[float], count: int, level_dbm0: float, rate_hz: int = 8000) -> Signal:
    """Return a steady dial tone; the level is that of each of its tones."""
    duration_ms = 1000 * count / rate_hz
    parts = [tone(hz, duration_ms, level_dbm0, rate_hz) for hz in frequencies_hz]
    return np.asarray(np.sum(parts, axis=0))


# ffmpeg or sox arguments that encode 8 kHz raw samples, by codec; both decode what they made.
CODECS: dict[str, tuple[str, ...]] = {
    "pcma": ("ffmpeg", "alaw", "pcm_alaw"),
    "pcmu": ("ffmpeg", "mulaw", "pcm_mulaw"),
    "g726-32": ("ffmpeg", "wav", "adpcm_g726", "-b:a", "32k"),
    "gsm": ("sox", "gsm"),
    "speex": ("ffmpeg", "ogg", "libspeex"),
}


def through_codec(samples: Samples, codec: str) -> Samples:
    """Return the samples coded and decoded at 8 kHz (delay and padding of the codec included)."""
    program, container, *encoder = CODECS[codec]
    raw = samples.tobytes()
    if program == "sox":
        line = ["-t", "raw", "-r", "8000", "-e", "signed", "-b", "16", "-c", "1"]
        coded = _pipe(["sox", "-D", *line, "-", "-t", container, "-"], raw)
        decoded = _pipe(["sox", "-D", "-t", container, "-r", "8000", "-", *line, "-"], coded)
    else:
        quiet = ["ffmpeg", "-v", "error", "-nostdin"]
        line = ["-f", "s16le", "-ar", "8000", "-ac", "1"]
        headerless = ["-ar", "8000", "-ac", "1"] if container in ("alaw", "mulaw") else []
        coded = _pipe([*quiet, *line, "-i", "pipe:0", "-c:a", *encoder, "-f", container, "pipe:1"], raw)
        decoded = _pipe([*quiet, "-f", container, *headerless, "-i", "pipe:0", *line, "pipe:1"], coded)
    return np.frombuffer(decoded, np.int16)


def _pipe(command: list[str], data: bytes) -> bytes:
    return subprocess.run(command, input=data, stdout=subprocess.PIPE, check=True).stdout


def cng(bursts: int = 2, *, level_dbm0: float = -15.0, off_hz: float = 0.0, rate_hz: int = 8000) -> Signal:
    """Return the calling tone of T.30: 1100 Hz, 0.5 s on and 3 s off; silence of 0.5 s before."""
    parts = [silence(500, rate_hz)]
    for _ in range(bursts):
        parts += [tone(1100 + off_hz, 500, level_dbm0, rate_hz), silence(3000, rate_hz)]
    return np.concatenate(parts)


def answer_tone(
    duration_ms: float = 3000.0,
    *,
    reversed_phase: bool = False,
    modulated: bool = False,
    level_dbm0: float = -15.0,
    off_hz: float = 0.0,
    rate_hz: int = 8000,
) -> Signal:
    """Return 0.5 s of silence, CED or ANSam (phase reversals each 450 ms, 15 Hz at 20 %), and silence."""
    signal = tone(2100 + off_hz, duration_ms, level_dbm0, rate_hz)
    seconds = np.arange(len(signal)) / rate_hz
    if reversed_phase:
        signal *= 1 - 2 * (np.floor(seconds / 0.45) % 2)
    if modulated:
        signal *= 1 + 0.2 * np.sin(2 * np.pi * 15 * seconds)
    return np.concatenate([silence(500, rate_hz), signal, silence(500, rate_hz)])


def ringing(
    pattern_s: Sequence[float],
    duration_s: float,
    *,
    frequency_hz: float = 25.0,
    peak: float = 8000.0,
    clip: float = 1.0,
    direct: float = -6000.0,
    rate_hz: int = 8000,
) -> Signal:
    """Return a line with ringing: seconds on and off in turn, over the direct voltage of the exchange.

    ``clip`` below 1 flattens the sine to a trapezoid.
    """
    seconds = np.arange(round(duration_s * rate_hz)) / rate_hz
    wave = np.clip(np.sin(2 * np.pi * frequency_hz * seconds) / clip, -1, 1) * peak
    edges = np.cumsum([0.0, *pattern_s])
    phase = seconds % edges[-1]
    sounding = np.zeros(len(seconds), bool)
    for start, end in zip(edges[::2], edges[1::2], strict=False):
        sounding |= (phase >= start) & (phase < end)
    return direct + wave * sounding


def dial_pulses(
    digits: Sequence[int], *, per_s: float = 10.0, open_share: float = 0.6, rate_hz: int = 8000
) -> Signal:
    """Return a line being dialled by a rotary dial: 48 V open, 8 V closed, as -6000 and -1000."""
    parts = [np.full(rate_hz // 2, -1000.0)]
    for digit in digits:
        for _ in range(digit or 10):
            parts.append(np.full(round(open_share / per_s * rate_hz), -6000.0))
            parts.append(np.full(round((1 - open_share) / per_s * rate_hz), -1000.0))
        parts.append(np.full(rate_hz * 7 // 10, -1000.0))
    return np.concatenate(parts)
