"""Measurements with limits: one record a value, for JUnit and as JSON."""

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

__all__ = ["Measure", "Measurement", "OutOfLimits", "Recorder"]


class OutOfLimits(AssertionError):  # noqa: N818 - a failed test, not a broken one
    """A measured value lies outside its limits."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """A value and its inclusive limits; None for a side without a limit."""

    test: str
    target: str
    name: str
    value: float
    unit: str
    low: float | None
    high: float | None

    @property
    def passed(self) -> bool:
        """Whether the value is a number within its limits."""
        return (
            math.isfinite(self.value)
            and (self.low is None or self.value >= self.low)
            and (self.high is None or self.value <= self.high)
        )


class Measure(Protocol):
    """The ``measure`` fixture."""

    def __call__(
        self, name: str, value: float, unit: str, low: float | None = None, high: float | None = None
    ) -> None:
        """Record a value; raises ``OutOfLimits``."""


class Recorder:
    """Collects the measurements of a session and writes them to ``measurements.json``."""

    def __init__(self) -> None:
        self.measurements: list[Measurement] = []

    def measure(self, test: str, target: str, properties: list[tuple[str, object]]) -> Measure:
        """Return the ``measure`` of one test; ``properties`` are its item's, for JUnit."""

        def measure(
            name: str, value: float, unit: str, low: float | None = None, high: float | None = None
        ) -> None:
            taken = Measurement(test, target, name, float(value), unit, low, high)
            self.measurements.append(taken)
            for key, item in (("", taken.value), (".unit", unit), (".low", low), (".high", high)):
                properties.append((f"{name}{key}", "" if item is None else item))
            if not taken.passed:
                raise OutOfLimits(f"{name} is {value:g} {unit}, limits {low} to {high}")

        return measure

    def write(self, path: Path) -> None:
        """Write the JSON record."""
        path.parent.mkdir(parents=True, exist_ok=True)
        records = [{**asdict(taken), "passed": taken.passed} for taken in self.measurements]
        for record in records:
            if not math.isfinite(record["value"]):
                record["value"] = None
        path.write_text(json.dumps({"measurements": records}, indent=1) + "\n", encoding="utf-8")
