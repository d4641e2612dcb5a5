"""What an ``Appliance`` makes of answers, errors, silence and breaks; both ways, a played engine."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from tests.sdk.ways import ConsoleDesk, Way, at_the_desk
from thirdring import (
    ApplianceError,
    AsyncAppliance,
    CallError,
    CallIncoming,
    ConnectionLost,
    Reconnect,
    Record,
    RequestError,
    WaitTimeout,
)
from thirdring.protocol.commands import Answer, Dial, Hangup, SendDtmf, SetSettings, Speak
from thirdring.protocol.errors import error

Scenario = Callable[[ConsoleDesk, AsyncAppliance], Awaitable[None]]


def with_appliance(tmp_path: Path, way_name: str, scenario: Scenario) -> None:
    async def run(desk: ConsoleDesk) -> None:
        async with desk.gateway(), desk.way(way_name).async_appliance() as appliance:
            await scenario(desk, appliance)

    at_the_desk(tmp_path, run)


async def take(events: AsyncIterator[Record], count: int) -> list[int]:
    return [(await anext(events)).number for _ in range(count)]


def test_commands_reach_the_engine_with_the_way_they_came(tmp_path: Path, way_name: str) -> None:
    async def scenario(desk: ConsoleDesk, appliance: AsyncAppliance) -> None:
        source = desk.way(way_name).source
        for name in ("dial", "answer", "hangup", "send_dtmf"):
            desk.engine.handlers[name] = lambda _: {"call_id": "c1"}
        desk.engine.handlers["speak"] = lambda _: {"duration_s": 2.5}
        assert await appliance.dial("10086") == "c1"
        assert await appliance.answer() == "c1"
        assert await appliance.hangup("c1") == "c1"
        await appliance.send_dtmf("12#")
        assert await appliance.speak("a.wav") == 2.5
        assert desk.engine.commands == [
            Dial(number="10086", source=source),
            Answer(source=source),
            Hangup(call_id="c1", source=source),
            SendDtmf(digits="12#", source=source),
            Speak(path="a.wav", source=source),
        ]

    with_appliance(tmp_path, way_name, scenario)


def test_telephone_keys_are_commands(tmp_path: Path, way_name: str) -> None:
    telephone = ("hold", "resume", "mute", "unmute", "swap", "transfer", "conference", "redial")
    keys = (*telephone, "pause_recording", "resume_recording")

    async def scenario(desk: ConsoleDesk, appliance: AsyncAppliance) -> None:
        for key in keys:
            desk.engine.handlers[key] = lambda _: {"call_id": "c7"}
            assert await getattr(appliance, key)() == "c7"
        assert [asked.name for asked in desk.engine.commands] == list(keys)

    with_appliance(tmp_path, way_name, scenario)


def test_views_come_back_as_they_were(tmp_path: Path, way_name: str) -> None:
    async def scenario(desk: ConsoleDesk, appliance: AsyncAppliance) -> None:
        await desk.one_call()
        assert (await appliance.state()).last_event == 4
        (call,) = await appliance.calls()
        assert (call.display_name, call.talk_s) == ("王女士", 53.0)
        assert (await appliance.call("c1")).call == call
        assert await appliance.call_events("c1") == desk.engine.records
        (verdict,) = await appliance.norms("c1")
        assert verdict == desk.engine.records[3].event

    with_appliance(tmp_path, way_name, scenario)


def test_settings_keep_their_types(tmp_path: Path, way_name: str) -> None:
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
    changes = {"sip.port": 5070, "trunk.password": 'a"b\\c;\r早', "trunk.peers": ["1", "2"], "x": True}

    async def scenario(desk: ConsoleDesk, appliance: AsyncAppliance) -> None:
        desk.engine.handlers["get_settings"] = lambda _: {"settings": [view]}
        desk.engine.handlers["set_settings"] = lambda _: {"restart_required": True}
        (setting,) = await appliance.settings()
        assert (setting.name, setting.value, setting.high) == ("sip.port", 5060, 65535.0)
        assert await appliance.set_settings(changes) is True
        assert desk.engine.commands[-1] == SetSettings(changes=changes, source=desk.way(way_name).source)

    with_appliance(tmp_path, way_name, scenario)


def test_numbered_errors_come_back_as_their_exceptions(tmp_path: Path, way_name: str) -> None:
    def busy(_: object) -> dict[str, Any]:
        raise error(2003, 'call "c1"\\')

    async def scenario(desk: ConsoleDesk, appliance: AsyncAppliance) -> None:
        desk.engine.handlers["dial"] = busy
        with pytest.raises(CallError) as caught:
            await appliance.dial("1")
        assert (caught.value.code, caught.value.detail) == (2003, 'call "c1"\\')
        for unknown in ("none", "", "../state", "a/b?c"):
            with pytest.raises((CallError, RequestError)):
                await appliance.call(unknown)
        await desk.engine.stop()
        with pytest.raises(ApplianceError) as stopped:
            await appliance.state()
        assert stopped.value.code == 7000
        await desk.engine.start()

    with_appliance(tmp_path, way_name, scenario)


def test_nobody_there_is_8000(tmp_path: Path, way_name: str) -> None:
    async def scenario(desk: ConsoleDesk) -> None:
        with pytest.raises(ConnectionLost) as caught:
            async with desk.way(way_name).async_appliance():
                pass
        assert caught.value.code == 8000

    at_the_desk(tmp_path, scenario)


def test_events_are_neither_lost_nor_doubled_over_gateway_restarts(tmp_path: Path, way_name: str) -> None:
    async def scenario(desk: ConsoleDesk) -> None:
        appliance = desk.way(way_name).async_appliance()
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


def test_events_end_when_the_appliance_stays_away(tmp_path: Path, way_name: str) -> None:
    async def scenario(desk: ConsoleDesk) -> None:
        async with desk.gateway():
            appliance = desk.way(way_name).async_appliance(reconnect=Reconnect(give_up_s=0.3))
            events = appliance.events(after=0)
            await desk.strangers(1)
            assert await take(events, 1) == [1]
        with pytest.raises(ConnectionLost) as caught:
            await anext(events)
        assert caught.value.code == 8000
        await appliance.close()

    at_the_desk(tmp_path, scenario)


@pytest.mark.parametrize("what", ["call_incoming", CallIncoming, lambda record: record.event.call_id == "c1"])
def test_wait_for_finds_what_happened_after_the_number(tmp_path: Path, way_name: str, what: Any) -> None:
    async def scenario(desk: ConsoleDesk, appliance: AsyncAppliance) -> None:
        await desk.strangers(1)
        before = (await appliance.state()).last_event
        await desk.one_call()
        assert (await appliance.wait_for(what, timeout_s=5.0, after=before)).number == 2

    with_appliance(tmp_path, way_name, scenario)


def test_wait_for_gives_up_in_time(tmp_path: Path, way_name: str) -> None:
    async def scenario(desk: ConsoleDesk, appliance: AsyncAppliance) -> None:
        with pytest.raises(WaitTimeout) as caught:
            await appliance.wait_for("call_ended", timeout_s=0.2)
        assert caught.value.code == 9000
        assert isinstance(caught.value, TimeoutError)
        with pytest.raises(RequestError):
            await appliance.wait_for("call_endde", timeout_s=0.2)

    with_appliance(tmp_path, way_name, scenario)


def test_a_dial_whose_answer_is_lost_is_never_sent_again(tmp_path: Path, way_name: str) -> None:
    """Once the engine is deaf to it, once the gateway goes in the middle of it."""

    async def scenario(desk: ConsoleDesk) -> None:
        desk.engine.deaf.add("dial")
        desk.command_timeout_s = 1.0
        appliance = desk.way(way_name).async_appliance(timeout_s=5.0)
        async with desk.gateway():
            with pytest.raises(ApplianceError, match="7001"):
                await appliance.dial("1")
            dialling = asyncio.create_task(appliance.dial("2"))
            while len(desk.engine.commands) < 2:
                await asyncio.sleep(0.01)
        with pytest.raises((ConnectionLost, ApplianceError)):
            await dialling
        async with desk.gateway():
            assert (await appliance.state()).calls == ()
            assert [asked.name for asked in desk.engine.commands] == ["dial", "dial", "get_state"]
        await appliance.close()

    at_the_desk(tmp_path, scenario)


def test_closing_ends_what_another_thread_waits_for(tmp_path: Path, way_name: str) -> None:
    def use(way: Way) -> None:
        appliance = way.appliance()
        appliance.open()
        outcome: Future[Any] = Future()

        def wait() -> None:
            try:
                outcome.set_result(appliance.wait_for("dtmf", 20.0, after=0))
            except Exception as reason:
                outcome.set_exception(reason)

        waiting = threading.Thread(target=wait)
        waiting.start()
        appliance.close()
        waiting.join()
        with pytest.raises(ConnectionLost):
            outcome.result()
        appliance.close()
        with pytest.raises(ConnectionLost):
            appliance.state()

    async def scenario(desk: ConsoleDesk) -> None:
        async with desk.gateway():
            await asyncio.to_thread(use, desk.way(way_name))

    at_the_desk(tmp_path, scenario)
