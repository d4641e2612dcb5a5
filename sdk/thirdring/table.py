"""Tables and lines for a terminal, safe to show whatever a caller sent as a name."""

import unicodedata
from collections.abc import Sequence
from typing import Any

__all__ = ["plain", "table"]


def plain(value: Any) -> str:
    """Return ``value`` as one line of text; control characters, which can drive a terminal, become ``?``."""
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
    if isinstance(value, list | tuple):
        return ", ".join(plain(item) for item in value)
    return "".join(char if unicodedata.category(char)[0] != "C" else "?" for char in str(value))


def table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Return the rows in columns; East Asian wide characters count twice (Unicode UAX #11)."""
    lines = [list(header), *([plain(value) for value in row] for row in rows)]
    widths = [max(_width(line[column]) for line in lines) for column in range(len(header))]
    return "\n".join(
        "  ".join(_padded(cell, width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _padded(cell: str, width: int) -> str:
    return cell + " " * (width - _width(cell))


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)
