"""A WAV file that grows: whatever was written is readable, also after ``kill -9``.

RIFF/WAVE of 16-bit PCM (Microsoft and IBM, "Multimedia Programming Interface and Data Specifications 1.0",
1991). The sizes in the header are right after each write. The comment (LIST-INFO ICMT) stands behind the
sound; it is read and written here, as libsndfile keeps no more than 2 kB of it.
"""

import os
import struct
from collections.abc import Iterator
from io import FileIO
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
import numpy.typing as npt

__all__ = ["HEADER_BYTES", "WavFile", "comment_chunk", "header", "read_comment", "repair"]

HEADER_BYTES: Final = 44
MOST_BYTES: Final = 0xFFFF_FFFF - 1024 * 1024
"""Of sound: RIFF counts to 4 GiB, 18 h of two channels at 16 kHz."""
MOST_COMMENT: Final = 1024 * 1024


def header(sample_rate_hz: int, channels: int, sound_bytes: int, behind_bytes: int = 0) -> bytes:
    """Return the 44 bytes in front of the sound; ``behind_bytes`` follow it."""
    frame = 2 * channels
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF",
        HEADER_BYTES - 8 + sound_bytes + behind_bytes,
        b"WAVE",
        b"fmt ",
        16,
        1,
        channels,
        sample_rate_hz,
        sample_rate_hz * frame,
        frame,
        16,
        b"data",
        sound_bytes,
    )


def comment_chunk(comment: str) -> bytes:
    """Return the LIST chunk that holds a comment, of even length."""
    text = comment.encode() + b"\0"
    text += b"\0" * (len(text) % 2)
    return struct.pack("<4sI4s4sI", b"LIST", 12 + len(text), b"INFO", b"ICMT", len(text)) + text


class WavFile:
    """A WAV file open for writing; a new one, or one that ``repair`` has found good."""

    def __init__(self, path: Path, sample_rate_hz: int, channels: int = 2) -> None:
        """Create the file, readable by its owner only; raises ``OSError``."""
        self._rate, self._channels = sample_rate_hz, channels
        self._file = FileIO(os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), "r+")
        self._sound_bytes = 0
        self._file.write(header(sample_rate_hz, channels, 0))

    def write(self, samples: npt.NDArray[np.int16]) -> None:
        """Add samples of shape (n, channels); raises ``OSError``."""
        data = samples.astype("<i2", copy=False).tobytes()
        if self._sound_bytes + len(data) > MOST_BYTES:
            raise OSError("a WAV file holds no more")
        _write_whole(self._file, data)
        self._sound_bytes += len(data)
        self._patch()

    def _patch(self, behind_bytes: int = 0) -> None:
        self._file.seek(0)
        self._file.write(header(self._rate, self._channels, self._sound_bytes, behind_bytes))
        self._file.seek(0, os.SEEK_END)

    def finish(self, comment: str) -> None:
        """Add the comment and close; the file is closed also when ``OSError`` is raised."""
        with self._file:
            chunk = comment_chunk(comment)
            _write_whole(self._file, chunk)
            self._patch(len(chunk))
            os.fsync(self._file.fileno())


def _write_whole(file: FileIO, data: bytes) -> None:
    """Write all of it; a raw file may take less at a time."""
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]


def _chunks(file: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """Yield name, place and size of each chunk of a RIFF/WAVE file, nothing for another file."""
    file.seek(0)
    start = file.read(12)
    if len(start) < 12 or start[:4] != b"RIFF" or start[8:] != b"WAVE":
        return
    at = 12
    while len(head := file.read(8)) == 8:
        name, size = struct.unpack("<4sI", head)
        yield name, at + 8, size
        at += 8 + size + size % 2
        file.seek(at)


def read_comment(file: BinaryIO) -> str:
    """Return the comment of a WAV file, empty when it has none or is none."""
    for name, place, size in _chunks(file):
        if name != b"LIST" or size < 4:
            continue
        file.seek(place)
        content = file.read(min(size, MOST_COMMENT))
        at = 4
        while content[:4] == b"INFO" and at + 8 <= len(content):
            field, length = struct.unpack_from("<4sI", content, at)
            if field == b"ICMT":
                return content[at + 8 : at + 8 + length].rstrip(b"\0").decode("utf-8", "replace")
            at += 8 + length + length % 2
    return ""


def repair(path: Path, comment: str) -> bool:
    """Give a WAV file of ours that was cut short its sizes and its comment; raises ``OSError``.

    Returns False for one that has a comment.
    """
    with path.open("r+b") as file:
        if read_comment(file):
            return False
        file.seek(0)
        start = file.read(HEADER_BYTES)
        if len(start) < HEADER_BYTES or start[36:40] != b"data":
            raise OSError(f"{path}: not a WAV file of ours")
        channels, rate = struct.unpack_from("<HI", start, 22)
        (told,) = struct.unpack_from("<I", start, 40)
        there = (file.seek(0, os.SEEK_END) - HEADER_BYTES) // (2 * channels) * (2 * channels)
        sound_bytes = min(told, there)
        chunk = comment_chunk(comment)
        file.seek(HEADER_BYTES + sound_bytes)
        file.write(chunk)
        file.truncate()
        file.seek(0)
        file.write(header(rate, channels, sound_bytes, len(chunk)))
    return True
