"""The engine's Unix socket: JSON lines, commands in, numbered events out."""

import asyncio
import contextlib
import json
import logging
from pathlib import Path
from typing import Any, Final

from thirdring.protocol.commands import command_from_json
from thirdring.protocol.errors import ThirdringError, error
from thirdring.protocol.events import record_to_json
from thirdring_device.engine.engine import Engine

__all__ = ["serve_engine"]

log = logging.getLogger(__name__)

LINE_LIMIT: Final = 256 * 1024


async def serve_engine(engine: Engine, path: Path) -> asyncio.Server:
    """Listen on ``path``, which only the owner may open."""
    path.unlink(missing_ok=True)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _Client(engine, reader, writer).serve()

    server = await asyncio.start_unix_server(serve, path, limit=LINE_LIMIT)
    path.chmod(0o600)
    return server


class _Client:
    """One connection. Events are pulled from the journal as fast as the client reads, so nothing queues."""

    def __init__(self, engine: Engine, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._engine = engine
        self._reader = reader
        self._writer = writer
        self._tasks: set[asyncio.Task[None]] = set()
        self._pump: asyncio.Task[None] | None = None

    async def serve(self) -> None:
        try:
            while line := await self._line():
                self._begin(line)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            for task in (*self._tasks, *([self._pump] if self._pump else [])):
                task.cancel()
            self._writer.close()
            with contextlib.suppress(ConnectionError):
                await self._writer.wait_closed()

    async def _line(self) -> bytes:
        try:
            return await self._reader.readline()
        except ValueError:  # longer than LINE_LIMIT: what follows cannot be trusted
            await self._send({"id": None, "error": {"code": 1006, "detail": ""}})
            return b""

    def _begin(self, line: bytes) -> None:
        task = asyncio.create_task(self._answer(line))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, line: bytes) -> None:
        request_id = None
        try:
            data = _object(line)
            request_id = data.get("id")
            if "subscribe" in data:
                await self._subscribe(data["subscribe"])
                return
            result = await self._engine.execute(command_from_json(data))
            answer: dict[str, Any] = {"id": request_id, "result": result}
        except ThirdringError as reason:
            answer = {"id": request_id, "error": {"code": reason.code, "detail": reason.detail}}
        except Exception as reason:
            log.exception("command failed: %.200s", line)
            answer = {"id": request_id, "error": {"code": 7002, "detail": repr(reason)}}
        with contextlib.suppress(ConnectionError):
            await self._send(answer)

    async def _subscribe(self, after: object) -> None:
        if not isinstance(after, int) or isinstance(after, bool) or after < 0:
            raise error(1001, "subscribe is not a number of an event")
        if self._pump is not None:
            self._pump.cancel()
        await self._send({"subscribed": self._engine.last_number})
        self._pump = asyncio.create_task(self._follow(after))

    async def _follow(self, after: int) -> None:
        with contextlib.suppress(ConnectionError):
            while True:
                records = self._engine.records_after(after)
                if not records:
                    await self._engine.news()
                    continue
                after = records[-1].number
                lines = (_json({"event": record_to_json(record)}) for record in records)
                self._writer.write(b"".join(lines))
                await self._writer.drain()

    async def _send(self, answer: dict[str, Any]) -> None:
        self._writer.write(_json(answer))
        await self._writer.drain()


def _json(data: dict[str, Any]) -> bytes:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _object(line: bytes) -> dict[str, Any]:
    try:
        data = json.loads(line)
    except ValueError as reason:
        raise error(1000, str(reason)) from reason
    if not isinstance(data, dict):
        raise error(1000, "not an object")
    return data
