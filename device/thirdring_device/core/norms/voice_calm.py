"""``voice.calm``: the agent stays calm when the customer grows heated (norms.md, section B)."""

import math
from typing import Final

from thirdring.protocol.events import (
    SILENCE_DBOV,
    Event,
    MediaStarted,
    Prompt,
    Record,
    Side,
    TalkSpurt,
    Verdict,
    VoiceFigures,
)
from thirdring_device.core.call import Call
from thirdring_device.core.norms.base import Norm
from thirdring_device.core.norms.settings import VoiceSettings

__all__ = ["VoiceCalm"]

BASELINE_S: Final = 3.0
"""Speech that makes a baseline: the window of the sliding level (norms.md, ``voice.level``)."""
SHORTEST_S: Final = 0.5
"""A shorter talk-spurt is a cough or a back-channel and tells nothing of a mood."""
PACE_SPEECH_S: Final = 5.0
"""Articulated speech behind a pace that is compared: single sentences differ by 20 % anyway."""
PACE_WINDOW_S: Final = 10.0
"""What a pace figure looks back on."""


class _Baseline:
    """Mean power of a side's talk-spurts, weighted by their lengths."""

    def __init__(self) -> None:
        self._power_s = 0.0
        self._spoken_s = 0.0

    def add(self, level_dbov: float, length_s: float) -> None:
        self._power_s += 10.0 ** (level_dbov / 10.0) * length_s
        self._spoken_s += length_s

    @property
    def level_dbov(self) -> float | None:
        """The level, None before ``BASELINE_S`` of speech."""
        if self._spoken_s < BASELINE_S:
            return None
        return 10.0 * math.log10(self._power_s / self._spoken_s)


class VoiceCalm(Norm):
    """After a customer's outburst the agent's voice rises neither in loudness nor in pace.

    A customer's talk-spurt that lies ``calm_heated_db`` above his own mean so far is an outburst. What the
    agent says within ``calm_window_s`` of its end is compared with the agent's own mean before it: level of
    each talk-spurt, and the first pace figure that looks back on nothing older.
    """

    rule = "voice.calm"
    unit = "dB"
    numbers = ("voice.calm_heated_db", "voice.calm_rise_db", "voice.calm_pace_percent", "voice.calm_window_s")
    prompts = ("breathe",)
    manuals = "000"

    def __init__(self, call: Call, settings: VoiceSettings) -> None:
        super().__init__(call, settings.calm_rise_db)
        self._settings = settings
        self._means: dict[Side, _Baseline] = {"agent": _Baseline(), "customer": _Baseline()}
        self._pace_sum = 0.0
        self._pace_count = 0
        self._heard = False
        self._outbursts = 0
        self._outburst_s: float | None = None
        """Media time of the end of the outburst under watch."""
        self._pace_due = False
        self._rise_db: float | None = None
        self._pace_rise_percent: float | None = None
        self._breached = False

    @property
    def outbursts(self) -> int:
        """How often the customer grew heated."""
        return self._outbursts

    def handle(self, record: Record) -> list[Event]:
        """Follow both sides' talk-spurts and the agent's pace."""
        event = record.event
        if isinstance(event, MediaStarted):
            self._heard = True
        elif isinstance(event, TalkSpurt) and event.level_dbov > SILENCE_DBOV:
            if event.end_s - event.start_s >= SHORTEST_S:
                return (
                    self._customer(record, event) if event.side == "customer" else self._agent(record, event)
                )
        elif isinstance(event, VoiceFigures) and event.agent.syllables_per_s is not None:
            if event.agent.articulated_s < PACE_SPEECH_S:
                return []
            return self._paced(record, event.end_s, event.agent.syllables_per_s)
        return []

    def _customer(self, record: Record, event: TalkSpurt) -> list[Event]:
        mean = self._means["customer"]
        usual_dbov = mean.level_dbov
        if usual_dbov is None or event.level_dbov < usual_dbov + self._settings.calm_heated_db:
            mean.add(event.level_dbov, event.end_s - event.start_s)
            return []
        first = self._outburst_s is None or event.start_s > self._outburst_s + self._settings.calm_window_s
        self._outburst_s = event.end_s
        self._pace_due = True
        self.evidence.append(record.number)
        if not first:
            return []
        self._outbursts += 1
        rise_db = round(event.level_dbov - usual_dbov, 1)
        prompt = Prompt(
            at_s=event.at_s, call_id=self.call.call_id, key="breathe", rule=self.rule, urgency="info"
        )
        return [self.noted(event.at_s, "warned", rise_db), prompt]

    def _watched(self, at_s: float) -> bool:
        """Whether media time ``at_s`` lies in the window after an outburst."""
        start_s = self._outburst_s
        return start_s is not None and start_s <= at_s <= start_s + self._settings.calm_window_s

    def _agent(self, record: Record, event: TalkSpurt) -> list[Event]:
        mean = self._means["agent"]
        usual_dbov = mean.level_dbov
        if not self._watched(event.start_s) or usual_dbov is None:
            mean.add(event.level_dbov, event.end_s - event.start_s)
            return []
        rise_db = round(event.level_dbov - usual_dbov, 2)
        self._rise_db = rise_db if self._rise_db is None else max(self._rise_db, rise_db)
        return self._risen(record, rise_db) if rise_db > self.threshold else []

    def _paced(self, record: Record, end_s: float, syllables_per_s: float) -> list[Event]:
        if (
            self._outburst_s is None
            or end_s > self._outburst_s + PACE_WINDOW_S + self._settings.calm_window_s
        ):
            self._pace_sum += syllables_per_s
            self._pace_count += 1
            return []
        if not self._pace_due or end_s < self._outburst_s + PACE_WINDOW_S or not self._pace_count:
            return []
        self._pace_due = False
        usual = self._pace_sum / self._pace_count
        rise_percent = round(100.0 * (syllables_per_s / usual - 1.0), 1)
        before = self._pace_rise_percent
        self._pace_rise_percent = rise_percent if before is None else max(before, rise_percent)
        return self._risen(record, rise_percent) if rise_percent > self._settings.calm_pace_percent else []

    def _risen(self, record: Record, value: float) -> list[Event]:
        self.evidence.append(record.number)
        if self._breached:
            return []
        self._breached = True
        return [self.noted(record.event.at_s, "breached", value)]

    def verdict(self, ended: Record) -> Verdict:
        """Judge by the agent's rise after the outbursts."""
        if self.call.answered is None:
            return self.judged(ended, "not_applicable", None, reason="not answered")
        if not self._heard:
            return self.judged(ended, "not_applicable", None, reason="no sound")
        if not self._outbursts:
            return self.judged(ended, "not_applicable", None, reason="the customer stayed calm")
        measures = {"outbursts_count": float(self._outbursts)}
        if self._pace_rise_percent is not None:
            measures["pace_rise_percent"] = self._pace_rise_percent
        if self._rise_db is None:
            reason = "the agent did not speak after it"
            return self.judged(ended, "not_applicable", None, reason=reason, measures=measures)
        return self.judged(ended, "breached" if self._breached else "met", self._rise_db, measures=measures)
