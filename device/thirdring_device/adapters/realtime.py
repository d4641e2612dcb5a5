"""What threads need whose delay is heard: real-time priority (``sched(7)``), and the interpreter at hand."""

import ctypes
import logging
import os
import resource
import threading
from pathlib import Path
from typing import Final

__all__ = ["SoundThread", "keep_thread_state", "receiver_first", "sound_first"]

log = logging.getLogger(__name__)

PRIORITY: Final = 10
"""Of 99: before every ordinary thread, behind those of the kernel that move the sound."""


RECEIVER: Final = "media"
"""What pjmedia calls its thread that takes RTP from the network."""


def receiver_first() -> None:
    """Let the thread that receives the calls' sound go first, too: what it fetches too late is lost."""
    names = {
        int(path.parent.name): path.read_text(encoding="ascii", errors="replace").strip()
        for path in Path("/proc/self/task").glob("*/comm")
    }
    threads = [thread for thread, name in names.items() if name == RECEIVER]
    if not threads:
        log.warning("no thread of the stack is called %s: received sound has ordinary priority", RECEIVER)
    for thread in threads:
        sound_first(thread)


def sound_first(thread: int = 0) -> bool:
    """Let a thread, by default the calling one, go before all ordinary ones; return whether it may.

    A limit asks for it (``LimitRTPRIO=`` of the service); an engine started by hand has ordinary threads.
    """
    allowed, _ = resource.getrlimit(resource.RLIMIT_RTPRIO)
    if not 0 < PRIORITY <= allowed:
        return False
    try:
        os.sched_setscheduler(thread, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(PRIORITY))
    except OSError as reason:
        log.warning("no real-time priority: %s", reason)
        return False
    return True


class SoundThread:
    """Prepares whichever thread calls ``here``, once: the bridge's clock is a thread of the SIP stack."""

    def __init__(self) -> None:
        self._raised = 0

    def here(self) -> None:
        """Prepare the calling thread if it is another one than last time; cheap enough for every tick."""
        me = threading.get_ident()
        if me != self._raised:
            self._raised = me
            keep_thread_state()
            sound_first()


def keep_thread_state() -> None:
    """Let a thread that Python did not make keep its state of the interpreter between its calls into Python.

    Each call would otherwise make one and drop it, with memory mapped and unmapped: nine times a tick, and
    each time every processor forgets what it knew of the memory. One ``PyGILState_Ensure`` that is never
    given back keeps it until the interpreter ends (Python/C API, "Non-Python created threads").
    """
    ctypes.pythonapi.PyGILState_Ensure()
