"""Figures of a whole call that no single detector has: mean noise, and how the sides shared the time."""

import math

from thirdring.protocol.events import SILENCE_DBOV, TalkSummary, VoiceSummary
from thirdring_device.engine.sound_facts import finite, level_dbov
from thirdring_dsp import DspEvent, NoiseMeter, SpeechLevelMeter, SyllableRateMeter

__all__ = ["MeanNoise", "TalkTotals"]


class MeanNoise:
    """The mean power of one side's background over the call, from even glances at its meter."""

    def __init__(self) -> None:
        self._power = 0.0
        self._glances = 0

    def glance(self, meter: NoiseMeter) -> None:
        """Take the level of now; before any background was heard there is none."""
        level = meter.noise_level_dbov
        if self._glances or math.isfinite(level):
            self._power += 10.0 ** (level / 10.0)
            self._glances += 1

    def summary(self, pace: SyllableRateMeter, speech: SpeechLevelMeter) -> VoiceSummary:
        """Return the side's pace and noise over the whole call."""
        level = 10.0 * math.log10(self._power / self._glances) if self._power > 0.0 else -math.inf
        spoken = pace.articulated_s > 0.0 and level > SILENCE_DBOV
        return VoiceSummary(
            syllables_per_s=finite(pace.syllables_per_s),
            articulated_s=round(pace.articulated_s, 2),
            noise_level_dbov=level_dbov(level),
            snr_db=finite(speech.active_speech_level_dbov - level) if spoken else None,
        )


class TalkTotals:
    """Adds up what ``TalkAnalyzer`` tells."""

    def __init__(self) -> None:
        self._spoken_s = {"agent": 0.0, "customer": 0.0}
        self._since_s: dict[str, float] = {}
        """Who speaks just now, and since when."""
        self._overlap_s = 0.0
        self._dead_air_s = 0.0
        self._dead_since_s: float | None = None
        self._interruptions = 0

    def take(self, event: DspEvent) -> None:
        """Take one event; those of other kinds change nothing."""
        length_s = event.end_s - event.start_s
        match event.kind, event.value:
            case "talk_spurt_start", side:
                self._since_s[side] = event.start_s
            case "talk_spurt", side:
                self._since_s.pop(side, None)
                self._spoken_s[side] += length_s
            case "overlap", _:
                self._overlap_s += length_s
            case "interruption", _:
                self._interruptions += 1
            case "dead_air", "begun":
                self._dead_since_s = event.start_s
            case "dead_air", _:
                self._dead_since_s = None
                self._dead_air_s += length_s

    def summary(self, duration_s: float) -> TalkSummary:
        """Return the totals of ``duration_s`` of sound; what still goes on ends there."""
        going_on = {side: duration_s - since_s for side, since_s in self._since_s.items()}
        agent_s, customer_s = (self._spoken_s[side] + going_on.get(side, 0.0) for side in self._spoken_s)
        overlap_s = self._overlap_s + (min(going_on.values()) if len(going_on) == 2 else 0.0)
        dead_s = 0.0 if self._dead_since_s is None else duration_s - self._dead_since_s
        anybody_s = agent_s + customer_s - overlap_s
        return TalkSummary(
            agent_s=round(agent_s, 2),
            customer_s=round(customer_s, 2),
            overlap_s=round(overlap_s, 2),
            overlap_percent=round(100.0 * overlap_s / anybody_s, 1) if anybody_s > 0.0 else 0.0,
            dead_air_s=round(self._dead_air_s + dead_s, 2),
            interruptions=self._interruptions,
        )
