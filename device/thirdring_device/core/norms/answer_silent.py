"""``answer.silent_call``: the procedure for a line with nobody on it (norms.md, section A)."""

from typing import Final

from thirdring.protocol.events import (
    SILENCE_DBOV,
    AgentRequested,
    CallAnswered,
    CallEnded,
    Event,
    Levels,
    Prompt,
    Record,
    TalkSpurtStarted,
    Verdict,
    VoiceFigures,
)
from thirdring_device.core.call import Call
from thirdring_device.core.norms.base import Norm
from thirdring_device.core.norms.settings import AnswerSettings
from thirdring_device.core.norms.speech import SPURT_NOTICE_S, Speech

__all__ = ["HANG_UP_KEY", "AnswerSilentCall"]

PAUSE_TOLERANCE_S: Final = 0.5
"""A person counts seconds no better; also the resolution of verdicts in time."""
NOISE_DBOV: Final = -60.0
"""A line whose background lies above this carries noise: twice the idle noise of G.711 is -66 dBov."""
DIGITAL_SILENCE_DBOV: Final = -90.0
HANG_UP_KEY: Final = "silent_hang_up"
_KEYS: Final = ("silent_greet_again", "silent_explain")


class AnswerSilentCall(Norm):
    """The agent greets, greets again, says that the line is silent, waits after each, then hangs up.

    A step is done when ``silent_pause_s`` have passed after the agent's words. Breached when the agent hangs
    up before ``silent_steps`` are done; a customer who speaks or hangs up ends the procedure.
    """

    rule = "answer.silent_call"
    unit = "steps"
    numbers = ("answer.silent_pause_s", "answer.silent_steps", "answer.silent_release")
    prompts = ("silent_greet_again", "silent_explain", "silent_hang_up")
    manuals = "003 004"

    def __init__(self, call: Call, settings: AnswerSettings) -> None:
        super().__init__(call, float(settings.silent_steps))
        self._settings = settings
        self._speech = Speech()
        self._steps = 0
        self._prompted = 0
        self._asked_at_s: float | None = None
        self._loudest_dbov = SILENCE_DBOV
        self._noise_dbov = SILENCE_DBOV
        self.customer_spoke = False

    @property
    def applies(self) -> bool:
        """Whether nobody has been heard at the other end of an answered call."""
        return self.call.incoming and self.call.answered is not None and not self.customer_spoke

    def handle(self, record: Record) -> list[Event]:
        """Count the steps the agent has done, until the customer speaks."""
        event = record.event
        if self.customer_spoke or not self.call.incoming:
            return []
        if isinstance(event, CallAnswered):
            self.evidence.append(record.number)
        elif isinstance(event, Levels):
            self._loudest_dbov = max(self._loudest_dbov, *event.customer_rms_dbov)
        elif isinstance(event, VoiceFigures):
            self._noise_dbov = event.customer.noise_level_dbov
        elif isinstance(event, TalkSpurtStarted):
            self._began(record, event)
        elif isinstance(event, AgentRequested) and event.action == "hangup" and self._asked_at_s is None:
            self._asked_at_s = event.at_s
            self.evidence.append(record.number)
        self._speech.take(event)
        if event.kind == "talk_spurt" and not self.customer_spoke:
            since_s = self._speech.quiet_since_s
            if since_s is not None:
                self.wake_at_s = since_s + self._settings.silent_pause_s + SPURT_NOTICE_S
        return []

    def _began(self, record: Record, event: TalkSpurtStarted) -> None:
        self.wake_at_s = None
        if event.side == "customer":
            self.customer_spoke = True
        elif self._speech.media_at_s is not None:
            self.evidence.append(record.number)
            self._steps += self._step_done(self._speech.media_at_s + event.start_s)

    def _step_done(self, at_s: float) -> bool:
        """Whether the pause after the agent's last words was full at ``at_s``."""
        ended_s = self._speech.end_s.get("agent")
        if ended_s is None or "agent" in self._speech.speaking:
            return False
        return at_s - ended_s >= self._settings.silent_pause_s - PAUSE_TOLERANCE_S

    def wake(self, at_s: float) -> list[Event]:
        """Prompt the next step: the pause after one is over."""
        super().wake(at_s)
        done = self._steps + 1
        if done <= self._prompted:
            return []
        self._prompted = done
        key = HANG_UP_KEY if done >= self.threshold else _KEYS[min(done, len(_KEYS)) - 1]
        return [
            Prompt(at_s=at_s, call_id=self.call.call_id, key=key, rule=self.rule, urgency="warn"),
        ]

    def verdict(self, ended: Record) -> Verdict:
        """Judge by the steps done before the agent hung up."""
        event = ended.event
        if not self.call.incoming:
            return self.judged(ended, "not_applicable", None, reason="outgoing call")
        if self.call.answered is None:
            return self.judged(ended, "not_applicable", None, reason="not answered")
        if self.customer_spoke:
            return self.judged(ended, "not_applicable", None, reason="the customer spoke")
        if self._speech.media_at_s is None:
            return self.judged(ended, "not_applicable", None, reason="no sound")
        by = event.by if isinstance(event, CallEnded) else ""
        if by != "agent" and self._asked_at_s is None:
            return self.judged(ended, "not_applicable", None, reason="the agent did not hang up")
        asked_at_s = event.at_s if self._asked_at_s is None else self._asked_at_s
        steps = float(self._steps + self._step_done(asked_at_s))
        measures = {"customer_loudest_dbov": self._loudest_dbov, "customer_noise_dbov": self._noise_dbov}
        value = "met" if steps >= self.threshold else "breached"
        return self.judged(ended, value, steps, reason=self._what_was_heard(), measures=measures)  # type: ignore[arg-type]

    def _what_was_heard(self) -> str:
        if self._loudest_dbov < DIGITAL_SILENCE_DBOV:
            return "no sound came from the line: muted, or no packets"
        if self._noise_dbov > NOISE_DBOV:
            return "only noise came from the line"
        return "the line was very quiet"
