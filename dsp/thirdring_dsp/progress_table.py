"""What the call progress detector and its oracle look for, worked out from a tone plan.

A plan becomes *tone sets* (what can sound: one or several lines of the spectrum), *sequences*
(bursts and gaps that tell a tone from every other tone of the plan, in any rotation), *rings* (the
bursts of one ring and the pause after it) and *continuous* tones (a tone that lasts longer than any
burst of the plan).
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from thirdring_dsp.tone_plans import Segment, Tone, TonePlan

__all__ = ["EVENT_KINDS", "Burst", "ProgressTable", "Sequence", "ToneSet", "progress_table"]

EVENT_KINDS = {
    "dial": "dial_tone",
    "special_dial": "special_dial_tone",
    "ringback": "ringback",
    "busy": "busy",
    "congestion": "congestion",
    "number_unobtainable": "number_unobtainable",
    "call_waiting": "call_waiting",
    "howler": "howler",
    "sit": "sit",
}
# ITU-T E.180 clause 8: each of the three frequencies may be off by 50 Hz.
SIT_NOMINAL_HZ = (950.0, 1400.0, 1800.0)
SIT_TOLERANCE_HZ = 50.0
SIT_VARIANT_HZ = 42.0  # nearer ones share the bins of the standard frequencies
# Timing is measured to a few milliseconds; short bursts need more than their share of the tolerance.
TIMING_SLACK_S = 0.02
SHORTEST_BURST_S = 0.03
RING_GAP_S = 1.2  # a longer gap inside a ringback separates two rings
SHORTEST_RING_S = 0.35  # a first ring with less tone than this is not sure enough by itself
SHORT_CYCLE_S, SHORT_BURST_S, BRIEF_BURST_S = 0.65, 0.07, 0.15  # music has three such bursts now and then
MOST_BURSTS = 9
DIAL_S, HOWLER_S = 1.8, 3.0


@dataclass(frozen=True, slots=True)
class ToneSet:
    """Lines that sound together; ``tolerance_hz`` holds for each line, or for the carrier."""

    lines_hz: tuple[float, ...]
    low_hz: tuple[float, ...]
    high_hz: tuple[float, ...]
    carrier: int
    """Index of the carrier of a modulated tone, else -1."""


@dataclass(frozen=True, slots=True)
class Burst:
    """A burst of a sequence; the gap is the one before it, without meaning for the first."""

    tone_set: int
    on_s: tuple[float, float]
    gap_s: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Sequence:
    """Bursts that make a tone certain when the last has ended (a ring: when its pause has lasted)."""

    kind: str
    bursts: tuple[Burst, ...]
    pause_s: tuple[float, float] = (0.0, 0.0)
    """Rings only: how long the pause after it lasts."""
    confirms: bool = True
    """Rings only: whether it may be the first of a run of rings."""


@dataclass(frozen=True, slots=True)
class ProgressTable:
    """Everything the detector needs."""

    frequencies_hz: tuple[float, ...]
    tone_sets: tuple[ToneSet, ...]
    sequences: tuple[Sequence, ...]
    rings: tuple[Sequence, ...]
    continuous: tuple[tuple[str, int, float], ...]
    """Kind, tone set, and after how many seconds it is certain."""


Step = tuple[int, float, float]
"""Tone set, its seconds on, the seconds of silence after it."""


class _Sets:
    """Numbers the tone sets."""

    def __init__(self, tolerance_hz: float, sit_ranges: dict[float, tuple[float, float]]) -> None:
        self.tolerance_hz = tolerance_hz
        self.sit_ranges = sit_ranges
        self.found: dict[ToneSet, int] = {}

    def number(self, segment: Segment, *, sit: bool) -> int:
        lines = segment.lines_hz
        low = tuple(line - self.tolerance_hz for line in lines)
        high = tuple(line + self.tolerance_hz for line in lines)
        carrier = len(lines) // 2 if segment.modulation_hz else -1
        if sit and (nominal := _sit_nominal(lines[0])):
            lines = (nominal,)
            low, high = ((end,) for end in self.sit_ranges[nominal])
        return self.found.setdefault(ToneSet(lines, low, high, carrier), len(self.found))


def _sit_nominal(line_hz: float) -> float:
    """Return the SIT frequency that a line is a variant of; 0 when it is too far from all three."""
    nominal = min(SIT_NOMINAL_HZ, key=lambda f: abs(f - line_hz))
    return nominal if abs(nominal - line_hz) <= SIT_VARIANT_HZ else 0.0


def _sit_ranges(plan: TonePlan) -> dict[float, tuple[float, float]]:
    """Return for each SIT frequency what its variants in the plan span with their tolerances."""
    ranges = {f: (f - SIT_TOLERANCE_HZ, f + SIT_TOLERANCE_HZ) for f in SIT_NOMINAL_HZ}
    for tone in plan.alternatives("sit"):
        for line in (line for segment in tone.segments for line in segment.lines_hz):
            if nominal := _sit_nominal(line):
                low, high = ranges[nominal]
                ranges[nominal] = (
                    min(low, line - plan.frequency_tolerance_hz),
                    max(high, line + plan.frequency_tolerance_hz),
                )
    return ranges


def _steps(tone: Tone, sets: _Sets) -> list[Step]:
    """Return the bursts of one cycle with the silence after each."""
    steps: list[Step] = []
    for segment in tone.segments:
        if segment.is_silence:
            tone_set, on_s, _ = steps[-1]
            steps[-1] = (tone_set, on_s, segment.duration_s)
        else:
            steps.append((sets.number(segment, sit=tone.kind == "sit"), segment.duration_s, 0.0))
    return steps


def _range(nominal_s: float, tolerance: float) -> tuple[float, float]:
    slack = tolerance * nominal_s + TIMING_SLACK_S
    return nominal_s - slack, nominal_s + slack


def _window(steps: list[Step], start: int, length: int) -> list[Step]:
    return [steps[(start + i) % len(steps)] for i in range(length)]


def _alike(a: list[Step], b: list[Step], tolerance: float) -> bool:
    """Whether a signal could fit both windows: all bursts, and the gaps between them."""

    def near(x: float, y: float) -> bool:
        return abs(x - y) <= tolerance * (x + y) + 2 * TIMING_SLACK_S

    return all(p[0] == q[0] and near(p[1], q[1]) for p, q in zip(a, b, strict=True)) and all(
        near(p[2], q[2]) for p, q in zip(a[:-1], b[:-1], strict=True)
    )


def _bursts_needed(
    kind: str, steps: list[Step], others: list[tuple[str, list[Step]]], tolerance: float
) -> int:
    """Return how many bursts tell the tone from the plan's other tones."""
    if kind == "sit":
        return len(steps)
    cycle_s = sum(step[1] + step[2] for step in steps) / len(steps)
    least = max(len(steps), 2 if cycle_s > 2 else 3 if cycle_s > SHORT_CYCLE_S else 4)
    if min(step[1] for step in steps) < BRIEF_BURST_S:
        least = max(least, 3)
    if min(step[1] for step in steps) < SHORT_BURST_S:
        least = max(least, 4)
    for length in range(least, MOST_BURSTS + 1):
        if not any(
            _alike(_window(steps, i, length), _window(other, j, length), tolerance)
            for other_kind, other in others
            if other_kind != kind
            for i in range(len(steps))
            for j in range(len(other))
        ):
            return length
    return least


def _bursts(steps: list[Step], tolerance: float) -> tuple[Burst, ...]:
    gaps = [0.0, *(step[2] for step in steps[:-1])]
    return tuple(
        Burst(step[0], _range(step[1], tolerance), _range(gap, tolerance))
        for step, gap in zip(steps, gaps, strict=True)
    )


def _rings(steps: list[Step], tolerance: float) -> Iterator[Sequence]:
    """Split the cycle of a ringback into its rings: a long pause ends one."""
    ring: list[Step] = []
    for step in steps:
        ring.append(step)
        if step[2] > RING_GAP_S or step is steps[-1]:
            yield Sequence(
                "ringback",
                _bursts(ring, tolerance),
                _range(step[2], tolerance),
                sum(part[1] for part in ring) >= SHORTEST_RING_S,
            )
            ring = []


def progress_table(plan: TonePlan) -> ProgressTable:
    """Return what to look for in a country."""
    tolerance = plan.cadence_tolerance
    sets = _Sets(plan.frequency_tolerance_hz, _sit_ranges(plan))
    cadences: list[tuple[str, list[Step]]] = []
    endless: list[tuple[str, int]] = []
    for tone in plan.tones:
        if tone.is_endless:
            if len(tone.segments) == 1:
                endless.append((tone.kind, sets.number(tone.segments[0], sit=False)))
        else:
            steps = _steps(tone, sets)
            if (tone.kind, steps) not in cadences and min(s[1] for s in steps) > SHORTEST_BURST_S:
                cadences.append((tone.kind, steps))
    sequences: list[Sequence] = []
    rings: list[Sequence] = []
    for kind, steps in cadences:
        if kind == "ringback":
            rings += _rings(steps, tolerance)
            continue
        length = _bursts_needed(kind, steps, cadences, tolerance)
        for start in range(1 if kind == "sit" else len(steps)):
            sequences.append(Sequence(kind, _bursts(_window(steps, start, length), tolerance)))
    longest_s = max(step[1] for kind, steps in cadences if kind != "sit" for step in steps)
    continuous = tuple(
        (
            kind,
            tone_set,
            max(
                HOWLER_S if kind == "howler" else DIAL_S,
                (1 + tolerance) * longest_s + 0.2 if kind != "howler" else 0.0,
            ),
        )
        for kind, tone_set in dict.fromkeys(endless)
    )
    tone_sets = tuple(sets.found)
    frequencies = sorted({line for tone_set in tone_sets for line in tone_set.lines_hz})
    if not all(math.isfinite(f) for f in frequencies):
        raise ValueError(f"the plan of {plan.country_code} has a frequency that is not a number")
    return ProgressTable(
        tuple(frequencies),
        tone_sets,
        tuple(dict.fromkeys(sequences)),
        tuple(dict.fromkeys(rings)),
        continuous,
    )
