"""A small engine behind a real Unix socket: it keeps records and answers commands from a table."""

import asyncio
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from thirdring.protocol.commands import Command, command_from_json
from thirdring.protocol.errors import ThirdringError
from thirdring.protocol.events import Event, Record, record_to_json
from thirdring_device.adapters.store.journal import Journal

UTC = "2026-05-04T09:00:00.000Z"

Handler = Callable[[Command], Mapping[str, Any]]


class FakeEngine:
    def __init__(self, path: Path, journal: Journal | None = None) -> None:
        self.path = path
        self.journal = journal
        self.records: list[Record] = []
        self.handlers: dict[str, Handler] = {}
        self.commands: list[Command] = []
        self.deaf: set[str] = set()
        self.subscriptions: list[int] = []
        self.cut_after: int | None = None
        self._server: asyncio.Server | None = None
        self._changed = asyncio.Condition()
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_unix_server(self._serve, self.path)

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in self._writers:
            writer.close()
        await self._server.wait_closed()
        self.path.unlink(missing_ok=True)

    async def emit(self, event: Event) -> Record:
        async with self._changed:
            if self.journal is not None:
                self.records += self.journal.append([event])
            else:
                number = self.records[-1].number + 1 if self.records else 1
                self.records.append(Record(number, UTC, event))
            self._changed.notify_all()
            return self.records[-1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            while line := await reader.readline():
                message = json.loads(line)
                if "subscribe" in message:
                    pump = asyncio.create_task(self._pump(message["subscribe"], writer))
                    self._tasks.add(pump)
                else:
                    self._answer(message, writer)
        except (asyncio.CancelledError, OSError):
            pass
        finally:
            writer.close()

    def _answer(self, message: Mapping[str, Any], writer: asyncio.StreamWriter) -> None:
        reply: dict[str, Any] = {"id": message["id"]}
        try:
            command = command_from_json(message)
            self.commands.append(command)
            if command.name in self.deaf:
                return
            reply["result"] = dict(self.handlers[command.name](command))
        except ThirdringError as refused:
            reply["error"] = {"code": refused.code, "detail": refused.detail}
        writer.write(json.dumps(reply).encode() + b"\n")

    async def _pump(self, after: int, writer: asyncio.StreamWriter) -> None:
        self.subscriptions.append(after)
        last = self.records[-1].number if self.records else 0
        writer.write(json.dumps({"subscribed": last}).encode() + b"\n")
        while True:
            async with self._changed:
                while not self.records or self.records[-1].number <= after:
                    await self._changed.wait()
                batch = [record for record in self.records if record.number > after]
            for record in batch:
                writer.write(json.dumps({"event": record_to_json(record)}).encode() + b"\n")
                after = record.number
                if self.cut_after == after:
                    self.cut_after = None
                    writer.write(b'{"error": {"code": 7004}}\n')
                    writer.close()
                    return
            await writer.drain()
