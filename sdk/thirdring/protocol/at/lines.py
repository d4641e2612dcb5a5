"""Bytes from the host to command lines: ITU-T V.250 clauses 5.2.1 to 5.2.4."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

__all__ = ["MAX_LINE", "Item", "Line", "LineAssembler", "Repeat", "TooLong"]

MAX_LINE: Final = 4096
"""Bytes of a line's body. Modem software sends up to 512; a list of DTMF digits or settings is longer."""

_CANCEL: Final = frozenset(b"\x03\x15\x18\x1b")
"""Ctrl-C, Ctrl-U, CAN and ESC throw the begun line away."""
_LF: Final = 0x0A
_DEL: Final = 0x7F


@dataclass(frozen=True, slots=True)
class Line:
    """A complete line without its ``AT``."""

    text: str


@dataclass(frozen=True, slots=True)
class Repeat:
    """``A/``: the last line again, at once, without a terminator (V.250 clause 5.2.4)."""


@dataclass(frozen=True, slots=True)
class TooLong:
    """A line of more than ``MAX_LINE`` bytes ended; none of it is to be run."""


Item = Line | Repeat | TooLong


class LineAssembler:
    """Finds lines in what the host sends; never holds more than one line.

    A prefix is ``AT`` or ``at`` that does not continue a word, so that noise, ``+++`` and a terminal that
    echoes our own results (``#STATE: ...``) do not begin a line. ``end`` and ``erase`` are S3 and S5.
    """

    def __init__(self, max_line: int = MAX_LINE) -> None:
        self.end = 0x0D
        self.erase = 0x08
        self._max = max_line
        self._body: bytearray | None = None
        self._too_long = False
        self._letter_a = 0
        self._in_word = False
        self._echo = bytearray()

    @property
    def in_line(self) -> bool:
        """Whether a line has begun and not yet ended."""
        return self._body is not None

    def reset(self) -> None:
        """Forget a begun line."""
        self._body = None
        self._too_long = False
        self._letter_a = 0
        self._in_word = False
        self._echo.clear()

    def take_echo(self) -> bytes:
        """Return what is to be echoed for the bytes taken so far (V.250 clause 6.2.4)."""
        echo = bytes(self._echo)
        self._echo.clear()
        return echo

    def feed(self, data: bytes) -> Iterator[Item]:
        """Yield the items that ``data`` completes; what a line changes counts from the next byte on."""
        for byte in data:
            if self._body is None:
                if self._outside(byte):
                    yield Repeat()
            elif byte in (self.end, _LF):
                too_long, text = self._too_long, self._body.decode("utf-8", "replace")
                self._echo.append(byte)
                self._close()
                yield TooLong() if too_long else Line(text)
            else:
                self._inside(self._body, byte)

    def _close(self) -> None:
        self._body = None
        self._too_long = False
        self._letter_a = 0
        self._in_word = False

    def _outside(self, byte: int) -> bool:
        """Look for the prefix; return whether ``A/`` is complete."""
        letter_a, self._letter_a = self._letter_a, 0
        if 0x20 <= byte < _DEL or byte == self.end:
            self._echo.append(byte)
        if letter_a and byte == letter_a + ord("T") - ord("A"):
            self._body = bytearray()
            return False
        if letter_a and byte == ord("/"):
            self._in_word = False
            return True
        if byte in b"Aa" and not self._in_word:
            self._letter_a = byte
        self._in_word = 0x20 < byte < _DEL and (chr(byte).isalnum() or byte in b"_\"'")
        return False

    def _inside(self, body: bytearray, byte: int) -> None:
        if byte in _CANCEL:
            self._close()
        elif byte in (self.erase, _DEL):
            if body:
                while len(body) > 1 and body[-1] & 0xC0 == 0x80:
                    body.pop()
                body.pop()
                self._echo += b"\b \b"
        elif byte < 0x20 or self._too_long:
            return
        elif len(body) >= self._max:
            self._too_long = True
            body.clear()
        else:
            body.append(byte)
            self._echo.append(byte)
