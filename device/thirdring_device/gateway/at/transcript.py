"""What was said on the consoles, in memory: the newest lines of all of them, without secrets."""

from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

from thirdring.protocol.at.parse import AtSyntaxError, requests
from thirdring.protocol.at.table import TABLE
from thirdring_device.logs import MASK

__all__ = ["SECRET", "Said", "Transcript", "shown_line"]

SECRET: Final = frozenset(("#LOGIN", "#PASSWORD"))
"""Commands that carry a password."""
MOST_LINES: Final = 500
LONGEST: Final = 400
"""Characters of a line; the newest event as JSON has about as many."""
TELLING: Final = ("password", "secret", "token")
"""A line that names one of these may hold one."""


@dataclass(frozen=True, slots=True)
class Said:
    """One line. ``side``: the host typed it, or the unit answered it."""

    utc: str
    console: str
    side: Literal["host", "unit"]
    text: str


class Transcript:
    """The newest lines that a host typed or could read; for one thread, the gateway's loop."""

    def __init__(self) -> None:
        self._lines: deque[Said] = deque(maxlen=MOST_LINES)

    def typed(self, console: str, text: str, *, locked: bool) -> None:
        """Note a command line (without its ``AT``); of a locked console no argument is kept."""
        self._note(console, "host", "AT" + shown_line(text, locked=locked))

    def answered(self, console: str, text: str) -> None:
        """Note what a console wrote: information, result codes and reports, framed or not."""
        for line in text.replace("\r", "\n").split("\n"):
            if line:
                self._note(console, "unit", line)

    def newest(self, limit: int) -> list[Said]:
        """Return the newest ``limit`` lines, in order."""
        return list(self._lines)[-limit:]

    def _note(self, console: str, side: Literal["host", "unit"], text: str) -> None:
        utc = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        shown = text if len(text) <= LONGEST else text[:LONGEST] + " …"
        self._lines.append(Said(utc, console, side, shown))


def shown_line(text: str, *, locked: bool) -> str:
    """Return a command line as it may be shown.

    A password in it is left out, also where its command was mistyped.
    """
    head, equals, _ = text.partition("=")
    if equals and (locked or _may_hold_a_secret(text)):
        return f"{head}={MASK}"
    return text


def _may_hold_a_secret(text: str) -> bool:
    if any(word in text.lower() for word in TELLING):
        return True
    try:
        return any(
            request.name in SECRET or (request.argument != "" and request.name not in TABLE)
            for request in requests(text)
        )
    except AtSyntaxError:
        return True
