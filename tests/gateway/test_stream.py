import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.gateway.desk import Desk, at_the_desk
from thirdring.protocol.errors import ThirdringError
from thirdring.protocol.events import StrangerRefused
from thirdring_device.gateway.api.error_map import close_of


def stream(desk: Desk, query: str = "", **options: Any) -> connect:
    headers = {"authorization": f"Bearer {desk.token}"}
    url = f"ws://127.0.0.1:{desk.port}/v1/events{query}"
    return connect(url, **{"additional_headers": headers, "proxy": None, "compression": None, **options})


async def take(websocket: ClientConnection, count: int) -> list[int]:
    return [json.loads(await websocket.recv())["seq"] for _ in range(count)]


def test_stream_gives_the_past_from_the_journal_and_then_the_present(tmp_path: Path) -> None:
    async def scenario(desk: Desk) -> None:
        await desk.strangers(700)
        async with desk.gateway(), stream(desk, "?after=5") as websocket:
            assert await take(websocket, 695) == list(range(6, 701))
            await desk.strangers(3)
            assert await take(websocket, 3) == [701, 702, 703]

    at_the_desk(tmp_path, scenario)


def test_stream_without_a_number_gives_what_is_to_come(tmp_path: Path) -> None:
    async def scenario(desk: Desk) -> None:
        await desk.strangers(3)
        async with desk.gateway() as http:
            await http.get("/v1/state")
            async with stream(desk) as websocket:
                assert websocket.response is not None
                assert websocket.response.headers["thirdring-last-event"] == "3"
                await desk.strangers(2)
                assert await take(websocket, 2) == [4, 5]

    at_the_desk(tmp_path, scenario)


def test_stream_from_beyond_the_end_starts_at_the_end(tmp_path: Path) -> None:
    async def scenario(desk: Desk) -> None:
        await desk.strangers(3)
        async with desk.gateway(), stream(desk, "?after=900") as websocket:
            await desk.strangers(1)
            assert await take(websocket, 1) == [4]

    at_the_desk(tmp_path, scenario)


def test_a_client_behind_what_is_kept_is_served_from_the_journal(tmp_path: Path) -> None:
    async def scenario(desk: Desk) -> None:
        desk.options["keep_events"] = 10
        async with desk.gateway() as http:
            await http.get("/v1/state")
            await desk.strangers(100)
            async with stream(desk, "?after=0") as websocket:
                assert await take(websocket, 100) == list(range(1, 101))

    at_the_desk(tmp_path, scenario)


def test_streams_go_on_while_the_engine_restarts(tmp_path: Path) -> None:
    async def scenario(desk: Desk) -> None:
        async with desk.gateway(), stream(desk, "?after=0") as websocket:
            await desk.strangers(2)
            assert await take(websocket, 2) == [1, 2]
            await desk.engine.stop()
            await desk.strangers(2)
            await desk.engine.start()
            await desk.strangers(1)
            assert await take(websocket, 3) == [3, 4, 5]

    at_the_desk(tmp_path, scenario)


@pytest.mark.parametrize(
    ("query", "options", "status", "code"),
    [
        ("", {"additional_headers": {}}, 401, 6000),
        ("", {"additional_headers": {"authorization": "Bearer wrong"}}, 401, 6000),
        ("?token=wrong", {"additional_headers": {}}, 401, 6000),
        ("?token=wrong&token=TOKEN", {"additional_headers": {}}, 401, 6000),
        ("", {"origin": "http://evil.example"}, 403, 6001),
        ("?after=x", {}, 422, 1001),
        ("?after=-1", {}, 422, 1001),
        ("?after=99999999999999999999", {}, 422, 1001),
    ],
)
def test_handshake_is_refused_with_a_numbered_problem(
    tmp_path: Path, query: str, options: dict[str, Any], status: int, code: int
) -> None:
    async def scenario(desk: Desk) -> None:
        async with desk.gateway():
            with pytest.raises(InvalidStatus) as caught:
                await stream(desk, query.replace("TOKEN", desk.token), **options)
            assert caught.value.response.status_code == status
            assert json.loads(caught.value.response.body)["code"] == code

    at_the_desk(tmp_path, scenario)


def test_the_first_token_of_the_query_opens_the_stream(tmp_path: Path) -> None:
    async def scenario(desk: Desk) -> None:
        async with desk.gateway():
            query = f"?token={desk.token}&token=wrong&after=0"
            async with stream(desk, query, additional_headers={}) as websocket:
                await desk.strangers(1)
                assert await take(websocket, 1) == [1]

    at_the_desk(tmp_path, scenario)


def test_more_streams_than_allowed_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("thirdring_device.gateway.api.stream.STREAMS_AT_ONCE", 1)

    async def scenario(desk: Desk) -> None:
        async with desk.gateway(), stream(desk):
            with pytest.raises(InvalidStatus) as caught:
                await stream(desk)
            assert caught.value.response.status_code == 429

    at_the_desk(tmp_path, scenario)


@contextlib.asynccontextmanager
async def stalled_reader(desk: Desk) -> AsyncIterator[socket.socket]:
    """A client that has opened the stream from the beginning and reads nothing more."""
    lines = (
        f"GET /v1/events?after=0&token={desk.token} HTTP/1.1",
        "Host: 127.0.0.1",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
    )
    request = "\r\n".join([*lines, "", ""])
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(client, ("127.0.0.1", desk.port))
        await loop.sock_sendall(client, request.encode())
        assert b"101" in await loop.sock_recv(client, 16)
        yield client


async def rest_of(client: socket.socket) -> bytes:
    loop = asyncio.get_running_loop()
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while part := await loop.sock_recv(client, 65536):
            received += part
    return received


def big_event() -> StrangerRefused:
    return StrangerRefused(at_s=0.0, source="x" * 4000, count=1)


def test_a_client_that_does_not_read_is_dropped_with_a_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dropped = asyncio.Event()

    def close_of_noted(reason: ThirdringError) -> tuple[int, str]:
        dropped.set()
        return close_of(reason)

    monkeypatch.setattr("thirdring_device.gateway.api.stream.close_of", close_of_noted)

    async def scenario(desk: Desk) -> None:
        desk.options["send_timeout_s"] = 0.3
        for _ in range(150):
            await desk.engine.emit(big_event())
        async with desk.gateway(), stalled_reader(desk) as stalled, stream(desk, "?after=0") as other:
            assert await take(other, 150) == list(range(1, 151))
            await asyncio.sleep(1.0)  # the stalled client's time-out runs on the wall clock
            received = await rest_of(stalled)
            assert received.endswith(b"7004: the client reads too slowly (nothing taken for 0.3 s)")
            await desk.strangers(1)
            assert await take(other, 1) == [151]

    at_the_desk(tmp_path, scenario)


def test_a_client_that_never_reads_again_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("thirdring_device.gateway.websocket_protocol.CLOSE_GRACE_S", 0.2)

    async def scenario(desk: Desk) -> None:
        desk.options["send_timeout_s"] = 0.2
        for _ in range(150):
            await desk.engine.emit(big_event())
        async with desk.gateway(), stalled_reader(desk) as stalled:
            while b"ESTABLISHED" in connections(stalled):
                await asyncio.sleep(0.05)

    at_the_desk(tmp_path, scenario)


def connections(client: socket.socket) -> bytes:
    """State of the server's end of this connection, from the kernel."""
    port = client.getsockname()[1]
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, _, remote, state = line.split()[:4]
        if int(remote.partition(":")[2], 16) == port and state == "01":
            return b"ESTABLISHED"
    return b""


def test_a_client_that_falls_behind_what_is_kept_is_dropped(tmp_path: Path) -> None:
    async def scenario(desk: Desk) -> None:
        desk.options["keep_events"] = 20
        async with desk.gateway(), stalled_reader(desk) as stalled:
            for _ in range(400):
                await desk.engine.emit(big_event())
                await asyncio.sleep(0)
            async with stream(desk, "?after=399") as other:
                await take(other, 1)
            received = await rest_of(stalled)
            assert b"7004: the client reads too slowly (" in received[-130:]
            assert received.endswith(b"events behind)")

    at_the_desk(tmp_path, scenario)


def test_what_a_client_says_is_not_listened_to(tmp_path: Path) -> None:
    async def scenario(desk: Desk) -> None:
        async with desk.gateway(), stream(desk, "?after=0") as websocket:
            for text in ("", "{", "x" * 10_000):
                await websocket.send(text)
            await desk.strangers(1)
            assert await take(websocket, 1) == [1]

    at_the_desk(tmp_path, scenario)


def test_a_message_that_is_too_large_closes_the_stream(tmp_path: Path) -> None:
    async def scenario(desk: Desk) -> None:
        async with desk.gateway(), stream(desk) as websocket:
            await websocket.send("x" * 100_000)
            with pytest.raises(ConnectionClosed):
                await websocket.recv()
            assert websocket.close_code == 1009

    at_the_desk(tmp_path, scenario)


def test_a_journal_begun_anew_asks_clients_to_connect_again(tmp_path: Path) -> None:
    async def scenario(desk: Desk) -> None:
        await desk.strangers(5)
        async with desk.gateway(), stream(desk, "?after=0") as websocket:
            assert await take(websocket, 5) == [1, 2, 3, 4, 5]
            await desk.engine.stop()
            del desk.engine.records[2:]
            desk.engine.journal = None
            await desk.engine.start()
            while desk.engine.subscriptions[-1] != 2:
                await asyncio.sleep(0.01)
            await desk.strangers(1)
            with pytest.raises(ConnectionClosed):
                await websocket.recv()
            assert websocket.close_code == 1012
            async with stream(desk, "?after=5") as again:
                await desk.strangers(1)
                assert await take(again, 1) == [4]

    at_the_desk(tmp_path, scenario)
