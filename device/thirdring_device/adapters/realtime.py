"""Real-time priority (``sched(7)``) for the threads whose delay is heard, where the system allows it."""

import logging
import os
import resource
import threading
from typing import Final

__all__ = ["SoundThread", "sound_first"]

log = logging.getLogger(__name__)

PRIORITY: Final = 10
"""Of 99: before every ordinary thread, behind those of the kernel that move the sound."""


def sound_first() -> bool:
    """Let the calling thread go before all ordinary ones; return whether it may.

    A limit asks for it (``LimitRTPRIO=`` of the service); an engine started by hand has ordinary threads.
    """
    allowed, _ = resource.getrlimit(resource.RLIMIT_RTPRIO)
    if not 0 < PRIORITY <= allowed:
        return False
    try:
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(PRIORITY))
    except OSError as reason:
        log.warning("no real-time priority: %s", reason)
        return False
    return True


class SoundThread:
    """Raises whichever thread calls ``here``, once each: the bridge's clock is a thread of the SIP stack."""

    def __init__(self) -> None:
        self._raised = 0

    def here(self) -> None:
        """Raise the calling thread if it is another one than last time; cheap enough for every tick."""
        me = threading.get_ident()
        if me != self._raised:
            self._raised = me
            sound_first()
