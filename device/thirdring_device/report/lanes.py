"""One direction's lane in the picture of a call: levels over time with the norm band, talk-spurts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from thirdring_device.report.axis import Axis
from thirdring_device.report.markup import Markup, element, join, number
from thirdring_device.report.messages import Words
from thirdring_device.report.model import Limits, Spurt
from thirdring_device.report.series import Values

__all__ = ["LANE_HEIGHT", "Trace", "level_lane", "spurt_bars"]

FLOOR_DBOV: Final = -60.0
TICKS_DBOV: Final = (0, -20, -40, -60)
PLOT_HEIGHT: Final = 104.0
BAR_HEIGHT: Final = 9.0
LANE_HEIGHT: Final = PLOT_HEIGHT + BAR_HEIGHT + 38.0
"""Title, plot, talk-spurts and the gap after them."""

Height = Callable[[float], float]
"""From a level in dBov to a place in the picture."""

MOST_BARS: Final = 150
"""Talk-spurts up to here are drawn one by one, with their figures to point at."""


@dataclass(frozen=True, slots=True)
class Trace:
    """The levels of one lane: a filled outline, the active speech level, and the one before AGC."""

    start_s: float
    step_s: float
    rms: Values
    active: Values
    before: Values = ()


def level_lane(
    axis: Axis, top: float, title: str, side: str, trace: Trace | None, limits: Limits, words: Words
) -> Markup:
    """Return the lane's frame, band and levels, without its talk-spurts."""
    plot_top = top + 18

    def y(dbov: float) -> float:
        return plot_top + PLOT_HEIGHT * min(1.0, max(0.0, dbov / FLOOR_DBOV))

    low = limits.level_target_dbov - limits.level_band_db
    high = limits.level_target_dbov + limits.level_band_db
    width = axis.right - axis.left
    pieces = [
        element("text", title, x=axis.left, y=top + 11, class_="lane"),
    ]
    for level in TICKS_DBOV:
        line = f"M{number(axis.left)} {number(y(level))}H{number(axis.right)}"
        pieces.append(element("path", d=line, class_="grid"))
        label = words("picture.overload") if level == 0 else str(level)
        pieces.append(element("text", label, x=axis.left - 8, y=y(level) + 4, class_="tick end"))
    if trace is not None:
        pieces.append(element("path", d=_outline(axis, trace, y(FLOOR_DBOV), y), class_="rms"))
    pieces.append(
        element("rect", x=axis.left, y=y(high), width=width, height=y(low) - y(high), class_="band")
    )
    if trace is not None:
        for values, class_ in ((trace.before, "line before"), (trace.active, "line active")):
            pieces.append(element("path", d=_line(axis, trace, values, y), class_=class_))
    return element("g", *pieces, class_=side)


def spurt_bars(axis: Axis, top: float, side: str, spurts: Sequence[Spurt], words: Words) -> Markup:
    """Return the talk-spurts of one side as bars under the lane that begins at ``top``."""
    y = top + 18 + PLOT_HEIGHT + 4
    own = [spurt for spurt in spurts if spurt.side == side]
    if len(own) > MOST_BARS:
        bars = "".join(
            f"M{number(x)} {number(y)}h{number(width)}v{number(BAR_HEIGHT)}h-{number(width)}z"
            for x, width in (_bar(axis, spurt) for spurt in own)
        )
        return element("path", d=bars, class_=f"spurt {side}")
    return join(
        *(
            element(
                "rect",
                element(
                    "title",
                    f"{words(f'side.{side}')} {words.duration(spurt.start_s)}, "
                    f"{words.duration(spurt.end_s - spurt.start_s)}, {words.level(spurt.level_dbov)}",
                ),
                x=_bar(axis, spurt)[0],
                y=y,
                width=_bar(axis, spurt)[1],
                height=BAR_HEIGHT,
                rx=2,
                class_=f"spurt {side}",
            )
            for spurt in own
        )
    )


def _bar(axis: Axis, spurt: Spurt) -> tuple[float, float]:
    x = axis.x(spurt.start_s)
    return x, max(0.8, axis.x(spurt.end_s) - x)


def _runs(values: Values) -> list[tuple[int, int]]:
    """Return ``(first, past the last)`` of every stretch without a None."""
    runs: list[tuple[int, int]] = []
    start: int | None = None
    for i, value in enumerate([*values, None]):
        if value is not None and start is None:
            start = i
        elif value is None and start is not None:
            runs.append((start, i))
            start = None
    return runs


def _outline(axis: Axis, trace: Trace, floor_y: float, y: Height) -> str:
    pieces = []
    for first, past in _runs(trace.rms):
        pieces.append(f"M{number(axis.x(trace.start_s + first * trace.step_s))} {number(floor_y)}")
        for i in range(first, past):
            level = trace.rms[i] or 0.0
            pieces.append(f"V{number(y(level))}H{number(axis.x(trace.start_s + (i + 1) * trace.step_s))}")
        pieces.append(f"V{number(floor_y)}z")
    return "".join(pieces)


def _line(axis: Axis, trace: Trace, values: Values, y: Height) -> str:
    pieces = []
    for first, past in _runs(values):
        points = (
            f"{number(axis.x(trace.start_s + (i + 0.5) * trace.step_s))} {number(y(values[i] or 0.0))}"
            for i in range(first, past)
        )
        pieces.append("M" + "L".join(points))
    return "".join(pieces)
