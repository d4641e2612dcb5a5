"""One web hook: takes events from the journal by number and posts them, those of one call in order."""

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Collection
from typing import Final

from thirdring.protocol.errors import ThirdringError, error
from thirdring.protocol.events import Record
from thirdring_device.gateway.engine_client import EngineClient
from thirdring_device.gateway.hooks.outbox import Letter, Outbox
from thirdring_device.gateway.hooks.post import Outcome, Poster
from thirdring_device.gateway.journal import Reader
from thirdring_device.hooks_settings import HooksSettings

__all__ = ["Hook"]

WAITING_AT_MOST: Final = 10_000
"""Letters taken from the journal; what comes after waits there."""
JOURNAL_RETRY_S: Final = 0.25
NOTE_EVERY: Final = 256
"""Events that nobody wants are noted as passed over this often."""

logger = logging.getLogger(__name__)


class Hook:
    """Follows the journal for one address while ``run`` runs.

    While the server is away nothing but the earliest event is tried, with growing pauses. An event that alone
    is refused holds back the later ones of its call, not the other calls.
    """

    def __init__(
        self,
        url: str,
        settings: HooksSettings,
        poster: Poster,
        outbox: Outbox,
        client: EngineClient,
        reader: Reader,
    ) -> None:
        self._url = url
        self._settings = settings
        self._poster = poster
        self._outbox = outbox
        self._client = client
        self._reader = reader
        self._kinds: Collection[str] = settings.events
        self._every = "*" in settings.events
        self._news = asyncio.Event()
        self._urged = asyncio.Event()
        self._room = asyncio.Event()
        self._in_vain = 0
        """Posts in a row that found the server away."""

    async def run(self) -> None:
        """Take and post events until cancelled."""
        async with asyncio.TaskGroup() as work:
            work.create_task(self._take())
            work.create_task(self._send())

    def urge(self) -> None:
        """Try again now, whatever the pause."""
        self._in_vain = 0
        self._urged.set()
        self._news.set()

    async def _take(self) -> None:
        """Write down what is to be told, for a new address from the journal's end on."""
        end = 0 if self._outbox.known(self._url) else await self._journal_end()
        position = self._outbox.position(self._url, end)
        async with contextlib.aclosing(self._client.events(position)) as records:
            async for record in records:
                if record.number <= position:
                    logger.warning("the journal starts anew at %d after %d", record.number, position)
                    self._outbox.begin_anew(self._url, record.number - 1)
                position = record.number
                await self._take_one(record)

    async def _take_one(self, record: Record) -> None:
        kind, number = record.event.kind, record.number
        if self._every or kind in self._kinds:
            while self._outbox.waiting(self._url) >= WAITING_AT_MOST:
                self._room.clear()
                await self._room.wait()
            self._outbox.take(self._url, number, kind, record.event.call_id)
            self._news.set()
        elif number % NOTE_EVERY == 0:
            self._outbox.take(self._url, number)

    async def _journal_end(self) -> int:
        while True:
            try:
                return await asyncio.to_thread(self._reader.last_number)
            except ThirdringError as reason:
                logger.debug("no journal to follow yet: %s", reason)
                await asyncio.sleep(JOURNAL_RETRY_S)

    async def _send(self) -> None:
        while True:
            self._news.clear()
            letter = self._outbox.due(self._url)
            if letter is None:
                await _wait(self._news, self._outbox.next_due_s(self._url))
                continue
            outcome = await self._post(letter)
            if not outcome.reason:
                self._in_vain = 0
                self._outbox.delivered(self._url, letter)
                self._room.set()
                continue
            logger.info("%s does not take event %d: %s", self._url, letter.number, outcome.reason)
            await self._in_vain_for(letter, outcome)

    async def _post(self, letter: Letter) -> Outcome:
        try:
            record = await asyncio.to_thread(self._event, letter.number)
        except ThirdringError as reason:
            return Outcome(str(reason), away=True)
        if record is None:
            return Outcome(str(error(1003, f"event {letter.number} is not in the journal")), gone=True)
        return await self._poster.post(record)

    def _event(self, number: int) -> Record | None:
        found = self._reader.events(number - 1, 1)
        return found[0] if found and found[0].number == number else None

    async def _in_vain_for(self, letter: Letter, outcome: Outcome) -> None:
        """Let the letter, or with a server that is away every letter, wait; give up what is too old."""
        tries = letter.tries
        if outcome.away:
            tries, self._in_vain = self._in_vain, self._in_vain + 1
        pause_s = max(self._pause_s(tries), min(outcome.retry_after_s, self._settings.retry_longest_s))
        oldest_s = time.time() - 3600.0 * self._settings.keep_h
        given_up = outcome.gone or letter.taken_s < oldest_s
        self._outbox.failed(self._url, letter, outcome.reason, None if given_up else pause_s)
        if outcome.away:
            self._outbox.expire(self._url, oldest_s, outcome.reason)
            self._urged.clear()
            await _wait(self._urged, pause_s)
        self._room.set()

    def _pause_s(self, tries: int) -> float:
        longest_s = self._settings.retry_longest_s
        pause_s = min(self._settings.retry_first_s * 2.0 ** min(tries, 30), longest_s)
        return pause_s * random.uniform(0.8, 1.0)  # noqa: S311 - spreads the hooks of many units


async def _wait(event: asyncio.Event, timeout_s: float | None) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(timeout_s):
            await event.wait()
