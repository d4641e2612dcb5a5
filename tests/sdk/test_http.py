import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.desk import Desk, at_the_desk
from thirdring import (
    AccessError,
    ApplianceError,
    AsyncAppliance,
    CallError,
    CallIncoming,
    ConnectionLost,
    RequestError,
    WaitTimeout,
)
from thirdring.protocol.commands import Answer, Dial, Hangup, SendDtmf, SetSettings, Speak
from thirdring.protocol.errors import ThirdringError, error
from thirdring.protocol.events import Record, StrangerRefused
from thirdring_device.gateway.api.error_map import close_of

Scenario = Callable[[Desk, AsyncAppliance], Awaitable[None]]


def with_appliance(tmp_path: Path, scenario: Scenario) -> None:
    async def run(desk: Desk) -> None:
        async with desk.gateway(), AsyncAppliance(desk.url, token_file=tmp_path / "api-token") as appliance:
            await scenario(desk, appliance)

    at_the_desk(tmp_path, run)


async def take(events: AsyncIterator[Record], count: int) -> list[int]:
    return [(await anext(events)).number for _ in range(count)]


def test_commands_reach_the_engine(tmp_path: Path) -> None:
    async def scenario(desk: Desk, appliance: AsyncAppliance) -> None:
        for name in ("dial", "answer", "hangup", "send_dtmf"):
            desk.engine.handlers[name] = lambda _: {"call_id": "c1"}
        desk.engine.handlers["speak"] = lambda _: {"duration_s": 2.5}
        assert await appliance.dial("10086") == "c1"
        assert await appliance.answer() == "c1"
        assert await appliance.hangup("c1") == "c1"
        await appliance.send_dtmf("12#")
        assert await appliance.speak("a.wav") == 2.5
        assert desk.engine.commands == [
            Dial(number="10086", source="http"),
            Answer(source="http"),
            Hangup(call_id="c1", source="http"),
            SendDtmf(digits="12#", source="http"),
            Speak(path="a.wav", source="http"),
        ]

    with_appliance(tmp_path, scenario)


def test_views_come_back_as_they_were(tmp_path: Path) -> None:
    async def scenario(desk: Desk, appliance: AsyncAppliance) -> None:
        await desk.one_call()
        assert (await appliance.state()).last_event == 4
        (call,) = await appliance.calls()
        assert (call.display_name, call.talk_s) == ("王女士", 53.0)
        assert (await appliance.call("c1")).call == call
        assert await appliance.call_events("c1") == desk.engine.records
        (verdict,) = await appliance.norms("c1")
        assert verdict == desk.engine.records[3].event

    with_appliance(tmp_path, scenario)


def test_settings_are_read_and_changed(tmp_path: Path) -> None:
    view = {
        "name": "sip.port",
        "value": 5060,
        "default": 5060,
        "unit": "",
        "low": 1,
        "high": 65535,
        "choices": [],
        "live": False,
        "description": "port",
    }

    async def scenario(desk: Desk, appliance: AsyncAppliance) -> None:
        desk.engine.handlers["get_settings"] = lambda _: {"settings": [view]}
        desk.engine.handlers["set_settings"] = lambda _: {"restart_required": True}
        (setting,) = await appliance.settings()
        assert (setting.name, setting.value, setting.high) == ("sip.port", 5060, 65535.0)
        assert await appliance.set_settings({"sip.port": 5070}) is True
        assert desk.engine.commands[-1] == SetSettings(changes={"sip.port": 5070}, source="http")

    with_appliance(tmp_path, scenario)


def test_numbered_errors_come_back_as_their_exceptions(tmp_path: Path) -> None:
    def busy(_: object) -> dict[str, Any]:
        raise error(2003, "call c1")

    async def scenario(desk: Desk, appliance: AsyncAppliance) -> None:
        desk.engine.handlers["dial"] = busy
        with pytest.raises(CallError) as caught:
            await appliance.dial("1")
        assert (caught.value.code, caught.value.detail) == (2003, "call c1")
        for unknown in ("none", "", "../state", "a/b?c"):
            with pytest.raises((CallError, RequestError)):
                await appliance.call(unknown)
        await desk.engine.stop()
        with pytest.raises(ApplianceError) as stopped:
            await appliance.state()
        assert stopped.value.code == 7000
        await desk.engine.start()

    with_appliance(tmp_path, scenario)


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


def test_nobody_there_is_8000(tmp_path: Path) -> None:
    async def scenario(desk: Desk) -> None:
        async with desk.gateway():
            pass
        with pytest.raises(ConnectionLost) as caught:
            async with AsyncAppliance(desk.url, "x"):
                pass
        assert caught.value.code == 8000

    at_the_desk(tmp_path, scenario)


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


def test_events_are_neither_lost_nor_doubled_over_gateway_restarts(tmp_path: Path) -> None:
    async def scenario(desk: Desk) -> None:
        async with desk.gateway():
            pass
        appliance = AsyncAppliance(desk.url, token_file=tmp_path / "api-token")
        seen: list[int] = []
        changed = asyncio.Condition()

        async def follow() -> None:
            async with contextlib.aclosing(appliance.events(after=0)) as events:
                async for record in events:
                    async with changed:
                        seen.append(record.number)
                        changed.notify_all()

        async def until(count: int) -> None:
            async with changed:
                await changed.wait_for(lambda: len(seen) >= count)

        following = None
        for round_number in range(1, 4):
            async with desk.gateway():
                following = following or asyncio.create_task(follow())
                await desk.strangers(50)
                await until(100 * round_number - 50)
            await desk.strangers(50)
        async with desk.gateway():
            await until(300)
        assert following is not None
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        await appliance.close()
        assert seen == list(range(1, 301))

    at_the_desk(tmp_path, scenario)


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


def test_events_end_when_the_appliance_stays_away(tmp_path: Path) -> None:
    async def scenario(desk: Desk) -> None:
        async with desk.gateway():
            appliance = AsyncAppliance(desk.url, token_file=tmp_path / "api-token", reconnect_s=0.3)
            events = appliance.events(after=0)
            await desk.strangers(1)
            assert await take(events, 1) == [1]
        with pytest.raises(ConnectionLost) as caught:
            await anext(events)
        assert caught.value.code == 8000
        await appliance.close()

    at_the_desk(tmp_path, scenario)


@pytest.mark.parametrize("what", ["call_incoming", CallIncoming, lambda record: record.event.call_id == "c1"])
def test_wait_for_finds_what_happened_after_the_number(tmp_path: Path, what: Any) -> None:
    async def scenario(desk: Desk, appliance: AsyncAppliance) -> None:
        await desk.strangers(1)
        before = (await appliance.state()).last_event
        await desk.one_call()
        assert (await appliance.wait_for(what, timeout_s=5.0, after=before)).number == 2

    with_appliance(tmp_path, scenario)


def test_wait_for_gives_up_in_time(tmp_path: Path) -> None:
    async def scenario(desk: Desk, appliance: AsyncAppliance) -> None:
        with pytest.raises(WaitTimeout) as caught:
            await appliance.wait_for("call_ended", timeout_s=0.2)
        assert caught.value.code == 9000
        assert isinstance(caught.value, TimeoutError)
        with pytest.raises(RequestError):
            await appliance.wait_for("call_endde", timeout_s=0.2)

    with_appliance(tmp_path, scenario)
