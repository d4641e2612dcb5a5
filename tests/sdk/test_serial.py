"""What belongs to the serial console alone; what both ways do is in ``test_connection``."""

import asyncio
import contextlib
import os
import pty
import select
import tty
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from tests.at.bench import ServedConsole, served
from thirdring.protocol.commands import GetState, SetSettings
from thirdring.protocol.errors import AccessError, ConnectionLost, RequestError, ThirdringError
from thirdring.protocol.events import Record, TrunkChanged
from thirdring.transports.base import Transport
from thirdring.transports.serial import SerialTransport
from thirdring_device.gateway.at.lock import PASSWORD_FILE, ConsoleLock

Job = Callable[[SerialTransport], Awaitable[None]]


def run(console: ServedConsole, job: Job) -> None:
    """Run ``job`` with a transport open on the console."""

    async def main() -> None:
        transport = SerialTransport(f"serial:{console.path}?baud=115200")
        _: Transport = transport
        await transport.open()
        try:
            await job(transport)
        finally:
            await transport.close()
            await transport.close()

    asyncio.run(main())


async def take(records: AsyncIterator[Record], count: int) -> list[int]:
    """Return the numbers of the next ``count`` records."""
    numbers = []
    async with asyncio.timeout(8):
        async for record in records:
            numbers.append(record.number)
            if len(numbers) == count:
                break
    return numbers


def trunk(count: int) -> list[TrunkChanged]:
    return [TrunkChanged(at_s=0, state="registered", sip_code=code) for code in range(count)]


@pytest.mark.parametrize(
    "url", ["serial:", "http://x", "serial:/x?baud=0", "serial:/x?baud=a", "serial:/x?b=1"]
)
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(RequestError, match="1004"):
        SerialTransport(url)


def test_a_line_too_long_is_refused_before_it_is_sent(console: ServedConsole) -> None:
    async def job(transport: SerialTransport) -> None:
        with pytest.raises(RequestError, match="1006"):
            await transport.command(SetSettings(changes={"x": "y" * 5000}))
        assert (await transport.command(GetState()))["last_event"] == 0

    run(console, job)


def test_a_long_answer_comes_whole(console: ServedConsole) -> None:
    console.rings("c1")
    for _ in range(1500):
        console.rings("c1")
    run(console, lambda transport: _same_events(transport, console))


async def _same_events(transport: SerialTransport, console: ServedConsole) -> None:
    assert await transport.call_events("c1") == console.engine.call_events("c1")


def test_events_from_a_number_then_live_amid_commands(console: ServedConsole) -> None:
    console.emit(*trunk(200))

    async def job(transport: SerialTransport) -> None:
        async with contextlib.aclosing(transport.events(100)) as records:
            assert await take(records, 50) == list(range(101, 151))
            console.rings()
            await transport.command(GetState())
            assert await take(records, 53) == list(range(151, 204))
            async with contextlib.aclosing(transport.events(0)) as others:
                assert await take(others, 203) == list(range(1, 204))
            console.emit(*trunk(1))
            assert await take(records, 1) == [204]

    run(console, job)


def test_a_number_beyond_the_journal_starts_at_its_end(console: ServedConsole) -> None:
    console.emit(*trunk(3))

    async def job(transport: SerialTransport) -> None:
        async with contextlib.aclosing(transport.events(999)) as records:
            first = asyncio.ensure_future(take(records, 1))
            await asyncio.sleep(0)  # its question goes out before ours
            await transport.command(GetState())
            console.emit(*trunk(1))
            assert await first == [4]

    run(console, job)


def test_events_resume_when_the_console_comes_back(tmp_path: Path) -> None:
    async def job() -> None:
        transport = SerialTransport(f"serial:{tmp_path / 'console'}", timeout_s=3)
        with contextlib.ExitStack() as stack:
            console = stack.enter_context(served(tmp_path))
            console.emit(*trunk(3))
            await transport.open()
            records = transport.events(0)
            assert await take(records, 3) == [1, 2, 3]
            await asyncio.to_thread(stack.close)
            with pytest.raises(ConnectionLost):
                await transport.command(GetState())
            console = stack.enter_context(served(tmp_path))
            console.emit(*trunk(5))
            assert await take(records, 2) == [4, 5]
            assert (await transport.command(GetState()))["last_event"] == 5
            await records.aclose()
            await transport.close()

    asyncio.run(job())


@pytest.fixture
def console(tmp_path: Path) -> Iterator[ServedConsole]:
    with served(tmp_path) as console:
        yield console


LINE_S = 10.0


class DumbConsole:
    """A pty whose other end tests play byte by byte."""

    def __init__(self) -> None:
        self.master, slave = pty.openpty()
        tty.setraw(slave)
        self.name = os.ttyname(slave)
        self._slave = slave

    def close(self) -> None:
        os.close(self.master)
        os.close(self._slave)

    def line(self) -> str:
        text = b""
        while not text.endswith(b"\r"):
            readable, _, _ = select.select([self.master], [], [], LINE_S)
            if not readable:
                raise TimeoutError(f"after {text!r}")
            text += os.read(self.master, 1)
        return text.decode().strip("\r\x1b")

    def say(self, text: str) -> None:
        os.write(self.master, text.encode())

    def sync(self) -> None:
        self.confirm(self.line())

    def confirm(self, line: str) -> None:
        word = line.partition("#SYNC=")[2]
        self.say(f'rubbish\r\n\r\nOK\r\n#EVENT: {{"\r\n#SYNC: {word}\r\n\r\nOK\r\n')


def with_dumb(job: Callable[[SerialTransport, DumbConsole], Awaitable[None]]) -> None:
    console = DumbConsole()

    async def main() -> None:
        transport = SerialTransport(f"serial:{console.name}", timeout_s=1.5)
        await asyncio.gather(transport.open(), asyncio.to_thread(console.sync))
        try:
            await job(transport, console)
        finally:
            await transport.close()

    try:
        asyncio.run(main())
    finally:
        console.close()


async def ask(transport: SerialTransport, console: DumbConsole, *says: str) -> object:
    """Ask for the state while the console says ``says``; return the result or the error."""

    def play() -> None:
        console.line()
        for text in says:
            console.say(text)

    result, _ = await asyncio.gather(
        transport.command(GetState()), asyncio.to_thread(play), return_exceptions=True
    )
    return result


OK = "\r\n\r\nOK\r\n"


def test_reports_of_others_and_late_answers_are_told_apart() -> None:
    async def job(transport: SerialTransport, console: DumbConsole) -> None:
        storm = '\r\nRING\r\n\r\nNO CARRIER\r\n+CLIP: "1",129\r\nBUSY\r\n'
        answer = await ask(transport, console, storm, '#RESULT: {"a":1}', storm, OK)
        assert answer == {"a": 1}
        answer = await ask(transport, console, "garbage \xff \x00")
        assert isinstance(answer, ConnectionLost)
        assert answer.code == 8001
        console.say('#RESULT: {"a":2}' + OK)  # too late
        assert await ask_out_of_step(transport, console) == {"a": 3}

    with_dumb(job)


async def ask_out_of_step(transport: SerialTransport, console: DumbConsole) -> object:
    """Ask while the link has to get in step first; one thread plays the console, line by line."""

    def play() -> None:
        while "#DO" not in (line := console.line()):
            console.confirm(line)
        console.say('#RESULT: {"a":3}' + OK)

    answer, _ = await asyncio.gather(transport.command(GetState()), asyncio.to_thread(play))
    return answer


@pytest.mark.parametrize(
    ("says", "code"),
    [("#RESULT: {", 8002), ("\r\nERROR", 8002), ("#ERROR: x", 8002), ("#RESULT: 1\r\n#RESULT: 2", 8002)],
)
def test_damaged_answers_are_not_understood(says: str, code: int) -> None:
    async def job(transport: SerialTransport, console: DumbConsole) -> None:
        answer = await ask(transport, console, says + OK)
        assert isinstance(answer, ThirdringError)
        assert answer.code == code

    with_dumb(job)


def test_a_locked_console_is_opened_with_its_password_and_again_when_idle(
    tmp_path: Path,
) -> None:
    ConsoleLock(tmp_path / PASSWORD_FILE).reset('open the "console"')

    async def asked(password: str, *, twice: bool) -> None:
        transport = SerialTransport(f"serial:{tmp_path / 'console'}", password=password)
        await transport.open()
        try:
            await transport.calls(limit=1)
            if twice:
                await asyncio.sleep(1.2)  # idle for longer than serial.lock_idle_s
                await transport.calls(limit=1)
        finally:
            await transport.close()

    with served(tmp_path, lock=True, lock_idle_s=1):
        asyncio.run(asked('open the "console"', twice=True))
        with pytest.raises(AccessError) as refused:
            asyncio.run(asked("", twice=False))
        assert refused.value.code == 6020
        with pytest.raises(AccessError) as wrong:
            asyncio.run(asked("wrong password", twice=False))
        assert wrong.value.code == 6021


def test_a_password_is_no_trouble_where_nothing_is_locked(tmp_path: Path) -> None:
    async def asked() -> None:
        transport = SerialTransport(f"serial:{tmp_path / 'console'}", password="not needed")
        await transport.open()
        await transport.calls(limit=1)
        await transport.close()

    with served(tmp_path):
        asyncio.run(asked())
