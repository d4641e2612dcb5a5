"""Questions and answers over a serial line: one command at a time, in step again after anything."""

import asyncio
import contextlib
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from thirdring.protocol.at.host import is_final
from thirdring.protocol.at.lines import MAX_LINE
from thirdring.protocol.at.parse import AtSyntaxError
from thirdring.protocol.at.values import parameters, quoted
from thirdring.protocol.errors import AccessError, ThirdringError, error
from thirdring.transports.serial_line import SerialLine

__all__ = ["SerialLink"]

LOCKED: Final = 6020
_SYNC_TRIES_S: Final = 1.0
"""What is written while an appliance boots is lost: ask again this often."""
_BYE_S: Final = 1.0
_INIT: Final = "ATQ0V1E0+CMEE=1;#VERBOSE=1;#URC=0;#SYNC="
_BYE: Final = "ATE1+CMEE=0;#EVENTS=off;#VERBOSE=0"
_ESC: Final = "\x1b"
"""Throws away a line that somebody began before us."""
_ENDS: Final = ("OK", "ERROR")
"""Finals of our commands; ``NO CARRIER`` and the like are reports about calls here."""


@dataclass(slots=True)
class _Exchange:
    """A command under way. ``word``: nothing counts before the line that says it."""

    done: asyncio.Future[None]
    word: str = ""
    results: list[str] = field(default_factory=list)
    failure: ThirdringError | None = None
    at_end: Callable[[list[str]], None] | None = None
    heard_at_s: float = 0.0


class SerialLink:
    """One console. ``on_report`` hears every line that is no answer, ``on_lost`` that the port has gone."""

    def __init__(
        self,
        device: str,
        baud: int,
        timeout_s: float,
        on_report: Callable[[str], None],
        on_lost: Callable[[], None],
        password: str = "",
    ) -> None:
        """``password`` opens a console that is locked (``serial.lock``)."""
        self._device = device
        self._baud = baud
        self._timeout_s = timeout_s
        self._on_report = on_report
        self._on_lost = on_lost
        self._password = password
        self._line: SerialLine | None = None
        self._in_step = False
        self._exchange: _Exchange | None = None
        self._turn = asyncio.Lock()
        self._closing: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Open the port if need be, get in step and log in; raises ``ConnectionLost``, ``AccessError``."""
        async with self._turn:
            await self._ready()

    async def ask(self, text: str, at_end: Callable[[list[str]], None] | None = None) -> list[Any]:
        """Send ``AT`` + ``text`` once and return the values of its ``#RESULT`` lines.

        ``at_end`` is called with their texts at the final ``OK``, before any later line is heard.
        Raises the numbered error of its ``#ERROR`` line, ``RequestError`` 1006 for a line too long,
        ``ConnectionLost`` 8000 (port gone), 8001 (silent for the time-out), 8002 (not understood).
        """
        if len(text.encode()) > MAX_LINE:
            raise error(1006, f"{len(text)} characters, at most {MAX_LINE}")
        async with self._turn:
            await self._ready()
            assert self._line is not None  # noqa: S101 - _ready opened it
            exchange = await self._asked(self._line, "AT" + text, at_end)
            try:
                return [json.loads(result) for result in exchange.results]
            except ValueError as reason:
                self._in_step = False
                raise error(8002, str(reason)) from reason

    async def _asked(
        self, line: SerialLine, command: str, at_end: Callable[[list[str]], None] | None
    ) -> _Exchange:
        """Send a command; once more when it was refused because the console had locked itself meanwhile."""
        try:
            return await self._converse(line, command, _Exchange(self._future(), at_end=at_end))
        except AccessError as reason:
            if reason.code != LOCKED or not self._password:
                raise
        await self._log_in(line)
        return await self._converse(line, command, _Exchange(self._future(), at_end=at_end))

    async def _log_in(self, line: SerialLine) -> None:
        """Open the console if it is locked; raises ``AccessError`` 6021 to 6023."""
        if not self._password:
            return
        exchange = await self._converse(line, "AT#LOGIN?", _Exchange(self._future()))
        if any(json.loads(result)["locked"] for result in exchange.results):
            await self._converse(line, f"AT#LOGIN={quoted(self._password)}", _Exchange(self._future()))

    async def close(self) -> None:
        """Leave the console as a person would like to find it; may be called twice."""
        async with self._turn:
            line, in_step = self._line, self._in_step
            if line is not None and in_step:
                with contextlib.suppress(ThirdringError, TimeoutError):
                    async with asyncio.timeout(_BYE_S):
                        await self._converse(line, _BYE, _Exchange(self._future()))
            await self._drop()

    def _future(self) -> asyncio.Future[None]:
        return asyncio.get_running_loop().create_future()

    async def _drop(self) -> None:
        line, self._line = self._line, None
        self._in_step = False
        if line is not None:
            await line.close()

    async def _ready(self) -> None:
        if self._line is None:
            line = SerialLine(self._heard, self._lost)
            await line.open(self._device, self._baud, self._timeout_s)
            self._line = line
        if not self._in_step:
            await self._get_in_step(self._line)

    async def _get_in_step(self, line: SerialLine) -> None:
        """Ask for a word of our own until it comes back; answers to anything older stand before it."""
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + self._timeout_s
        while True:
            exchange = _Exchange(self._future(), word=f"#SYNC: {quoted(secrets.token_hex(8))}")
            try:
                async with asyncio.timeout(_SYNC_TRIES_S):
                    command = _ESC + _INIT + exchange.word.removeprefix("#SYNC: ")
                    await self._converse(line, command, exchange)
                self._in_step = True
                await self._log_in(line)
                return
            except TimeoutError as reason:
                if loop.time() >= deadline_s:
                    raise error(8000, f"{self._device}: nobody answers AT") from reason
            except ThirdringError:
                await self._drop()
                raise

    async def _converse(self, line: SerialLine, command: str, exchange: _Exchange) -> _Exchange:
        """Send and wait for the final code; whatever interrupts this leaves the link out of step."""
        loop = asyncio.get_running_loop()
        self._exchange = exchange
        in_step, self._in_step = self._in_step, False
        try:
            await line.write(command)
            exchange.heard_at_s = loop.time()
            while not exchange.done.done():
                left_s = exchange.heard_at_s + self._timeout_s - loop.time()
                if left_s <= 0:
                    raise error(8001, f"silent for {self._timeout_s:g} s")
                await asyncio.wait((exchange.done,), timeout=left_s)
            exchange.done.result()
        finally:
            self._exchange = None
        self._in_step = in_step
        if exchange.failure is not None:
            raise exchange.failure
        return exchange

    # --- lines ------------------------------------------------------------------------------------

    def _heard(self, line: str) -> None:
        exchange = self._exchange
        if exchange is not None:
            exchange.heard_at_s = asyncio.get_running_loop().time()
            if exchange.word:
                if line == exchange.word:
                    exchange.word = ""
                return
            if self._answered(exchange, line):
                return
        self._on_report(line)

    @staticmethod
    def _answered(exchange: _Exchange, line: str) -> bool:
        """Take a line that belongs to the command under way; returns whether it did."""
        if line.startswith("#RESULT: "):
            exchange.results.append(line.removeprefix("#RESULT: "))
        elif line.startswith("#ERROR: "):
            exchange.failure = _failure(line.removeprefix("#ERROR: "))
        elif line in _ENDS or (is_final(line) and line.startswith("+C")):
            if line != "OK" and exchange.failure is None:
                exchange.failure = error(8002, f"{line} without a numbered error")
            if exchange.failure is None and exchange.at_end is not None:
                exchange.at_end(exchange.results)
            if not exchange.done.done():
                exchange.done.set_result(None)
        else:
            return False
        return True

    def _lost(self, reason: str) -> None:
        exchange = self._exchange
        if exchange is not None and not exchange.done.done():
            exchange.done.set_exception(error(8000, reason))
        line, self._line = self._line, None
        self._in_step = False
        if line is not None:
            self._closing = asyncio.create_task(line.close())
        self._on_lost()


def _failure(text: str) -> ThirdringError:
    try:
        code, detail = parameters(text)[:2]
        return error(code.number, detail.text)
    except (AtSyntaxError, ValueError):
        return error(8002, f"#ERROR: {text}"[:200])
