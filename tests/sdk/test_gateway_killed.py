"""The gateway killed in the middle of what a host does, over both ways; engine and calls are real."""

import asyncio
import contextlib
import logging
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.conftest import Unit
from tests.peers import SippPeer, wait_until
from tests.sdk.ways import Way
from thirdring import ApplianceError, CallError, ConnectionLost, Record
from thirdring_device.adapters.store.reader import JournalReader

pytestmark = pytest.mark.sip

EVENTS = 1000
KILL_AT = (250, 600)
CALLS = ("-l", "1", "-timeout", "120s")
"""One caller after the other, each rings once and gives up."""


def gateway_pid(unit: Unit) -> int | None:
    children = Path(f"/proc/{unit.process.pid}/task/{unit.process.pid}/children")
    for child in children.read_text(encoding="ascii").split():
        with contextlib.suppress(OSError):
            if "gateway" in Path(f"/proc/{child}/cmdline").read_text(encoding="utf-8").split("\0"):
                return int(child)
    return None


def kill_gateway(unit: Unit) -> int:
    pid = gateway_pid(unit)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    return pid


@contextlib.contextmanager
def nobody_left(unit: Unit) -> Iterator[None]:
    """End the call of a caller who is stopped in the middle of it."""
    try:
        yield
    finally:
        wait_until(lambda: answers(unit), "the gateway answers", 30.0)
        for call in unit.desk.state().calls:
            with contextlib.suppress(CallError):
                unit.desk.hangup(call.call_id)
        unit.free()


def answers(unit: Unit) -> bool:
    try:
        unit.desk.state()
    except (ConnectionLost, ApplianceError):
        return False
    return True


def test_each_of_a_thousand_events_is_told_once_in_order(unit: Unit, way: Way, tmp_path: Path) -> None:
    async def follow(after: int) -> tuple[list[Record], set[int]]:
        records: list[Record] = []
        killed = set()
        async with (
            way.async_appliance() as desk,
            contextlib.aclosing(desk.events(after)) as stream,
        ):
            async for record in stream:
                records.append(record)
                if len(records) in KILL_AT:
                    killed.add(kill_gateway(unit))
                if len(records) == EVENTS:
                    break
        return records, killed

    after = unit.desk.state().last_event
    with (
        nobody_left(unit),
        SippPeer(
            "call_and_cancel",
            tmp_path,
            target=unit.target,
            keys={"caller": "13800138000"},
            calls=200,
            rate=4,
            hold_ms=200,
            extra=CALLS,
        ),
    ):
        records, killed = asyncio.run(follow(after))
    assert len(killed) == len(KILL_AT)
    assert [record.number for record in records] == list(range(after + 1, after + 1 + EVENTS))
    reader = JournalReader(unit.state_dir / "journal.sqlite3")
    assert records == reader.events(after, EVENTS)
    reader.close()


class Sent(logging.Handler):
    """Notes that a request has left this process."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.dial = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if text.startswith(("> AT#DO=", "send_request_body.complete")):
            self.dial.set()


@pytest.fixture
def sent(way: Way) -> Iterator[Sent]:
    logger = logging.getLogger(
        "httpcore.http11" if way.name == "http" else "thirdring.transports.serial_line"
    )
    handler, level = Sent(), logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield handler
    logger.setLevel(level)
    logger.removeHandler(handler)


def test_a_dial_that_the_gateway_took_with_it_is_not_placed(unit: Unit, way: Way, sent: Sent) -> None:
    """The gateway has the request and dies before it hands it on; nobody sends it again."""
    before = unit.desk.state().last_event
    outcome: list[Exception] = []

    async def dial() -> None:
        async with way.async_appliance() as desk:
            sent.dial.clear()
            pid = gateway_pid(unit)
            assert pid is not None
            os.kill(pid, signal.SIGSTOP)
            dialling = asyncio.create_task(desk.dial("10086"))
            assert await asyncio.to_thread(sent.dial.wait, 10.0)
            os.kill(pid, signal.SIGKILL)
            try:
                await dialling
            except ConnectionLost as lost:
                outcome.append(lost)
            await asyncio.to_thread(wait_until, lambda: gateway_pid(unit) not in (None, pid), "again", 30.0)
            while True:
                try:
                    assert (await desk.state()).calls == ()
                    break
                except ConnectionLost:
                    await asyncio.sleep(0.2)
            await desk.set_agent_state("ready", "after the dial")
            async with contextlib.aclosing(desk.events(before)) as stream:
                async for record in stream:
                    assert record.event.kind != "call_outgoing"
                    if record.event.kind == "agent_state_requested":
                        return

    asyncio.run(dial())
    assert [type(reason) for reason in outcome] == [ConnectionLost]
