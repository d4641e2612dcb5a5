"""The plain P.56 meter of ``p56.c`` through ctypes, as a third opinion of the conformance run."""

import ctypes
import os
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

SOURCE = Path(__file__).with_name("p56.c")


@cache
def _library() -> ctypes.CDLL:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "libp56.so"
        compiler = os.environ.get("CC", "gcc")
        subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", path, SOURCE, "-lm"], check=True)
        library = ctypes.CDLL(str(path))
    library.p56_measure.restype = ctypes.c_double
    return library


def speech_level(
    samples: npt.NDArray[np.int16], sample_rate_hz: int, tolerance_db: float = 0.5
) -> tuple[float, float]:
    """Return the active level in dBov, ``-inf`` for none, and the activity factor in percent.

    ``tolerance_db`` is how near the bisection comes to the margin of 15.9 dB: 0.5 as in ITU-T G.191.
    """
    part = np.ascontiguousarray(samples, np.int16)
    activity = ctypes.c_double()
    level = _library().p56_measure(
        part.ctypes.data_as(ctypes.c_void_p),
        ctypes.c_long(part.size),
        ctypes.c_double(sample_rate_hz),
        ctypes.c_double(tolerance_db),
        ctypes.byref(activity),
    )
    return float(level), activity.value
