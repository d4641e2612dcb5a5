"""What belongs to HTTP and the WebSocket alone; what both ways do is in ``test_connection``."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.gateway.desk import Desk, at_the_desk
from thirdring import AccessError, AsyncAppliance, ConnectionLost, RequestError
from thirdring.protocol.errors import ThirdringError
from thirdring.protocol.events import Record, StrangerRefused
from thirdring_device.gateway.api.error_map import close_of
from thirdring_device.gateway.hub import EventHub
from thirdring_device.gateway.journal import JournalView


async def take(events: AsyncIterator[Record], count: int) -> list[int]:
    return [(await anext(events)).number for _ in range(count)]


def test_without_the_token_everything_is_refused(tmp_path: Path) -> None:
    async def scenario(desk: Desk) -> None:
        async with desk.gateway(), AsyncAppliance(desk.url, "wrong") as appliance:
            with pytest.raises(AccessError):
                await appliance.state()
            with pytest.raises(AccessError):
                await anext(appliance.events(after=0))

    at_the_desk(tmp_path, scenario)


@pytest.mark.parametrize("url", ["ftp://x", "127.0.0.1:8080", "http://", ""])
def test_a_url_that_is_none_is_refused_at_once(url: str) -> None:
    with pytest.raises(RequestError) as caught:
        AsyncAppliance(url)
    assert caught.value.code == 1004


def test_a_token_file_that_cannot_be_read_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(AccessError):
        AsyncAppliance("http://127.0.0.1:9", token_file=tmp_path / "none")


@contextlib.asynccontextmanager
async def strange_server(answer: bytes | None) -> AsyncIterator[str]:
    """A server that is no appliance: it answers every request with ``answer``, or never."""

    serving: list[asyncio.Task[None]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        serving.append(task)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            if answer is None:
                await reader.read()
            else:
                writer.write(answer)
                await writer.drain()
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await asyncio.gather(*serving)
        await server.wait_closed()


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (None, 8001),
        (b"", 8000),
        (b"SSH-2.0-OpenSSH_9.2\r\n", 8000),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnope", 8002),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]", 8002),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", 8002),
        (b"HTTP/1.1 500 Oops\r\nContent-Length: 2\r\n\r\n{}", 8002),
        (b"HTTP/1.1 502 Bad\r\nContent-Length: 4\r\n\r\nnope", 8002),
    ],
)
def test_answers_of_a_stranger_are_errors_of_ours(answer: bytes | None, code: int) -> None:
    async def main() -> None:
        async with strange_server(answer) as url:
            appliance = AsyncAppliance(url, "x", timeout_s=0.3)
            with pytest.raises(ConnectionLost) as caught:
                await appliance.state()
            assert caught.value.code == code
            await appliance.close()

    asyncio.run(main())


def test_a_slow_reader_is_dropped_and_still_misses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dropped = asyncio.Event()

    def close_of_noted(reason: ThirdringError) -> tuple[int, str]:
        assert reason.code == 7004
        dropped.set()
        return close_of(reason)

    monkeypatch.setattr("thirdring_device.gateway.api.stream.close_of", close_of_noted)

    async def scenario(desk: Desk) -> None:
        desk.options = {"send_timeout_s": 0.1, "keep_events": 10}
        for _ in range(400):
            await desk.engine.emit(StrangerRefused(at_s=0.0, source="x" * 5000, count=1))
        async with (
            desk.gateway(),
            AsyncAppliance(desk.url, token_file=tmp_path / "api-token") as appliance,
            contextlib.aclosing(appliance.events(after=0)) as events,
        ):
            assert await take(events, 1) == [1]
            await dropped.wait()
            assert await take(events, 399) == list(range(2, 401))

    at_the_desk(tmp_path, scenario)


def test_a_client_that_comes_before_the_journals_end_is_known_hears_nothing_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, asked = threading.Event(), asyncio.Event()
    last_number, begun = JournalView.last_number, EventHub.begun

    def slow(view: JournalView) -> int:
        assert read.wait(10.0)
        return last_number(view)

    async def noted(hub: EventHub, timeout_s: float) -> None:
        asked.set()
        await begun(hub, timeout_s)

    monkeypatch.setattr(JournalView, "last_number", slow)
    monkeypatch.setattr(EventHub, "begun", noted)

    async def scenario(desk: Desk) -> None:
        await desk.strangers(5)
        async with (
            desk.gateway(),
            AsyncAppliance(desk.url, token_file=tmp_path / "api-token") as appliance,
            contextlib.aclosing(appliance.events(after=3)) as events,
        ):
            taking = asyncio.create_task(take(events, 2))
            await asked.wait()
            read.set()
            assert await taking == [4, 5]

    at_the_desk(tmp_path, scenario)
