"""Facts of a call's recording."""

from dataclasses import dataclass
from typing import Literal

from thirdring.protocol.events.base import Event

__all__ = [
    "RecordingDeleted",
    "RecordingEnded",
    "RecordingPaused",
    "RecordingRead",
    "RecordingResumed",
    "RecordingStarted",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingStarted(Event):
    """Both directions are recorded from ``start_s`` (media time) on, silence before.

    ``file`` is in the folder ``recordings``.
    """

    kind = "recording_started"
    file: str
    form: Literal["wav", "opus"]
    encrypted: bool
    start_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingPaused(Event):
    """From ``start_s`` (media time) on the recording holds silence in place of both directions."""

    kind = "recording_paused"
    start_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingResumed(Event):
    """From ``start_s`` (media time) on the recording holds sound again."""

    kind = "recording_resumed"
    start_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingEnded(Event):
    """The recording is closed, or goes no further: ``disk_full`` and ``failed`` leave the call as it is.

    ``code``: the numbered error, 0 without one. ``duration_s`` of media time of which ``paused_s`` were
    paused and ``lost_s`` more than the disk took; both are silence in the file.
    """

    kind = "recording_ended"
    file: str
    reason: Literal["call_ended", "disk_full", "failed", "interrupted"]
    code: int = 0
    duration_s: float = 0.0
    paused_s: float = 0.0
    lost_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingDeleted(Event):
    """The recording of a call was deleted: kept long enough (``age``), or for newer ones (``space``)."""

    kind = "recording_deleted"
    file: str
    reason: Literal["age", "space"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingRead(Event):
    """Somebody fetched the recording of a call; ``source`` is the way it was asked for."""

    kind = "recording_read"
    file: str
    source: str
