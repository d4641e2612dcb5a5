"""``voice.rate``: the agent speaks at a moderate pace (norms.md, section B)."""

from typing import Final, Literal

from thirdring.protocol.events import Event, MediaEnded, Prompt, Record, Verdict, VerdictValue, VoiceFigures
from thirdring_device.core.call import Call
from thirdring_device.core.norms.base import Norm
from thirdring_device.core.norms.settings import VoiceSettings

__all__ = ["VoiceRate"]

Pace = Literal["moderate", "too_fast", "too_slow"]
WINDOW_S: Final = 10.0
"""What a ``VoiceFigures`` looks back on."""
OVERLAP_S: Final = 0.5
"""How much two windows may have in common and still be taken one after the other."""


class VoiceRate(Norm):
    """The agent's syllables per second of articulated speech stay moderate.

    Measured over 10 s at a time, one window after the other, joined until ``rate_min_speech_s`` of
    articulated speech stand behind a figure: a sentence has a pace of its own. Breached when more than
    ``rate_outside_percent`` of the figures lie outside, warned when some do. A call too short for that is
    judged by the pace of all that was said in it.
    """

    rule = "voice.rate"
    unit = "syllables/s"
    numbers = (
        "voice.rate_min_syllables_per_s",
        "voice.rate_max_syllables_per_s",
        "voice.rate_min_speech_s",
        "voice.rate_outside_percent",
    )
    prompts = ("too_fast", "too_slow")
    manuals = "000 004"

    def __init__(self, call: Call, settings: VoiceSettings) -> None:
        super().__init__(call, settings.rate_max_syllables_per_s)
        self._settings = settings
        self._taken_s: float | None = None
        self._syllables = 0.0
        self._articulated_s = 0.0
        self._figures = 0
        self._outside = 0
        self._pace: Pace = "moderate"
        self._overall_syllables_per_s: float | None = None

    def handle(self, record: Record) -> list[Event]:
        """Follow the pace from figure to figure."""
        event = record.event
        if isinstance(event, MediaEnded) and event.agent_voice is not None:
            overall = event.agent_voice
            self._overall_syllables_per_s = overall.syllables_per_s
            self.evidence.append(record.number)
            enough = overall.articulated_s >= self._settings.rate_min_speech_s
            if not self._figures and enough and overall.syllables_per_s is not None:
                self._count(self._pace_of(overall.syllables_per_s))
        elif isinstance(event, VoiceFigures):
            return self._heard(record, event)
        return []

    def _heard(self, record: Record, figures: VoiceFigures) -> list[Event]:
        """Join a window to those before it, unless it overlaps them; measure when there is enough."""
        heard = figures.agent
        if heard.syllables_per_s is None or not heard.articulated_s:
            return []
        if self._taken_s is not None and figures.end_s - self._taken_s < WINDOW_S - OVERLAP_S:
            return []
        self._taken_s = figures.end_s
        self._syllables += heard.syllables_per_s * heard.articulated_s
        self._articulated_s += heard.articulated_s
        if self._articulated_s < self._settings.rate_min_speech_s:
            return []
        syllables_per_s = round(self._syllables / self._articulated_s, 2)
        self._syllables = self._articulated_s = 0.0
        return self._measured(record, syllables_per_s)

    def _pace_of(self, syllables_per_s: float) -> Pace:
        if syllables_per_s > self._settings.rate_max_syllables_per_s:
            return "too_fast"
        if syllables_per_s < self._settings.rate_min_syllables_per_s:
            return "too_slow"
        return "moderate"

    def _count(self, pace: Pace) -> None:
        self._figures += 1
        self._outside += pace != "moderate"

    def _measured(self, record: Record, syllables_per_s: float) -> list[Event]:
        pace = self._pace_of(syllables_per_s)
        self._count(pace)
        before, self._pace = self._pace, pace
        if pace == before:
            return []
        self.evidence.append(record.number)
        at_s = record.event.at_s
        announced: list[Event] = [
            self.noted(at_s, "met" if pace == "moderate" else "warned", syllables_per_s)
        ]
        if pace != "moderate":
            announced.append(
                Prompt(at_s=at_s, call_id=self.call.call_id, key=pace, rule=self.rule, urgency="warn")
            )
        return announced

    def verdict(self, ended: Record) -> Verdict:
        """Judge by the share of figures outside."""
        if self.call.answered is None:
            return self.judged(ended, "not_applicable", None, reason="not answered")
        if not self._figures:
            reason = f"less than {self._settings.rate_min_speech_s:g} s of speech"
            return self.judged(ended, "not_applicable", None, reason=reason)
        percent = round(100.0 * self._outside / self._figures, 1)
        value: VerdictValue = "warned" if self._outside else "met"
        if percent > self._settings.rate_outside_percent:
            value = "breached"
        measures = {"pace_outside_percent": percent}
        return self.judged(ended, value, self._overall_syllables_per_s, measures=measures)
