"""When to register, and what the trunk's answers mean. Pure: time and chance are arguments."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from thirdring.protocol.events import TrunkState

__all__ = ["Registration", "TrunkNews"]

FIRST_RETRY_S: Final = 1.0
"""After the first failure: a lost packet or a server that restarts."""

JITTER_S: Final = 10.0
"""Desks that lost the same server must not come back at the same moment."""

MAX_PAUSE_S: Final = 1800.0

REASONS: Final = {
    401: "wrong user name or password",
    407: "wrong user name or password",
    403: "the trunk forbids this user",
    404: "the trunk does not know this user",
    408: "no answer from the trunk",
    503: "the trunk is out of service",
}


@dataclass(frozen=True, slots=True)
class TrunkNews:
    """The fields of a ``trunk_changed``."""

    state: TrunkState
    sip_code: int
    reason: str
    server: str = ""
    """The registrar in use, when registered."""


class Registration:
    """Says when the next REGISTER is due.

    A refusal (4xx: user, password, domain) is answered with pauses that double from ``retry_s`` to half
    an hour, lest the trunk locks us out. No answer, or 5xx: ``retry_s`` +- 10 s. Retry-After is obeyed.
    ``chance()`` is uniform in 0..1.
    """

    def __init__(self, retry_s: float, chance: Callable[[], float]) -> None:
        self._retry_s = retry_s
        self._chance = chance
        self._refusals = 0
        self._failures = 0
        self._due_s: float | None = 0.0
        self._told: TrunkNews | None = None
        self.failed = False
        """Whether the last outcome was no answer or one that says the server is out of service."""

    @property
    def due_s(self) -> float | None:
        """When the next REGISTER is due; ``None`` while one is on its way or the stack refreshes."""
        return self._due_s

    def sent(self) -> TrunkNews | None:
        """Note that a REGISTER was sent."""
        self._due_s = None
        return self._tell(TrunkNews("registering", 0, "")) if self._told is None else None

    def answered(
        self,
        now_s: float,
        sip_code: int,
        retry_after_s: float | None = None,
        detail: str = "",
        *,
        refused: bool = False,
    ) -> TrunkNews | None:
        """Note the outcome; return what changed.

        ``detail`` replaces the usual words for ``sip_code``; ``refused``: waiting will not help, whatever the
        code says, as with a certificate that was not accepted.
        """
        if 200 <= sip_code < 300:
            self._refusals = self._failures = 0
            self._due_s = None
            self.failed = False
            return self._tell(TrunkNews("registered", sip_code, ""))
        refused = refused or (300 <= sip_code < 500 and sip_code != 408) or sip_code >= 600
        self.failed = not refused
        if refused:
            pause_s = self._retry_s * 2.0 ** min(self._refusals, 20)
            self._refusals += 1
        else:
            jitter_s = min(JITTER_S, self._retry_s / 2) * (2 * self._chance() - 1)
            pause_s = self._retry_s + jitter_s if self._failures else FIRST_RETRY_S
            self._failures += 1
        if retry_after_s is not None:
            pause_s = max(pause_s, retry_after_s)
        self._due_s = now_s + min(pause_s, MAX_PAUSE_S)
        words = detail or REASONS.get(sip_code, f"the trunk answered {sip_code}" if sip_code else "no answer")
        return self._tell(TrunkNews("refused" if refused else "unreachable", sip_code, words))

    def _tell(self, news: TrunkNews) -> TrunkNews | None:
        if news == self._told:
            return None
        self._told = news
        return news
