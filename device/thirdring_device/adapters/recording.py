"""Recordings: both directions of a call in one WAV file, left agent, right customer.

The file is self-contained: the call's signalling facts stand in its standard comment field (RIFF
LIST-INFO ICMT, of which libsndfile keeps 2 kB) as deflated JSON, so that ``thirdring-device analyze``
gives the verdicts that the live call gave.
"""

import base64
import json
import logging
import queue
import threading
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import soundfile

from thirdring.protocol.errors import RequestError, error
from thirdring.protocol.events import AgentRequested, Event, Record, record_from_json, record_to_json

__all__ = ["Recorder", "read_facts"]

log = logging.getLogger(__name__)

COMMENT_TAG: Final = "thirdring-facts-1 "
_SIGNALLING: Final = frozenset(
    {
        "call_incoming",
        "call_outgoing",
        "call_alerting",
        "call_answered",
        "media_started",
        "hold_started",
        "hold_ended",
        "mute_started",
        "mute_ended",
        "transfer_progress",
        "call_ended",
    }
)
_FREE_TEXT: Final = ("number", "display_name", "remote_uri", "reason")
_QUEUE_FRAMES: Final = 1500
"""30 s of sound may wait for a slow disk; what comes after that is missing from the recording."""


class Recorder:
    """Writes one call's recording on a thread of its own, so that the disk never holds up the sound."""

    def __init__(self, path: Path, sample_rate_hz: int) -> None:
        """Create the file; raises ``StorageError`` 5006."""
        self._frames: queue.Queue[npt.NDArray[np.int16] | None] = queue.Queue(_QUEUE_FRAMES)
        self.lost_frames = 0
        try:
            path.parent.mkdir(exist_ok=True)
            self._file = soundfile.SoundFile(path, "w", sample_rate_hz, 2, "PCM_16", format="WAV")
        except (OSError, soundfile.LibsndfileError) as reason:
            raise error(5006, f"{path}: {reason}") from reason
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    def write(self, agent: npt.NDArray[np.int16], customer: npt.NDArray[np.int16]) -> None:
        """Take one frame of both directions; never blocks."""
        try:
            self._frames.put_nowait(np.stack((agent, customer), axis=1))
        except queue.Full:
            self.lost_frames += 1

    def _run(self) -> None:
        while (frame := self._frames.get()) is not None:
            try:
                self._file.write(frame)
            except soundfile.LibsndfileError:
                self.lost_frames += 1

    def close(self, records: Sequence[Record]) -> None:
        """Write what waits, then the signalling facts among ``records``, and close. Blocks."""
        self._frames.put(None)
        self._thread.join()
        self._file.comment = _pack(records)
        self._file.close()
        if self.lost_frames:
            log.warning("recording misses %d frames", self.lost_frames)


def _is_signalling(event: Event) -> bool:
    if isinstance(event, AgentRequested):
        return event.action in ("answer", "hangup", "transfer")
    return event.kind in _SIGNALLING


def _pack(records: Sequence[Record]) -> str:
    facts = [record_to_json(record) for record in records if _is_signalling(record.event)]
    for fact in facts:  # free text of any length from the network
        fact.update({name: fact[name][:60] for name in _FREE_TEXT if name in fact})
    packed = zlib.compress(json.dumps(facts, separators=(",", ":")).encode(), 9)
    return COMMENT_TAG + base64.b64encode(packed).decode()


def read_facts(path: Path) -> list[Record]:
    """Return the signalling facts in a recording of ours, nothing for a foreign file.

    Raises ``MediaError`` 4000 when it is not a sound file.
    """
    try:
        with soundfile.SoundFile(path) as file:
            comment = file.comment
    except (OSError, soundfile.LibsndfileError) as reason:
        raise error(4000, f"{path}: {reason}") from reason
    if not comment.startswith(COMMENT_TAG):
        return []
    try:
        packed = base64.b64decode(comment.removeprefix(COMMENT_TAG), validate=True)
        return [record_from_json(fact) for fact in json.loads(zlib.decompress(packed))]
    except (ValueError, TypeError, KeyError, AttributeError, zlib.error, RequestError) as reason:
        raise error(4000, f"{path}: its facts are damaged") from reason
