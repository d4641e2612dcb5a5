"""From what the detectors hear to the facts of the journal, with nothing in them that JSON cannot carry."""

import math
from collections.abc import Callable, Mapping
from typing import Final, cast

from thirdring.protocol.events import (
    SILENCE_DBOV,
    DeadAir,
    Dtmf,
    Event,
    Interruption,
    LevelSummary,
    Overlap,
    Side,
    TalkSpurt,
    TalkSpurtStarted,
    ToneHeard,
    VoiceSummary,
)
from thirdring_dsp import DspEvent, NoiseMeter, SpeechLevelMeter, SyllableRateMeter

__all__ = ["fact", "finite", "in_order", "level_dbov", "level_summary", "voice_summary"]

TONES: Final = frozenset(
    {
        "cng",
        "ced",
        "ced_end",
        "dial_tone",
        "special_dial_tone",
        "ringback",
        "unknown_ringback",
        "busy",
        "congestion",
        "number_unobtainable",
        "call_waiting",
        "howler",
        "sit",
    }
)
"""Heard on the customer's side; ``ced_phase_reversal`` comes every 0.45 s and is told by ``ced_end``."""


def level_dbov(value: float) -> float:
    """Return a level to 0.01 dB, ``SILENCE_DBOV`` for minus infinity and below."""
    return round(value, 2) if math.isfinite(value) and value > SILENCE_DBOV else SILENCE_DBOV


def finite(value: float) -> float | None:
    """Return a figure to two decimals, None for one that is not a number or has no bounds."""
    return round(value, 2) if math.isfinite(value) else None


def in_order(events: list[DspEvent]) -> list[DspEvent]:
    """Return what was heard in one frame in an order that does not hang on how the stream was cut."""
    return sorted(events, key=lambda event: (event.end_s, event.start_s, event.kind, event.value))


def fact(event: DspEvent, call_id: str, at_s: float) -> Event | None:
    """Return the fact that ``event`` is, None when it is none; ``at_s`` is when it became known."""
    make = _MAKERS.get(event.kind)
    return make(event, call_id, at_s) if make is not None else None


def _started(event: DspEvent, call_id: str, at_s: float) -> Event:
    return TalkSpurtStarted(at_s=at_s, call_id=call_id, side=_side(event), start_s=round(event.start_s, 3))


def _spurt(event: DspEvent, call_id: str, at_s: float) -> Event:
    return TalkSpurt(
        at_s=at_s,
        call_id=call_id,
        side=_side(event),
        start_s=round(event.start_s, 3),
        end_s=round(event.end_s, 3),
        level_dbov=level_dbov(event.level_dbov),
    )


def _overlap(event: DspEvent, call_id: str, at_s: float) -> Event:
    return Overlap(
        at_s=at_s,
        call_id=call_id,
        side=_side(event),
        start_s=round(event.start_s, 3),
        end_s=round(event.end_s, 3),
    )


def _interruption(event: DspEvent, call_id: str, at_s: float) -> Event:
    start_s, end_s = round(event.start_s, 3), round(event.end_s, 3)
    return Interruption(at_s=at_s, call_id=call_id, start_s=start_s, end_s=end_s)


def _dead_air(event: DspEvent, call_id: str, at_s: float) -> Event:
    start_s, end_s = round(event.start_s, 3), round(event.end_s, 3)
    return DeadAir(at_s=at_s, call_id=call_id, start_s=start_s, end_s=end_s, over=event.value == "ended")


def _digit(event: DspEvent, call_id: str, at_s: float) -> Event:
    return Dtmf(
        at_s=at_s,
        call_id=call_id,
        side="customer",
        digit=event.value,
        method="tone",
        start_s=round(event.start_s, 3),
    )


def _tone(event: DspEvent, call_id: str, at_s: float) -> Event:
    return ToneHeard(
        at_s=at_s,
        call_id=call_id,
        side="customer",
        tone=event.kind,
        start_s=round(event.start_s, 3),
        end_s=round(event.end_s, 3),
        level_dbm0=level_dbov(event.level_dbm0),
        detail="" if event.kind == "cng" else event.value,
    )


_MAKERS: Final[Mapping[str, Callable[[DspEvent, str, float], Event]]] = {
    "talk_spurt_start": _started,
    "talk_spurt": _spurt,
    "overlap": _overlap,
    "interruption": _interruption,
    "dead_air": _dead_air,
    "dtmf": _digit,
    **dict.fromkeys(TONES, _tone),
}


def _side(event: DspEvent) -> Side:
    return cast("Side", event.value)


def level_summary(meter: SpeechLevelMeter) -> LevelSummary:
    """Return what ``meter`` has measured since the call began."""
    return LevelSummary(
        active_speech_level_dbov=level_dbov(meter.active_speech_level_dbov),
        activity_percent=round(meter.activity_percent, 1),
        active_s=round(meter.active_s, 2),
        peak_dbov=level_dbov(meter.peak_dbov),
        clipped_samples=meter.clipped_samples,
    )


def voice_summary(pace: SyllableRateMeter, noise: NoiseMeter) -> VoiceSummary:
    """Return a side's pace and noise as they are now."""
    return VoiceSummary(
        syllables_per_s=finite(pace.sliding_syllables_per_s),
        articulated_s=round(pace.sliding_articulated_s, 2),
        noise_level_dbov=level_dbov(noise.noise_level_dbov),
        snr_db=finite(noise.snr_db),
    )
