"""Any form of recording, open for reading: its sound, its facts, and the plain file it stands for."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal, cast

import soundfile

from thirdring.protocol.errors import error
from thirdring.protocol.events import Record
from thirdring_device.adapters.recording import ogg, wav
from thirdring_device.adapters.recording.facts import from_comment, to_comment, unpack
from thirdring_device.adapters.recording.key import KEY_FILE, read_key
from thirdring_device.adapters.recording.sealed import SealedReader, is_sealed

__all__ = ["RecordingFile", "key_beside"]

PIECE_BYTES: Final = 64 * 1024


def key_beside(path: Path) -> Path:
    """Return where the unit's key is for a recording that still lies in its state folder."""
    return path.absolute().parent.parent / KEY_FILE


class RecordingFile:
    """A recording of ours, or any sound file. Close it, or use ``sound`` once and close that."""

    def __init__(self, path: Path, key_file: Path | None = None) -> None:
        """``key_file`` is needed for a sealed recording outside of its state folder only.

        Raises ``MediaError`` 4000 (cannot be read), 4020 to 4023 (see ``SealedReader``).
        """
        self._path = path
        self._sealed: SealedReader | None = None
        try:
            self._plain = path.open("rb")
        except OSError as reason:
            raise error(4000, f"{path}: {reason}") from reason
        if is_sealed(path):
            self._plain.close()
            self._sealed = SealedReader(path, read_key(key_file or key_beside(path)))

    def close(self) -> None:
        """Close; may be called twice."""
        self._plain.close()
        if self._sealed is not None:
            self._sealed.close()

    def open_sound(self) -> soundfile.SoundFile:
        """Return the sound; raises ``MediaError`` 4000."""
        options: dict[str, Any] = {}
        if self._sealed is not None:
            self._sealed.seek(0)
            if self._sealed.sound.form == "wav":
                options = {
                    "samplerate": self._sealed.sound.sample_rate_hz,
                    "channels": self._sealed.sound.channels,
                    "subtype": "PCM_16",
                    "format": "RAW",
                    "endian": "LITTLE",
                }
        try:
            return soundfile.SoundFile(self._sealed or self._path, **options)
        except (OSError, TypeError, ValueError, soundfile.LibsndfileError) as reason:
            raise error(4000, f"{self._path}: {reason}") from reason

    def facts(self) -> list[Record]:
        """Return the signalling facts of a recording of ours, nothing for a foreign file.

        Raises ``MediaError`` 4000 when they are damaged.
        """
        if self._sealed is not None:
            return unpack(self._sealed.facts, self._path)
        return from_comment(self._comment(), self._path)

    def _comment(self) -> str:
        try:
            return wav.read_comment(self._plain) or ogg.read_comment(self._path)
        except OSError as reason:
            raise error(4000, f"{self._path}: {reason}") from reason

    @property
    def form(self) -> Literal["wav", "ogg"]:
        """What ``plain`` gives."""
        if self._sealed is not None:
            return self._sealed.sound.form
        return "ogg" if self._path.suffix == ".ogg" else "wav"

    def plain_bytes(self) -> int:
        """Return how long the open WAV or Ogg file is that ``plain`` gives."""
        return sum(_size(segment) for segment in self._segments())

    def plain(self, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Yield the recording as an open WAV or Ogg file, facts included, piece by piece.

        Of it the bytes from ``start`` to before ``end``; None: to its end.
        """
        at = 0
        for segment in self._segments():
            size = _size(segment)
            first = max(0, start - at)
            last = size if end is None else min(size, end - at)
            if first < last:
                yield from _pieces(segment, first, last)
            at += size

    def _segments(self) -> list[BinaryIO]:
        """Return what the open file is made of, in order."""
        if self._sealed is None:
            return [self._plain]
        comment = to_comment(self._sealed.facts)
        sealed = cast(BinaryIO, self._sealed)
        sound_bytes = _size(sealed)
        if self._sealed.sound.form == "ogg":
            whole = io.BytesIO(b"".join(_pieces(sealed, 0, sound_bytes)))
            ogg.write_comment(whole, comment)
            return [whole]
        chunk = wav.comment_chunk(comment)
        sound = self._sealed.sound
        header = wav.header(sound.sample_rate_hz, sound.channels, sound_bytes, len(chunk))
        return [io.BytesIO(header), sealed, io.BytesIO(chunk)]


def _size(file: BinaryIO) -> int:
    return file.seek(0, io.SEEK_END)


def _pieces(file: BinaryIO, start: int, end: int) -> Iterator[bytes]:
    file.seek(start)
    while start < end and (piece := file.read(min(PIECE_BYTES, end - start))):
        start += len(piece)
        yield piece
