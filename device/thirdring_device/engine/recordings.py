"""The recordings of the calls: begun, paused and finished as the calls go."""

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal, cast

import numpy as np
import numpy.typing as npt

from thirdring.protocol.errors import ThirdringError, error
from thirdring.protocol.events import (
    AgentRequested,
    CallAnswered,
    CallEnded,
    CallIncoming,
    CallOutgoing,
    Dtmf,
    Event,
    Record,
    RecordingDeleted,
    RecordingEnded,
)
from thirdring.protocol.views import RecordingView
from thirdring_device.adapters.media import CallMedia
from thirdring_device.adapters.recording.facts import is_kept, pack
from thirdring_device.adapters.recording.key import KEY_FILE, read_key, read_or_make_key
from thirdring_device.adapters.recording.recorder import CANNOT_WRITE, Recorder, free_bytes
from thirdring_device.adapters.recording.retention import Kept, Limits, doomed, look
from thirdring_device.adapters.recording.sinks import Plan, call_id_of, recordings_in, repair
from thirdring_device.engine.announcement import NOTHING, Announced, Announcer, announcement, warning_tone
from thirdring_device.engine.media import SAMPLE_RATE_HZ
from thirdring_device.sound_settings import RecordingSettings

__all__ = ["FOLDER", "SWEEP_S", "Recordings"]

log = logging.getLogger(__name__)

FOLDER: Final = "recordings"
"""In the state folder."""
MEGABYTE: Final = 1_000_000
GIGABYTE: Final = 1_000_000_000
DAY_S: Final = 86_400.0
HEADROOM_BYTES: Final = 16 * MEGABYTE
"""Freed besides the reserve, so that not each minute of a call deletes another one."""
MASKED_DIGIT: Final = "x"
NEWEST: Final = 16
"""Recordings looked at when the engine starts: more than can have been open at once."""
SWEEP_S: Final = 3600.0
"""How often old recordings are looked for, besides the end of each."""

Tap = Callable[[npt.NDArray[np.int16], npt.NDArray[np.int16]], None]


class Recordings:
    """Knows the recorder of each call. No failure in here reaches a call: it ends the recording."""

    def __init__(
        self,
        state_dir: Path,
        settings: Callable[[], RecordingSettings],
        post: Callable[[Event], None],
        clock: Callable[[], float],
        workers: Executor,
    ) -> None:
        """``post`` takes events from any thread; files are closed by ``workers``."""
        self._folder = state_dir / FOLDER
        self._key_file = state_dir / KEY_FILE
        self._settings, self._post, self._clock, self._workers = settings, post, clock, workers
        self._recorders: dict[str, Recorder] = {}
        self._announcers: dict[str, Announcer] = {}
        self._open: set[str] = set()
        """Calls whose file is being written; changed by single operations, from several threads."""
        self._kept: dict[str, list[Record]] = {}
        """What each live call's recording will carry."""

    # --- what is kept -----------------------------------------------------------------------------

    def _finished(self) -> list[Kept]:
        """Return the recordings that are not being written, oldest first."""
        found = (look(path) for path in recordings_in(self._folder) if call_id_of(path) not in self._open)
        return sorted(kept for kept in found if kept is not None)

    def listed(self, limit: int, call_id: str = "") -> list[RecordingView]:
        """Return the newest recordings, with ``call_id`` that call's only; may take a while."""
        finished = [kept for kept in self._finished() if call_id in ("", call_id_of(kept.path))]
        return [
            RecordingView(
                call_id=call_id_of(kept.path),
                file=kept.path.name,
                encrypted=kept.path.suffix == ".sealed",
                size_bytes=kept.size_bytes,
                finished_utc=datetime.fromtimestamp(kept.finished_s, UTC).isoformat(timespec="seconds"),
            )
            for kept in finished[: -limit - 1 : -1]
        ]

    def named(self, call_id: str) -> Path:
        """Return the recording of a call; raises ``MediaError`` 4024 (none) or 4025 (not finished yet)."""
        if call_id in self._open:
            raise error(4025, call_id)
        for path in recordings_in(self._folder):
            if call_id_of(path) == call_id:
                return path
        raise error(4024, call_id)

    def sweep(self) -> None:
        """Delete what is not to be kept any longer, and tell of each; may take a while."""
        settings = self._settings()
        limits = Limits(
            settings.keep_days * DAY_S, round(settings.max_gb * GIGABYTE), self._short_bytes(settings)
        )
        for kept, reason in doomed(self._finished(), limits, time.time()):
            try:
                kept.path.unlink()
            except OSError as failure:
                log.error("%s was not deleted: %s", kept.path.name, failure)
                continue
            self._post(
                RecordingDeleted(
                    at_s=self._clock(),
                    call_id=call_id_of(kept.path),
                    file=kept.path.name,
                    reason=reason,
                )
            )

    def _short_bytes(self, settings: RecordingSettings) -> int:
        """Return how much is missing to the reserve and a bit, where the oldest make room for it."""
        if settings.when_full != "delete_oldest" or not self._folder.exists():
            return 0
        return max(0, settings.reserve_mb * MEGABYTE + HEADROOM_BYTES - free_bytes(self._folder))

    # --- the calls --------------------------------------------------------------------------------

    def begin(self, call_id: str) -> Tap | None:
        """Return what takes the sound of a call, None when it is not recorded. Runs on the SIP thread."""
        settings = self._settings()
        if not settings.enabled:
            return None
        try:
            told = announcement(settings.announce)
            plan = self._plan(call_id, settings)
        except ThirdringError as reason:
            log.error("call %s is not recorded: %s", call_id, reason)
            self._post(
                RecordingEnded(
                    at_s=self._clock(), call_id=call_id, file="", reason="failed", code=reason.code
                )
            )
            return None
        recorder = Recorder(plan, self._post, self._clock, held=len(told) > 0)
        self._open.add(call_id)
        self._recorders[call_id] = recorder
        tone = warning_tone() if settings.warning_tone else NOTHING
        if len(told) or len(tone):
            announcer = Announcer(told, tone, recorder.release, lambda: recorder.active)
            self._announcers[call_id] = announcer
            if any(isinstance(record.event, CallAnswered) for record in list(self._kept.get(call_id, ()))):
                announcer.answered()
        if settings.when_full == "delete_oldest":
            self._workers.submit(self.sweep)
        return recorder.write

    def media(self, call_id: str, sound: Callable[[Tap | None], CallMedia]) -> CallMedia:
        """Return a call's sound, made with its tap, and what tells that it is recorded put over it."""
        inner = sound(self.begin(call_id))
        announcer = self._announcers.get(call_id)
        return inner if announcer is None else Announced(inner, announcer)

    def _plan(self, call_id: str, settings: RecordingSettings) -> Plan:
        return Plan(
            self._folder,
            call_id,
            cast(Literal["wav", "opus"], settings.format),
            SAMPLE_RATE_HZ,
            settings.opus_kbit_s * 1000,
            read_or_make_key(self._key_file) if settings.encrypted else b"",
            settings.reserve_mb * MEGABYTE,
        )

    def note(self, records: Sequence[Record]) -> None:
        """Take in what the journal has written; the end of a call closes its recording."""
        for record in records:
            event = record.event
            asked = isinstance(event, AgentRequested) and event.action == "dial"
            if asked or isinstance(event, CallIncoming | CallOutgoing):
                self._kept.setdefault(event.call_id, [])
            # Verdicts still come when the call is over and its recording closed.
            if event.call_id in self._kept and is_kept(event):
                self._kept[event.call_id].append(record)
        for record in records:
            if isinstance(record.event, CallAnswered) and record.event.call_id in self._announcers:
                self._announcers[record.event.call_id].answered()
            if isinstance(record.event, CallEnded):
                self._close(record.event.call_id)

    def _close(self, call_id: str) -> None:
        self._announcers.pop(call_id, None)
        kept = self._kept.pop(call_id, [])
        recorder = self._recorders.pop(call_id, None)
        if recorder is not None:
            self._workers.submit(self._finish, call_id, recorder, kept)

    def _finish(self, call_id: str, recorder: Recorder, kept: Sequence[Record]) -> None:
        recorder.close(kept)
        self._open.discard(call_id)
        self.sweep()

    def close_all(self) -> None:
        """Close the recordings of calls that have not ended; the workers do it."""
        for call_id in list(self._recorders):
            self._close(call_id)

    def mask(self, call_id: str, masked: bool) -> None:
        """Record silence or sound from here on; ``recording_paused`` or ``recording_resumed`` tells when."""
        if (recorder := self._recorders.get(call_id)) is not None:
            recorder.mask(masked)

    def shown(self, event: Event) -> Event:
        """Return an event as it may be kept: digits of a pause, a card number perhaps, read ``x``."""
        recorder = self._recorders.get(event.call_id)
        if recorder is None or not recorder.masked:
            return event
        if isinstance(event, Dtmf):
            return replace(event, digit=MASKED_DIGIT)
        if isinstance(event, AgentRequested) and event.action == "dtmf":
            return replace(event, argument=MASKED_DIGIT * len(event.argument))
        return event

    def repaired(self, records_of: Callable[[str], Sequence[Record]]) -> list[Event]:
        """Finish the recordings that an earlier engine died on; return what is to be journalled.

        ``records_of`` gives the journal's records of a call. One that the journal knows as closed is left
        alone: if it lacks its end, somebody has cut it.
        """
        told: list[Event] = []
        for kept in self._finished()[-NEWEST:]:
            call_id = call_id_of(kept.path)
            records = records_of(call_id)
            if records and not any(_closes(record.event) for record in records):
                told += self._repaired(call_id, kept.path, records)
        return told

    def _repaired(self, call_id: str, path: Path, records: Sequence[Record]) -> list[Event]:
        code = 0
        try:
            key = read_key(self._key_file) if path.suffix == ".sealed" else b""
            if not repair(path, key, pack(records, whole=False)):
                return []
        except (OSError, ThirdringError) as reason:
            log.error("recording %s was not repaired: %s", path.name, reason)
            code = reason.code if isinstance(reason, ThirdringError) else CANNOT_WRITE
        return [
            RecordingEnded(
                at_s=self._clock(), call_id=call_id, file=path.name, reason="interrupted", code=code
            )
        ]


def _closes(event: Event) -> bool:
    """Return whether the file has its end: a disk that failed leaves that to the end of the call."""
    return isinstance(event, RecordingEnded) and event.reason in ("call_ended", "interrupted")
