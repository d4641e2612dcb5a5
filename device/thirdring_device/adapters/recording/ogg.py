"""Opus in Ogg (RFC 7845): encoded by libsndfile, its comment field kept by mutagen.

The encoder gives a page a second, so a crash costs a second of sound; what stands before is readable. Room
for the comment, which is known at the end only, is kept at the start (RFC 7845 clause 5.2).
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
import numpy.typing as npt
import soundfile
from mutagen import MutagenError
from mutagen.oggopus import OggOpus

__all__ = ["OggEncoder", "read_comment", "write_comment"]

ROOM: Final = " " * 4096
"""Placeholder of the comment: facts of some forty events."""
LOWEST_BIT_S: Final = 6_000
HIGHEST_BIT_S: Final = 256_000
"""Per channel, over which libsndfile spreads its compression level 1 to 0."""


_open_tags: Callable[[Path | BinaryIO], Any] = OggOpus
"""mutagen has no types."""


class OggEncoder:
    """An encoder that writes an Ogg stream to a file, or hands its pages to ``take`` as they come."""

    def __init__(
        self, target: Path | Callable[[bytes], None], sample_rate_hz: int, bit_s: int, channels: int = 2
    ) -> None:
        """``bit_s``: of all channels, the mean; raises ``OSError``."""
        self._pipe = None if isinstance(target, Path) else _Pipe(target)
        level = (HIGHEST_BIT_S - bit_s / channels) / (HIGHEST_BIT_S - LOWEST_BIT_S)
        try:
            if isinstance(target, Path):
                target.touch(mode=0o600)
            self._file = soundfile.SoundFile(
                target if self._pipe is None else self._pipe,
                "w",
                sample_rate_hz,
                channels,
                "OPUS",
                format="OGG",
                compression_level=min(1.0, max(0.0, level)),
            )
            if self._pipe is None:
                self._file.comment = ROOM
        except soundfile.LibsndfileError as reason:
            raise OSError(str(reason)) from reason

    def write(self, samples: npt.NDArray[np.int16]) -> None:
        """Encode samples of shape (n, channels); raises ``OSError``."""
        try:
            self._file.write(samples)
        except soundfile.LibsndfileError as reason:
            raise OSError(str(reason)) from reason
        finally:
            self._raise_failure()

    def close(self) -> None:
        """Encode what is left; raises ``OSError``."""
        try:
            self._file.close()
        except soundfile.LibsndfileError as reason:
            raise OSError(str(reason)) from reason
        self._raise_failure()

    def _raise_failure(self) -> None:
        if self._pipe is not None and self._pipe.failure is not None:
            raise self._pipe.failure


class _Pipe:
    """A file that is only ever added to, for libsndfile; what fails in it cannot pass through C."""

    def __init__(self, take: Callable[[bytes], None]) -> None:
        self._take = take
        self._size = 0
        self.failure: OSError | None = None

    def write(self, data: Any) -> int:
        """Take the next bytes."""
        if self.failure is not None:
            return 0
        try:
            self._take(bytes(data))
        except OSError as reason:
            self.failure = reason
            return 0
        self._size += len(data)
        return len(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        """Stay at the end, where alone this can write."""
        return self._size

    def tell(self) -> int:
        """Return how much was written."""
        return self._size

    def read(self, count: int = -1) -> bytes:
        """Return nothing."""
        return b""

    def flush(self) -> None:
        """Do nothing: whoever takes the bytes writes them."""


def write_comment(file: Path | BinaryIO, comment: str) -> None:
    """Put the comment into a finished stream; raises ``OSError``."""
    try:
        tags = _open_tags(file)
        tags["comment"] = comment
        if not isinstance(file, Path):
            file.seek(0)
        tags.save(file)
    except MutagenError as reason:
        raise OSError(str(reason)) from reason


def read_comment(file: Path | BinaryIO) -> str:
    """Return the comment of an Opus stream, empty when it has none or is none."""
    try:
        found = _open_tags(file).get("comment", [""])
    except MutagenError:
        return ""
    return str(found[0]).strip()
