"""Norms of the voice: ``voice.level`` (norms.md, section B)."""

import math
from dataclasses import replace

from thirdring.protocol.events import (
    SILENCE_DBOV,
    Event,
    Levels,
    MediaEnded,
    Prompt,
    Record,
    Verdict,
    VerdictValue,
)
from thirdring_device.core.call import Call
from thirdring_device.core.norms.base import Norm
from thirdring_device.core.norms.settings import VoiceSettings

__all__ = ["VoiceLevel"]


class VoiceLevel(Norm):
    """``voice.level``: the agent's active speech level as the customer hears it stays in the band.

    The sliding ITU-T P.56 level after AGC is followed with hysteresis: speech is outside from the moment
    it leaves the band's edge until it is ``level_hysteresis_db`` inside again. Breached when more than
    ``level_outside_percent`` of the speech judged lay outside; warned when it left the band and mended.
    The first ``level_min_speech_s`` of speech fill the window and let the AGC settle; they are not judged.
    """

    rule = "voice.level"
    unit = "%"
    numbers = (
        "voice.level_target_dbov",
        "voice.level_band_db",
        "voice.level_hysteresis_db",
        "voice.level_outside_percent",
        "voice.level_min_speech_s",
    )
    prompts = ("too_loud", "too_quiet")
    manuals = "000 004"

    def __init__(self, call: Call, settings: VoiceSettings) -> None:
        super().__init__(call, settings.level_outside_percent)
        self._settings = settings
        self._active_s = 0.0
        self._judged_s = 0.0
        self._outside_s = 0.0
        self._outside = False
        self._ended: MediaEnded | None = None

    def handle(self, record: Record) -> list[Event]:
        """Follow the level half second by half second of signal."""
        event = record.event
        if isinstance(event, MediaEnded):
            self._ended = event
            self.evidence.append(record.number)
        elif isinstance(event, Levels) and event.agent_active_s > 0.0:
            return self._spoken(record, event)
        return []

    def _spoken(self, record: Record, event: Levels) -> list[Event]:
        level_dbov = event.agent_after_sliding_dbov
        if level_dbov <= SILENCE_DBOV:
            return []
        self._active_s += event.agent_active_s
        if self._active_s < self._settings.level_min_speech_s:
            return []
        self._judged_s += event.agent_active_s
        off_db = level_dbov - self._settings.level_target_dbov
        edge_db = self._settings.level_band_db
        if self._outside:
            edge_db -= self._settings.level_hysteresis_db
        was_outside, self._outside = self._outside, abs(off_db) > edge_db
        if self._outside:
            self._outside_s += event.agent_active_s
        if self._outside == was_outside:
            return []
        self.evidence.append(record.number)
        state = "warned" if self._outside else "met"
        edge_dbov = self._settings.level_target_dbov + math.copysign(self._settings.level_band_db, off_db)
        noted = self.noted(event.at_s, state, level_dbov)
        announced: list[Event] = [replace(noted, unit="dBov", threshold=edge_dbov)]
        if self._outside:
            key = "too_loud" if off_db > 0 else "too_quiet"
            announced.append(
                Prompt(at_s=event.at_s, call_id=self.call.call_id, key=key, rule=self.rule, urgency="warn")
            )
        return announced

    def verdict(self, ended: Record) -> Verdict:
        """Judge by the share of active speech outside the band."""
        measures = {}
        if self._ended is not None:
            measures = {
                "active_speech_level_before_dbov": self._ended.agent_before.active_speech_level_dbov,
                "active_speech_level_after_dbov": self._ended.agent_after.active_speech_level_dbov,
                "active_speech_s": round(self._active_s, 2),
            }
        if self.call.answered is None:
            return self.judged(ended, "not_applicable", None, reason="not answered")
        if self._judged_s == 0.0:
            reason = f"less than {self._settings.level_min_speech_s:g} s of speech"
            return self.judged(ended, "not_applicable", None, reason=reason, measures=measures)
        percent = round(100.0 * self._outside_s / self._judged_s, 1)
        value: VerdictValue = "warned" if self._outside_s > 0.0 else "met"
        if percent > self.threshold:
            value = "breached"
        return self.judged(ended, value, percent, measures=measures)
