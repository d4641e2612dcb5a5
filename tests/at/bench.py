"""A console server on its own thread with an engine that tests play, and a host on the pty."""

import asyncio
import contextlib
import dataclasses
import threading
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from pathlib import Path
from typing import Any

import serial

from thirdring.protocol.codec import to_fields
from thirdring.protocol.commands import Command
from thirdring.protocol.errors import ThirdringError, error
from thirdring.protocol.events import (
    CallAlerting,
    CallAnswered,
    CallEnded,
    CallIncoming,
    CallOutgoing,
    Event,
    Record,
    RingBurst,
    Verdict,
)
from thirdring.protocol.views import (
    CallBackView,
    CallDetail,
    CallSummary,
    CallView,
    ContactView,
    DeskState,
    HeadsetView,
    NotesView,
)
from thirdring_device.gateway.at.server import serve_consoles
from thirdring_device.gateway.at.transcript import Transcript
from thirdring_device.settings import SerialSettings, Settings, setting_views

WAIT_S = 8.0


class PlayedEngine:
    """Client and reader in one: tests ``emit`` events and read ``asked``. Lives on the server's loop."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.asked: list[Command] = []
        self.answers: dict[str, dict[str, Any] | ThirdringError] = {}
        self.views: list[CallView] = []
        self.contact_views: list[ContactView] = []
        self._changed = asyncio.Event()

    def emit(self, *events: Event) -> None:
        """Number and hand out events; call it on the server's loop."""
        for event in events:
            number = len(self.records) + 1
            stamped = dataclasses.replace(event, at_s=number / 4)
            self.records.append(Record(number, "2026-01-02T03:04:05.000Z", stamped))
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def command(self, command: Command) -> dict[str, Any]:
        self.asked.append(command)
        answer = self.answers.get(command.name)
        if isinstance(answer, ThirdringError):
            raise answer
        if answer is not None:
            return answer
        if command.name == "get_state":
            return to_fields(
                DeskState(
                    version="0.1",
                    board="simulator",
                    sip_stack="2.15",
                    trunk="static",
                    trunk_reason="",
                    storage="ok",
                    strangers_refused=0,
                    calls=tuple(self.views),
                    last_event=len(self.records),
                )
            )
        if command.name == "get_settings":
            return {"settings": [to_fields(view) for view in setting_views(Settings())]}
        if command.name == "get_headset":
            return to_fields(HeadsetView(device="simulated", leds=(), sound="simulated"))
        return {}

    async def events(self, after: int) -> AsyncGenerator[Record, None]:
        while True:
            changed = self._changed
            for record in self.records[after:]:
                after = record.number
                yield record
            if after == len(self.records):
                await changed.wait()

    def last_number(self) -> int:
        return len(self.records)

    def newest_events(self, limit: int) -> list[Record]:
        return self.records[-limit:]

    def figure_records(self, start_utc: str, end_utc: str, *, verdicts: bool) -> list[Record]:
        return [record for record in self.records if start_utc <= record.utc < end_utc]

    def notes(self, call_id: str = "", limit: int = 100) -> list[NotesView]:
        return []

    def contacts(self, number: str = "", limit: int = 10_000) -> list[ContactView]:
        return self.contact_views

    def call_backs(self, limit: int = 1000, *, done: bool = False) -> list[CallBackView]:
        return []

    def call_events(self, call_id: str) -> list[Record]:
        return [record for record in self.records if record.event.call_id == call_id]

    def calls(self, limit: int = 100, before: str | None = None) -> list[CallSummary]:
        kinds = (CallIncoming, CallOutgoing)
        starts = [record.event.call_id for record in self.records if isinstance(record.event, kinds)]
        return [self.call(call_id).call for call_id in reversed(starts)][:limit]

    def call(self, call_id: str) -> CallDetail:
        records = self.call_events(call_id)
        if not records:
            raise error(2000, call_id)
        first = records[0].event
        assert isinstance(first, CallIncoming | CallOutgoing)
        ends = [record.event for record in records if isinstance(record.event, CallEnded)]
        rings = [record.event.ring for record in records if isinstance(record.event, RingBurst)]
        summary = CallSummary(
            call_id=call_id,
            direction="incoming" if isinstance(first, CallIncoming) else "outgoing",
            number=first.number,
            display_name=first.display_name if isinstance(first, CallIncoming) else "",
            state="ended" if ends else "live",
            started_utc=records[0].utc,
            answered_utc=None,
            ended_utc=records[-1].utc if ends else None,
            ended_by=ends[0].by if ends else "",
            cause=ends[0].cause if ends else "",
            wait_s=1.5,
            talk_s=None,
            rings_heard=rings[-1] if rings else None,
            first_event=records[0].number,
            last_event=records[-1].number,
        )
        verdicts = tuple(record.event for record in records if isinstance(record.event, Verdict))
        return CallDetail(call=summary, verdicts=verdicts)


class ServedConsole:
    """``serve_consoles`` on a thread; ``do`` runs something on its loop and returns the result."""

    def __init__(self, state_dir: Path, serial_settings: SerialSettings) -> None:
        self.path = state_dir / "console"
        self.engine = PlayedEngine()
        self._loop = asyncio.new_event_loop()
        settings = Settings(serial=serial_settings)
        self.transcript = Transcript()
        self._task = self._loop.create_task(
            serve_consoles(settings, state_dir, self.engine, self.engine, transcript=self.transcript),
            name="consoles",
        )
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        wait_for(self.path.exists)

    def _run(self) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            self._loop.run_until_complete(self._task)
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(WAIT_S)
        assert not self._thread.is_alive()

    def do(self, function: Callable[..., Any], *arguments: Any) -> Any:
        async def call() -> Any:
            return function(*arguments)

        return asyncio.run_coroutine_threadsafe(call(), self._loop).result(WAIT_S)

    def emit(self, *events: Event) -> None:
        self.do(self.engine.emit, *events)

    def rings(self, call_id: str = "c1", number: str = "+8621555", ring: int = 1) -> None:
        """Let a call come in and ring once."""
        self.emit(
            CallIncoming(at_s=0, call_id=call_id, number=number),
            CallAlerting(at_s=0, call_id=call_id),
            RingBurst(at_s=0, call_id=call_id, ring=ring, urgency="normal"),
        )

    def answered(self, call_id: str) -> None:
        self.emit(CallAnswered(at_s=0, call_id=call_id))

    def ended(self, call_id: str, cause: Any = "hangup", by: Any = "customer", sip_code: int = 0) -> None:
        self.emit(CallEnded(at_s=0, call_id=call_id, by=by, cause=cause, sip_code=sip_code, reason="why"))


class Host:
    """What a terminal program sees; every wait has its end."""

    def __init__(self, path: Path) -> None:
        self.port = serial.Serial(str(path), timeout=0.02)
        self.seen = b""

    def write(self, data: bytes) -> None:
        self.port.write(data)

    def until(self, *ends: bytes, wait_s: float = WAIT_S) -> bytes:
        """Read until what came ends in one of ``ends`` and return all of it."""
        deadline_s = time.monotonic() + wait_s
        while not self.seen.endswith(ends):
            assert time.monotonic() < deadline_s, f"{ends!r} never came, but {self.seen[-400:]!r}"
            self.seen += self.port.read(65536)
        seen, self.seen = self.seen, b""
        return seen

    def find(self, text: bytes, wait_s: float = WAIT_S) -> bytes:
        """Read until ``text`` has come; return what came up to its end and keep the rest."""
        deadline_s = time.monotonic() + wait_s
        while text not in self.seen:
            assert time.monotonic() < deadline_s, f"{text!r} never came, but {self.seen[-400:]!r}"
            self.seen += self.port.read(65536)
        before, found, self.seen = self.seen.partition(text)
        return before + found

    def ask(self, line: str) -> list[str]:
        """Send a line; return the lines of the answer, the final code last."""
        self.write(line.encode() + b"\r")
        answer = self.until(
            b"\r\nOK\r\n", b"\r\nERROR\r\n", b"\r\nNO CARRIER\r\n", b"\r\nBUSY\r\n", b"\r\nCONNECT\r\n"
        )
        return [part for part in answer.decode().split("\r\n") if part]

    def quiet(self, for_s: float = 0.15) -> bytes:
        """Return what comes within ``for_s``: to show that nothing does."""
        deadline_s = time.monotonic() + for_s
        while time.monotonic() < deadline_s:
            self.seen += self.port.read(65536)
        seen, self.seen = self.seen, b""
        return seen

    def close(self) -> None:
        self.port.close()


def wait_for(condition: Callable[[], object], wait_s: float = WAIT_S) -> None:
    """Wait until ``condition`` holds."""
    deadline_s = time.monotonic() + wait_s
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < deadline_s, "it never came to that"
        pause.wait(0.01)


@contextlib.contextmanager
def served(
    state_dir: Path, devices: tuple[str, ...] = (), *, lock: bool = False, lock_idle_s: int = 900
) -> Iterator[ServedConsole]:
    console = ServedConsole(state_dir, SerialSettings(devices=devices, lock=lock, lock_idle_s=lock_idle_s))
    try:
        yield console
    finally:
        console.stop()


def call_view(state: str = "incoming", number: str = "+8621555") -> CallView:
    """Return a call as the engine tells of it."""
    return CallView(
        call_id="c1",
        index=1,
        direction="incoming",
        state=state,  # type: ignore[arg-type]
        number=number,
        display_name='Li; "x"',
        rings=1,
        started_utc="2026",
    )
