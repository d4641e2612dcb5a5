"""``customer.survey``: satisfaction is asked for (norms.md, section C)."""

from collections.abc import Callable
from typing import Final

from thirdring.protocol.events import (
    AgentRequested,
    CallEnded,
    Dtmf,
    Event,
    Record,
    SurveyEnded,
    SurveyStarted,
    Verdict,
)
from thirdring_device.core.call import Call
from thirdring_device.core.norms.base import Norm
from thirdring_device.core.norms.settings import SurveySettings

__all__ = ["CustomerSurvey"]

SCORES: Final = "12345"
"""1 is the worst."""


class CustomerSurvey(Norm):
    """``customer.survey``: a caller whom the agent has released is asked for a digit of 1 to 5.

    The agent's release starts the announcement instead of ending the call; the digit, the end of ``answer_s``
    or the caller ends it. ``exempt`` says whether nobody could be asked: a silent, weak or noisy caller.
    """

    rule = "customer.survey"
    unit = "score"
    numbers = ("survey.enabled", "survey.answer_s")
    prompts = ()
    manuals = "000 001 004"

    def __init__(self, call: Call, settings: SurveySettings, exempt: Callable[[], bool]) -> None:
        super().__init__(call, settings.answer_s)
        self._settings = settings
        self._exempt = exempt
        self._score: int | None = None
        self.asked = False
        self.running = False

    def starts(self, event: Event) -> bool:
        """Whether this request to hang up starts the survey."""
        hangs_up = isinstance(event, AgentRequested) and event.action == "hangup"
        up = self.call.incoming and self.call.answered is not None
        return hangs_up and up and self._settings.enabled and not self.asked and not self._exempt()

    def handle(self, record: Record) -> list[Event]:
        """Start with the agent's release, end with the digit."""
        event = record.event
        if self.starts(event):
            self.asked = self.running = True
            self.evidence.append(record.number)
            self.wake_at_s = event.at_s + self._settings.answer_s
            return [SurveyStarted(at_s=event.at_s, call_id=self.call.call_id)]
        if not self.running:
            return []
        if isinstance(event, CallEnded):
            self.running, self.wake_at_s = False, None
        elif isinstance(event, Dtmf) and event.side == "customer" and event.digit in SCORES:
            self._score = int(event.digit)
            self.evidence.append(record.number)
            return self._end(event.at_s)
        return []

    def wake(self, at_s: float) -> list[Event]:
        """End without a digit."""
        super().wake(at_s)
        return self._end(at_s) if self.running else []

    def _end(self, at_s: float) -> list[Event]:
        self.running, self.wake_at_s = False, None
        return [SurveyEnded(at_s=at_s, call_id=self.call.call_id, score=self._score)]

    def verdict(self, ended: Record) -> Verdict:
        """Judge by whether the caller was asked."""
        if self.call.answered is None:
            return self.judged(ended, "not_applicable", None, reason="not answered")
        if not self.call.incoming:
            return self.judged(ended, "not_applicable", None, reason="outgoing call")
        if not self._settings.enabled:
            return self.judged(ended, "not_applicable", None, reason="no survey is set up")
        if not self.asked:
            return self.judged(ended, "not_applicable", None, reason="the agent did not release the call")
        if self._score is None:
            return self.judged(ended, "met", None, reason="the customer gave no digit")
        return self.judged(ended, "met", float(self._score))
