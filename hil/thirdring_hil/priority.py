"""Who goes first on a computer that does other things: the board and the headset, where it is allowed."""

import contextlib
import os
from pathlib import Path

__all__ = ["put_first"]


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
