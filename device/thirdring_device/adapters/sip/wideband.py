"""The level of G.722, which the SIP stack would halve."""

import ctypes
import importlib.util
import logging
from typing import Final

__all__ = ["keep_g722_level"]

log = logging.getLogger(__name__)

BINDINGS: Final = ("_pjsua2", "pjsua2._pjsua2")
"""The compiled half of pjsua2: of the build from source, of the wheel."""
PCM_SHIFT: Final = 1
"""Full scale of 16 bits is full scale of the codec, as with every other implementation that we have met.

The stack's own value, 2, sends 6 dB too quietly and makes what comes in as much too loud (pjproject issue
4419); pjsua2 has no setting for it.
"""


def keep_g722_level() -> None:
    """Set it for the calls to come; comes after ``libInit``. A stack without G.722 stays as it is."""
    for name in BINDINGS:
        package = name.rpartition(".")[0]
        if package and importlib.util.find_spec(package) is None:
            continue
        found = importlib.util.find_spec(name)
        if found is None or found.origin is None:
            continue
        library = ctypes.CDLL(found.origin)  # loaded already: the same one
        if hasattr(library, "pjmedia_codec_g722_set_pcm_shift"):
            library.pjmedia_codec_g722_set_pcm_shift(ctypes.c_uint(PCM_SHIFT))
            return
    log.warning("the level of G.722 cannot be set in this SIP stack: it sends 6 dB too quietly")
