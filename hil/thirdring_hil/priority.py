"""Who goes first on a computer that does other things: the board and the headset, where it is allowed."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

__all__ = ["bench_first", "put_first", "sound_first"]

OWN: Final = Path("/proc/self/autogroup")
PRIORITY: Final = 10
"""Of 99, as the engine's own threads of the sound."""


def put_first(pid: int, niceness: int) -> None:
    """Put the processes of the session that ``pid`` leads before other work; nothing where it is not allowed.

    Linux shares its time among sessions first (``CONFIG_SCHED_AUTOGROUP``, ``sched(7)``): niceness of a
    process counts only within its own.
    """
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid}/autogroup").write_text(f"{niceness}", encoding="ascii")
    with contextlib.suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            os.setpriority(os.PRIO_PROCESS, int(thread.name), niceness)


def sound_first() -> None:
    """Let the calling thread go before all ordinary ones (``sched(7)``); nothing where it is not allowed.

    A measuring instrument must not wait for the tests that use it.
    """
    with contextlib.suppress(AttributeError, OSError):
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(PRIORITY))


@contextlib.contextmanager
def bench_first(niceness: int) -> Iterator[None]:
    """Put the session of this process first meanwhile: a telephone must not wait behind its board.

    A session that Linux keeps in no group of its own (one that the first process leads: the file is empty)
    competes thread by thread: there it is this thread, and those that it starts.
    """
    with contextlib.ExitStack() as undo:
        with contextlib.suppress(OSError):  # not allowed, or no such kernel
            session = OWN.read_text(encoding="ascii").split()  # "/autogroup-17 nice 0"
            if session:
                OWN.write_text(f"{niceness}", encoding="ascii")
                undo.callback(_put_back, session[-1])
            else:
                before = os.getpriority(os.PRIO_PROCESS, 0)
                os.setpriority(os.PRIO_PROCESS, 0, niceness)
                undo.callback(os.setpriority, os.PRIO_PROCESS, 0, before)
        yield


def _put_back(niceness: str) -> None:
    with contextlib.suppress(OSError):
        OWN.write_text(niceness, encoding="ascii")
