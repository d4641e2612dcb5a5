"""``Reconnect``: how the stream of events comes back to an appliance that went away."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from thirdring.protocol.errors import error

__all__ = ["Absence", "Reconnect"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconnect:
    """Pauses between attempts: from ``first_s``, each ``factor`` times the last, to ``longest_s``.

    ``spread`` of each pause (0 to 1) is drawn by lot, so that many hosts do not come back at one moment.
    After ``give_up_s`` without the appliance the stream ends with ``ConnectionLost`` 8000 (``math.inf``:
    never). Only the stream of events is taken up again: a command is sent once, a ``dial`` above all.

    Raises ``RequestError`` 1004 for values that make no sense.
    """

    first_s: float = 0.1
    longest_s: float = 5.0
    give_up_s: float = 60.0
    factor: float = 2.0
    spread: float = 0.5

    def __post_init__(self) -> None:
        """Refuse what would wait for ever or never wait."""
        pauses = 0 < self.first_s <= self.longest_s and self.factor >= 1
        if not (pauses and self.give_up_s >= 0 and 0 <= self.spread <= 1):
            raise error(1004, f"{self}")


class Absence:
    """How long one appliance has been away from one reader of its events, and when to look again."""

    def __init__(
        self,
        plan: Reconnect,
        *,
        clock: Callable[[], float] = time.monotonic,
        lot: Callable[[], float] = random.random,
    ) -> None:
        """``lot`` draws from 0 to 1. Nobody is waited for who was never there: call ``was_there`` first."""
        self._plan = plan
        self._clock = clock
        self._lot = lot
        self._since_s: float | None = None
        self._pause_s = plan.first_s

    def was_there(self, *, useful: bool = True) -> None:
        """Begin: the appliance has gone just now. ``useful``: it gave events, so the pauses begin anew."""
        self._since_s = self._clock()
        if useful:
            self._pause_s = self._plan.first_s

    def next_pause_s(self) -> float | None:
        """Return the pause before the next attempt, None when there is to be none."""
        if self._since_s is None or self._clock() - self._since_s > self._plan.give_up_s:
            return None
        pause_s = self._pause_s
        self._pause_s = min(self._plan.factor * pause_s, self._plan.longest_s)
        return pause_s * (1 - self._plan.spread * self._lot())
