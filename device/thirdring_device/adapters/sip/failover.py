"""Which of the trunk's registrars is used, and when each is asked. Pure: time and chance are arguments."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from thirdring_device.adapters.sip.registration import Registration, TrunkNews

__all__ = ["Failover"]


@dataclass(slots=True)
class _Line:
    """One registrar. ``failed``: no answer, or one that says it is out of service."""

    name: str
    registration: Registration
    up: bool = False
    failed: bool = False
    sent_s: float | None = None
    answered_s: float = 0.0


class Failover:
    """Registers with the first server that answers, best first, and returns to a better one when it is back.

    A server that is silent for ``failover_s`` counts as failed: the next one is asked while the first one's
    REGISTER is still on its way (RFC 3261 timer F would take 32 s). The one in use is asked again every
    ``check_s``. One that refuses our user is not passed over: the others share its user data. One whose
    certificate was not accepted is.
    With one server there are no checks, and its ``Registration`` decides alone.
    """

    def __init__(
        self,
        servers: Sequence[str],
        *,
        retry_s: float,
        failover_s: float,
        check_s: float,
        chance: Callable[[], float],
    ) -> None:
        self._retry_s, self._failover_s, self._check_s = retry_s, failover_s, check_s
        self._chance = chance
        self._lines = [_Line(name, Registration(retry_s, chance)) for name in servers]
        self._told: TrunkNews | None = None
        self.active: int | None = None
        """Index of the server in use."""

    def due(self, now_s: float) -> tuple[list[int], TrunkNews | None]:
        """Return the servers to be asked now, each then noted as asked, and what changed."""
        asked: list[int] = []
        news: TrunkNews | None = None
        for index, line in enumerate(self._lines):
            self._notice_silence(line, now_s)
            if line.sent_s is not None or not all(better.failed for better in self._lines[:index]):
                continue
            due_s = line.registration.due_s
            if line.up and len(self._lines) > 1:
                due_s = line.answered_s + self._check_s
            if due_s is not None and now_s >= due_s:
                line.sent_s = now_s
                news = self._tell(line.registration.sent()) or news
                asked.append(index)
        self._choose()
        return asked, news

    def answered(
        self,
        index: int,
        now_s: float,
        sip_code: int,
        retry_after_s: float | None = None,
        detail: str = "",
        *,
        refused: bool = False,
    ) -> tuple[TrunkNews | None, list[int]]:
        """Note an outcome; return what changed and the servers to be left (REGISTER with expiry 0)."""
        line = self._lines[index]
        line.sent_s, line.answered_s = None, now_s
        news = line.registration.answered(now_s, sip_code, retry_after_s, detail, refused=refused)
        line.up = 200 <= sip_code < 300
        if line.up:
            line.failed = False
        elif line.registration.failed or refused:
            line.failed = True
        self._choose()
        if self.active is None:
            return self._tell(news), []
        left = [i for i, other in enumerate(self._lines) if other.up and i > self.active]
        for i in left:
            self._lines[i] = _Line(self._lines[i].name, Registration(self._retry_s, self._chance))
        return self._tell(TrunkNews("registered", 200, "", self._lines[self.active].name)), left

    def _notice_silence(self, line: _Line, now_s: float) -> None:
        if len(self._lines) > 1 and line.sent_s is not None and now_s - line.sent_s >= self._failover_s:
            line.up, line.failed = False, True

    def _choose(self) -> None:
        self.active = next((i for i, line in enumerate(self._lines) if line.up), None)

    def _tell(self, news: TrunkNews | None) -> TrunkNews | None:
        if news is None or news == self._told:
            return None
        if news.state == "registering" and self._told is not None:
            return None
        self._told = replace(news)
        return news
