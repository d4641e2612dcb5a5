"""``thirdring-device run``: engine and gateway as two processes, each started again when it dies."""

import contextlib
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Final

from thirdring_device.factory_reset import FLAG, wipe

__all__ = ["EXIT_REFUSED", "Supervisor"]

log = logging.getLogger(__name__)

EXIT_REFUSED: Final = 2
"""A child exits with this when trying again cannot help: bad settings, a port in use."""
RESTART_FIRST_S: Final = 0.5
RESTART_LAST_S: Final = 10.0
"""A crashed process is back within 15 s (reliability.md, fault 17)."""
STABLE_S: Final = 30.0
"""After this long a process counts as healthy and its next restart is quick again."""
STOP_S: Final = 8.0
ABORT_S: Final = 2.0
CONSOLE_LINK: Final = "console"
"""The gateway's pty in the state folder (``gateway/at/ports.py``)."""


class _Child:
    """One supervised process."""

    def __init__(self, name: str, arguments: Sequence[str]) -> None:
        self.name = name
        self._arguments = [sys.executable, "-m", "thirdring_device.cli", name, *arguments]
        self.process: subprocess.Popen[bytes] | None = None
        self._started_s = 0.0
        self._pause_s = RESTART_FIRST_S
        self.due_s = 0.0

    def start(self) -> None:
        self._started_s = time.monotonic()
        told = {"PYTHONFAULTHANDLER": "1"}
        self.process = subprocess.Popen(self._arguments, env={**os.environ, **told})

    def ended(self, code: int) -> None:
        """Note the end and set the time of the next start."""
        now_s = time.monotonic()
        if now_s - self._started_s > STABLE_S:
            self._pause_s = RESTART_FIRST_S
        self.due_s = now_s + self._pause_s
        log.warning("%s ended with %d; again in %.1f s", self.name, code, self._pause_s)
        self._pause_s = min(2 * self._pause_s, RESTART_LAST_S)
        self.process = None


def _abort(process: subprocess.Popen[bytes]) -> None:
    """End a process that does not end; it tells where it stood (``faulthandler``)."""
    log.warning("process %d does not end; it is aborted", process.pid)
    process.send_signal(signal.SIGABRT)
    try:
        process.wait(ABORT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Supervisor:
    """Runs the two processes of one state folder until it is told to stop."""

    def __init__(self, state_dir: Path, settings_file: Path | None, board: str) -> None:
        common = ["--state", str(state_dir)]
        if settings_file is not None:
            common += ["--settings", str(settings_file)]
        self._children = [_Child("engine", [*common, "--board", board]), _Child("gateway", common)]
        self._state_dir = state_dir
        self._console = state_dir / CONSOLE_LINK
        self._stop = threading.Event()

    def run(self) -> int:
        """Run until SIGTERM or SIGINT (returns 0) or until a child refuses to work (returns its code)."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        code = 0
        try:
            while not self._stop.is_set():
                code = self._turn()
                if code:
                    break
                self._stop.wait(0.1)
        finally:
            self._end_children()
        return code

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._stop.set()

    def _turn(self) -> int:
        """Reset the unit if asked to, start what is due; return a refusing child's exit code, else 0."""
        if (self._state_dir / FLAG).exists():
            log.warning("factory reset: %s is wiped", self._state_dir)
            self._end_children()
            wipe(self._state_dir)
        for child in self._children:
            if child.process is None:
                if time.monotonic() >= child.due_s:
                    child.start()
                continue
            code = child.process.poll()
            if code == EXIT_REFUSED:
                return code
            if code is not None:
                child.ended(code)
                if child.name == "gateway":  # its pty has gone, and the next one may be somebody else's
                    self._console.unlink(missing_ok=True)
        return 0

    def _end_children(self) -> None:
        running = [child.process for child in self._children if child.process is not None]
        for process in running:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        deadline_s = time.monotonic() + STOP_S
        for process in running:
            try:
                process.wait(max(0.1, deadline_s - time.monotonic()))
            except subprocess.TimeoutExpired:
                _abort(process)
        for child in self._children:
            child.process, child.due_s = None, 0.0
