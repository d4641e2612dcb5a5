"""Norms of answering: ``answer.rings``, ``answer.late_opener``, ``answer.greeting`` (norms.md, section A)."""

from thirdring.protocol.events import (
    CallAlerting,
    CallAnswered,
    Event,
    MediaStarted,
    Prompt,
    Record,
    RingBurst,
    TalkSpurtStarted,
    Verdict,
)
from thirdring_device.core.call import Call
from thirdring_device.core.norms.base import Norm
from thirdring_device.core.norms.settings import AnswerSettings
from thirdring_device.core.norms.speech import SPURT_NOTICE_S
from thirdring_device.core.rings import RingLadder

__all__ = ["AnswerGreeting", "AnswerLateOpener", "AnswerRings"]


class AnswerRings(Norm):
    """``answer.rings``: answered while the caller heard at most ``max_rings`` rings begin.

    Announces every ring as it begins, with its step on the ring ladder.
    """

    rule = "answer.rings"
    unit = "rings"
    numbers = (
        "answer.max_rings",
        "answer.warn_ring",
        "answer.overflow_ring",
        "answer.overflow_action",
        "answer.overflow_target",
    )
    prompts = ("opener", "opener_late")
    manuals = "000"

    def __init__(self, call: Call, settings: AnswerSettings, period_s: float) -> None:
        super().__init__(call, settings.max_rings)
        self._settings = settings
        self._period_s = period_s
        self._ladder: RingLadder | None = None
        self.rings = 0
        """Rings announced so far."""

    def handle(self, record: Record) -> list[Event]:
        """Start the ladder at our first 180, stop it when the call no longer rings."""
        event = record.event
        announced: list[Event] = []
        if isinstance(event, CallAlerting) and self.call.incoming and self._ladder is None:
            self.evidence.append(record.number)
            self._ladder = RingLadder(self._settings, self._period_s, event.at_s)
            if self.call.state == "incoming":
                announced = self.wake(event.at_s)
        elif isinstance(event, CallAnswered) and self._ladder is not None:
            self.evidence.append(record.number)
            rings = self._ladder.begun_by(event.at_s)
            state = "met" if rings <= self.threshold else "breached"
            announced = [self.noted(event.at_s, state, float(rings))]
        if self.call.state != "incoming":
            self.wake_at_s = None
        return announced

    def wake(self, at_s: float) -> list[Event]:
        """Announce the ring that begins at ``at_s``."""
        if self._ladder is None:
            return []
        self.rings += 1
        ring, call_id = self.rings, self.call.call_id
        self.wake_at_s = self._ladder.begins_at_s(ring + 1)
        urgency = self._ladder.urgency(ring)
        announced: list[Event] = [RingBurst(at_s=at_s, call_id=call_id, ring=ring, urgency=urgency)]
        if ring == 1:
            announced.append(Prompt(at_s=at_s, call_id=call_id, key="opener"))
        if ring == self._settings.warn_ring and urgency != "breach":
            announced.append(self.noted(at_s, "warned", float(ring)))
        if ring == self._settings.max_rings + 1:
            announced.append(self.noted(at_s, "breached", float(ring)))
            announced.append(
                Prompt(
                    at_s=at_s, call_id=call_id, key="opener_late", rule="answer.late_opener", urgency="urgent"
                )
            )
        return announced

    def verdict(self, ended: Record) -> Verdict:
        """Judge by the rings begun until the answer, or until the end when nobody answered."""
        if not self.call.incoming:
            return self.judged(ended, "not_applicable", None, reason="outgoing call")
        if self._ladder is None:
            return self.judged(ended, "not_applicable", None, reason="no ring was given to the caller")
        answered = self.call.answered
        until_s = (answered or ended).event.at_s
        rings = self._ladder.begun_by(until_s)
        measures = {"rings_heard": float(rings), "wait_s": round(until_s - self._ladder.first_ring_at_s, 3)}
        if answered is None:
            self.evidence.append(ended.number)
            if rings <= self.threshold:
                reason = f"not answered: ended after {rings} rings"
                return self.judged(ended, "not_applicable", float(rings), reason=reason, measures=measures)
        return self.judged(
            ended, "met" if rings <= self.threshold else "breached", float(rings), measures=measures
        )


class AnswerLateOpener(Norm):
    """``answer.late_opener``: after a late answer the agent has the opener that thanks for waiting.

    Judged by what was shown: the opener changes when the ring begins that is one too many.
    """

    rule = "answer.late_opener"
    unit = "rings"
    numbers = ("answer.max_rings",)
    prompts = ("opener_late",)
    manuals = "000"

    def __init__(self, call: Call, settings: AnswerSettings, rings: AnswerRings) -> None:
        super().__init__(call, settings.max_rings)
        self._rings = rings
        self._rings_at_answer = 0

    def handle(self, record: Record) -> list[Event]:
        """Note which opener stood on the page at the answer."""
        if isinstance(record.event, CallAnswered):
            self._rings_at_answer = self._rings.rings
            self.evidence.append(record.number)
        return []

    def verdict(self, ended: Record) -> Verdict:
        """Judge late answers only."""
        if not self.call.incoming:
            return self.judged(ended, "not_applicable", None, reason="outgoing call")
        if self.call.answered is None:
            return self.judged(ended, "not_applicable", None, reason="not answered")
        judged = self._rings.verdict(ended)
        if judged.verdict != "breached":
            return self.judged(ended, "not_applicable", None, reason="answered in time")
        shown = self._rings_at_answer > self.threshold
        return self.judged(ended, "met" if shown else "breached", float(self._rings_at_answer))


class AnswerGreeting(Norm):
    """``answer.greeting``: the agent's first word comes within ``greeting_limit_s`` of the answer."""

    rule = "answer.greeting"
    unit = "s"
    numbers = ("answer.greeting_limit_s",)
    prompts = ("greet_now",)
    manuals = "000 003 004"

    def __init__(self, call: Call, settings: AnswerSettings) -> None:
        super().__init__(call, settings.greeting_limit_s)
        self._answered_at_s: float | None = None
        self._media_at_s: float | None = None
        self._onset_at_s: float | None = None

    def handle(self, record: Record) -> list[Event]:
        """Wait for the agent's first talk-spurt from the answer on; who calls out is greeted himself."""
        event = record.event
        if not self.call.incoming:
            return []
        if isinstance(event, CallAnswered):
            self._answered_at_s = event.at_s
            self.evidence.append(record.number)
            self.wake_at_s = event.at_s + self.threshold + SPURT_NOTICE_S
        elif isinstance(event, MediaStarted):
            self._media_at_s = event.at_s
        elif isinstance(event, TalkSpurtStarted) and event.side == "agent" and self._onset_at_s is None:
            return self._greeted(record, event)
        return []

    def _greeted(self, record: Record, event: TalkSpurtStarted) -> list[Event]:
        if self._media_at_s is None:
            return []
        self._onset_at_s = self._media_at_s + event.start_s
        self.wake_at_s = None
        self.evidence.append(record.number)
        latency_s = self._latency_s()
        if latency_s is None:
            return []
        return [self.noted(event.at_s, "met" if latency_s <= self.threshold else "breached", latency_s)]

    def wake(self, at_s: float) -> list[Event]:
        """Announce that the limit has passed without a word."""
        super().wake(at_s)
        prompt = Prompt(
            at_s=at_s, call_id=self.call.call_id, key="greet_now", rule=self.rule, urgency="urgent"
        )
        return [self.noted(at_s, "breached", None), prompt]

    def _latency_s(self) -> float | None:
        """Answer to first word, None before both; an agent who speaks before the 200 is out greets at 0."""
        if self._onset_at_s is None or self._answered_at_s is None:
            return None
        return round(max(0.0, self._onset_at_s - self._answered_at_s), 3)

    def verdict(self, ended: Record) -> Verdict:
        """Judge by the time from the answer to the first word."""
        if not self.call.incoming:
            return self.judged(ended, "not_applicable", None, reason="outgoing call")
        if self._answered_at_s is None:
            return self.judged(ended, "not_applicable", None, reason="not answered")
        latency_s = self._latency_s()
        if latency_s is not None:
            measures = {"greeting_latency_s": latency_s}
            return self.judged(
                ended, "met" if latency_s <= self.threshold else "breached", latency_s, measures=measures
            )
        self.evidence.append(ended.number)
        waited_s = round(ended.event.at_s - self._answered_at_s, 3)
        measures = {"silent_s": waited_s}
        if waited_s <= self.threshold:
            reason = "the call ended before the limit"
            return self.judged(ended, "not_applicable", None, reason=reason, measures=measures)
        return self.judged(ended, "breached", waited_s, reason="the agent did not speak", measures=measures)
