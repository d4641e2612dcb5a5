"""The rows of marks beneath the lanes: turns, tones, keys, prompts, the norms' live states, the verdicts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from thirdring_device.report.axis import Axis, text_width
from thirdring_device.report.markup import Markup, element, join, number
from thirdring_device.report.messages import Words
from thirdring_device.report.model import Report
from thirdring_device.report.story import stretch_says, tone_name, tone_says

__all__ = ["ROW_HEIGHT", "SYMBOLS", "Row", "draw_row", "rows"]

ROW_HEIGHT: Final = 24.0
SYMBOLS: Final = {"met": "✓", "warned": "!", "breached": "✕", "not_applicable": "–"}
"""Beside their colour, so that verdicts can be told apart without it."""

RADIUS: Final = 7.5
MARK_PX: Final = 2 * RADIUS + 3
MOST_SHIFT_PX: Final = 26.0
MOST_BARS: Final = 150
"""Up to here bars are drawn one by one, with their figures to point at."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A sign at a moment; ``label`` is written after it where there is room."""

    at_s: float
    class_: str
    sign: str
    label: str
    title: str


@dataclass(frozen=True, slots=True)
class Bar:
    """Something that lasted."""

    start_s: float
    end_s: float
    class_: str
    title: str
    thin: bool = False
    """Under the marks and their labels, not behind them."""

    def place(self, middle: float) -> tuple[float, float]:
        """Return top and height in the row around ``middle``."""
        return (middle + 8.5, 3.0) if self.thin else (middle - 4.0, 8.0)


@dataclass(frozen=True, slots=True)
class Row:
    """Marks of one kind, and bars behind them."""

    name: str
    marks: tuple[Mark, ...]
    bars: tuple[Bar, ...] = ()


def rows(report: Report, words: Words) -> list[Row]:
    """Return the rows that have anything in them."""
    everything = (
        ("keys", list(_keys(report, words))),
        ("prompts", list(_prompts(report, words))),
        ("norms", list(_norms(report, words))),
    )
    turns = Row(words("picture.turns"), tuple(_interruptions(report, words)), tuple(_turns(report, words)))
    tones = Row(words("picture.tones"), tuple(_tones(report, words)), tuple(_tone_bars(report, words)))
    return [row for row in (turns, tones) if row.bars] + [
        Row(words(f"picture.{name}"), tuple(sorted(marks, key=lambda mark: mark.at_s)))
        for name, marks in everything
        if marks
    ]


def _turns(report: Report, words: Words) -> Iterator[Bar]:
    for stretch in report.stretches:
        if stretch.kind != "interruption":
            title = stretch_says(stretch, words)
            yield Bar(stretch.start_s, stretch.end_s, f"block {stretch.kind}", title)


def _interruptions(report: Report, words: Words) -> Iterator[Mark]:
    for stretch in report.stretches:
        if stretch.kind == "interruption":
            yield Mark(stretch.start_s, "noted warned", "!", "", stretch_says(stretch, words))


def _tone_bars(report: Report, words: Words) -> Iterator[Bar]:
    for tone in report.tones:
        yield Bar(tone.start_s, tone.end_s, f"block tone {tone.side}", tone_says(tone, words), thin=True)


def _tones(report: Report, words: Words) -> Iterator[Mark]:
    """Yield a mark at the first tone of each run of the same."""
    last = ""
    for tone in report.tones:
        if tone.tone != last:
            last = tone.tone
            label = words.named("tone", tone.tone)
            yield Mark(tone.start_s, f"tone {tone.side}", "♪", label, tone_name(tone, words))


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
    blocks = join(*_blocks(axis, y, row.bars))
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
    return join(blocks, *pieces)


def _blocks(axis: Axis, y: float, bars: Sequence[Bar]) -> Iterator[Markup]:
    """Yield the bars, one path for those of a kind when they are many."""
    if len(bars) > MOST_BARS:
        for class_ in sorted({bar.class_ for bar in bars}):
            drawn = "".join(
                f"M{number(axis.x(bar.start_s))} {number(bar.place(y)[0])}h{number(_width(axis, bar))}"
                f"v{number(bar.place(y)[1])}h-{number(_width(axis, bar))}z"
                for bar in bars
                if bar.class_ == class_
            )
            yield element("path", d=drawn, class_=class_)
        return
    for bar in bars:
        yield element(
            "rect",
            element("title", bar.title),
            x=axis.x(bar.start_s),
            y=bar.place(y)[0],
            width=_width(axis, bar),
            height=bar.place(y)[1],
            rx=1.5,
            class_=bar.class_,
        )


def _width(axis: Axis, bar: Bar) -> float:
    return max(1.0, axis.x(bar.end_s) - axis.x(bar.start_s))


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
