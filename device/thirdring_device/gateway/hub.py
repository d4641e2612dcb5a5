"""One subscription to the engine, handed on to every WebSocket.

The hub keeps the newest events in memory. Who asks for older ones reads them from the journal at his own
pace; who was up to date and then falls behind what the hub keeps is too slow.
"""

import asyncio
import contextlib
import itertools
import json
import logging
from collections import deque
from collections.abc import AsyncGenerator, Callable
from typing import Final, NamedTuple

from thirdring.protocol.errors import ThirdringError, error
from thirdring.protocol.events import Record, record_to_json
from thirdring_device.gateway.engine_client import EngineClient
from thirdring_device.gateway.journal import Reader

__all__ = ["EventHub", "Line", "record_line"]

KEEP_EVENTS: Final = 2048
"""Kept in memory for all clients together: a quarter of an hour of one call, about 2 MB."""

PAGE_EVENTS: Final = 256
"""Read from the journal at a time."""

JOURNAL_RETRY_S: Final = 0.25

logger = logging.getLogger(__name__)


class Line(NamedTuple):
    """An event as it goes out: its number and its JSON text, made once for everybody."""

    number: int
    text: str


def record_line(record: Record) -> Line:
    """Return ``record`` as the line that is sent to clients."""
    text = json.dumps(record_to_json(record), ensure_ascii=False, separators=(",", ":"))
    return Line(record.number, text)


class EventHub:
    """Follows the engine while ``run`` runs; ``follow`` is what one client hears."""

    def __init__(self, client: EngineClient, reader: Reader, *, keep_events: int = KEEP_EVENTS) -> None:
        """``keep_events`` bounds the memory and how far a client may fall behind."""
        self._client = client
        self._reader = reader
        self._kept: deque[Line] = deque(maxlen=keep_events)
        self._changed = asyncio.Event()
        self._restarts = 0
        self._begun = asyncio.Event()
        self.observers: list[Callable[[Record], None]] = []
        """Told of every event that comes while ``run`` runs."""
        self.last = 0
        """Number of the newest event known; means nothing before ``begun``."""

    async def run(self) -> None:
        """Follow the engine for ever, from the journal's present end."""
        self.last = await self._journal_end()
        self._begun.set()
        async with contextlib.aclosing(self._client.events(self.last)) as records:
            async for record in records:
                self._add(record_line(record))
                for observer in self.observers:
                    observer(record)

    async def begun(self, timeout_s: float) -> None:
        """Wait until the journal's end is known; raises ``ApplianceError`` 7000 when that takes too long.

        Until then every number that a client names would look as if the journal had been begun anew.
        """
        try:
            async with asyncio.timeout(timeout_s):
                await self._begun.wait()
        except TimeoutError as reason:
            raise error(7000, "no journal yet") from reason

    async def _journal_end(self) -> int:
        """Return the journal's last number, as soon as there is a journal."""
        while True:
            try:
                return await asyncio.to_thread(self._reader.last_number)
            except ThirdringError as reason:
                logger.debug("no journal to follow yet: %s", reason)
                await asyncio.sleep(JOURNAL_RETRY_S)

    def _add(self, line: Line) -> None:
        if line.number <= self.last:
            logger.warning("the journal starts anew at %d after %d", line.number, self.last)
            self._kept.clear()
            self._restarts += 1
        self._kept.append(line)
        self.last = line.number
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def _kept_after(self, number: int) -> list[Line] | None:
        """Return the kept lines above ``number``, or None when older ones than the kept are needed."""
        if number >= self.last:
            return []
        if not self._kept or number < self._kept[0].number - 1:
            return None
        newer = itertools.takewhile(lambda line: line.number > number, reversed(self._kept))
        return list(newer)[::-1]

    async def follow(self, after: int) -> AsyncGenerator[Line, None]:
        """Yield every event numbered above ``after``, then those to come.

        Ends when the journal starts anew. Raises ``ApplianceError`` 7004 when the caller was up to date and
        has fallen behind what is kept, ``StorageError`` when the journal cannot be read.
        """
        restarts = self._restarts
        caught_up = False
        while restarts == self._restarts:
            changed = self._changed
            lines = self._kept_after(after)
            if lines is None:
                if caught_up:
                    raise error(7004, f"{self.last - after} events behind")
                lines = [record_line(r) for r in await asyncio.to_thread(self._read_page, after)]
                if not lines:  # numbers that the journal does not have: go on with what is kept
                    after = self._kept[0].number - 1 if self._kept else self.last
                    continue
            else:
                caught_up = True
                if not lines:
                    await changed.wait()
            for line in lines:
                if restarts != self._restarts:
                    return
                after = line.number
                yield line

    def _read_page(self, after: int) -> list[Record]:
        return self._reader.events(after, PAGE_EVENTS)
