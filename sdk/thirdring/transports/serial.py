"""An appliance on a serial console: ``serial:/dev/ttyUSB0``, ``serial:COM3``, ``serial:PATH?baud=115200``.

The same commands, events and numbered errors as over HTTP. Nothing is sent twice; only the stream of events
starts again by itself, behind the last event it gave out.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, Callable, Mapping
from pathlib import Path
from typing import Any, Final, Literal, TypeVar
from urllib.parse import parse_qs

from thirdring.protocol.at.values import quoted, safe_json
from thirdring.protocol.codec import from_fields, to_fields
from thirdring.protocol.commands import Command
from thirdring.protocol.errors import ConnectionLost, RequestError, ThirdringError, error
from thirdring.protocol.events import Record, record_from_json
from thirdring.protocol.figures import FiguresBy, FiguresReport, Forecast, Staffing
from thirdring.protocol.views import CallDetail, CallSummary, UpdateState
from thirdring.reconnect import Absence, Reconnect
from thirdring.transports.serial_link import SerialLink

__all__ = ["SerialTransport"]

BAUD: Final = 115200
QUEUED_EVENTS: Final = 20_000
"""Events that may wait for a program that does not take them: hours of one call."""
RECONNECT: Final = Reconnect()
CHECK_S: Final = 5.0
"""After so long without an event the console is asked whether it still reports them."""

USE_HTTP: Final = "the serial console; use HTTP"

T = TypeVar("T")


class _Feed:
    """One reader of events: what is above ``after`` and not yet taken."""

    def __init__(self, after: int) -> None:
        self.after = after
        self.started = False
        """Whether a record has come since the console was last told where to start."""
        self.queue: asyncio.Queue[Record | None] = asyncio.Queue(QUEUED_EVENTS)
        self.too_slow = False

    def put(self, record: Record) -> bool:
        """Take a record; returns False when one before it is missing."""
        if record.number <= self.after:
            return True
        if self.started and record.number != self.after + 1:
            return False
        self.started = True
        self.after = record.number
        if self.queue.full():
            self.too_slow = True
        else:
            self.queue.put_nowait(record)
        return True

    def broken(self) -> None:
        """Wake the reader: the events have to be started again."""
        with contextlib.suppress(asyncio.QueueFull):
            self.queue.put_nowait(None)


class SerialTransport:
    """A ``Transport`` over a serial console."""

    def __init__(
        self, url: str, *, password: str = "", timeout_s: float = 10.0, reconnect: Reconnect = RECONNECT
    ) -> None:
        """``timeout_s`` is how long the console may be silent, ``reconnect`` how events come back.

        ``password`` is needed where the consoles are locked (``serial.lock``), and else not used.

        Raises ``RequestError`` 1004 when ``url`` is no serial URL.
        """
        self._device, self._baud = _parse_url(url)
        self._password = password
        self._timeout_s = timeout_s
        self._reconnect = reconnect
        self._link: SerialLink | None = None
        self._feeds: list[_Feed] = []
        self._listening = False
        """Whether events count: not between a gap and the new start."""

    async def open(self) -> None:
        """Open the port and get in step; raises ``ConnectionLost`` 8000 when nobody answers."""
        await self._opened().open()

    async def close(self) -> None:
        """Disconnect; may be called twice."""
        link, self._link = self._link, None
        if link is not None:
            await link.close()

    def _opened(self) -> SerialLink:
        if self._link is None:
            self._link = SerialLink(
                self._device, self._baud, self._timeout_s, self._report, self._port_lost, self._password
            )
        return self._link

    async def command(self, command: Command) -> Mapping[str, Any]:
        """Execute one command and return its result object. It is sent once and never again."""
        args = to_fields(command)
        del args["source"]
        return await self._one(f"#DO={safe_json({'command': command.name, 'args': args})}", dict)

    async def calls(self, *, limit: int) -> list[CallSummary]:
        """Return the newest calls, newest first."""
        return await self._all(f"#CALLS={limit}", lambda fields: from_fields(CallSummary, fields))

    async def call(self, call_id: str) -> CallDetail:
        """Return one call with its verdicts; raises ``CallError`` 2000."""
        return await self._one(f"#CALL={quoted(call_id)}", lambda fields: from_fields(CallDetail, fields))

    async def call_events(self, call_id: str) -> list[Record]:
        """Return the events of one call in order; raises ``CallError`` 2000."""
        return await self._all(f"#CALLEVENTS={quoted(call_id)}", record_from_json)

    async def listed(self, what: str, asked: Mapping[str, Any]) -> list[Any]:
        """Return JSON objects of the agent's work: ``notes``, ``contacts`` or ``call_backs``."""
        return await self._all(f"#LIST={safe_json({'what': what, **asked})}", lambda fields: fields)

    async def figures(self, start: str, end: str, by: FiguresBy) -> FiguresReport:
        """Return key figures; raises ``RequestError`` 1004."""
        asked = f"#FIGURES={quoted(start)},{quoted(end)},{by},json"
        return await self._one(asked, lambda fields: from_fields(FiguresReport, fields))

    async def staffing(self, load: Mapping[str, float]) -> Staffing:
        """Return what a load needs; raises ``RequestError`` 1004."""
        return await self._one(
            f"#STAFFING={safe_json(dict(load))}", lambda fields: from_fields(Staffing, fields)
        )

    async def forecast(self) -> Forecast:
        """Return what a week is expected to bring."""
        return await self._one("#FORECAST", lambda fields: from_fields(Forecast, fields))

    async def report(self, call_id: str, form: Literal["text", "json", "html"]) -> str:
        """Return the report of one call, as the appliance writes it."""
        return await self._one(f"#REPORT={quoted(call_id)},{form}", str)

    async def save_recording(self, call_id: str, path: Path) -> None:
        """Raise ``ConnectionLost`` 8003: an hour would take six on the line."""
        raise error(8003, USE_HTTP)

    async def save_support_file(self, path: Path) -> None:
        """Raise ``ConnectionLost`` 8003."""
        raise error(8003, USE_HTTP)

    async def update_state(self) -> UpdateState:
        """Return where the last update is."""
        return await self._one("#UPDATE?", lambda fields: from_fields(UpdateState, fields))

    async def update_from_url(self, url: str, *, force: bool, wait: bool) -> None:
        """Begin an update that the unit fetches; raises ``ApplianceError`` 7030, 7031, 7037."""
        await self._opened().ask(f"#UPDATE={quoted(url)},{force:d},{wait:d}")

    async def update_from_file(self, path: Path, *, force: bool, wait: bool) -> None:
        """Raise ``ConnectionLost`` 8003: a bundle would take hours on the line."""
        raise error(8003, USE_HTTP)

    async def factory_reset(self, serial_number: str) -> None:
        """Wipe the unit; raises ``RequestError`` 1010, ``CallError`` 2003 while a call is there."""
        await self._opened().ask(f"#RESET={quoted(serial_number)}")

    async def _all(self, text: str, parse: Callable[[Any], T]) -> list[T]:
        values = await self._opened().ask(text)
        try:
            return [parse(value) for value in values]
        except (ValueError, TypeError, AttributeError, KeyError, RequestError) as reason:
            raise error(8002, f"{text[:40]}: {reason}") from reason

    async def _one(self, text: str, parse: Callable[[Any], T]) -> T:
        values = await self._all(text, parse)
        if len(values) != 1:
            raise error(8002, f"{text[:40]}: {len(values)} results")
        return values[0]

    # --- events -----------------------------------------------------------------------------------

    async def events(self, after: int) -> AsyncGenerator[Record, None]:
        """Yield every event numbered above ``after``, then those to come, whatever becomes of the port.

        Raises ``ConnectionLost`` 8000 when it cannot be opened or stays away for too long
        (``Reconnect``), ``ApplianceError`` 7004 when the caller takes events too slowly.
        """
        feed = _Feed(after)
        self._feeds.append(feed)
        try:
            await self._start_events()
            while True:
                record = await self._next(feed)
                if record is not None:
                    yield record
        finally:
            self._feeds.remove(feed)
            if not self._feeds and self._link is not None:
                with contextlib.suppress(ThirdringError):
                    await self._link.ask("#EVENTS=off")

    async def _next(self, feed: _Feed) -> Record | None:
        """Wait for a record; None when there was only something to mend."""
        if feed.too_slow and feed.queue.empty():
            raise error(7004, f"more than {QUEUED_EVENTS} events behind")
        try:
            async with asyncio.timeout(CHECK_S):
                record = await feed.queue.get()
        except TimeoutError:
            if await self._still_reporting():
                return None
            record = None
        if record is None:
            await self._resume()
        return record

    async def _start_events(self) -> None:
        """Let the console report from where the reader that is farthest behind stands."""
        self._listening = False
        await self._opened().ask(f"#EVENTS={min(feed.after for feed in self._feeds)}", self._listen)
        if not self._listening:
            raise error(8002, "#EVENTS without a number")

    def _listen(self, results: list[str]) -> None:
        """From here on events count. A journal that was wiped ends below what we have seen of the old one."""
        if len(results) != 1 or not (results[0] == "null" or results[0].isdecimal()):
            return
        self._listening = True
        for feed in self._feeds:
            feed.started = False
            if results[0] != "null":
                feed.after = min(feed.after, int(results[0]))

    async def _still_reporting(self) -> bool:
        """Ask whether the console reports events, and whether the last it wrote arrived."""
        try:
            answer = await self._one("#EVENTS?", dict)
            return bool(answer["on"]) and int(answer["last"]) <= max(feed.after for feed in self._feeds)
        except (ConnectionLost, KeyError, ValueError):
            return False

    async def _resume(self) -> None:
        """Start the events again, as soon as the console is back."""
        absence = Absence(self._reconnect)
        absence.was_there()
        while True:
            try:
                await self._start_events()
                return
            except ConnectionLost:
                pause_s = absence.next_pause_s()
                if pause_s is None:
                    raise
            await asyncio.sleep(pause_s)

    def _report(self, line: str) -> None:
        """Take a line that answers nothing; what others' reports say is no business of ours."""
        if not self._listening or not line.startswith("#EVENT: "):
            return
        try:
            record = record_from_json(json.loads(line.removeprefix("#EVENT: ")))
        except (ValueError, TypeError, AttributeError, KeyError, RequestError):
            return  # damaged: the next one will find it missing
        behind = [feed for feed in self._feeds if not feed.put(record)]
        if behind:
            self._port_lost()

    def _port_lost(self) -> None:
        self._listening = False
        for feed in self._feeds:
            feed.broken()


def _parse_url(url: str) -> tuple[str, int]:
    scheme, _, rest = url.partition(":")
    device, _, query = rest.partition("?")
    options = parse_qs(query, keep_blank_values=True)
    bauds = options.pop("baud", [str(BAUD)])
    if scheme != "serial" or not device or options or not bauds[-1].isdecimal() or int(bauds[-1]) == 0:
        raise error(1004, f"{url!r:.100} is not serial:PORT or serial:PORT?baud=NUMBER")
    return device, int(bauds[-1])
