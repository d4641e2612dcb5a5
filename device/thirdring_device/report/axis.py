"""The time axis of a picture: where a moment stands, ticks at round figures, how wide a word is."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from thirdring_device.report.markup import Markup, element, join, number

__all__ = ["Axis", "display_width", "text_width"]

STEPS_S: Final = (0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400)
MOST_TICKS: Final = 13
IN_SECONDS_UP_TO_S: Final = 300.0
"""Longer axes are labelled minutes:seconds."""

CHARACTER_PX: Final = 6.3
"""Width of half an em of the pictures' 12 px type, with some room."""


@dataclass(frozen=True, slots=True)
class Axis:
    """Maps ``0 .. span_s`` to ``left .. right`` in a picture's units."""

    span_s: float
    left: float
    right: float

    def x(self, at_s: float) -> float:
        """Return where ``at_s`` stands, kept inside the axis."""
        share = min(1.0, max(0.0, at_s / self.span_s))
        return self.left + share * (self.right - self.left)

    @property
    def in_minutes(self) -> bool:
        """Whether the labels are minutes:seconds."""
        return self.span_s > IN_SECONDS_UP_TO_S

    def ticks(self) -> Iterator[tuple[float, str]]:
        """Yield ``(x, label)`` at round figures."""
        step_s = next((s for s in STEPS_S if self.span_s / s <= MOST_TICKS), STEPS_S[-1])
        for i in range(int(self.span_s / step_s + 1e-9) + 1):
            at_s = i * step_s
            label = f"{int(at_s) // 60}:{int(at_s) % 60:02d}" if self.in_minutes else f"{at_s:g}"
            yield self.x(at_s), label

    def draw(self, top: float, bottom: float, label: str) -> Markup:
        """Return grid lines from ``top`` to ``bottom``, the ticks' labels and the axis's own beneath."""
        ticks = list(self.ticks())
        grid = "".join(f"M{number(x)} {number(top)}V{number(bottom)}" for x, _ in ticks)
        middle = (self.left + self.right) / 2
        return join(
            element("path", d=grid, class_="grid"),
            element("path", d=f"M{number(self.left)} {number(bottom)}H{number(self.right)}", class_="axis"),
            *(element("text", text, x=x, y=bottom + 16, class_="tick middle") for x, text in ticks),
            element("text", label, x=middle, y=bottom + 33, class_="tick middle"),
        )


def display_width(text: str) -> int:
    """Return the columns of ``text`` in a terminal (Unicode Standard Annex 11; CJK takes two)."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text
    )


def text_width(text: str) -> float:
    """Return about how wide ``text`` is in a picture."""
    return CHARACTER_PX * display_width(text)
