"""The gateway's end of the engine's Unix socket: commands in, numbered events out.

One connection carries the commands of everybody, each stream of events has its own. The engine may stop and
come back at any time: a command in flight fails with 7000 and is never sent twice, a stream of events
resumes behind the last event it gave out.
"""

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from pathlib import Path
from typing import Any, Final

from thirdring.protocol.commands import Command, command_to_json
from thirdring.protocol.errors import ThirdringError, error
from thirdring.protocol.events import Record, record_from_json

__all__ = ["COMMAND_TIMEOUT_S", "ENGINE_SOCKET", "EngineClient"]

ENGINE_SOCKET: Final = "engine.sock"
"""Name of the socket in the state folder."""

COMMAND_TIMEOUT_S: Final = 5.0
"""The engine answers every command at once; what takes longer shows in events."""

SLOW_S: Final[Mapping[str, float]] = {"test_trunk": 30.0}
"""Commands that wait for somebody else, and how long they may take."""

CONNECT_TIMEOUT_S: Final = 2.0
BACKOFF_FIRST_S: Final = 0.05
BACKOFF_LONGEST_S: Final = 0.25
"""A call that rings right after the start is heard of so soon; a failed connect costs nothing."""

LINE_LIMIT_BYTES: Final = 4 * 1024 * 1024
"""All settings make about 30 kB, an event less than 4 kB."""

logger = logging.getLogger(__name__)

Wire = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class EngineClient:
    """Client of ``DIR/engine.sock``; connects when first needed, and again after a restart."""

    def __init__(self, socket_path: Path, *, timeout_s: float = COMMAND_TIMEOUT_S) -> None:
        """``timeout_s`` is how long one command may take."""
        self._path = socket_path
        self._timeout_s = timeout_s
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._last_id = 0
        self._connecting = asyncio.Lock()

    async def command(self, command: Command) -> dict[str, Any]:
        """Execute one command and return its result object.

        Raises ``ApplianceError`` 7000 (engine not running, or gone before it answered), 7001 (no answer in
        time; the command may have been executed), ``RequestError`` 1001 (a text is not Unicode) and whatever
        numbered error the engine answers.
        """
        writer = await self._connected()
        self._last_id += 1
        request_id = self._last_id
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[request_id] = answer
        timeout_s = max(self._timeout_s, SLOW_S.get(command.name, 0.0))
        try:
            async with asyncio.timeout(timeout_s):
                writer.write(_line(command_to_json(command, request_id)))
                await writer.drain()
                return await answer
        except TimeoutError as reason:
            raise error(7001, f"{command.name} within {timeout_s:g} s") from reason
        except OSError as reason:
            raise error(7000, str(reason)) from reason
        finally:
            self._waiting.pop(request_id, None)

    async def events(self, after: int) -> AsyncGenerator[Record, None]:
        """Yield every event numbered above ``after``, then those to come, for ever.

        Waits while the engine is not running. When the journal ends below ``after`` (it was wiped, or its
        last events were lost with a full disk), the stream goes on behind the journal's end.
        """
        pause_s = BACKOFF_FIRST_S
        while True:
            try:
                reader, writer = await self._open()
            except ThirdringError:
                pause_s = await _back_off(pause_s)
                continue
            try:
                writer.write(_line({"subscribe": after}))
                await writer.drain()
                async for message in _messages(reader):
                    if "event" in message:
                        record = record_from_json(message["event"])
                        if record.number > after:
                            after = record.number
                            yield record
                    elif "subscribed" in message:
                        pause_s = BACKOFF_FIRST_S
                        if int(message["subscribed"]) < after:
                            logger.warning("the journal ends at %s, not at %d", message["subscribed"], after)
                            after = int(message["subscribed"])
                            break
                    elif "error" in message:
                        logger.warning("the engine ended the stream of events: %s", _error(message["error"]))
                        break
            except OSError as reason:
                logger.info("the stream of events broke: %s", reason)
            finally:
                writer.close()
            pause_s = await _back_off(pause_s)

    async def close(self) -> None:
        """Disconnect; commands in flight fail with 7000. The client may be used again."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait((self._reading,))
        self._reading = None

    async def _connected(self) -> asyncio.StreamWriter:
        async with self._connecting:
            if self._writer is None:
                reader, self._writer = await self._open()
                self._reading = asyncio.create_task(self._read(reader, self._writer), name="engine answers")
            return self._writer

    async def _open(self) -> Wire:
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                return await asyncio.open_unix_connection(self._path, limit=LINE_LIMIT_BYTES)
        except (OSError, TimeoutError) as reason:
            raise error(7000, f"{self._path}: {reason}") from reason

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Hand each answer to the command that waits for it, until the connection ends."""
        try:
            async for message in _messages(reader):
                request_id = message.get("id")
                answer = self._waiting.get(request_id) if isinstance(request_id, int) else None
                if answer is None or answer.done():
                    logger.warning("the engine answered nobody's question: %.200s", message)
                elif "error" in message:
                    answer.set_exception(_error(message["error"]))
                else:
                    answer.set_result(dict(message.get("result") or {}))
        except OSError as reason:
            logger.info("the engine's answers broke off: %s", reason)
        finally:
            self._writer = None
            writer.close()
            waiting, self._waiting = self._waiting, {}
            for answer in waiting.values():
                if not answer.done():
                    answer.set_exception(error(7000, "it stopped before it answered"))


async def _back_off(pause_s: float) -> float:
    """Wait ``pause_s`` and return the next pause."""
    await asyncio.sleep(pause_s)
    return min(2 * pause_s, BACKOFF_LONGEST_S)


def _line(message: Mapping[str, Any]) -> bytes:
    try:
        return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
    except UnicodeEncodeError as reason:  # half of a surrogate pair, which JSON can smuggle in
        raise error(1001, "a text is not Unicode") from reason


def _error(fields: Mapping[str, Any]) -> ThirdringError:
    return error(int(fields.get("code", 7002)), str(fields.get("detail", "")))


async def _messages(reader: asyncio.StreamReader) -> AsyncIterator[dict[str, Any]]:
    """Yield the JSON object of each line; a line that is none ends the connection as an ``OSError``."""
    while True:
        try:
            line = await reader.readline()
            if not line.endswith(b"\n"):
                return
            message = json.loads(line)
        except ValueError as reason:  # a line above the limit, or no JSON
            raise ConnectionError(f"the engine wrote what is not JSON lines: {reason}") from reason
        if not isinstance(message, dict):
            raise ConnectionError("the engine wrote what is not an object")
        yield message
