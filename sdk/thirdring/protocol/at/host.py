"""The host's side: lines out of what the console writes, and which of them end a command."""

from typing import Final

__all__ = ["MAX_ANSWER_LINE", "AnswerReader", "is_final"]

MAX_ANSWER_LINE: Final = 4 * 1024 * 1024
"""Bytes; a report or the list of settings is one line of JSON. A longer line is dropped."""

_FINALS: Final = frozenset(("OK", "ERROR", "NO CARRIER", "BUSY", "NO ANSWER", "NO DIALTONE", "CONNECT"))


def is_final(line: str) -> bool:
    """Whether ``line`` can end a command. Between commands ``NO CARRIER`` and others are reports."""
    return line in _FINALS or line.startswith(("+CME ERROR:", "+CMS ERROR:", "CONNECT "))


class AnswerReader:
    """Splits the console's bytes into lines without their ends; empty lines are dropped."""

    def __init__(self, max_line: int = MAX_ANSWER_LINE) -> None:
        self._max = max_line
        self._rest = bytearray()
        self._too_long = False

    def feed(self, data: bytes) -> list[str]:
        """Return the lines that ``data`` completes."""
        lines = []
        *ended, rest = data.replace(b"\r", b"\n").split(b"\n")
        for part in ended:
            if self._rest:
                self._rest += part
                part = bytes(self._rest)
                self._rest.clear()
            if part and not self._too_long and len(part) <= self._max:
                lines.append(part.decode("utf-8", "replace"))
            self._too_long = False
        self._rest += rest
        if len(self._rest) > self._max:
            self._rest.clear()
            self._too_long = True
        return lines

    def reset(self) -> None:
        """Forget a begun line."""
        self._rest.clear()
        self._too_long = False
