"""The picture of how a call was answered: rings, the limit, the answer, the first word."""

from thirdring_device.report.axis import Axis, text_width
from thirdring_device.report.markup import Markup, element, join, number
from thirdring_device.report.messages import Words
from thirdring_device.report.model import Report, Ring

__all__ = ["render_answering"]

WIDTH, LEFT, RIGHT = 1000, 14.0, 986.0
TRACK_TOP, TRACK_BOTTOM, AXIS_Y = 44.0, 74.0, 100.0
HEIGHT = 138


def render_answering(report: Report, words: Words) -> Markup:
    """Return the SVG picture; empty for a call that gave its caller no ring."""
    origin_s = report.alerting_at_s
    if origin_s is None or not report.rings:
        return Markup("")
    answered_s = None if report.answered_at_s is None else report.answered_at_s - origin_s
    ended_s = (report.duration_s if report.ended_at_s is None else report.ended_at_s) - origin_s
    stop_s = ended_s if answered_s is None else answered_s
    limit_s = _limit_s(report)
    due_s = 0.0 if answered_s is None else max(report.greeting_s or 0.0, report.limits.greeting_limit_s)
    span_s = max(stop_s + due_s, limit_s or 0.0, 1.0) * 1.03
    axis = Axis(span_s, LEFT, RIGHT)
    pieces = [
        axis.draw(TRACK_TOP - 6, AXIS_Y, words("answering.axis")),
        *(_ring(axis, report, ring, stop_s) for ring in report.rings if ring.wait_s <= stop_s),
    ]
    if limit_s is not None:
        passed = ".passed" if limit_s <= stop_s else ""
        label = words(f"answering.limit{passed}", ring=report.limits.max_rings + 1)
        pieces.append(_mark(axis, limit_s, label, "limit", label_y=12.0))
    if answered_s is None:
        pieces.append(
            _mark(axis, stop_s, words("answering.ended", wait=words.quantity(stop_s, "s")), "ended", 30.0)
        )
    else:
        pieces.append(_greeting(axis, report, words, answered_s))
    wait = words.quantity(report.call.wait_s, "s")
    greeting = words("answering.none") if report.greeting_s is None else words.seconds(report.greeting_s)
    desc = words(
        "answering.desc",
        rings=len(report.rings),
        limit=report.limits.max_rings,
        wait=wait,
        greeting=greeting,
    )
    return element(
        "svg",
        element("title", words("answering.title"), id="answering-title"),
        element("desc", desc, id="answering-desc"),
        *pieces,
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
        aria_labelledby="answering-title answering-desc",
    )


def _limit_s(report: Report) -> float | None:
    """Return when the first ring beyond the limit begins, from the ring's start or the cadence."""
    first_late = report.limits.max_rings + 1
    for ring in report.rings:
        if ring.number == first_late:
            return ring.wait_s
    if len(report.rings) > 1:
        first, last = report.rings[0], report.rings[-1]
        period_s = (last.wait_s - first.wait_s) / (last.number - first.number)
        return first.wait_s + (first_late - first.number) * period_s
    if report.limits.ring_period_s is None:
        return None
    return report.limits.max_rings * report.limits.ring_period_s


def _ring(axis: Axis, report: Report, ring: Ring, stop_s: float) -> Markup:
    """Return one ring: its period as a block, the tone's bursts in it, its number."""
    later = [other.wait_s for other in report.rings if other.wait_s > ring.wait_s]
    period_s = report.limits.ring_period_s or 0.0
    end_s = min([stop_s, *(later or [ring.wait_s + period_s])])
    bursts = "".join(
        f"M{number(axis.x(ring.wait_s + a))} {number(TRACK_BOTTOM)}"
        f"H{number(axis.x(min(end_s, ring.wait_s + b)))}v-6H{number(axis.x(ring.wait_s + a))}z"
        for a, b in report.limits.ring_bursts_s
        if ring.wait_s + a < end_s
    )
    x = axis.x(ring.wait_s)
    block = element(
        "rect",
        x=x,
        y=TRACK_TOP,
        width=max(1.5, axis.x(end_s) - x - 1.5),
        height=TRACK_BOTTOM - TRACK_TOP,
        rx=3,
        class_="period",
    )
    mark = ""
    if axis.x(end_s) - x > 22:
        mark = join(
            element("circle", cx=x + 14, cy=TRACK_TOP + 12, r=9, class_="dot"),
            element("text", str(ring.number), x=x + 14, y=TRACK_TOP + 16, class_="in middle"),
        )
    return element("g", block, element("path", d=bursts, class_="burst"), mark, class_=f"ring {ring.urgency}")


def _greeting(axis: Axis, report: Report, words: Words, answered_s: float) -> Markup:
    """Return the answer, the time within which a greeting is due, and the first word."""
    x = axis.x(answered_s)
    window = element(
        "rect",
        element("title", words("answering.window")),
        x=x,
        y=TRACK_TOP,
        width=axis.x(answered_s + report.limits.greeting_limit_s) - x,
        height=TRACK_BOTTOM - TRACK_TOP,
        class_="window",
    )
    label = words("answering.answered", wait=words.quantity(answered_s, "s"))
    pieces = [window, _mark(axis, answered_s, label, "answer", 30.0)]
    if report.greeting_s is not None:
        late = report.greeting_s > report.limits.greeting_limit_s
        said = words("answering.greeting", greeting=words.seconds(report.greeting_s))
        at_s = answered_s + report.greeting_s
        pieces.append(_mark(axis, at_s, said, "word late" if late else "word", TRACK_BOTTOM + 18))
    return join(*pieces)


def _mark(axis: Axis, at_s: float, label: str, class_: str, label_y: float) -> Markup:
    """Return an upright line through the track with its label above or below."""
    x = axis.x(at_s)
    above = label_y < TRACK_TOP
    ends = (label_y - 10, TRACK_BOTTOM + 6) if above else (TRACK_TOP - 4, label_y + 2)
    at_end = x + 6 + text_width(label) > WIDTH
    return element(
        "g",
        element("path", d=f"M{number(x)} {number(ends[0])}V{number(ends[1])}", class_="line"),
        element(
            "text", label, x=x - 5 if at_end else x + 5, y=label_y, class_="label end" if at_end else "label"
        ),
        class_=f"mark {class_}",
    )
