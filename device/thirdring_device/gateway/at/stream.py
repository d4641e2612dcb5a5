"""Bytes from and to a terminal's file descriptor: never blocks, never holds more than it must."""

import asyncio
import os
from typing import Final

__all__ = ["REPORT_LIMIT_BYTES", "FdStream"]

REPORT_LIMIT_BYTES: Final = 64 * 1024
"""What may wait for a host that does not read before reports and echo are dropped."""
_RESUME_BYTES: Final = 16 * 1024
_READ_BYTES: Final = 4096


class FdStream:
    """A non-blocking file descriptor on asyncio. ``read`` and ``drain`` are for one task each."""

    def __init__(self, fd: int) -> None:
        """``fd`` stays the caller's to close, after ``detach``."""
        self._fd = fd
        self._loop = asyncio.get_running_loop()
        self._waiting = bytearray()
        self._writing = False
        self._drained = asyncio.Event()
        self._drained.set()
        self._muted = False
        self.dropped = 0
        """Bytes not written because the host did not read."""
        os.set_blocking(fd, False)

    async def read(self) -> bytes:
        """Return what came; nothing means that the other end has gone. Raises ``OSError`` other than EIO."""
        while True:
            try:
                return os.read(self._fd, _READ_BYTES)
            except BlockingIOError:
                await self._readable()

    async def _readable(self) -> None:
        ready: asyncio.Future[None] = self._loop.create_future()
        self._loop.add_reader(self._fd, _settle, ready)
        try:
            await ready
        finally:
            self._loop.remove_reader(self._fd)

    def write(self, data: bytes, *, must: bool = False) -> bool:
        """Write in one piece, or as far as the host reads; the rest waits.

        Returns False, and drops ``data``, when too much waits already; ``must`` data never is: its writer
        waits in ``drain`` first.
        """
        if self._muted:
            return False
        if not must and len(self._waiting) + len(data) > REPORT_LIMIT_BYTES:
            self.dropped += len(data)
            return False
        if not self._waiting:
            try:
                data = data[os.write(self._fd, data) :]
            except BlockingIOError:
                pass
            except OSError:
                return False  # the other end has gone; read() says so
        if data:
            self._waiting += data
            if len(self._waiting) > _RESUME_BYTES:
                self._drained.clear()
            if not self._writing:
                self._writing = True
                self._loop.add_writer(self._fd, self._write_more)
        return True

    def _write_more(self) -> None:
        try:
            del self._waiting[: os.write(self._fd, self._waiting[:_RESUME_BYTES])]
        except BlockingIOError:
            return
        except OSError:
            self._discard()
            return
        if len(self._waiting) <= _RESUME_BYTES:
            self._drained.set()
        if not self._waiting:
            self._stop_writing()

    def _stop_writing(self) -> None:
        if self._writing:
            self._writing = False
            self._loop.remove_writer(self._fd)

    async def drain(self) -> None:
        """Wait until little enough waits."""
        await self._drained.wait()

    def mute(self) -> None:
        """Drop what waits and what is written from now on: nobody is there to read it."""
        self._muted = True
        self._discard()

    def unmute(self) -> None:
        """Write again: somebody is there."""
        self._muted = False

    def _discard(self) -> None:
        self._waiting.clear()
        self._drained.set()
        self._stop_writing()

    def detach(self) -> None:
        """Leave the file descriptor alone from now on."""
        self.mute()
        self._loop.remove_reader(self._fd)


def _settle(ready: "asyncio.Future[None]") -> None:
    if not ready.done():
        ready.set_result(None)
