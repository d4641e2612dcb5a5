"""One event a digit: a gateway may send the same key as an event, by INFO and as a tone. Sans-io."""

from dataclasses import dataclass, field
from typing import Final

from thirdring.protocol.events import Dtmf

__all__ = ["DigitSieve"]

WINDOW_S: Final = 1.0
"""Within this the same key by another method is the same press: an INFO may come twice as late as its tone
is long, and a detector tells a tone some 50 ms after it began."""


@dataclass(slots=True)
class _Press:
    at_s: float
    digit: str
    methods: set[str] = field(default_factory=set)


class DigitSieve:
    """Lets the first report of each press through. For one call."""

    def __init__(self) -> None:
        self._presses: list[_Press] = []

    def passes(self, event: Dtmf) -> bool:
        """Return whether ``event`` is a press of its own.

        Reports of one method are never taken for each other; they match the presses that other methods
        reported in their order.
        """
        self._presses = [press for press in self._presses if press.at_s > event.at_s - WINDOW_S]
        for press in self._presses:
            if press.digit == event.digit and event.method not in press.methods:
                press.methods.add(event.method)
                return False
        self._presses.append(_Press(event.at_s, event.digit, {event.method}))
        return True
