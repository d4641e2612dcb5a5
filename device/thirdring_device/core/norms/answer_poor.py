"""Norms of a caller who can hardly be understood: ``answer.weak_caller`` and ``answer.noisy_caller``.

The same politeness for both (norms.md, section A): ask once, ask again, ask to call from another phone,
wait, hang up; and the agent's own voice does not rise meanwhile.
"""

from typing import Final

from thirdring.protocol.events import (
    SILENCE_DBOV,
    AgentRequested,
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
from thirdring_device.core.norms.speech import Speech

__all__ = ["AnswerNoisyCaller", "AnswerPoorCaller", "AnswerWeakCaller"]

NEEDED_S: Final = 3.0
"""Active speech of the caller before he is judged (norms.md)."""
HYSTERESIS_DB: Final = 2.0
NEW_ASKING_S: Final = 1.0
"""Words of the agent after a longer pause, or after the caller's, are another asking."""
_STEPS: Final = ("ask_louder", "ask_again", "ask_other_phone")


class AnswerPoorCaller(Norm):
    """What both norms share; ``_caller`` says from the facts how good the caller's sound is."""

    unit = "dB"

    def __init__(self, call: Call, settings: AnswerSettings, limit: float) -> None:
        super().__init__(call, settings.poor_caller_rise_db)
        self._settings = settings
        self._limit = limit
        self._speech = Speech()
        self._caller_active_s = 0.0
        self._poor = False
        self._judged = False
        self._seen = False
        self._asked = 0
        self._prompted = 0
        self._usual_dbov: float | None = None
        self._agent_active_s = 0.0
        self._rise_db: float | None = None
        self._hung_up_poor = False
        self._worst: float | None = None

    @property
    def applies(self) -> bool:
        """Whether the caller can hardly be understood just now."""
        return self._poor

    def _caller(self, event: Event) -> float | None:
        """Return the caller's figure, None when ``event`` tells none."""
        raise NotImplementedError

    def handle(self, record: Record) -> list[Event]:
        """Follow the caller's figure; while it is poor, the agent's words and level."""
        event = record.event
        if isinstance(event, TalkSpurtStarted) and event.side == "agent" and self._poor:
            self._asked += self._is_new_asking(event)
        elif isinstance(event, AgentRequested) and event.action == "hangup":
            self._hung_up_poor = self._poor
        self._speech.take(event)
        if isinstance(event, Levels):
            self._caller_active_s += event.customer_active_s
        figure = self._caller(event) if self._caller_active_s >= NEEDED_S else None
        announced = [] if figure is None else self._figured(record, figure)
        if isinstance(event, Levels):
            self._follow_agent(event)
        return announced

    def _figured(self, record: Record, figure: float) -> list[Event]:
        self._judged = True
        self._worst = figure if self._worst is None else min(self._worst, figure)
        was_poor = self._poor
        self._poor = figure < self._limit + (HYSTERESIS_DB if was_poor else 0.0)
        announced = self._changed(record, figure) if self._poor != was_poor else []
        return announced + self._prompts(record.event.at_s)

    def _is_new_asking(self, event: TalkSpurtStarted) -> bool:
        ends_s = self._speech.end_s
        if self._speech.media_at_s is None or "agent" not in ends_s:
            return True
        onset_s = self._speech.media_at_s + event.start_s
        return ends_s.get("customer", 0.0) > ends_s["agent"] or onset_s - ends_s["agent"] >= NEW_ASKING_S

    def _follow_agent(self, event: Levels) -> None:
        level_dbov = event.agent_before_sliding_dbov
        if event.agent_active_s <= 0.0 or level_dbov <= SILENCE_DBOV:
            return
        self._agent_active_s += event.agent_active_s
        if self._agent_active_s < NEEDED_S:
            return
        if not self._poor or self._usual_dbov is None:
            self._usual_dbov = level_dbov
        else:
            rise_db = round(level_dbov - self._usual_dbov, 2)
            self._rise_db = rise_db if self._rise_db is None else max(self._rise_db, rise_db)

    def _changed(self, record: Record, figure: float) -> list[Event]:
        self.evidence.append(record.number)
        if self._poor:
            self._seen = True
        return [self.noted(record.event.at_s, "warned" if self._poor else "met", figure)]

    def _prompts(self, at_s: float) -> list[Event]:
        if not self._poor or self._prompted > min(self._asked, len(_STEPS) - 1):
            return []
        key = _STEPS[self._prompted]
        self._prompted += 1
        return [Prompt(at_s=at_s, call_id=self.call.call_id, key=key, rule=self.rule, urgency="info")]

    def verdict(self, ended: Record) -> Verdict:
        """Judge by the agent's rise in level and by how often the caller was asked."""
        if not self.call.incoming:
            return self.judged(ended, "not_applicable", None, reason="outgoing call")
        if self.call.answered is None:
            return self.judged(ended, "not_applicable", None, reason="not answered")
        if not self._judged:
            return self.judged(ended, "not_applicable", None, reason=f"less than {NEEDED_S:g} s of speech")
        measures = {self._measure: self._worst} if self._worst is not None else {}
        if not self._seen:
            reason = "the caller was heard well"
            return self.judged(ended, "not_applicable", None, reason=reason, measures=measures)
        measures["asked_count"] = float(self._asked)
        rise_db = self._rise_db if self._rise_db is not None else 0.0
        if self._hung_up_poor and self._asked < self._settings.poor_caller_asks:
            self.evidence.append(ended.number)
            reason = "the agent hung up too early"
            return self.judged(ended, "breached", rise_db, reason=reason, measures=measures)
        value = "breached" if rise_db > self.threshold else "met"
        return self.judged(ended, value, rise_db, measures=measures)  # type: ignore[arg-type]

    _measure = ""


class AnswerWeakCaller(AnswerPoorCaller):
    """``answer.weak_caller``: the caller's active speech level lies below ``weak_caller_dbov``."""

    rule = "answer.weak_caller"
    numbers = ("answer.weak_caller_dbov", "answer.poor_caller_asks", "answer.poor_caller_rise_db")
    prompts = ("ask_louder", "ask_again", "ask_other_phone")
    manuals = "004"
    _measure = "customer_level_dbov"

    def __init__(self, call: Call, settings: AnswerSettings) -> None:
        super().__init__(call, settings, settings.weak_caller_dbov)

    def _caller(self, event: Event) -> float | None:
        if not isinstance(event, Levels) or event.customer_active_s <= 0.0:
            return None
        level_dbov = event.customer_sliding_dbov
        return level_dbov if level_dbov > SILENCE_DBOV else None


class AnswerNoisyCaller(AnswerPoorCaller):
    """``answer.noisy_caller``: the caller's speech is less than ``noisy_caller_snr_db`` over his noise."""

    rule = "answer.noisy_caller"
    numbers = ("answer.noisy_caller_snr_db", "answer.poor_caller_asks", "answer.poor_caller_rise_db")
    prompts = ("ask_louder", "ask_again", "ask_other_phone")
    manuals = "004"
    _measure = "customer_snr_db"

    def __init__(self, call: Call, settings: AnswerSettings) -> None:
        super().__init__(call, settings, settings.noisy_caller_snr_db)

    def _caller(self, event: Event) -> float | None:
        return event.customer.snr_db if isinstance(event, VoiceFigures) else None
