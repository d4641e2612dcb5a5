"""Every public class of the DSP core in one table, and how to run any of them."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.dsp import signals
from thirdring_dsp import (
    AcousticLimiter,
    AutomaticGainControl,
    CallAnalyzer,
    CallProgressDetector,
    DspEvent,
    DtmfDetector,
    FaxToneDetector,
    NoiseGate,
    NoiseMeter,
    RingingSignalDetector,
    SpeechLevelMeter,
    SyllableRateMeter,
    TalkAnalyzer,
    VoiceActivityDetector,
)
from thirdring_dsp.tone_plans import plan

Samples = signals.Samples
Stereo = tuple[Samples, Samples]
RATES_HZ = (8000, 16000, 48000)


@dataclass(frozen=True)
class Subject:
    """One public class: how to make it, how many directions and outputs, what need not be finite."""

    make: Callable[[int], Any]
    inputs: int = 1
    outputs: int = 0
    may_be_infinite: frozenset[str] = frozenset()
    may_be_nan: frozenset[str] = frozenset()
    unordered: bool = False
    """Events of different detectors within 20 ms may change places (documented)."""


LEVELS = frozenset(
    {
        "active_speech_level_dbov",
        "long_term_level_dbov",
        "peak_dbov",
        "sliding_active_speech_level_dbov",
        "momentary_level_dbov",
        "noise_level_dbov",
        "speech_level_dbov",
        "snr_db",
    }
)
RATES = frozenset({"syllables_per_s", "sliding_syllables_per_s"})

SUBJECTS = {
    "AcousticLimiter": Subject(AcousticLimiter, outputs=1),
    "AutomaticGainControl": Subject(AutomaticGainControl, outputs=1),
    "CallAnalyzer": Subject(
        lambda rate_hz: CallAnalyzer(rate_hz, plan("CN"), dead_air_s=1.0),
        inputs=2,
        outputs=2,
        may_be_infinite=LEVELS,
        may_be_nan=RATES,
        unordered=True,
    ),
    "CallProgressDetector": Subject(lambda rate_hz: CallProgressDetector(rate_hz, plan("CN"))),
    "DtmfDetector": Subject(DtmfDetector),
    "FaxToneDetector": Subject(FaxToneDetector),
    "NoiseGate": Subject(NoiseGate, outputs=1),
    "NoiseMeter": Subject(NoiseMeter, may_be_infinite=LEVELS),
    "RingingSignalDetector": Subject(RingingSignalDetector),
    "SpeechLevelMeter": Subject(SpeechLevelMeter, may_be_infinite=LEVELS),
    "SyllableRateMeter": Subject(SyllableRateMeter, may_be_nan=RATES),
    "TalkAnalyzer": Subject(lambda rate_hz: TalkAnalyzer(rate_hz, dead_air_s=1.0), inputs=2),
    "VoiceActivityDetector": Subject(VoiceActivityDetector),
}


@dataclass(frozen=True)
class Result:
    events: list[DspEvent]
    outputs: list[Samples]
    figures: dict[str, Any]


def take(subject: Subject, item: Any, blocks: Stereo) -> tuple[list[DspEvent], list[Samples]]:
    """Give one block to an instance, whatever its method and number of directions."""
    inputs = blocks[: subject.inputs]
    if not subject.outputs:
        return item.update(*inputs), []
    outs = [np.empty_like(blocks[0]) for _ in range(subject.outputs)]
    answer = item.process(*inputs, *outs)
    return (answer if isinstance(answer, list) else []), outs


def figures(item: Any) -> dict[str, Any]:
    """Return every public property, those of the parts too."""
    found: dict[str, Any] = {}
    for name in dir(type(item)):
        if name.startswith("_") or callable(getattr(type(item), name)):
            continue
        value = getattr(item, name)
        if isinstance(value, bool | int | float | str):
            found[name] = value
        elif value is not None:
            found |= {f"{name}.{inner}": of for inner, of in figures(value).items()}
    return found


def run(subject: Subject, item: Any, stream: Stereo, sizes: list[int] | None = None) -> Result:
    """Give the whole stream, cut into the sizes in turn."""
    sizes = sizes or [max(stream[0].size, 1)]
    events: list[DspEvent] = []
    outputs: list[list[Samples]] = [[] for _ in range(subject.outputs)]
    for blocks in zip(signals.cuts(stream[0], sizes), signals.cuts(stream[1], sizes), strict=True):
        heard, outs = take(subject, item, blocks)
        events += heard
        for kept, out in zip(outputs, outs, strict=True):
            kept.append(out)
    whole = [np.concatenate([*parts, np.empty(0, np.int16)]) for parts in outputs]
    return Result(sorted(events) if subject.unordered else events, whole, figures(item))


def assert_same(found: Result, expected: Result) -> None:
    assert found.events == expected.events
    for ours, theirs in zip(found.outputs, expected.outputs, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert found.figures.keys() == expected.figures.keys()
    for name, value in expected.figures.items():
        same = found.figures[name] == value or (math.isnan(value) and math.isnan(found.figures[name]))
        assert same, f"{name}: {found.figures[name]} instead of {value}"


def assert_sound(subject: Subject, result: Result, stream_s: float) -> None:
    """Check that figures are finite where they have to be and events lie within the stream."""
    for name, value in result.figures.items():
        last = name.rpartition(".")[2]
        if isinstance(value, float):
            assert not math.isnan(value) or last in subject.may_be_nan, name
            assert not math.isinf(value) or last in subject.may_be_infinite, name
    for event in result.events:
        assert 0.0 <= event.start_s <= event.end_s <= stream_s, event
        assert not math.isnan(event.level_dbov), event
        assert not math.isnan(event.level_dbm0), event
        assert event.level_dbov < 6.1, event
