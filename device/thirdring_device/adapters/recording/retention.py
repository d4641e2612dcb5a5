"""Which recordings are to be deleted: the ones kept long enough, and the oldest when there are too many."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

__all__ = ["Kept", "Limits", "doomed", "look"]


@dataclass(frozen=True, slots=True, order=True)
class Kept:
    """A finished recording, ordered by age."""

    finished_s: float
    """Wall clock (seconds since 1970) of its last change."""
    path: Path
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Limits:
    """``keep_s``: 0 for ever. ``most_bytes``: of all, 0 any number. ``short_bytes``: to be freed."""

    keep_s: float = 0.0
    most_bytes: int = 0
    short_bytes: int = 0


def look(path: Path) -> Kept | None:
    """Return what is known of a file, None when it is gone."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return Kept(stat.st_mtime, path, stat.st_size)


def doomed(
    recordings: Collection[Kept], limits: Limits, now_s: float
) -> list[tuple[Kept, Literal["age", "space"]]]:
    """Return what is to be deleted and why, oldest first.

    A recording from the future (the clock was set back) is not old.
    """
    left_bytes = sum(recording.size_bytes for recording in recordings)
    freed_bytes = 0
    found: list[tuple[Kept, Literal["age", "space"]]] = []
    for recording in sorted(recordings):
        reason: Literal["age", "space"]
        if limits.keep_s and now_s - recording.finished_s > limits.keep_s:
            reason = "age"
        elif (limits.most_bytes and left_bytes > limits.most_bytes) or freed_bytes < limits.short_bytes:
            reason = "space"
        else:
            break
        found.append((recording, reason))
        left_bytes -= recording.size_bytes
        freed_bytes += recording.size_bytes
    return found
