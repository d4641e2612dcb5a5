"""The picture of a whole call: stages, both directions' levels, talk-spurts, marks, the time axis."""

from typing import Final

from thirdring_device.report.axis import Axis, text_width
from thirdring_device.report.lanes import LANE_HEIGHT, Trace, level_lane, spurt_bars
from thirdring_device.report.marks import ROW_HEIGHT, draw_row, rows
from thirdring_device.report.markup import Markup, element, join, number
from thirdring_device.report.messages import Words
from thirdring_device.report.model import Report

__all__ = ["PICTURE_POINTS", "render_timeline"]

WIDTH, LEFT, RIGHT = 1000, 78.0, 986.0
STAGE_TOP, STAGE_HEIGHT = 22.0, 20.0
LANES_TOP: Final = STAGE_TOP + STAGE_HEIGHT + 14.0
PICTURE_POINTS: Final = 900
"""About one point a pixel."""

RING_PX: Final = 17.0
"""Rings closer together than this are not all drawn here; the answering picture has them all."""


def render_timeline(report: Report, words: Words) -> Markup:
    """Return the SVG picture of the call."""
    axis = Axis(max(report.duration_s, 1.0), LEFT, RIGHT)
    agent, customer = _traces(report)
    sides = (("agent", agent), ("customer", customer)) if report.media_at_s is not None else ()
    pieces: list[Markup] = []
    bars: list[Markup] = []
    top = LANES_TOP
    for side, trace in sides:
        pieces.append(level_lane(axis, top, words(f"side.{side}"), side, trace, report.limits, words))
        bars.append(spurt_bars(axis, top, side, report.spurts, words))
        top += LANE_HEIGHT
    for row in rows(report, words):
        bars.append(draw_row(axis, top, row))
        top += ROW_HEIGHT
    bottom = top + 6
    label = words("picture.axis_min" if axis.in_minutes else "picture.axis_s")
    return element(
        "svg",
        element("title", words("picture.title"), id="course-title"),
        element("desc", _description(report, words), id="course-desc"),
        axis.draw(STAGE_TOP, bottom, label),
        *pieces,
        _stages(axis, report, words, bottom),
        *bars,
        viewBox=f"0 0 {WIDTH} {number(bottom + 42)}",
        role="img",
        aria_labelledby="course-title course-desc",
    )


def _description(report: Report, words: Words) -> str:
    target, band = report.limits.level_target_dbov, report.limits.level_band_db
    sides = [spurt.side for spurt in report.spurts]
    return words(
        "picture.desc",
        length=words.duration(report.duration_s),
        low=words.level(target - band),
        high=words.level(target + band),
        rings=len(report.rings),
        agent=sides.count("agent"),
        customer=sides.count("customer"),
    )


def _traces(report: Report) -> tuple[Trace | None, Trace | None]:
    if report.series is None:
        return None, None
    thin = report.series.decimated(PICTURE_POINTS)
    agent = Trace(
        thin.start_s, thin.step_s, thin.agent_after_rms, thin.agent_after_active, thin.agent_before_active
    )
    return agent, Trace(thin.start_s, thin.step_s, thin.customer_rms, thin.customer_active)


def _stages(axis: Axis, report: Report, words: Words, bottom: float) -> Markup:
    """Return the bar of stages with the rings on it, and the lines of answer and end."""
    pieces = []
    stop_s = report.duration_s if report.ended_at_s is None else report.ended_at_s
    ring_end_s = stop_s if report.answered_at_s is None else report.answered_at_s
    if report.alerting_at_s is not None:
        pieces.append(_stage(axis, report.alerting_at_s, ring_end_s, "ringing", words))
    talk_from_s = report.answered_at_s if report.answered_at_s is not None else report.media_at_s
    if talk_from_s is not None and stop_s > talk_from_s:
        pieces.append(_stage(axis, talk_from_s, stop_s, "talking", words))
    for name, at_s in (("answered", report.answered_at_s), ("ended", report.ended_at_s)):
        if at_s is not None:
            pieces.append(_line(axis, at_s, name, words(f"fact.{name}"), bottom))
    last_x = -RING_PX
    for ring in report.rings:
        x = min(axis.x(ring.at_s) + 9, axis.x(ring_end_s) - 9)
        if x - last_x >= RING_PX and x >= axis.left:
            last_x = x
            pieces.append(_ring(x, str(ring.number), ring.urgency))
    return join(*pieces)


def _stage(axis: Axis, start_s: float, end_s: float, name: str, words: Words) -> Markup:
    x, right = axis.x(start_s), axis.x(end_s)
    text = f"{words(f'picture.{name}')} {words.duration(end_s - start_s)}"
    label = Markup("")
    if name == "talking" and right - x > text_width(text) + 16:
        label = element("text", text, x=(x + right) / 2, y=STAGE_TOP + 14, class_="label middle")
    bar = element(
        "rect",
        element("title", text),
        x=x,
        y=STAGE_TOP,
        width=max(1.0, right - x),
        height=STAGE_HEIGHT,
        rx=3,
        class_=f"stage {name}",
    )
    return join(bar, label)


def _ring(x: float, text: str, urgency: str) -> Markup:
    y = STAGE_TOP + STAGE_HEIGHT / 2
    return element(
        "g",
        element("circle", cx=x, cy=y, r=8, class_="dot"),
        element("text", text, x=x, y=y + 4, class_="in middle"),
        class_=f"ring {urgency}",
    )


def _line(axis: Axis, at_s: float, name: str, label: str, bottom: float) -> Markup:
    x = axis.x(at_s)
    at_end = x + text_width(label) > WIDTH - 10
    return element(
        "g",
        element("path", d=f"M{number(x)} 8V{number(bottom)}", class_="line"),
        element("text", label, x=x - 5 if at_end else x + 5, y=14, class_="label end" if at_end else "label"),
        class_=f"mark {name}",
    )
