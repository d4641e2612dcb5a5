"""``voice.rate``: the agent speaks at a moderate pace (norms.md, section B)."""

from typing import Final, Literal

from thirdring.protocol.events import Event, MediaEnded, Prompt, Record, Verdict, VerdictValue, VoiceFigures
from thirdring_device.core.call import Call
from thirdring_device.core.norms.base import Norm
from thirdring_device.core.norms.settings import VoiceSettings

__all__ = ["VoiceRate"]

Pace = Literal["moderate", "too_fast", "too_slow"]
LEAST_OUTSIDE: Final = 2


class VoiceRate(Norm):
    """The agent's syllables per second of articulated speech, over the last 10 s, stay moderate.

    A figure counts when ``rate_min_speech_s`` of articulated speech stand behind it. Breached when more
    than ``rate_outside_percent`` of the figures lie outside, and two at least: half a sentence has a pace
    of its own. Warned when some do.
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
        self._figures = 0
        self._outside = 0
        self._pace: Pace = "moderate"
        self._overall_syllables_per_s: float | None = None

    def handle(self, record: Record) -> list[Event]:
        """Follow the pace from figure to figure."""
        event = record.event
        if isinstance(event, MediaEnded) and event.agent_voice is not None:
            self._overall_syllables_per_s = event.agent_voice.syllables_per_s
            self.evidence.append(record.number)
        elif isinstance(event, VoiceFigures):
            syllables_per_s = event.agent.syllables_per_s
            enough = event.agent.articulated_s >= self._settings.rate_min_speech_s
            if syllables_per_s is not None and enough:
                return self._measured(record, syllables_per_s)
        return []

    def _measured(self, record: Record, syllables_per_s: float) -> list[Event]:
        pace: Pace = "moderate"
        if syllables_per_s > self._settings.rate_max_syllables_per_s:
            pace = "too_fast"
        elif syllables_per_s < self._settings.rate_min_syllables_per_s:
            pace = "too_slow"
        self._figures += 1
        self._outside += pace != "moderate"
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
        if percent > self._settings.rate_outside_percent and self._outside >= LEAST_OUTSIDE:
            value = "breached"
        measures = {"pace_outside_percent": percent}
        return self.judged(ended, value, self._overall_syllables_per_s, measures=measures)
