"""spandsp's DTMF and modem tone receivers through ctypes, as peers of the conformance run."""

import ctypes

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.int16]

# Values of spandsp's enumeration MODEM_CONNECT_TONES_*.
CNG, ANS, ANS_PR, ANSAM, ANSAM_PR, CED = 1, 2, 3, 4, 5, 7

_library = ctypes.CDLL("libspandsp.so.2")
for _name in ("dtmf_rx_init", "modem_connect_tones_rx_init"):
    getattr(_library, _name).restype = ctypes.c_void_p


def dtmf_keys(samples: Samples, dial_tone_filter: bool = False) -> str:
    """Return the digits that spandsp hears at 8 kHz."""
    state = ctypes.c_void_p(_library.dtmf_rx_init(None, None, None))
    _library.dtmf_rx_parms(state, int(dial_tone_filter), -1, -1, -99)
    keys = ""
    buffer = ctypes.create_string_buffer(129)
    for start in range(0, len(samples), 8000):
        part = np.ascontiguousarray(samples[start : start + 8000])
        _library.dtmf_rx(state, part.ctypes.data_as(ctypes.c_void_p), len(part))
        _library.dtmf_rx_get(state, buffer, 128)
        keys += buffer.value.decode()
    _library.dtmf_rx_free(state)
    return keys


def connect_tone(samples: Samples, tone: int) -> int:
    """Return the tone that a receiver for ``tone`` hears at 8 kHz; 0 for none."""
    state = ctypes.c_void_p(_library.modem_connect_tones_rx_init(None, tone, None, None))
    part = np.ascontiguousarray(samples)
    _library.modem_connect_tones_rx(state, part.ctypes.data_as(ctypes.c_void_p), len(part))
    heard = int(_library.modem_connect_tones_rx_get(state))
    _library.modem_connect_tones_rx_free(state)
    return heard
