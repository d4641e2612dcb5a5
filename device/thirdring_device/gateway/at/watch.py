"""Follows the engine's events once for all consoles: which calls there are and what became of the last."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from thirdring.protocol.errors import ThirdringError
from thirdring.protocol.events import (
    CallAlerting,
    CallAnswered,
    CallEnded,
    CallIncoming,
    CallOutgoing,
    HoldEnded,
    HoldStarted,
    Levels,
    Record,
    RingBurst,
    SettingsChanged,
    TrunkChanged,
    TrunkState,
)
from thirdring_device.gateway.at.lock import ConsoleLock
from thirdring_device.gateway.at.sources import Client, Reader
from thirdring_device.gateway.at.transcript import Transcript
from thirdring_device.gateway.live_settings import LIVE
from thirdring_device.settings import Settings
from thirdring_device.settings import changed as with_changes

__all__ = ["DeskWatch", "WatchedCall"]

RETRY_S: Final = 0.25
_REMEMBERED: Final = 16
"""Ended calls kept for whoever still waits for what became of his call."""

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class WatchedCall:
    """A call as the consoles know it. ``announced``: the hosts have been told of it.

    ``waiting``: it came in beside another call that is still there.
    """

    call_id: str
    incoming: bool
    number: str
    display_name: str = ""
    withheld: bool = False
    announced: bool = False
    waiting: bool = False
    alerting: bool = False
    answered: bool = False
    held: bool = False
    ended: CallEnded | None = None
    levels: Levels | None = None

    @property
    def state(self) -> str:
        """What ``views.CallView.state`` says of it; ``new`` and ``ended`` where that has no such call."""
        if self.ended is not None:
            return "ended"
        if self.answered:
            return "held" if self.held else "active"
        if self.incoming:
            return "incoming" if self.alerting else "new"
        return "alerting" if self.alerting else "dialing"


class DeskWatch:
    """The consoles' picture of the desk; ``listeners`` hear of every event, with its call if it has one."""

    def __init__(self, client: Client, reader: Reader, settings: Settings) -> None:
        self.settings = settings
        self.client = client
        self.reader = reader
        self.state_dir: Path | None = None
        """Where the team's own prompts are, if anywhere."""
        self.settings_file: Path | None = None
        """What the settings were read from, if from a file."""
        self.lock = ConsoleLock(None)
        self.transcript = Transcript()
        self.calls: dict[str, WatchedCall] = {}
        """Newest last; those that have ended are forgotten in time."""
        self.trunk: TrunkState | None = None
        self.listeners: set[Callable[[Record, WatchedCall | None], None]] = set()
        self._changed = asyncio.Event()

    async def run(self) -> None:
        """Follow the events for ever, from the journal's present end; what rings already is told first."""
        after, ringing = await self._begin()
        for record in ringing:
            self._tell(record, self.calls.get(record.event.call_id))
        async with contextlib.aclosing(self.client.events(after)) as records:
            async for record in records:
                self._tell(record, self._take(record))

    def _tell(self, record: Record, call: WatchedCall | None) -> None:
        for listener in tuple(self.listeners):
            listener(record, call)

    async def _begin(self) -> tuple[int, list[Record]]:
        """Take in the calls that are there already.

        Return the number to follow from, and the newest ring of each call that waits to be answered: nobody
        at a console has heard of it.
        """
        rings: dict[str, Record] = {}
        while True:
            try:
                after = await asyncio.to_thread(self.reader.last_number)
                for summary in reversed(await asyncio.to_thread(self.reader.calls, _REMEMBERED)):
                    if summary.state == "live":
                        for record in await asyncio.to_thread(self.reader.call_events, summary.call_id):
                            if record.number > after:
                                continue
                            self._take(record)
                            if isinstance(record.event, RingBurst):
                                rings[summary.call_id] = record
                            elif isinstance(record.event, CallAnswered | CallEnded):
                                rings.pop(summary.call_id, None)
                return after, list(rings.values())
            except ThirdringError as reason:
                logger.debug("no journal to follow yet: %s", reason)
                await asyncio.sleep(RETRY_S)

    def _take(self, record: Record) -> WatchedCall | None:
        event = record.event
        if isinstance(event, TrunkChanged):
            self.trunk = event.state
        if isinstance(event, SettingsChanged):
            ours = {name: value for name, value in event.changes.items() if name in LIVE}
            self.settings = with_changes(self.settings, ours)
        if isinstance(event, CallIncoming):
            self._add(WatchedCall(event.call_id, True, event.number, event.display_name, event.withheld))
        elif isinstance(event, CallOutgoing):
            self._add(WatchedCall(event.call_id, False, event.number, announced=True))
        call = self.calls.get(event.call_id)
        if call is None:
            return None
        if isinstance(event, RingBurst):
            call.announced = call.alerting = True
        elif isinstance(event, CallAlerting):
            call.waiting, call.alerting = event.waiting, True
        elif isinstance(event, HoldStarted | HoldEnded) and event.by == "agent":
            call.held = isinstance(event, HoldStarted)
        elif isinstance(event, CallAnswered):
            call.answered = call.announced = True
        elif isinstance(event, Levels):
            call.levels = event
        elif isinstance(event, CallEnded):
            call.ended = event
            for other in self.calls.values():
                other.waiting = False
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
        return call

    def _add(self, call: WatchedCall) -> None:
        self.calls[call.call_id] = call
        ended = [call_id for call_id, call in self.calls.items() if call.ended]
        for call_id in ended[:-_REMEMBERED]:
            del self.calls[call_id]

    def last_ended(self) -> CallEnded | None:
        """Return how the last call that was more than a refused knock ended."""
        newest_first = reversed(self.calls.values())
        return next((call.ended for call in newest_first if call.ended and call.announced), None)

    async def outcome(self, call_id: str) -> WatchedCall:
        """Wait until a call has been answered or has ended."""
        while True:
            call = self.calls.get(call_id)
            if call is not None and (call.answered or call.ended):
                return call
            await self._changed.wait()
