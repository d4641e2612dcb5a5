"""DTMF by long spectra: slow, offline, no state."""

import numpy as np
import numpy.typing as npt

__all__ = ["dtmf_keys"]

LOW_HZ = (697.0, 770.0, 852.0, 941.0)
HIGH_HZ = (1209.0, 1336.0, 1477.0, 1633.0)
KEYS = "123A456B789C*0#D"
FRAME_S, STEP_S = 0.024, 0.002


def dtmf_keys(samples: npt.NDArray[np.int16], sample_rate_hz: int) -> str:
    """Return the digits in the samples: at least 8 ms of frames that are two nominal tones and little else.

    A frame is 24 ms, so that a digit is 32 ms or longer and digits are told apart by 26 ms of pause.
    """
    length, step = round(FRAME_S * sample_rate_hz), round(STEP_S * sample_rate_hz)
    signal = np.concatenate([samples.astype(float), np.zeros(length)])
    found, run, last = "", 0, ""
    for start in range(0, len(signal) - length, step):
        key = _frame_key(signal[start : start + length], sample_rate_hz)
        run = run + 1 if key and key == last else int(bool(key))
        last = key
        if run == round(0.008 / STEP_S):
            found += key
    return found


def _frame_key(frame: npt.NDArray[np.float64], sample_rate_hz: int) -> str:
    """Return the key whose two tones, fitted by least squares where the spectrum peaks, explain the frame."""
    power = float(np.mean(frame**2))
    if power < 100.0:
        return ""
    n = np.arange(len(frame))
    grid = np.arange(600.0, 1800.0, 4.0)
    spectrum = np.abs(np.exp(-2j * np.pi * np.outer(grid, n) / sample_rate_hz) @ (frame * np.hanning(len(n))))
    picked = []
    for nominal, band in ((LOW_HZ, grid < 1070.0), (HIGH_HZ, grid >= 1070.0)):
        peak = grid[band][int(np.argmax(spectrum[band]))]
        near = [i for i, hz in enumerate(nominal) if abs(peak - hz) <= 0.028 * hz]
        if not near:
            return ""
        picked.append((near[0], peak))
    basis = np.stack(
        [f(2 * np.pi * hz / sample_rate_hz * n) for _, hz in picked for f in (np.cos, np.sin)], axis=1
    )
    fitted = basis @ np.linalg.lstsq(basis, frame, rcond=None)[0]
    if float(np.mean(fitted**2)) < 0.9 * power:
        return ""
    return KEYS[4 * picked[0][0] + picked[1][0]]
