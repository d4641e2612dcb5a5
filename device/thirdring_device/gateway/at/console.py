"""Runs one session on one open terminal: reads, lets the session work, lets the host abort it."""

import asyncio
from typing import Final

from thirdring_device.gateway.at.session import Session
from thirdring_device.gateway.at.stream import FdStream

__all__ = ["converse"]

_CHUNKS: Final = 4
"""Reads ahead of the commands; beyond that the kernel's buffer fills and the host waits."""


async def converse(session: Session, stream: FdStream) -> None:
    """Serve until the other end is gone; raises ``OSError`` when the port breaks."""
    chunks: asyncio.Queue[bytes] = asyncio.Queue(_CHUNKS)
    working = asyncio.create_task(_work(session, chunks), name="console commands")
    try:
        while data := await stream.read():
            if session.abortable:
                if data.strip(b"\n"):  # the LF of a CRLF is no wish to abort
                    session.abort.set()
                continue
            put = asyncio.create_task(chunks.put(data))
            await asyncio.wait((put, working), return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                put.cancel()
                working.result()
    except OSError as reason:
        if reason.errno != 5:  # EIO: the other end of a pty was closed
            raise
    finally:
        working.cancel()
        try:
            await asyncio.wait((working,))  # unlike awaiting it, this tells our own cancellation from its
        finally:
            session.hung_up()
        if not working.cancelled():
            working.result()


async def _work(session: Session, chunks: "asyncio.Queue[bytes]") -> None:
    while True:
        await session.take(await chunks.get())
