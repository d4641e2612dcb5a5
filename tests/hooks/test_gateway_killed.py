"""The gateway of a whole appliance killed while it posts: every event arrives, in order."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from tests.integration.conftest import Unit
from tests.receiver import Receiver
from tests.sdk.test_gateway_killed import gateway_pid
from thirdring.protocol.commands import SaveContact
from thirdring_device.gateway.engine_client import ENGINE_SOCKET, EngineClient

EVENTS = 200
KILL_AT = (40, 120)

SETTINGS = """\
[hooks]
urls = ["{url}"]
events = ["contact_saved"]
networks = ["127.0.0.0/8"]
retry_first_s = 0.1
retry_longest_s = 0.5
"""


def told_of_another_contact(unit: Unit, receiver: Receiver) -> bool:
    """A hook tells what happens after it was set; the gateway takes a moment to begin."""
    unit.desk.save_contact("10086", "first")
    return bool(receiver.taken)


@pytest.mark.sip
def test_every_event_arrives_in_order_whatever_becomes_of_the_gateway(tmp_path: Path) -> None:
    receiver = Receiver()
    unit = Unit(tmp_path, extra=SETTINGS.format(url=receiver.url))
    unit.start()

    async def save() -> None:
        client = EngineClient(unit.state_dir / ENGINE_SOCKET)
        for number in range(EVENTS):
            await client.command(SaveContact(number="10086", contact=f"{number}"))
        await client.close()

    try:
        with receiver.serving():
            receiver.wait(lambda: told_of_another_contact(unit, receiver), "the hook has begun")
            before = unit.desk.state().last_event
            asyncio.run(save())
            for count in KILL_AT:
                receiver.wait(lambda count=count: len(receiver.taken) >= count, f"{count} are taken", 30.0)  # type: ignore[misc]
                receiver.wait(lambda: gateway_pid(unit) is not None, "the gateway runs", 30.0)
                pid = gateway_pid(unit)
                assert pid is not None
                os.kill(pid, signal.SIGKILL)
            last = before + EVENTS
            secret = (unit.state_dir / "hook-secret").read_text(encoding="ascii")
            receiver.wait(lambda: last in receiver.numbers(secret), "the last one is taken", 60.0)
            numbers = [number for number in receiver.numbers(secret) if number > before]
    finally:
        unit.stop()
    assert list(dict.fromkeys(numbers)) == list(range(before + 1, last + 1))
    assert len(numbers) - EVENTS <= len(KILL_AT), "twice at most what was being posted at a kill"
