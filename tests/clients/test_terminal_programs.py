"""Terminal programs of Debian, unmodified, at the console: minicom and picocom."""

import os
import pty
import select
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from tests.at.bench import ServedConsole, served, wait_for
from thirdring.protocol.commands import Dial, Hangup

rule = pytest.mark.console
WAIT_S = 20.0
MODEM_INIT = "AT S7=45 S0=0 L1 V1 X4 &c1 E1 Q0"
"""minicom's classical one."""
MINICOM_LEAVE = b"\x01x"
PICOCOM_LEAVE = b"\x01\x18"


class Program:
    """A program with a terminal of its own, as a person at its keyboard has it."""

    def __init__(self, command: Sequence[str], home: Path, leave: bytes) -> None:
        self._command, self._home, self._leave = command, home, leave
        self._seen = b""

    def __enter__(self) -> Self:
        self._screen, theirs = pty.openpty()
        environment = {**os.environ, "TERM": "vt100", "HOME": str(self._home), "LC_ALL": "C"}
        self._process = subprocess.Popen(
            self._command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True
        )
        os.close(theirs)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.types(self._leave)
        try:
            self._process.wait(WAIT_S if kind is None else 1.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            if kind is None:
                raise
        finally:
            os.close(self._screen)

    def types(self, keys: bytes) -> None:
        os.write(self._screen, keys)

    def shows(self, text: bytes) -> bytes:
        """Wait until ``text`` is written on the screen; return what was written up to its end."""
        deadline_s = time.monotonic() + WAIT_S
        while text not in self._seen:
            left_s = deadline_s - time.monotonic()
            ready = left_s > 0 and select.select([self._screen], [], [], left_s)[0]
            assert ready, f"{text!r} is never shown, but {self._seen[-400:]!r}"
            self._seen += os.read(self._screen, 65536)
        before, found, self._seen = self._seen.partition(text)
        return before + found


def works(program: Program, console: ServedConsole) -> None:
    """Ask who it is, dial, hang up as these programs do, see a call."""
    program.types(b"at+cgmi\r")
    program.shows(b"Thirdring\r\n")
    program.shows(b"OK\r\n")
    console.engine.answers["dial"] = {"call_id": "c1"}
    program.types(b"ATDT 10086;\r")
    program.shows(b"OK\r\n")
    assert console.engine.asked == [Dial(number="10086", source="at")]
    program.types(b"+++ATH\r")
    program.shows(b"OK\r\n")
    wait_for(lambda: console.engine.asked[-1] == Hangup(source="at"))
    console.rings("c2")
    program.shows(b"RING\r\n")


@rule("minicom, unmodified: its classical init string, dialling, +++ATH, RING", clause="clients")
def test_minicom(tmp_path: Path) -> None:
    (tmp_path / ".minirc.dfl").write_text(f"pu minit ~^M~{MODEM_INIT}^M\n", encoding="ascii")
    with served(tmp_path) as console:
        command = ["minicom", "-b", "115200", "-D", str(console.path), "-c", "off"]
        with Program(command, tmp_path, MINICOM_LEAVE) as program:
            program.shows(MODEM_INIT.encode())
            program.shows(b"OK\r\n")
            works(program, console)
            program.types(MINICOM_LEAVE)
            program.shows(b"Leave Minicom?")
            program.types(b"\r")


@rule("picocom, unmodified: init string, dialling, +++ATH, RING", clause="clients")
def test_picocom(tmp_path: Path) -> None:
    with served(tmp_path) as console:
        command = ["picocom", "-q", "-b", "115200", "--initstring", MODEM_INIT + "\r", str(console.path)]
        with Program(command, tmp_path, PICOCOM_LEAVE) as program:
            program.shows(b"OK\r\n")
            works(program, console)
