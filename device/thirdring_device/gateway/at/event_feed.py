"""``AT#EVENTS``: numbered events to one host, resumed by number, at the pace it reads."""

import asyncio
import contextlib
from typing import TYPE_CHECKING

from thirdring.protocol.at.values import safe_json
from thirdring.protocol.events import record_to_json

if TYPE_CHECKING:
    from thirdring_device.gateway.at.session import Session

__all__ = ["EventFeed"]


class EventFeed:
    """The event stream of one session; off until started, one at a time."""

    def __init__(self, session: "Session") -> None:
        self._session = session
        self._task: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self.last = 0
        """Number of the last event written."""

    @property
    def on(self) -> bool:
        """Whether events are being reported."""
        return self._task is not None

    def start(self, after: int) -> None:
        """Report every event numbered above ``after`` from now on, instead of what was started before."""
        self.stop()
        self.last = after
        self._task = asyncio.create_task(self._run(after), name="console events")

    def stop(self) -> None:
        """Report no more."""
        if self._task is not None:
            self._task.cancel()
        self._task = None

    def wake(self) -> None:
        """Go on: the command under way has ended."""
        self._wake.set()

    async def _run(self, after: int) -> None:
        async with contextlib.aclosing(self._session.desk.client.events(after)) as records:
            async for record in records:
                line = f"#EVENT: {safe_json(record_to_json(record))}"
                while not await self._session.write_event(line):
                    self._wake.clear()
                    await self._wake.wait()
                self.last = record.number
