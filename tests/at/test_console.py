import asyncio
from typing import cast

import pytest

from thirdring_device.gateway.at.console import converse
from thirdring_device.gateway.at.session import Session
from thirdring_device.gateway.at.stream import FdStream


class SlowSession:
    """A session whose command takes a moment to be given up."""

    abortable = False

    def __init__(self) -> None:
        self.working = asyncio.Event()
        self.giving_up = asyncio.Event()
        self.ended = False

    async def take(self, data: bytes) -> None:
        self.working.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.giving_up.set()
            await asyncio.sleep(0.05)

    def hung_up(self) -> None:
        self.ended = True


class LeavingClient:
    """A stream whose client sends one line and leaves once the command runs."""

    def __init__(self, session: SlowSession) -> None:
        self._session = session
        self._lines = [b"AT\r"]

    async def read(self) -> bytes:
        if self._lines:
            return self._lines.pop()
        await self._session.working.wait()
        return b""


def test_a_console_that_is_stopped_while_its_client_leaves_stops() -> None:
    async def run() -> SlowSession:
        session = SlowSession()
        stream = LeavingClient(session)
        serving = asyncio.create_task(converse(cast("Session", session), cast("FdStream", stream)))
        await session.giving_up.wait()
        serving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await serving
        return session

    assert asyncio.run(run()).ended
