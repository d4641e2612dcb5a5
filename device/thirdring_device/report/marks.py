"""The rows of marks beneath the lanes: keys, prompts, the norms' live states, the verdicts."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from thirdring_device.report.axis import Axis, text_width
from thirdring_device.report.markup import Markup, element, join
from thirdring_device.report.messages import Words
from thirdring_device.report.model import Report

__all__ = ["ROW_HEIGHT", "SYMBOLS", "Row", "draw_row", "rows"]

ROW_HEIGHT: Final = 24.0
SYMBOLS: Final = {"met": "✓", "warned": "!", "breached": "✕", "not_applicable": "–"}
"""Beside their colour, so that verdicts can be told apart without it."""

RADIUS: Final = 7.5
MARK_PX: Final = 2 * RADIUS + 3
MOST_SHIFT_PX: Final = 26.0


@dataclass(frozen=True, slots=True)
class Mark:
    """A sign at a moment; ``label`` is written after it where there is room."""

    at_s: float
    class_: str
    sign: str
    label: str
    title: str


@dataclass(frozen=True, slots=True)
class Row:
    """Marks of one kind."""

    name: str
    marks: tuple[Mark, ...]


def rows(report: Report, words: Words) -> list[Row]:
    """Return the rows that have anything in them."""
    everything = (
        ("keys", list(_keys(report, words))),
        ("prompts", list(_prompts(report, words))),
        ("norms", list(_norms(report, words))),
    )
    return [
        Row(words(f"picture.{name}"), tuple(sorted(marks, key=lambda mark: mark.at_s)))
        for name, marks in everything
        if marks
    ]


def _keys(report: Report, words: Words) -> Iterator[Mark]:
    for key in report.keys:
        title = words("moment.dtmf", side=words(f"side.{key.side}"), digit=key.digit)
        yield Mark(key.at_s, f"key {key.side}", key.digit, "", title)


def _prompts(report: Report, words: Words) -> Iterator[Mark]:
    for moment in report.moments:
        if moment.kind == "prompt":
            what = words.named("prompt", moment.name)
            yield Mark(moment.at_s, f"prompt {moment.state}", "", what, words("moment.prompt", what=what))


def _norms(report: Report, words: Words) -> Iterator[Mark]:
    """Yield live changes, and each verdict where its last evidence stands."""
    placed = set()
    for verdict in report.verdicts:
        places = [report.evidence[number] for number in verdict.evidence if number in report.evidence]
        if verdict.verdict == "not_applicable" or not places:
            continue
        placed.add((verdict.rule, verdict.verdict, round(max(places))))
        name, state = words.named("rule", verdict.rule), words.named("verdict", verdict.verdict)
        sign = SYMBOLS[verdict.verdict]
        yield Mark(max(places), f"verdict {verdict.verdict}", sign, name, f"{name}: {state}")
    for moment in report.moments:
        if moment.kind == "norm" and (moment.rule, moment.state, round(moment.at_s)) not in placed:
            name, state = words.named("rule", moment.rule), words.named("verdict", moment.state)
            title = f"{name}: {state} ({words.duration(moment.at_s)})"
            yield Mark(moment.at_s, f"noted {moment.state}", SYMBOLS.get(moment.state, ""), "", title)


def draw_row(axis: Axis, top: float, row: Row) -> Markup:
    """Return a row of marks; crowded ones move up to ``MOST_SHIFT_PX`` right, then are left to the tables."""
    y = top + ROW_HEIGHT / 2
    placed: list[tuple[float, Mark]] = []
    for mark in row.marks:
        wanted = axis.x(mark.at_s)
        x = max(wanted, placed[-1][0] + MARK_PX) if placed else wanted
        if x - wanted <= MOST_SHIFT_PX:
            placed.append((x, mark))
    pieces = [element("text", row.name, x=axis.left - 14, y=y + 4, class_="tick end")]
    free_from = axis.left
    for i, (x, mark) in enumerate(placed):
        next_x = placed[i + 1][0] - RADIUS if i + 1 < len(placed) else axis.right + 12
        label_px = text_width(mark.label) if mark.label else 0.0
        if x + RADIUS + 5 + label_px <= next_x:
            label_x, end = x + RADIUS + 5, ""
            free_from = label_x + label_px
        else:
            label_x, end = x - RADIUS - 5, " end"
            fits = label_x - label_px >= free_from
            label_px = label_px if fits else 0.0
            free_from = x + RADIUS
        label = Markup("")
        if label_px:
            label = element("text", mark.label, x=label_x, y=y + 4, class_=f"label{end}")
        title = element("title", mark.title)
        pieces.append(element("g", title, _sign(mark, x, y), label, class_=f"m {mark.class_}"))
    return join(*pieces)


def _sign(mark: Mark, x: float, y: float) -> Markup:
    if mark.class_.startswith("prompt"):
        return element("path", d=f"M{x - 6:.1f} {y - 5:.1f}h12l-6 10z", class_="sign")
    if mark.class_.startswith("key"):
        shape = element("rect", x=x - 7.0, y=y - 8.0, width=14, height=16, rx=3, class_="sign")
    elif mark.class_.startswith("noted"):
        shape = element("path", d=f"M{x:.1f} {y - 8:.1f}l8 8l-8 8l-8 -8z", class_="sign")
    else:
        shape = element("circle", cx=x, cy=y, r=RADIUS + 0.5, class_="sign")
    return join(shape, element("text", mark.sign, x=x, y=y + 4, class_="in middle"))
