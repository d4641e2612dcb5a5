"""The recordings of the calls: begun, paused and finished as the calls go."""

import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Final, Literal, cast

import numpy as np
import numpy.typing as npt

from thirdring.protocol.errors import ThirdringError
from thirdring.protocol.events import CallEnded, Event, Record, RecordingEnded
from thirdring_device.adapters.recording.facts import is_kept, pack
from thirdring_device.adapters.recording.key import KEY_FILE, read_key, read_or_make_key
from thirdring_device.adapters.recording.recorder import CANNOT_WRITE, Recorder
from thirdring_device.adapters.recording.sinks import Plan, call_id_of, recordings_in, repair
from thirdring_device.engine.media import SAMPLE_RATE_HZ
from thirdring_device.settings import RecordingSettings

__all__ = ["FOLDER", "Recordings"]

log = logging.getLogger(__name__)

FOLDER: Final = "recordings"
"""In the state folder."""
MEGABYTE: Final = 1_000_000

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
        self._kept: defaultdict[str, list[Record]] = defaultdict(list)
        """What each live call's recording will carry."""

    def begin(self, call_id: str) -> Tap | None:
        """Return what takes the sound of a call, None when it is not recorded. Runs on the SIP thread."""
        settings = self._settings()
        if not settings.enabled:
            return None
        try:
            plan = self._plan(call_id, settings)
        except ThirdringError as reason:
            log.error("call %s is not recorded: %s", call_id, reason)
            self._post(
                RecordingEnded(
                    at_s=self._clock(), call_id=call_id, file="", reason="failed", code=reason.code
                )
            )
            return None
        recorder = Recorder(plan, self._post, self._clock)
        self._recorders[call_id] = recorder
        return recorder.write

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
            if record.event.call_id and is_kept(record.event):
                self._kept[record.event.call_id].append(record)
        for record in records:
            if isinstance(record.event, CallEnded):
                self._close(record.event.call_id)

    def _close(self, call_id: str) -> None:
        kept = self._kept.pop(call_id, [])
        recorder = self._recorders.pop(call_id, None)
        if recorder is not None:
            self._workers.submit(recorder.close, kept)

    def close_all(self) -> None:
        """Close the recordings of calls that have not ended; the workers do it."""
        for call_id in list(self._recorders):
            self._close(call_id)

    def mask(self, call_id: str, masked: bool) -> None:
        """Record silence or sound from here on; ``recording_paused`` or ``recording_resumed`` tells when."""
        if (recorder := self._recorders.get(call_id)) is not None:
            recorder.mask(masked)

    def masks(self, call_id: str) -> bool:
        """Return whether the call's recording is paused, or is about to be."""
        recorder = self._recorders.get(call_id)
        return recorder is not None and recorder.masked

    def repaired(self, call_id: str, records: Sequence[Record]) -> list[Event]:
        """Finish the recording that an earlier engine died on with ``records``; return what to journal."""
        found = [path for path in recordings_in(self._folder) if call_id_of(path) == call_id]
        told: list[Event] = []
        for path in found:
            code = 0
            try:
                key = read_key(self._key_file) if path.suffix == ".sealed" else b""
                repair(path, key, pack(records, whole=False))
            except (OSError, ThirdringError) as reason:
                log.error("recording %s was not repaired: %s", path.name, reason)
                code = reason.code if isinstance(reason, ThirdringError) else CANNOT_WRITE
            told.append(
                RecordingEnded(
                    at_s=self._clock(), call_id=call_id, file=path.name, reason="interrupted", code=code
                )
            )
        return told
