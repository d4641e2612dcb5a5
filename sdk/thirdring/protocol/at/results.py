"""Result codes and how they are written: ITU-T V.250 clause 5.7, 3GPP TS 27.007 clause 9.2."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

__all__ = ["CME_TEXTS", "RESULT_NUMBERS", "Style", "cme_error"]

RESULT_NUMBERS: Final[Mapping[str, int]] = {
    "OK": 0,
    "CONNECT": 1,
    "RING": 2,
    "NO CARRIER": 3,
    "ERROR": 4,
    "NO DIALTONE": 6,
    "BUSY": 7,
    "NO ANSWER": 8,
}

CME_TEXTS: Final[Mapping[int, str]] = {
    3: "operation not allowed",
    4: "operation not supported",
    16: "incorrect password",
    20: "memory full",
    21: "invalid index",
    22: "not found",
    26: "dial string too long",
    27: "invalid characters in dial string",
    30: "no network service",
    100: "unknown",
}


def cme_error(number: int, level: int) -> str:
    """Return the final code of a failure under ``+CMEE=level``: 0 plain, 1 number, 2 text."""
    if level == 0:
        return "ERROR"
    return f"+CME ERROR: {number if level == 1 else CME_TEXTS[number]}"


@dataclass(slots=True)
class Style:
    """How a session wants its answers: ``V`` (words or numbers), ``Q`` (no result codes), S3 and S4."""

    words: bool = True
    quiet: bool = False
    s3: int = 0x0D
    s4: int = 0x0A

    def information(self, lines: Iterable[str], *, begins: bool = True) -> str:
        """Return information text, one group: header (if the group ``begins`` here), lines, trailer."""
        end = chr(self.s3) + chr(self.s4)
        body = "".join(line + end for line in lines)
        return (end if self.words and begins else "") + body if body else ""

    def result(self, code: str) -> str:
        """Return a result code; nothing under ``Q1``. Codes without a number stay words under ``V0``."""
        if self.quiet:
            return ""
        if self.words:
            return self.information([code])
        return f"{RESULT_NUMBERS.get(code, code)}{chr(self.s3)}"
