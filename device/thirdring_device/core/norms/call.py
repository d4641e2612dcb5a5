"""Norms of the call as a whole: ``call.length`` and ``call.release`` (norms.md, section C)."""

from collections.abc import Callable

from thirdring.protocol.events import (
    AgentRequested,
    CallAnswered,
    CallEnded,
    Event,
    Prompt,
    Record,
    Verdict,
)
from thirdring_device.core.call import Call
from thirdring_device.core.norms.base import Norm
from thirdring_device.core.norms.settings import CallSettings
from thirdring_device.core.norms.speech import Speech

__all__ = ["CallLength", "CallRelease"]


class CallLength(Norm):
    """``call.length``: the talk stays within ``length_limit_s``; then the agent is prompted, no more."""

    rule = "call.length"
    unit = "s"
    numbers = ("call.length_limit_s",)
    prompts = ("long_call",)
    manuals = "000"

    def __init__(self, call: Call, settings: CallSettings) -> None:
        super().__init__(call, settings.length_limit_s)

    def handle(self, record: Record) -> list[Event]:
        """Start the clock at the answer."""
        if isinstance(record.event, CallAnswered):
            self.evidence.append(record.number)
            self.wake_at_s = record.event.at_s + self.threshold
        return []

    def wake(self, at_s: float) -> list[Event]:
        """Announce that the call has become long."""
        super().wake(at_s)
        prompt = Prompt(at_s=at_s, call_id=self.call.call_id, key="long_call", rule=self.rule, urgency="info")
        return [self.noted(at_s, "breached", self.threshold), prompt]

    def verdict(self, ended: Record) -> Verdict:
        """Judge by the time from the answer to the end."""
        if self.call.answered is None:
            return self.judged(ended, "not_applicable", None, reason="not answered")
        self.evidence.append(ended.number)
        talk_s = round(ended.event.at_s - self.call.answered.event.at_s, 3)
        return self.judged(ended, "breached" if talk_s > self.threshold else "met", talk_s)


class CallRelease(Norm):
    """``call.release``: the customer hangs up first; the agent only after ``release_grace_s`` of silence.

    ``exempt`` says whether a procedure that ends with the agent's hanging up is under way.
    """

    rule = "call.release"
    unit = "s"
    numbers = ("call.release_grace_s",)
    prompts = ()
    manuals = "000"

    def __init__(self, call: Call, settings: CallSettings, exempt: Callable[[], bool]) -> None:
        super().__init__(call, settings.release_grace_s)
        self._exempt = exempt
        self._speech = Speech()
        self._asked_at_s: float | None = None
        self._exempted = False

    def handle(self, record: Record) -> list[Event]:
        """Note when the agent hangs up, and how long nobody had spoken."""
        event = record.event
        if isinstance(event, AgentRequested) and event.action == "hangup" and self._asked_at_s is None:
            self._asked_at_s = event.at_s
            self._exempted = self._exempt()
            self.evidence.append(record.number)
        self._speech.take(event)
        return []

    def verdict(self, ended: Record) -> Verdict:
        """Judge by who released the call, and by the silence before."""
        event = ended.event
        by = event.by if isinstance(event, CallEnded) else ""
        self.evidence.append(ended.number)
        if self.call.answered is None:
            return self.judged(ended, "not_applicable", None, reason="not answered")
        if by == "customer" and self._asked_at_s is None:
            return self.judged(ended, "met", None, reason="the customer hung up first")
        if by not in ("agent", "customer") or self._asked_at_s is None:
            return self.judged(ended, "not_applicable", None, reason="neither side hung up")
        if self._exempted:
            reason = "a silent, weak or noisy caller"
            return self.judged(ended, "not_applicable", None, reason=reason)
        words_end_s = max(self._speech.end_s.values(), default=self.call.answered.event.at_s)
        quiet_s = max(0.0, round(self._asked_at_s - words_end_s, 2))
        return self.judged(ended, "met" if quiet_s >= self.threshold else "breached", quiet_s)
