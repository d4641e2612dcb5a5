"""The engine: facts are numbered, stored and given to the core; commands go out to the adapters.

Everything here runs on one asyncio loop. Adapters' threads hand facts over with ``post``; each batch of
facts is journalled, with all that the core derives from it, in one transaction *before* any command that
follows is executed and before anybody is told.
"""

import asyncio
import logging
import secrets
import time
from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, Literal

from thirdring.protocol.codec import to_fields
from thirdring.protocol.commands import (
    Command,
    GetHeadset,
    GetMetrics,
    GetSettings,
    GetState,
    ListRecordings,
    PressButton,
    ReadRecording,
    SetSettings,
    Speak,
)
from thirdring.protocol.errors import CallError, error
from thirdring.protocol.events import (
    AgentRequested,
    CallEnded,
    DialRefused,
    Dtmf,
    EngineStarted,
    EngineStopped,
    Event,
    HeadsetChanged,
    Prompt,
    Record,
    RecordingRead,
    SettingsChanged,
    StorageChanged,
)
from thirdring.protocol.views import DeskState, HeadsetView
from thirdring_device.adapters.board.interface import Board
from thirdring_device.adapters.headset.interface import Headset
from thirdring_device.adapters.hid.interface import HeadsetButtons
from thirdring_device.adapters.numbers import classify
from thirdring_device.adapters.sip.adapter import SipAdapter
from thirdring_device.adapters.store.journal import Journal
from thirdring_device.core.call import ImpossibleTransition
from thirdring_device.core.commands import (
    AnnounceToCustomer,
    DeviceCommand,
    MaskRecording,
    SetHeadsetLamp,
    SetRinger,
)
from thirdring_device.core.desk import Desk, Outputs
from thirdring_device.core.dialplan import HOUR_S, REFUSALS, DialPlan
from thirdring_device.core.digits import DigitSieve
from thirdring_device.core.norms.after import LATE_RULES
from thirdring_device.engine.headset_desk import HeadsetDesk
from thirdring_device.engine.recordings import SWEEP_S, Recordings
from thirdring_device.engine.replay import desk_settings
from thirdring_device.engine.sending_on import SendingOn, plan_settings
from thirdring_device.engine.set_up import SET_UP_COMMANDS, SetUp
from thirdring_device.engine.sounds import CallSounds
from thirdring_device.engine.state import Standing
from thirdring_device.engine.work import WORK_COMMANDS, DeskWork
from thirdring_device.settings import Settings, changed, save_changes, secret_names, setting_views

__all__ = ["Engine"]

log = logging.getLogger(__name__)

RECENT_RECORDS: Final = 512
"""Records kept in memory for subscribers; older ones come from the journal."""
DIALLING: Final = frozenset({"dial", "redial"})
"""Commands that need the trunk."""
MOST_LISTED: Final = 1000
"""Recordings in one answer."""
FLUSH_S: Final = 2.0
"""How often writing is tried again while the disk is full."""


def new_call_id() -> str:
    """Return an id that sorts by time and is unique without any memory."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"


class Engine:
    """One desk. ``start``, then commands by ``execute`` and records by ``records_after``, then ``stop``."""

    def __init__(
        self,
        settings: Settings,
        state_dir: Path,
        board: Board,
        headset: Headset,
        buttons: HeadsetButtons | None = None,
        restart: Callable[[], None] = lambda: None,
    ) -> None:
        """Open the journal; raises ``StorageError``. Without ``buttons`` the headset has none.

        ``restart`` is called when the engine is to be stopped and started anew.
        """
        self._settings = settings
        self._state_dir = state_dir
        self._board = board
        self._headset = headset
        self._headset_present = True
        headset.watch(self._headset_told)
        self._desk = Desk(desk_settings(settings), DialPlan(plan_settings(settings), classify))
        self._journal = Journal(state_dir / "journal.sqlite3")
        self._epoch_s = time.monotonic() - self._journal.clock_s()
        self._sending_on = SendingOn(self._desk.plan, clock=self.clock, post=self.post)
        self._work = DeskWork(self._journal, self._desk, lambda: self._settings)
        self._desk.prepare = self._work.prepared
        self._started = False
        self._inbox: deque[Event] = deque()
        self._recent: deque[Record] = deque(maxlen=RECENT_RECORDS)
        self._news = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._flush_timer: asyncio.TimerHandle | None = None
        self._sweep_timer: asyncio.TimerHandle | None = None
        self._standing = Standing()
        self._sieves: defaultdict[str, DigitSieve] = defaultdict(DigitSieve)
        self._buttons: HeadsetDesk | None = None
        if buttons is not None:
            self._buttons = HeadsetDesk(
                buttons,
                redial=settings.headset.redial_button,
                clock=self.clock,
                calls=lambda: self._desk.calls,
                admit=self._admit,
                take=self._take,
                call_soon=lambda *what: self._loop.call_soon_threadsafe(*what),
            )
        self._workers = ThreadPoolExecutor(2, "worker")
        self._recordings = Recordings(
            state_dir, lambda: self._settings.recording, self.post, self.clock, self._workers
        )
        self._sounds = CallSounds(state_dir, lambda: self._settings, self._recordings, self.post, self.clock)
        self._sip = SipAdapter(
            settings,
            clock=self.clock,
            post=self.post,
            media=self._sounds.media,
            new_call_id=new_call_id,
            headset=headset,
            calls_settings=lambda: self._settings.calls,
            may_dial=lambda number: self._sending_on.may_refer(number, self._loop),
        )
        self._set_up = SetUp(
            settings,
            lambda: self._settings,
            self._sip,
            in_call=lambda: bool(self._desk.calls),
            headset_present=lambda: self._headset_present,
            restart=restart,
        )

    def clock(self) -> float:
        """Seconds, monotonic; they go on where an earlier engine left them: calls are judged on."""
        return time.monotonic() - self._epoch_s

    # --- life -------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Take up what an earlier engine left, end the calls that it died on, then open SIP.

        Raises ``TrunkError`` 3004.
        """
        self._loop = asyncio.get_running_loop()
        for records in self._journal.unjudged(LATE_RULES):
            self._desk.take_up(records)
        for call_id, records in self._journal.unfinished().items():
            self._interrupt(call_id, records)
        self._publish(self._journal.append(self._recordings.repaired(self._journal.call_events)))
        try:
            await self._loop.run_in_executor(self._workers, self._sip.start)
        except BaseException:
            self._journal.close()
            raise
        self._started = True
        self._desk.last_dialled, self._desk.last_withheld = self._journal.last_dialled()
        self._desk.call_backs = self._journal.open_call_backs()
        self._desk.plan.called(self.clock() - ago_s for ago_s in self._journal.dialled_within(HOUR_S))
        self._take(
            EngineStarted(
                at_s=self.clock(),
                version=version("thirdring-device"),
                board=self._board.name,
                sip_stack=self._sip.sip_stack,
            )
        )
        self._drain()
        if self._buttons:
            self._buttons.start()
        self._sweep()

    def _interrupt(self, call_id: str, records: Sequence[Record]) -> None:
        """End a call that an earlier engine died on: at the last thing known of it."""
        last_s = max(record.event.at_s for record in records)
        closing = CallEnded(at_s=last_s, call_id=call_id, by="appliance", cause="interrupted")
        (end,) = self._journal.number([closing])
        told = self._journal.number(self._desk.take_up(records, end))
        self._journal.write([end, *told])
        self._publish([end, *told])
        log.warning("call %s was interrupted by the end of an earlier engine", call_id)

    def is_well(self) -> bool:
        """Return whether the telephone went on since this was asked last; the loop that asks does."""
        return self._sip.has_turned()

    async def stop(self, reason: str = "") -> None:
        """End every call, close SIP and the journal."""
        self._set_up.close()
        if self._buttons:
            await self._loop.run_in_executor(self._workers, self._buttons.stop)
        await self._loop.run_in_executor(self._workers, self._sip.stop)
        self._drain()
        if self._sweep_timer is not None:
            self._sweep_timer.cancel()
        self._recordings.close_all()
        await self._loop.run_in_executor(None, self._workers.shutdown)
        self._drain()
        self._take(EngineStopped(at_s=self.clock(), reason=reason))
        for timer in (self._timer, self._flush_timer):
            if timer is not None:
                timer.cancel()
        self._journal.close()

    # --- facts ------------------------------------------------------------------------------------

    def post(self, event: Event) -> None:
        """Take in a fact from any thread."""
        self._inbox.append(event)
        self._loop.call_soon_threadsafe(self._drain)

    def _headset_told(self, present: bool, reason: str) -> None:
        """Take in from any thread that the headset has come or gone."""
        self._headset_present = present
        state: Literal["present", "lost"] = "present" if present else "lost"
        device = self._headset.name
        self.post(HeadsetChanged(at_s=self.clock(), state=state, device=device, reason=reason))

    def _drain(self) -> None:
        if self._inbox and self._started:
            facts = list(self._inbox)
            for _ in facts:
                self._inbox.popleft()
            self._take(*facts)

    def _take(self, *facts: Event) -> None:
        """Take in facts: number, judge, store, then act and tell."""
        records: list[Record] = []
        commands: list[DeviceCommand] = []
        waiting = deque(facts)
        while waiting:
            fact = waiting.popleft()
            if isinstance(fact, Dtmf) and not self._sieves[fact.call_id].passes(fact):
                continue
            shown = self._recordings.shown(fact)
            # A customer's digit is masked for the norms, too; what the agent sends has to go out.
            judged = shown if isinstance(fact, Dtmf) else fact
            (record,) = self._journal.number([judged])
            records.append(replace(record, event=shown))
            self._standing.note(judged)
            try:
                outputs = self._desk.handle(record)
            except ImpossibleTransition:
                log.exception("fact %d ignored by the core", record.number)
                continue
            records += self._journal.number(outputs.events)
            commands += outputs.commands
            waiting.extendleft(reversed(outputs.facts))
        self._conclude(records, commands)

    def _wake(self) -> None:
        self._timer = None
        outputs: Outputs = self._desk.wake(self.clock())
        self._conclude(self._journal.number(outputs.events), outputs.commands)

    def _conclude(self, records: Sequence[Record], commands: Sequence[DeviceCommand]) -> None:
        self._store(records)
        for command in commands:
            allowed = self._sending_on.allowed(command)
            if allowed is not None:
                self._execute(allowed)
        self._sound_prompts(records)
        if self._buttons:
            self._buttons.follow()
        self._publish(records)
        self._recordings.note(records)
        for record in records:
            if isinstance(record.event, CallEnded):
                self._sieves.pop(record.event.call_id, None)
                self._sounds.forget(record.event.call_id)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        wake_at_s = self._desk.wake_at_s
        if wake_at_s is not None:
            self._timer = self._loop.call_at(self._epoch_s + wake_at_s, self._wake)

    def _sound_prompts(self, records: Sequence[Record]) -> None:
        """Let the agent, and nobody else, hear that there is a prompt; while it rings the ringer says it."""
        ringing = {call.call_id for call in self._desk.calls if call.state in ("incoming", "answering")}
        prompts = (record.event for record in records if isinstance(record.event, Prompt))
        urgencies = {prompt.urgency for prompt in prompts if prompt.call_id not in ringing}
        if urgencies & {"warn", "urgent"}:
            self._headset.earcon("urgent" if "urgent" in urgencies else "warn")

    def _store(self, records: Sequence[Record]) -> None:
        was_full = self._journal.full
        self._journal.write(records)
        if self._journal.full != was_full:
            state = "full" if self._journal.full else "ok"
            log.warning("journal: %s", state)
            (note,) = self._journal.number(
                [StorageChanged(at_s=self.clock(), state=state, lost=self._journal.lost)]  # type: ignore[arg-type]
            )
            self._journal.write([note])
            self._publish([note])
        if self._journal.full and self._flush_timer is None:
            self._flush_timer = self._loop.call_later(FLUSH_S, self._flush)

    def _flush(self) -> None:
        self._flush_timer = None
        self._store(())

    # --- commands ---------------------------------------------------------------------------------

    def _execute(self, command: DeviceCommand) -> None:
        if isinstance(command, SetRinger):
            self._board.set_ringer(command.urgency)
            self._headset.ring(command.urgency)
        elif isinstance(command, SetHeadsetLamp):
            self._board.set_headset_lamp(lost=command.lost)
        elif isinstance(command, AnnounceToCustomer):
            self._workers.submit(self._sounds.announce, command.call_id, command.key)
        elif isinstance(command, MaskRecording):
            self._recordings.mask(command.call_id, command.masked)
        else:
            self._sip.execute(command)

    async def execute(self, command: Command) -> Mapping[str, Any]:
        """Execute a command from outside; raises ``ThirdringError`` with the code for the answer."""
        if isinstance(command, GetState):
            return to_fields(self._state())
        if isinstance(command, GetMetrics):
            intervals = self._headset.lateness.read()
            if command.reset:
                self._headset.lateness.reset()
            return {"frame_interval": intervals}
        if isinstance(command, GetSettings):
            return {"settings": [to_fields(view) for view in setting_views(self._settings)]}
        if isinstance(command, SetSettings):
            return self._set_settings(command)
        if isinstance(command, Speak):
            return await self._speak(command)
        if isinstance(command, WORK_COMMANDS):
            self._take(self._work.fact(command, self.clock()))
            return self._work.answer(command)
        if isinstance(command, ListRecordings | ReadRecording):
            return await self._about_recordings(command)
        if isinstance(command, GetHeadset | PressButton):
            return self._headset_asked(command)
        if isinstance(command, SET_UP_COMMANDS):
            return await self._set_up.execute(command)
        request = self._admit(command)
        self._take(request)
        return {"call_id": request.call_id}

    def _headset_asked(self, command: GetHeadset | PressButton) -> Mapping[str, Any]:
        if isinstance(command, PressButton):
            if self._buttons is None:
                raise error(4002, "its buttons are off")
            self._buttons.press(command.button)
        view = self._buttons.view() if self._buttons else to_fields(HeadsetView(device="", leds=()))
        return {**view, "sound": self._headset.name, "present": self._headset_present}

    def _admit(self, command: Command) -> AgentRequested:
        """Turn a request into its fact; raises ``ThirdringError`` when it cannot be done now."""
        if command.name in DIALLING and not self._settings.trunk.server:
            raise error(3000, "trunk.server is not set")
        if command.name in DIALLING and not self._standing.can_dial:
            raise error(3001, self._standing.trunk_reason)
        try:
            return self._desk.admit(command, self.clock(), new_call_id())
        except CallError as refusal:
            if refusal.code in REFUSALS:
                number = str(getattr(command, "number", getattr(command, "target", "")))
                self._take(
                    DialRefused(at_s=self.clock(), number=number, code=refusal.code, source=command.source)
                )
            raise

    async def _about_recordings(self, command: ListRecordings | ReadRecording) -> Mapping[str, Any]:
        if isinstance(command, ListRecordings):
            if not 1 <= command.limit <= MOST_LISTED:
                raise error(1004, f"limit is {command.limit}, outside 1 to {MOST_LISTED}")
            views = await self._loop.run_in_executor(
                self._workers, self._recordings.listed, command.limit, command.call_id
            )
            return {"recordings": [to_fields(view) for view in views]}
        path = await self._loop.run_in_executor(self._workers, self._recordings.named, command.call_id)
        self._take(
            RecordingRead(at_s=self.clock(), call_id=command.call_id, file=path.name, source=command.source)
        )
        return {"path": str(path.relative_to(self._state_dir))}

    def _sweep(self) -> None:
        """Delete old recordings, now and every hour."""
        self._workers.submit(self._recordings.sweep)
        self._sweep_timer = self._loop.call_later(SWEEP_S, self._sweep)

    async def _speak(self, command: Speak) -> Mapping[str, Any]:
        if not command.path:
            self._headset.stop_speaking()
            return {"duration_s": 0.0}
        path = Path(command.path)
        duration_s = await self._loop.run_in_executor(self._workers, self._headset.speak, path)
        return {"duration_s": duration_s}

    def _set_settings(self, command: SetSettings) -> Mapping[str, Any]:
        new = changed(self._settings, command.changes)
        desk = desk_settings(new)
        self._set_up.check(new)
        self._sending_on.check(new, command.changes)
        save_changes(self._state_dir, command.changes)
        live = {view.name for view in setting_views(new) if view.live}
        self._settings = new
        self._headset.adjust(new.headset)
        self._desk.settings = desk
        self._desk.plan.settings = plan_settings(new)
        hidden = secret_names()
        shown = {name: "***" if name in hidden else value for name, value in command.changes.items()}
        self._take(SettingsChanged(at_s=self.clock(), changes=shown, source=command.source))
        return {"restart_required": not set(command.changes) <= live}

    def _state(self) -> DeskState:
        return self._standing.view(
            self._desk,
            board=self._board.name,
            sip_stack=self._sip.sip_stack,
            storage_full=self._journal.full,
            last_event=self._journal.last_number,
        )

    # --- those who listen -------------------------------------------------------------------------

    def _publish(self, records: Sequence[Record]) -> None:
        if records:
            self._recent.extend(records)
            self._news.set()
            self._news = asyncio.Event()

    @property
    def last_number(self) -> int:
        """Number of the newest record."""
        return self._journal.last_number

    def records_after(self, after: int, limit: int = 500) -> list[Record]:
        """Return at most ``limit`` records above ``after``, in order."""
        if self._recent and self._recent[0].number <= after + 1:
            behind = self._recent[-1].number - after
            if behind <= 0:
                return []
            return list(self._recent)[-behind:][:limit]
        return self._journal.events(after, limit)

    async def news(self) -> None:
        """Return when there is a new record."""
        await self._news.wait()
