"""Writes what the agent hears to a file, on a thread of its own: a slow disk must not delay the clock."""

import logging
import threading
import wave
from collections import deque
from pathlib import Path
from typing import Final

__all__ = ["EarRecorder"]

log = logging.getLogger(__name__)

WRITE_INTERVAL_S: Final = 0.25
"""The header is right after each write, so a killed process loses a quarter of a second at most."""

MAX_WAITING_FRAMES: Final = 1500
"""Half a minute of 20 ms frames; what a disk that stands still longer costs is counted, not kept."""

MAX_BYTES: Final = 1 << 31
"""A WAV header counts to 4 GiB; the file begins anew at half of that (18 hours of calls)."""


class EarRecorder:
    """A mono 16-bit WAV file that grows while frames come."""

    def __init__(self, path: Path, sample_rate_hz: int) -> None:
        self.path = path
        self.lost_frames = 0
        self._sample_rate_hz = sample_rate_hz
        self._waiting: deque[bytes] = deque()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ear-recorder", daemon=True)
        self._thread.start()

    def write(self, frame: bytes) -> None:
        """Queue one frame of samples; never blocks."""
        if len(self._waiting) >= MAX_WAITING_FRAMES:
            self.lost_frames += 1
            return
        self._waiting.append(frame)

    def close(self) -> None:
        """Write what waits and close the file."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._record_one_file()
            except OSError as reason:
                log.error("%s cannot be written: %s", self.path, reason)
                self._waiting.clear()
                self._stop.wait(1.0)

    def _record_one_file(self) -> None:
        with self.path.open("wb") as raw, wave.open(raw, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(self._sample_rate_hz)
            file.writeframes(b"")
            stopping = False
            while not stopping and file.tell() * 2 < MAX_BYTES:
                stopping = self._stop.wait(WRITE_INTERVAL_S)
                frames = [self._waiting.popleft() for _ in range(len(self._waiting))]
                if frames:
                    file.writeframes(b"".join(frames))
                    raw.flush()
