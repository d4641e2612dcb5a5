"""Terminals: clients that come, go, do not read, or vanish; several consoles at once."""

import asyncio
import contextlib
import os
import pty
import select
import termios
import threading
import time
import tty
from pathlib import Path
from typing import Self

import pytest

from tests.at.bench import WAIT_S, Host, ServedConsole, served, wait_for
from thirdring.protocol.events import NormNoted
from thirdring_device.gateway.at.stream import REPORT_LIMIT_BYTES, FdStream


class Cable:
    """A serial port (a pty) and what is seen at its far end."""

    def __init__(self) -> None:
        self.master, self.slave = pty.openpty()
        tty.setraw(self.slave)
        self.device = os.ttyname(self.slave)
        os.set_blocking(self.master, False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.unplug()

    def unplug(self) -> None:
        for fd in (self.master, self.slave):
            with contextlib.suppress(OSError):
                os.close(fd)

    def until(self, end: bytes, timeout_s: float = WAIT_S) -> bytes:
        seen, deadline_s = b"", time.monotonic() + timeout_s
        while not seen.endswith(end):
            left_s = deadline_s - time.monotonic()
            if left_s <= 0 or not select.select([self.master], [], [], left_s)[0]:
                raise TimeoutError(f"{end!r}, but {seen!r}")
            seen += os.read(self.master, 65536)
        return seen

    def power_on(self) -> None:
        """Ask until the last question is answered: what is written before the port is open is lost."""
        for number in range(100):
            os.write(self.master, b'AT#SYNC="%d"\r' % number)
            with contextlib.suppress(TimeoutError):
                self.until(b'#SYNC: "%d"\r\n\r\nOK\r\n' % number, 0.25)
                return
        raise TimeoutError("no OK")


def storm(console: ServedConsole, count: int) -> None:
    console.emit(
        *(NormNoted(at_s=0, call_id="c1", rule=f"rule.{number}", state="warned") for number in range(count))
    )


def conversing() -> bool:
    """Whether the server knows of a client; on its loop."""
    return any(task.get_name() == "console commands" for task in asyncio.all_tasks())


@pytest.mark.console(
    "settings stay when a host leaves; half a line and what it did not read do not", clause="ours"
)
def test_settings_survive_clients_and_stale_reports_do_not(console: ServedConsole) -> None:
    first = Host(console.path)
    assert first.ask("ATE0+CLIP=1")[-1] == "OK"
    first.close()
    wait_for(lambda: not console.do(conversing))
    console.rings()
    second = Host(console.path)
    assert second.ask("AT+CLIP?") == ["+CLIP: 1,1", "OK"]
    second.write(b"ATD12")  # half a line, then gone
    second.close()
    wait_for(lambda: not console.do(conversing))
    third = Host(console.path)
    assert third.ask("AT") == ["OK"]
    third.close()
    assert not any(command.name == "dial" for command in console.engine.asked)


def test_a_command_written_and_left_behind_still_runs(console: ServedConsole) -> None:
    with console.path.open("wb", buffering=0) as file:
        file.write(b"ATE0+CMEE=2\r")
    host = Host(console.path)
    wait_for(lambda: "+CMEE: 2" in host.ask("AT+CMEE?"))
    host.close()


def test_a_client_that_left_the_pty_cooked_does_not_spoil_it(console: ServedConsole) -> None:
    host = Host(console.path)
    attributes = termios.tcgetattr(host.port.fileno())
    attributes[3] |= termios.ECHO | termios.ICANON
    termios.tcsetattr(host.port.fileno(), 0, attributes)
    host.close()

    def raw() -> bool:
        pause.wait(0.2)  # closed long enough to be seen
        fd = os.open(console.path, os.O_RDWR | os.O_NOCTTY)
        try:
            return not termios.tcgetattr(fd)[3] & termios.ICANON
        finally:
            os.close(fd)

    pause = threading.Event()
    wait_for(raw)


def test_a_stale_link_is_replaced_and_ours_removed(tmp_path: Path) -> None:
    link = tmp_path / "console"
    link.symlink_to("/dev/pts/none")
    with served(tmp_path) as console:
        wait_for(link.exists)
        host = Host(console.path)
        assert host.ask("ATE0")[-1] == "OK"
        host.close()
    assert not link.is_symlink()


@pytest.mark.console(
    "a host that does not read holds up nobody else, and its events wait for it", clause="ours"
)
def test_a_host_that_does_not_read_holds_up_nobody_else(tmp_path: Path) -> None:
    with Cable() as cable, served(tmp_path, (cable.device,)) as console:
        deaf = Host(console.path)
        deaf.write(b"ATE0\r")
        deaf.until(b"OK\r\n")
        deaf.write(b"AT#EVENTS=0\r" + b"AT#HELP\r" * 10)
        storm(console, 2000)
        for _ in range(5):
            storm(console, 5000)
        cable.power_on()
        deaf.until(
            b'"rule":"rule.4999","state":"warned","value":null,"unit":"","threshold":null}\r\n', wait_s=60
        )
        deaf.close()


def test_what_waits_for_a_host_that_does_not_read_is_bounded() -> None:
    async def main(cable: Cable) -> None:
        stream = FdStream(cable.master)
        report = b"x" * 1000
        written = sum(stream.write(report) for _ in range(1000))
        assert written * len(report) < REPORT_LIMIT_BYTES + 40_000  # and what the kernel took
        assert stream.dropped == (1000 - written) * len(report)
        draining = asyncio.ensure_future(stream.drain())
        await asyncio.sleep(0)
        assert not draining.done()
        stream.mute()
        await draining
        stream.detach()

    with Cable() as cable:
        asyncio.run(main(cable))


def test_two_consoles_have_sessions_of_their_own(tmp_path: Path) -> None:
    with Cable() as cable, served(tmp_path, (cable.device,)) as console:
        cable.power_on()
        host = Host(console.path)
        host.ask("ATE0V1+CLIP=1;#URC=1")
        os.write(cable.master, b"ATE0Q0V0#URC=1\r")
        assert cable.until(b"URC=1\r0\r") == b"ATE0Q0V0#URC=1\r0\r"
        console.rings()
        assert cable.until(b"normal\r\n") == b"2\r#RING: 1,normal\r\n"
        assert b"+CLIP" in host.until(b"normal\r\n")
        os.write(cable.master, b"AT+CLIP?\r")
        assert cable.until(b"0\r") == b"+CLIP: 0,1\r\n0\r"
        host.close()
