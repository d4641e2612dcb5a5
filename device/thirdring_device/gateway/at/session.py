"""One console's session: lines in, answers out, reports held back while a command is under way."""

import asyncio
import logging
from collections import deque
from collections.abc import Coroutine, Sequence
from typing import Any, Final

from thirdring.protocol.at.lines import Item, Line, LineAssembler, TooLong
from thirdring.protocol.at.parse import AtSyntaxError, requests
from thirdring.protocol.at.results import RESULT_NUMBERS, cme_error
from thirdring.protocol.at.values import fields
from thirdring.protocol.commands import Answer, Hangup
from thirdring.protocol.errors import ERRORS, ThirdringError, error
from thirdring.protocol.events import CallEnded, Event, Record, RingBurst
from thirdring_device.gateway.at.error_map import cme_of
from thirdring_device.gateway.at.event_feed import EventFeed
from thirdring_device.gateway.at.handlers import run
from thirdring_device.gateway.at.indicators import changes, of_watched
from thirdring_device.gateway.at.profile import Profile
from thirdring_device.gateway.at.reply import AtFailure, AtMistake
from thirdring_device.gateway.at.reports import report_of
from thirdring_device.gateway.at.stream import FdStream
from thirdring_device.gateway.at.transcript import SECRET
from thirdring_device.gateway.at.watch import DeskWatch, WatchedCall

__all__ = ["Session"]

HELD_REPORTS: Final = 256
"""Reports kept while a command runs; the oldest go first."""
HOLD_S: Final = 3.0
"""How long a line that somebody began to type holds reports back."""
_GROUP_CHARS: Final = 16 * 1024

logger = logging.getLogger(__name__)


class Session:
    """State of one console: its profile and what it is doing. Runs on one task, that of ``take``."""

    def __init__(self, desk: DeskWatch, stream: FdStream, name: str = "console") -> None:
        """``name`` tells this console from the others in the transcript."""
        self.desk = desk
        self.name = name
        self.profile = Profile()
        self.feed = EventFeed(self)
        self.abort = asyncio.Event()
        """Set when the host types while ``abortable`` (V.250 clause 5.6.1)."""
        self.abortable = False
        self.released: set[str] = set()
        """Calls that this console has ended itself or still waits for: their end is no report to it."""
        self.timed_out: set[str] = set()
        self._stream = stream
        self._lines = LineAssembler()
        self._last_line = ""
        self._busy = False
        self._typed_at_s = 0.0
        self._held: deque[Sequence[str]] = deque(maxlen=HELD_REPORTS)
        self._holding: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._logged_in = False
        self._indicators = of_watched(desk.trunk, desk.calls.values())
        desk.listeners.add(self.notice)

    def attach(self, stream: FdStream) -> None:
        """Go on with another file descriptor: the port came back."""
        self._stream = stream

    def hung_up(self) -> None:
        """Nobody is at the other end any more: nothing begun goes on, the settings stay."""
        self._lines.reset()
        self.log_out()
        self._held.clear()
        self.feed.stop()
        self.cancel_hold()
        self._stream.mute()

    def close(self) -> None:
        """End everything of this session."""
        self.desk.listeners.discard(self.notice)
        self.hung_up()
        for task in self._tasks:
            task.cancel()

    # --- the lock ---------------------------------------------------------------------------------

    @property
    def locked(self) -> bool:
        """Whether only who it is may be asked (``serial.lock``)."""
        self._log_out_idle()
        return self.desk.settings.serial.lock and not self._logged_in

    def _log_out_idle(self) -> None:
        limit_s = self.desk.settings.serial.lock_idle_s
        idle_s = asyncio.get_running_loop().time() - self._typed_at_s
        if self._logged_in and limit_s and idle_s > limit_s and not self._busy:
            self.log_out()

    def log_in(self) -> None:
        """Open the console until its host hangs up or is idle."""
        self._logged_in = True

    def log_out(self) -> None:
        """Lock the console, where consoles are locked; what was asked for before is forgotten."""
        self._logged_in = False
        self._last_line = ""

    # --- the host writes --------------------------------------------------------------------------

    async def take(self, data: bytes) -> None:
        """Run every line that ``data`` completes."""
        self._log_out_idle()
        self._typed_at_s = asyncio.get_running_loop().time()
        registers = self.profile.registers
        self._lines.end, self._lines.erase = registers[3], registers[5]
        for item in self._lines.feed(data):
            self._echo()
            await self._run_item(item)
            registers = self.profile.registers
            self._lines.end, self._lines.erase = registers[3], registers[5]
        self._echo()
        self._report_held()

    def _echo(self) -> None:
        echo = self._lines.take_echo()
        if echo and self.profile.echo:
            self._stream.write(echo)

    async def _run_item(self, item: Item) -> None:
        self._busy = True
        try:
            if isinstance(item, TooLong):
                await self._answer(self._error_lines(error(1006)), "ERROR")
                return
            if isinstance(item, Line):
                self._last_line = item.text
            await self._run_line(self._last_line)
        finally:
            self._busy = False
        self._report_held()

    async def _run_line(self, text: str) -> None:
        self.desk.transcript.typed(self.name, text, locked=self.locked)
        code = "OK"
        try:
            for request in requests(text):
                if request.name in SECRET:  # A/ must not repeat it
                    self._last_line = ""
                reply = await run(self, request)
                await self._inform(reply.lines)
                code = reply.code
                if code != "OK":
                    break
        except (AtSyntaxError, AtMistake) as mistake:
            await self._answer(self._error_lines(error(1001, str(mistake))), "ERROR")
            return
        except AtFailure as failure:
            code = cme_error(failure.number, self.profile.cme)
        except ThirdringError as reason:
            await self._answer(self._error_lines(reason), self._code_of(reason))
            return
        except Exception:
            logger.exception("AT%s failed", text.partition("=")[0][:80])
            await self._answer(self._error_lines(error(7002)), cme_error(100, self.profile.cme))
            return
        await self._answer((), code)

    def _code_of(self, reason: ThirdringError) -> str:
        number = cme_of(reason.code)
        return "ERROR" if number is None else cme_error(number, self.profile.cme)

    def _error_lines(self, reason: ThirdringError) -> list[str]:
        """Return the ``#ERROR:`` line of ``AT#VERBOSE=1``."""
        if not self.profile.verbose:
            return []
        return [f"#ERROR: {fields([reason.code, reason.detail, ERRORS.get(reason.code, '')])}"]

    # --- the console writes -----------------------------------------------------------------------

    async def _inform(self, lines: Sequence[str]) -> None:
        """Write information lines as one group, in slices no host has to swallow at once."""
        start, size = 0, 0
        style = self.profile.style
        for number, line in enumerate(lines, 1):
            size += len(line)
            if size >= _GROUP_CHARS or number == len(lines):
                await self.write(style.information(lines[start:number], begins=start == 0))
                start, size = number, 0

    async def _answer(self, lines: Sequence[str], code: str) -> None:
        style = self.profile.style
        await self.write(style.information(lines) + style.result(code))

    async def write(self, text: str) -> None:
        """Write in one piece once the host has read enough of what came before."""
        await self._stream.drain()
        if text and self._stream.write(text.encode("utf-8", "replace"), must=True):
            self.desk.transcript.answered(self.name, text)

    @property
    def quiet(self) -> bool:
        """Whether a report may be written now: no command runs, nobody is typing one."""
        if self._busy or not self._lines.in_line:
            return not self._busy
        return asyncio.get_running_loop().time() >= self._typed_at_s + HOLD_S

    def notice(self, record: Record, call: WatchedCall | None) -> None:
        """Hear of an event: report it, now or when the command under way has its final code."""
        event = record.event
        if isinstance(event, RingBurst) and 0 < self.profile.registers[0] <= event.ring:
            self.spawn(self._auto_answer(event.call_id))
        if self.locked:
            self.feed.stop()
            self._changed_indicators()
            self._report(event, call)
            return
        group = [*self._changed_indicators(), *self._report(event, call)]
        if group:
            self._held.append(group)
            self._report_held()

    def _report(self, event: Event, call: WatchedCall | None) -> Sequence[str]:
        if isinstance(event, CallEnded) and event.call_id in self.released:
            self.released.discard(event.call_id)
            return ()
        lines = report_of(event, call, self.profile)
        if isinstance(event, CallEnded) and event.call_id in self.timed_out and lines:
            self.timed_out.discard(event.call_id)
            return ["NO ANSWER"]
        return lines

    def _changed_indicators(self) -> Sequence[str]:
        before, self._indicators = self._indicators, of_watched(self.desk.trunk, self.desk.calls.values())
        return changes(before, self._indicators) if self.profile.indicators else ()

    def _report_held(self) -> None:
        if self.locked:
            self._held.clear()
        if self.quiet:
            self.cancel_hold()
            while self._held:
                self._write_report(self._held.popleft())
            self.feed.wake()
        elif (self._held or self.feed.on) and not self._busy:
            self.cancel_hold()
            self._holding = asyncio.get_running_loop().call_at(self._typed_at_s + HOLD_S, self._report_held)

    def cancel_hold(self) -> None:
        """Stop the timer that lets reports out in spite of a begun line."""
        if self._holding is not None:
            self._holding.cancel()
            self._holding = None

    def _write_report(self, group: Sequence[str]) -> None:
        style = self.profile.style
        text = "".join(
            style.result(line) if line in RESULT_NUMBERS else style.information([line]) for line in group
        )
        if self._stream.write(text.encode("utf-8", "replace")):
            self.desk.transcript.answered(self.name, text)

    async def write_event(self, text: str) -> bool:
        """Write one ``#EVENT`` line if this is a moment for it; returns whether it was."""
        await self._stream.drain()
        if self.locked:
            self.feed.stop()
        if self.locked or not self.quiet:
            return False
        if self._stream.write(self.profile.style.information([text]).encode(), must=True):
            self.desk.transcript.answered(self.name, text)
        return True

    # --- on its own -------------------------------------------------------------------------------

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run ``work`` beside the commands."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _auto_answer(self, call_id: str) -> None:
        await self.quietly(Answer(call_id=call_id, source="at"))

    async def quietly(self, command: Answer | Hangup) -> None:
        """Send a command that nobody waits for."""
        try:
            await self.desk.client.command(command)
        except ThirdringError as reason:
            logger.info("%s: %s", command.name, reason)
