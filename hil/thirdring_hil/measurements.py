"""Measurements with limits: one record a value, for JUnit and as JSON."""

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Protocol

__all__ = [
    "RECORD_FILE",
    "Curve",
    "Draw",
    "Measure",
    "Measurement",
    "OutOfLimits",
    "Outcome",
    "Recorder",
    "Row",
    "measure_all",
]

RECORD_FILE: Final = "record.json"


class OutOfLimits(AssertionError):  # noqa: N818 - a failed test, not a broken one
    """A measured value lies outside its limits."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """A value and its inclusive limits; None for a side without a limit. ``reason``: where they come from."""

    test: str
    target: str
    name: str
    value: float
    unit: str
    low: float | None
    high: float | None
    reason: str = ""

    @property
    def passed(self) -> bool:
        """Whether the value is a number within its limits."""
        return (
            math.isfinite(self.value)
            and (self.low is None or self.value >= self.low)
            and (self.high is None or self.value <= self.high)
        )


@dataclass(frozen=True, slots=True)
class Curve:
    """A picture of the certificate: points (x, y), and per point its limits."""

    test: str
    target: str
    name: str
    x_unit: str
    y_unit: str
    points: tuple[tuple[float, float], ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a test ended: ``passed``, ``failed`` or ``skipped`` with a reason."""

    target: str
    suite: str
    test: str
    outcome: str
    duration_s: float
    reason: str = ""


Row = tuple[str, float, str, float | None, float | None, str]
"""The arguments of ``measure``."""


class Measure(Protocol):
    """The ``measure`` fixture."""

    def __call__(
        self,
        name: str,
        value: float,
        unit: str,
        low: float | None = None,
        high: float | None = None,
        reason: str = "",
    ) -> None:
        """Record a value; raises ``OutOfLimits``."""


class Draw(Protocol):
    """The ``draw`` fixture."""

    def __call__(
        self,
        name: str,
        x_unit: str,
        y_unit: str,
        points: Sequence[tuple[float, float]],
        low: Sequence[float],
        high: Sequence[float],
    ) -> None:
        """Record a curve for the certificate."""


def measure_all(measure: Measure, rows: Iterable[Row]) -> None:
    """Record all of them even when one is out of its limits; raises ``OutOfLimits`` with all that are."""
    wrong = []
    for row in rows:
        try:
            measure(*row)
        except OutOfLimits as reason:
            wrong.append(str(reason))
    if wrong:
        raise OutOfLimits("; ".join(wrong))


class Recorder:
    """Collects what a session finds out and writes it to ``record.json``."""

    def __init__(self) -> None:
        self.started_utc = datetime.now(UTC).isoformat(timespec="seconds")
        self.units: dict[str, dict[str, Any]] = {}
        """What each target says of itself, by the target's name."""
        self.measurements: list[Measurement] = []
        self.curves: list[Curve] = []
        self.outcomes: list[Outcome] = []

    def measure(
        self, test: str, target: str, properties: list[tuple[str, object]], slowness: int = 1
    ) -> Measure:
        """Return the ``measure`` of one test; ``properties`` are its item's, for JUnit.

        ``slowness`` multiplies the limits of durations, which are those in s from 0 on, and is told.
        """

        def measure(
            name: str,
            value: float,
            unit: str,
            low: float | None = None,
            high: float | None = None,
            reason: str = "",
        ) -> None:
            if slowness != 1 and unit == "s" and low == 0.0 and high is not None:
                high, reason = high * slowness, f"{reason}; {slowness} times that in emulation"
            taken = Measurement(test, target, name, float(value), unit, low, high, reason)
            self.measurements.append(taken)
            for key, item in (("", taken.value), (".unit", unit), (".low", low), (".high", high)):
                properties.append((f"{name}{key}", "" if item is None else item))
            if not taken.passed:
                raise OutOfLimits(f"{name} is {value:g} {unit}, limits {low} to {high}")

        return measure

    def draw(self, test: str, target: str) -> Draw:
        """Return the ``draw`` of one test."""

        def draw(
            name: str,
            x_unit: str,
            y_unit: str,
            points: Sequence[tuple[float, float]],
            low: Sequence[float],
            high: Sequence[float],
        ) -> None:
            self.curves.append(
                Curve(test, target, name, x_unit, y_unit, tuple(points), tuple(low), tuple(high))
            )

        return draw

    def record(self) -> dict[str, Any]:
        """Return the whole record as JSON can carry it."""
        measurements = [{**asdict(taken), "passed": taken.passed} for taken in self.measurements]
        for measurement in measurements:
            if not math.isfinite(measurement["value"]):
                measurement["value"] = None
        return {
            "started_utc": self.started_utc,
            "finished_utc": datetime.now(UTC).isoformat(timespec="seconds"),
            "units": self.units,
            "outcomes": [asdict(outcome) for outcome in self.outcomes],
            "measurements": measurements,
            "curves": [asdict(curve) for curve in self.curves],
        }

    def write(self, path: Path) -> None:
        """Write the JSON record."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.record(), indent=1) + "\n", encoding="utf-8")
