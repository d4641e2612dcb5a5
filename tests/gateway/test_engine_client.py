import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from pathlib import Path

import pytest

from tests.gateway.fake_engine import FakeEngine
from thirdring.protocol.commands import Answer, Dial, GetState
from thirdring.protocol.errors import ApplianceError, CallError, error
from thirdring.protocol.events import Record, StrangerRefused
from thirdring_device.gateway.engine_client import EngineClient

DEADLINE_S = 10.0


def run(tmp_path: Path, scenario: Callable[[FakeEngine, EngineClient], Awaitable[None]]) -> None:
    async def main() -> None:
        engine = FakeEngine(tmp_path / "engine.sock")
        client = EngineClient(engine.path, timeout_s=0.5)
        async with asyncio.timeout(DEADLINE_S):
            await engine.start()
            try:
                await scenario(engine, client)
            finally:
                await client.close()
                await engine.stop()

    asyncio.run(main())


def stranger(count: int) -> StrangerRefused:
    return StrangerRefused(at_s=float(count), source="192.0.2.1", count=count)


async def take(events: AsyncIterator[Record], count: int) -> list[int]:
    return [(await anext(events)).number for _ in range(count)]


def test_command_returns_the_result(tmp_path: Path) -> None:
    async def scenario(engine: FakeEngine, client: EngineClient) -> None:
        engine.handlers["dial"] = lambda command: {"call_id": "c1"}
        assert await client.command(Dial(number="123", source="http")) == {"call_id": "c1"}
        assert engine.commands == [Dial(number="123", source="http")]

    run(tmp_path, scenario)


def test_numbered_error_is_raised_in_its_family(tmp_path: Path) -> None:
    def busy(command: object) -> dict[str, object]:
        raise error(2003, "call c1")

    async def scenario(engine: FakeEngine, client: EngineClient) -> None:
        engine.handlers["answer"] = busy
        with pytest.raises(CallError) as caught:
            await client.command(Answer())
        assert (caught.value.code, caught.value.detail) == (2003, "call c1")

    run(tmp_path, scenario)


def test_answers_out_of_order_reach_their_own_question(tmp_path: Path) -> None:
    async def scenario(engine: FakeEngine, client: EngineClient) -> None:
        engine.deaf.add("answer")
        engine.handlers["dial"] = lambda command: {"number": command.number}  # type: ignore[attr-defined]
        silent = asyncio.create_task(client.command(Answer()))
        results = await asyncio.gather(*(client.command(Dial(number=str(n))) for n in range(20)))
        assert [result["number"] for result in results] == [str(n) for n in range(20)]
        with pytest.raises(ApplianceError) as caught:
            await silent
        assert caught.value.code == 7001

    run(tmp_path, scenario)


def test_without_an_engine_a_command_fails_with_7000(tmp_path: Path) -> None:
    async def main() -> None:
        client = EngineClient(tmp_path / "engine.sock")
        with pytest.raises(ApplianceError) as caught:
            await client.command(GetState())
        assert caught.value.code == 7000

    asyncio.run(main())


def test_engine_that_dies_fails_the_command_in_flight_and_never_sees_it_again(tmp_path: Path) -> None:
    async def scenario(engine: FakeEngine, client: EngineClient) -> None:
        engine.deaf.add("dial")
        engine.handlers["get_state"] = lambda command: {"up": True}
        await client.command(GetState())
        dial = asyncio.create_task(client.command(Dial(number="1")))
        while len(engine.commands) < 2:
            await asyncio.sleep(0)
        await engine.stop()
        with pytest.raises(ApplianceError) as caught:
            await dial
        assert caught.value.code == 7000
        await engine.start()
        assert await client.command(GetState()) == {"up": True}
        assert [command.name for command in engine.commands] == ["get_state", "dial", "get_state"]

    run(tmp_path, scenario)


def test_events_resume_by_number_over_an_engine_restart(tmp_path: Path) -> None:
    async def scenario(engine: FakeEngine, client: EngineClient) -> None:
        for count in range(5):
            await engine.emit(stranger(count))
        async with aclosing(client.events(2)) as events:
            assert await take(events, 3) == [3, 4, 5]
            await engine.stop()
            await engine.emit(stranger(6))
            waiting = asyncio.create_task(take(events, 2))
            await engine.start()
            await engine.emit(stranger(7))
            assert await waiting == [6, 7]
        assert engine.subscriptions == [2, 5]

    run(tmp_path, scenario)


def test_a_stream_that_was_cut_for_slowness_resumes(tmp_path: Path) -> None:
    async def scenario(engine: FakeEngine, client: EngineClient) -> None:
        engine.cut_after = 2
        for count in range(4):
            await engine.emit(stranger(count))
        async with aclosing(client.events(0)) as events:
            assert await take(events, 4) == [1, 2, 3, 4]

    run(tmp_path, scenario)


def test_a_journal_that_ends_below_the_number_asked_for_goes_on_at_its_end(tmp_path: Path) -> None:
    async def scenario(engine: FakeEngine, client: EngineClient) -> None:
        await engine.emit(stranger(1))
        async with aclosing(client.events(900)) as events:
            waiting = asyncio.create_task(take(events, 1))
            while engine.subscriptions != [900, 1]:
                await asyncio.sleep(0.01)
            await engine.emit(stranger(2))
            assert await waiting == [2]

    run(tmp_path, scenario)


def test_a_server_that_speaks_no_json_is_left(tmp_path: Path) -> None:
    async def main() -> None:
        async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readline()
            writer.write(b"hello?\n")
            await writer.drain()
            writer.close()

        server = await asyncio.start_unix_server(babble, tmp_path / "engine.sock")
        client = EngineClient(tmp_path / "engine.sock")
        with pytest.raises(ApplianceError) as caught:
            await client.command(GetState())
        assert caught.value.code == 7000
        server.close()
        await server.wait_closed()

    asyncio.run(main())
