"""A serial port as lines: a thread reads it, the loop hears every line. Runs wherever pyserial does."""

import asyncio
import logging
import threading
from collections.abc import Callable
from typing import Final

import serial

from thirdring.protocol.at.host import AnswerReader
from thirdring.protocol.errors import error

__all__ = ["SerialLine"]

READ_S: Final = 0.5
"""The reading thread looks this often whether it is to end, where a read cannot be cancelled."""

logger = logging.getLogger(__name__)
"""At DEBUG: every line of both ends, ``<`` from the appliance, ``>`` to it."""


class SerialLine:
    """One open port. ``on_line`` and ``on_lost`` are called on the loop that made it, in order."""

    def __init__(self, on_line: Callable[[str], None], on_lost: Callable[[str], None]) -> None:
        self._on_line = on_line
        self._on_lost = on_lost
        self._loop = asyncio.get_running_loop()
        self._closing = threading.Event()
        self._port: serial.Serial | None = None
        self._thread: threading.Thread | None = None

    async def open(self, device: str, baud: int, write_timeout_s: float) -> None:
        """Open ``device``; raises ``ConnectionLost`` 8000."""
        try:
            self._port = await asyncio.to_thread(
                serial.Serial,
                device,
                baud,
                timeout=READ_S,
                write_timeout=write_timeout_s,
                exclusive=True,
            )
        except (OSError, ValueError) as reason:
            raise error(8000, f"{device}: {reason}") from reason
        self._thread = threading.Thread(
            target=self._read, args=(self._port,), name=f"thirdring {device}", daemon=True
        )
        self._thread.start()

    async def write(self, line: str) -> None:
        """Send one line, its end included in the port's own; raises ``ConnectionLost`` 8000."""
        logger.debug("> %s", line)
        port = self._port
        if port is None:
            raise error(8000, "closed")
        try:
            await asyncio.to_thread(port.write, line.encode() + b"\r")
        except (OSError, ValueError) as reason:
            raise error(8000, str(reason)) from reason

    async def close(self) -> None:
        """Close; may be called twice."""
        port, self._port = self._port, None
        if port is not None:
            self._closing.set()
            await asyncio.to_thread(self._end, port)

    def _end(self, port: serial.Serial) -> None:
        try:
            port.cancel_read()
        except (OSError, AttributeError) as reason:  # not every platform can; the read times out then
            logger.debug("cancel_read: %s", reason)
        if self._thread is not None:
            self._thread.join()
        port.close()

    def _read(self, port: serial.Serial) -> None:
        reader = AnswerReader()
        reason = "closed"
        try:
            while not self._closing.is_set():
                lines = reader.feed(port.read(port.in_waiting or 1))
                if lines:
                    self._loop.call_soon_threadsafe(self._deliver, lines)
        except (OSError, ValueError, TypeError) as broken:  # TypeError: pyserial's way to say closed
            reason = str(broken)
        except RuntimeError:  # the loop has gone
            return
        if not self._closing.is_set():
            try:
                self._loop.call_soon_threadsafe(self._on_lost, reason)
            except RuntimeError:
                return

    def _deliver(self, lines: list[str]) -> None:
        for line in lines:
            logger.debug("< %s", line)
            self._on_line(line)
