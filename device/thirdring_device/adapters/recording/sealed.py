"""A sealed recording: a stream of chunks, each encrypted and authenticated, that cannot be cut or rearranged.

    file    := magic(8) length(2) header(JSON) salt(16) chunk*
    chunk   := kind(1) length(4) ciphertext         kind 0: sound, 1: the end, with the facts; big-endian

The file's own key is HKDF-SHA256 (RFC 5869) of the unit's key, the salt and everything in front of the
chunks; a chunk is ChaCha20-Poly1305 (RFC 8439) under the nonce counter(11) kind(1). So a chunk opens in its
own place of its own file only, and a file without its end is told from a whole one: the STREAM construction
(V. T. Hoang, R. Reyhanitabar, P. Rogaway, D. Vizar, "Online authenticated-encryption and its nonce-reuse
misuse-resistance", 2015). A crash costs what was not yet a whole chunk.
"""

import io
import json
import os
import secrets
import struct
from bisect import bisect_right
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from thirdring.protocol.errors import ThirdringError, error
from thirdring_device.adapters.recording.key import KEY_BYTES, key_id

__all__ = ["MAGIC", "SealedReader", "SealedWriter", "SoundFormat", "is_sealed", "reseal"]

MAGIC: Final = b"TRSEAL1\n"
SOUND: Final = 0
END: Final = 1
LARGEST_CHUNK: Final = 256 * 1024
"""Plaintext of a chunk of sound; more is cut into several."""
LARGEST_END: Final = 4 * 1024 * 1024
SALT_BYTES: Final = 16
TAG_BYTES: Final = 16
_HEAD: Final = struct.Struct(">BI")
_INFO: Final = b"thirdring sealed recording 1"


@dataclass(frozen=True, slots=True)
class SoundFormat:
    """What the chunks hold: bare 16-bit little-endian samples (``wav``) or an Ogg stream (``ogg``)."""

    form: Literal["wav", "ogg"]
    sample_rate_hz: int
    channels: int = 2


def is_sealed(path: Path) -> bool:
    """Return whether a file begins as a sealed recording."""
    try:
        with path.open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


def _cipher(key: bytes, prologue: bytes) -> ChaCha20Poly1305:
    derived = HKDF(SHA256(), KEY_BYTES, salt=prologue[-SALT_BYTES:], info=_INFO + prologue).derive(key)
    return ChaCha20Poly1305(derived)


def _nonce(counter: int, kind: int) -> bytes:
    return counter.to_bytes(11, "big") + bytes([kind])


class SealedWriter:
    """A sealed recording being written. Every method raises ``OSError`` when the disk does not take it."""

    def __init__(self, path: Path, key: bytes, sound: SoundFormat) -> None:
        """Create the file, readable by its owner only."""
        about = {
            "form": sound.form,
            "sample_rate_hz": sound.sample_rate_hz,
            "channels": sound.channels,
            "key_id": key_id(key).hex(),
        }
        text = json.dumps(about, separators=(",", ":")).encode()
        prologue = MAGIC + struct.pack(">H", len(text)) + text + secrets.token_bytes(SALT_BYTES)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        self._begin(os.fdopen(handle, "r+b"), _cipher(key, prologue), 0)
        self._file.write(prologue)
        self._file.flush()

    def _begin(self, file: BinaryIO, cipher: ChaCha20Poly1305, counter: int) -> None:
        self._file, self._cipher, self._counter = file, cipher, counter

    def write(self, data: bytes) -> None:
        """Add sound as one chunk (more than one when it is long); it is in the file when this returns."""
        view = memoryview(data)
        while view:
            self._chunk(SOUND, bytes(view[:LARGEST_CHUNK]))
            view = view[LARGEST_CHUNK:]
        self._file.flush()

    def finish(self, facts: bytes) -> None:
        """Add the end with the facts, and close; the file is closed also when ``OSError`` is raised."""
        with self._file:
            self._chunk(END, facts)
            self._file.flush()
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close without an end, as a crash would."""
        self._file.close()

    def _chunk(self, kind: int, plain: bytes) -> None:
        sealed = self._cipher.encrypt(_nonce(self._counter, kind), plain, None)
        self._file.write(_HEAD.pack(kind, len(sealed)) + sealed)
        self._counter += 1


def _size_is_possible(kind: int, size: int) -> bool:
    largest = {SOUND: LARGEST_CHUNK, END: LARGEST_END}.get(kind, -1) + TAG_BYTES
    return TAG_BYTES <= size <= largest


class SealedReader(io.RawIOBase):
    """A sealed recording open for reading: a seekable stream of its sound, as if it had never been sealed.

    All of it is authenticated when it is opened, so that reading does not fail half way.
    """

    def __init__(self, path: Path, key: bytes, *, may_be_cut: bool = False) -> None:
        """Open and check the whole file.

        Raises ``MediaError`` 4000 (not a sealed recording), 4021 (another key), 4022 (damaged or changed)
        and, unless it ``may_be_cut``, 4023 (the end is missing).
        """
        super().__init__()
        self._path = path
        self.facts = b""
        self._starts: list[int] = []
        """Where in the sound each chunk begins."""
        self._places: list[tuple[int, int]] = []
        """Of each chunk's ciphertext: place and size in the file."""
        self._size = self._at = 0
        self._open_chunk: tuple[int, bytes] = (-1, b"")
        try:
            self._file = path.open("rb")
        except OSError as reason:
            raise error(4000, f"{path}: {reason}") from reason
        try:
            self._read_prologue(key)
            self.is_whole = self._check()
            if not (self.is_whole or may_be_cut):
                raise error(4023, str(path))
        except OSError as reason:
            self._file.close()
            raise error(4000, f"{path}: {reason}") from reason
        except ThirdringError:
            self._file.close()
            raise

    def _read_prologue(self, key: bytes) -> None:
        start = self._file.read(len(MAGIC) + 2)
        if start[: len(MAGIC)] != MAGIC or len(start) < len(MAGIC) + 2:
            raise error(4000, f"{self._path}: not a sealed recording")
        (length,) = struct.unpack_from(">H", start, len(MAGIC))
        rest = self._file.read(length + SALT_BYTES)
        if len(rest) < length + SALT_BYTES:
            raise error(4023, f"{self._path}: in its header")
        about = self._about(rest[:length])
        if about["key_id"] != key_id(key).hex():
            raise error(
                4021, f"{self._path}: sealed with key {about['key_id']!s:.16}, not {key_id(key).hex()}"
            )
        try:
            self.sound = SoundFormat(about["form"], int(about["sample_rate_hz"]), int(about["channels"]))
        except (TypeError, ValueError, OverflowError) as reason:
            raise error(4022, f"{self._path}: in its header") from reason
        self._cipher = _cipher(key, start + rest)

    def _about(self, text: bytes) -> dict[str, Any]:
        try:
            about = json.loads(text)
        except ValueError as reason:
            raise error(4022, f"{self._path}: in its header") from reason
        if not isinstance(about, dict) or not {"form", "sample_rate_hz", "channels", "key_id"} <= set(about):
            raise error(4022, f"{self._path}: in its header")
        return about

    def _check(self) -> bool:
        """Open every chunk in its place; return whether the end is there."""
        counter = 0
        while True:
            self.whole_until = self._file.tell()
            head = self._file.read(_HEAD.size)
            if len(head) < _HEAD.size:
                return False
            kind, size = _HEAD.unpack(head)
            if not _size_is_possible(kind, size):
                raise error(4022, f"{self._path}: chunk {counter}")
            place = self._file.tell()
            sealed = self._file.read(size)
            if len(sealed) < size:
                return False
            plain = self._opened(counter, kind, sealed)
            counter += 1
            if kind == END:
                self.facts = plain
                if self._file.read(1):
                    raise error(4022, f"{self._path}: something stands behind its end")
                return True
            self._starts.append(self._size)
            self._places.append((place, size))
            self._size += len(plain)

    def _opened(self, counter: int, kind: int, sealed: bytes) -> bytes:
        try:
            return self._cipher.decrypt(_nonce(counter, kind), sealed, None)
        except InvalidTag:
            raise error(4022, f"{self._path}: chunk {counter}") from None

    def close(self) -> None:
        """Close; may be called twice."""
        if not self.closed:
            self._file.close()
        super().close()

    # --- io.RawIOBase -----------------------------------------------------------------------------

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return where in the sound the next byte is read."""
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place in the sound."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer unless the sound ends; raises ``MediaError`` 4022 for a file changed meanwhile."""
        view = memoryview(buffer).cast("B")
        filled = 0
        while filled < len(view) and self._at < self._size:
            number = bisect_right(self._starts, self._at) - 1
            start = self._at - self._starts[number]
            piece = self._chunk(number)[start : start + len(view) - filled]
            view[filled : filled + len(piece)] = piece
            filled += len(piece)
            self._at += len(piece)
        return filled

    def _chunk(self, number: int) -> bytes:
        if self._open_chunk[0] != number:
            place, size = self._places[number]
            self._file.seek(place)
            self._open_chunk = (number, self._opened(number, SOUND, self._file.read(size)))
        return self._open_chunk[1]


def reseal(path: Path, key: bytes, facts: bytes) -> bool:
    """Give a sealed recording that a crash has cut short its end; return False for a whole one.

    The caller must know that it was being written: a file that somebody has cut short looks the same.
    Raises as ``SealedReader``, and ``OSError``.
    """
    with SealedReader(path, key, may_be_cut=True) as reader:
        if reader.is_whole:
            return False
        whole_until, counter, cipher = reader.whole_until, len(reader._places), reader._cipher
    writer = SealedWriter.__new__(SealedWriter)
    file = path.open("r+b")
    file.seek(whole_until)
    file.truncate()
    writer._begin(file, cipher, counter)
    writer.finish(facts)
    return True
