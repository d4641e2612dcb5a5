"""Norms of taking turns: ``voice.interrupting`` and ``voice.dead_air`` (norms.md, section B)."""

from collections.abc import Callable
from typing import Final

from thirdring.protocol.events import (
    AgentRequested,
    CallAnswered,
    Event,
    HoldEnded,
    HoldStarted,
    Interruption,
    MuteEnded,
    MuteStarted,
    Prompt,
    Record,
    TalkSpurt,
    Verdict,
    VerdictValue,
)
from thirdring_device.core.call import Call
from thirdring_device.core.norms.base import Norm
from thirdring_device.core.norms.settings import VoiceSettings
from thirdring_device.core.norms.speech import SPURT_NOTICE_S, Speech

__all__ = ["VoiceDeadAir", "VoiceInterrupting"]


SAME_WORDS_S: Final = 1.0
"""A talk-spurt of the agent after a shorter pause goes on with the words before it."""


class VoiceInterrupting(Norm):
    """``voice.interrupting``: the customer is talked over at most ``interruptions_allowed`` times.

    Words that go on after a pause for breath are still the same interruption.
    """

    rule = "voice.interrupting"
    unit = "times"
    numbers = ("voice.interruptions_allowed",)
    prompts = ("let_finish",)
    manuals = "000 002"

    def __init__(self, call: Call, settings: VoiceSettings) -> None:
        super().__init__(call, settings.interruptions_allowed)
        self._count = 0
        self._heard = False
        self._cut_in_s: float | None = None
        """Media time at which the agent last cut in."""
        self._said: tuple[float, float] | None = None
        """Media times of the agent's last talk-spurt."""

    def handle(self, record: Record) -> list[Event]:
        """Count; prompt from the last one that is allowed on."""
        event = record.event
        self._heard = self._heard or event.kind == "media_started"
        if isinstance(event, TalkSpurt) and event.side == "agent":
            self._said = event.start_s, event.end_s
        if not isinstance(event, Interruption):
            return []
        goes_on = self._said is not None and self._said[0] == self._cut_in_s
        self._cut_in_s = event.start_s
        if goes_on and self._said is not None and event.start_s - self._said[1] < SAME_WORDS_S:
            return []
        self._count += 1
        self.evidence.append(record.number)
        state = "warned" if self._count <= self.threshold else "breached"
        announced: list[Event] = [self.noted(event.at_s, state, float(self._count))]
        if self._count >= self.threshold:
            announced.append(
                Prompt(
                    at_s=event.at_s,
                    call_id=self.call.call_id,
                    key="let_finish",
                    rule=self.rule,
                    urgency="warn",
                )
            )
        return announced

    def verdict(self, ended: Record) -> Verdict:
        """Judge by the count."""
        if self.call.answered is None:
            return self.judged(ended, "not_applicable", None, reason="not answered")
        if not self._heard:
            return self.judged(ended, "not_applicable", None, reason="no sound")
        value: VerdictValue = "warned" if self._count else "met"
        if self._count > self.threshold:
            value = "breached"
        return self.judged(ended, value, float(self._count))


class VoiceDeadAir(Norm):
    """``voice.dead_air``: both sides are never silent for longer than ``dead_air_limit_s``.

    Holds and mutes are other norms' matter, and so is what follows the agent's release. The agent is prompted
    at ``dead_air_warn_s``, while the silence can still be broken in time. Where nobody has been heard at the
    other end (``nobody``), the procedure of ``answer.silent_call`` has its own pauses.
    """

    rule = "voice.dead_air"
    unit = "s"
    numbers = ("voice.dead_air_warn_s", "voice.dead_air_limit_s")
    prompts = ("dead_air",)
    manuals = "003"

    def __init__(self, call: Call, settings: VoiceSettings, nobody: Callable[[], bool]) -> None:
        super().__init__(call, settings.dead_air_limit_s)
        self._nobody = nobody
        self._warn_s = min(settings.dead_air_warn_s, settings.dead_air_limit_s)
        self._speech = Speech()
        self._answered_at_s: float | None = None
        self._away: set[str] = set()
        """Why the two do not hear each other: held by one side or the other, muted, released."""
        self._back_at_s = 0.0
        self._quiet_since_s: float | None = None
        self._warned = self._told = False
        self._longest_s = 0.0
        self._breaches = 0

    def handle(self, record: Record) -> list[Event]:
        """Measure each silence from the last word to the next."""
        event = record.event
        if isinstance(event, CallAnswered):
            self._answered_at_s = event.at_s
        self._speech.take(event)
        self._hold_or_mute(event)
        if self._answered_at_s is None:
            return []
        quiet_since_s = self._speech.quiet_since_s
        if quiet_since_s is not None:
            quiet_since_s = max(quiet_since_s, self._answered_at_s, self._back_at_s)
        if self._away:
            quiet_since_s = None
        if quiet_since_s == self._quiet_since_s:
            return []
        announced = self._broken(record) if quiet_since_s is None else []
        self._quiet_since_s = quiet_since_s
        self._warned = self._told = False
        self.wake_at_s = None
        if quiet_since_s is not None:
            self.wake_at_s = quiet_since_s + self._warn_s + SPURT_NOTICE_S
        return announced

    def _hold_or_mute(self, event: Event) -> None:
        if isinstance(event, HoldStarted | MuteStarted):
            self._away.add(_reason(event))
        elif isinstance(event, HoldEnded | MuteEnded):
            self._away.discard(_reason(event))
            self._back_at_s = event.at_s
        elif isinstance(event, AgentRequested) and event.action == "hangup":
            self._away.add("released")

    def _broken(self, record: Record) -> list[Event]:
        """Somebody speaks again; or the two no longer hear each other."""
        if self._quiet_since_s is None:
            return []
        at_s = record.event.at_s
        onset_s = at_s if self._away else max(self._speech.onset_s.values(), default=at_s)
        silent_s = onset_s - self._quiet_since_s
        self._measure(record, silent_s)
        announced: list[Event] = []
        if silent_s > self.threshold and not self._told and not self._nobody():
            announced.append(self.noted(at_s, "breached", self.threshold))
        if self._warned:
            announced.append(self.noted(at_s, "met", None))
        return announced

    def _measure(self, record: Record, silent_s: float) -> None:
        if silent_s >= self._warn_s:
            self.evidence.append(record.number)
        self._breaches += silent_s > self.threshold
        self._longest_s = max(self._longest_s, silent_s)

    def wake(self, at_s: float) -> list[Event]:
        """Prompt at the early limit, breach at the late one."""
        super().wake(at_s)
        if self._quiet_since_s is None or self._nobody():
            return []
        if not self._warned:
            self._warned = True
            self.wake_at_s = self._quiet_since_s + self.threshold + SPURT_NOTICE_S
            prompt = Prompt(
                at_s=at_s, call_id=self.call.call_id, key="dead_air", rule=self.rule, urgency="warn"
            )
            return [self.noted(at_s, "warned", self._warn_s), prompt]
        self._told = True
        return [self.noted(at_s, "breached", self.threshold)]

    def verdict(self, ended: Record) -> Verdict:
        """Judge by the longest silence."""
        if self._answered_at_s is None:
            return self.judged(ended, "not_applicable", None, reason="not answered")
        if self._speech.media_at_s is None:
            return self.judged(ended, "not_applicable", None, reason="no sound")
        if self._nobody():
            return self.judged(ended, "not_applicable", None, reason="nobody was heard at the other end")
        if self._quiet_since_s is not None:
            self._measure(ended, ended.event.at_s - self._quiet_since_s)
            self._quiet_since_s = None
        longest_s = round(self._longest_s, 2)
        value: VerdictValue = "warned" if longest_s >= self._warn_s else "met"
        if longest_s > self.threshold:
            value = "breached"
        return self.judged(ended, value, longest_s, measures={"dead_air_count": float(self._breaches)})


def _reason(event: HoldStarted | HoldEnded | MuteStarted | MuteEnded) -> str:
    return event.by if isinstance(event, HoldStarted | HoldEnded) else "mute"
