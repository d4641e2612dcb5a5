"""Recording one call: frames in on the sound's clock thread, a file out on a thread of its own.

Media time and the file's time are the same: what is not recorded (a pause, or more than a slow disk took) is
silence of the same length. Nothing here can hold up or end a call: when the file cannot be written, the
recording ends and says why.
"""

import errno
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from thirdring.protocol.events import (
    Event,
    Record,
    RecordingEnded,
    RecordingPaused,
    RecordingResumed,
    RecordingStarted,
)
from thirdring_device.adapters.recording.facts import pack
from thirdring_device.adapters.recording.sinks import Plan, Sink, create

__all__ = ["CANNOT_WRITE", "NO_ROOM", "Recorder", "free_bytes"]

log = logging.getLogger(__name__)

Samples = npt.NDArray[np.int16]

WRITE_INTERVAL_S: Final = 0.5
"""How much a crash may cost besides what an encoder holds."""
SYNC_INTERVAL_S: Final = 5.0
"""How much a power cut may cost: until then the system may keep what was written in memory."""
MOST_FRAMES: Final = 1500
"""30 s of sound may wait for a slow disk; what comes after that is silence in the recording."""
SILENCE_SAMPLES: Final = 16_000
"""A pause is written in pieces of this length."""
NO_ROOM: Final = 5020
CANNOT_WRITE: Final = 5008


class NoRoomError(OSError):
    """Writing on would go into the disk's reserve."""


def free_bytes(folder: Path) -> int:
    """Return the room that is left on the disk of a folder; raises ``OSError``."""
    room = os.statvfs(folder)
    return room.f_bavail * room.f_frsize


class Recorder:
    """One call's recording. ``write`` belongs to the clock thread, everything else to the engine's."""

    def __init__(
        self,
        plan: Plan,
        post: Callable[[Event], None],
        clock: Callable[[], float],
        create_sink: Callable[[Plan], Sink] = create,
        *,
        held: bool = False,
    ) -> None:
        """``post`` gets the recording's events, from several threads. The file comes with the first sound.

        ``held``: silence is recorded until ``release``.
        """
        self._held = held
        self._synced_s = 0.0
        self._plan, self._post, self._clock, self._create = plan, post, clock, create_sink
        self._waiting: deque[tuple[int, Samples | None]] = deque()
        """Samples of silence, and then of sound."""
        self._samples = self._silent_samples = 0
        self._paused_samples = self._lost_samples = self._held_samples = 0
        self._paused = False
        self._pause_wanted = False
        self._sink: Sink | None = None
        self._over = False
        """Whether nothing more is recorded: it could not be written."""
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    @property
    def is_whole(self) -> bool:
        """Whether all of the call's sound is recorded."""
        return not (self._over or self._paused_samples or self._lost_samples or self._held_samples)

    # --- the clock thread -------------------------------------------------------------------------

    def write(self, agent: Samples, customer: Samples) -> None:
        """Take one frame of both directions; never blocks."""
        if self._over:
            return
        if self._pause_wanted != self._paused:
            self._switch()
        count = len(agent)
        self._samples += count
        if self._held:
            self._held_samples += count
            self._silent_samples += count
        elif self._paused:
            self._paused_samples += count
            self._silent_samples += count
        elif len(self._waiting) >= MOST_FRAMES:
            self._lost_samples += count
            self._silent_samples += count
        else:
            silent, self._silent_samples = self._silent_samples, 0
            self._waiting.append((silent, np.stack((agent, customer), axis=1)))

    def _switch(self) -> None:
        self._paused = not self._paused
        kind = RecordingPaused if self._paused else RecordingResumed
        start_s = self._samples / self._plan.sample_rate_hz
        self._post(kind(at_s=self._clock(), call_id=self._plan.call_id, start_s=round(start_s, 3)))

    # --- the engine -------------------------------------------------------------------------------

    def release(self) -> None:
        """Begin: what comes from the next frame on is recorded. From any thread."""
        self._held = False

    @property
    def active(self) -> bool:
        """Whether sound is recorded just now."""
        return not (self._held or self._over or self.masked)

    def mask(self, masked: bool) -> None:
        """Record silence from the next frame on, or sound again."""
        self._pause_wanted = masked

    @property
    def masked(self) -> bool:
        """Whether silence is recorded, or will be from the next frame on."""
        return self._pause_wanted or self._paused

    def close(self, records: Sequence[Record]) -> None:
        """Write what waits, then the signalling facts among ``records``, and close. Blocks."""
        self._closing.set()
        self._thread.join()
        sink, self._sink = self._sink, None
        if sink is None:
            return
        try:
            sink.finish(pack(records, whole=self.is_whole))
        except OSError as reason:
            self._fail(reason)
        if self._lost_samples:
            log.warning("recording of %s misses %d samples", self._plan.call_id, self._lost_samples)
        if not self._over:
            self._post_end("call_ended", 0)

    # --- the recorder's own thread ----------------------------------------------------------------

    def _run(self) -> None:
        closing = False
        while not closing and not self._over:
            closing = self._closing.wait(WRITE_INTERVAL_S)
            try:
                self._write_waiting()
                self._sync()
                if closing and self._sink is not None:
                    self._write_silence(self._silent_samples)
            except OSError as reason:
                self._fail(reason)

    def _sync(self) -> None:
        """Now and then make what was written survive a power cut."""
        now_s = time.monotonic()
        if self._sink is None or now_s - self._synced_s < SYNC_INTERVAL_S:
            return
        self._synced_s = now_s
        handle = os.open(self._plan.path, os.O_RDONLY)
        try:
            os.fdatasync(handle)
        finally:
            os.close(handle)

    def _write_waiting(self) -> None:
        found = [self._waiting.popleft() for _ in range(len(self._waiting))]
        if not found:
            return
        self._keep_reserve()
        if self._sink is None:
            self._sink = self._create(self._plan)
            self._post(
                RecordingStarted(
                    at_s=self._clock(),
                    call_id=self._plan.call_id,
                    file=self._plan.path.name,
                    form=self._plan.form,
                    encrypted=bool(self._plan.key),
                    start_s=round(found[0][0] / self._plan.sample_rate_hz, 3),
                )
            )
        pieces: list[Samples] = []
        for silent, frame in found:
            if silent:
                self._write_pieces(pieces)
                self._write_silence(silent)
            if frame is not None:
                pieces.append(frame)
        self._write_pieces(pieces)

    def _write_pieces(self, pieces: list[Samples]) -> None:
        if pieces and self._sink is not None:
            self._sink.write(np.concatenate(pieces))
        pieces.clear()

    def _write_silence(self, samples: int) -> None:
        silence = np.zeros((SILENCE_SAMPLES, 2), np.int16)
        while samples > 0 and self._sink is not None:
            self._sink.write(silence[:samples])
            samples -= SILENCE_SAMPLES

    def _keep_reserve(self) -> None:
        folder = self._plan.folder if self._plan.folder.exists() else self._plan.folder.parent
        if free_bytes(folder) < self._plan.reserve_bytes:
            raise NoRoomError(f"{self._plan.reserve_bytes} bytes stay free")

    def _fail(self, reason: OSError) -> None:
        """Record no more: the call goes on without."""
        if self._over:
            log.error("%s was not closed: %s", self._plan.path.name, reason)
            return
        self._over = True
        self._waiting.clear()
        full = isinstance(reason, NoRoomError) or reason.errno == errno.ENOSPC
        log.error("%s is not recorded any more: %s", self._plan.call_id, reason)
        self._post_end("disk_full" if full else "failed", NO_ROOM if full else CANNOT_WRITE)

    def _post_end(self, reason: Literal["call_ended", "disk_full", "failed"], code: int) -> None:
        rate = self._plan.sample_rate_hz
        self._post(
            RecordingEnded(
                at_s=self._clock(),
                call_id=self._plan.call_id,
                file=self._plan.path.name,
                reason=reason,
                code=code,
                duration_s=round(self._samples / rate, 3),
                paused_s=round(self._paused_samples / rate, 3),
                lost_s=round(self._lost_samples / rate, 3),
            )
        )
