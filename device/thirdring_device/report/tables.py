"""The page's tables: the same figures as the pictures, for who reads or cannot see them."""

from collections.abc import Sequence
from typing import Final

from thirdring_device.report.markup import Markup, element, join
from thirdring_device.report.messages import Words
from thirdring_device.report.model import Report
from thirdring_device.report.story import happenings, network_figures, voice_figures

__all__ = ["levels_table", "network_table", "series_table", "spurts_table", "story_table", "voice_table"]

MOST_ROWS: Final = 200
SERIES_ROWS: Final = 60
"""Rows of the levels over time: enough to follow the picture, few enough to read."""


def _table(caption: str, head: Sequence[str], rows: Sequence[Markup], note: str = "") -> Markup:
    table = element(
        "table",
        element("caption", caption, class_="hidden"),
        element("thead", element("tr", *(element("th", name, scope="col") for name in head))),
        element("tbody", *rows),
    )
    scroll = element("div", table, class_="scroll", tabindex="0", role="region", aria_label=caption)
    return join(scroll, element("p", note, class_="note")) if note else scroll


def _row(*cells: str, class_: str | None = None) -> Markup:
    return element("tr", *(element("td", cell) for cell in cells), class_=class_)


def _folded(title: str, content: Markup) -> Markup:
    return element("section", element("details", element("summary", element("h2", title)), content))


def levels_table(report: Report, text: Words) -> Markup:
    """Return the levels of the whole call where they were measured."""
    points = ("agent_before", report.agent_before), ("agent_after", report.agent_after)
    rows = [
        _row(
            text(f"level.{name}"),
            text.level(level.active_speech_level_dbov),
            text.percent(level.activity_percent),
            text.duration(level.active_s),
            text.level(level.peak_dbov),
            str(level.clipped_samples),
        )
        for name, level in (*points, ("customer", report.customer))
        if level is not None
    ]
    if not rows:
        return Markup("")
    names = ("level.point", "level.active", "level.activity", "level.active_s", "level.peak", "level.clipped")
    title = text("section.levels")
    table = _table(title, [text(name) for name in names], rows, text("level.note"))
    return element("section", element("h2", title), table, class_="figures")


def voice_table(report: Report, text: Words) -> Markup:
    """Return pace and noise of both sides over the whole call."""
    table = voice_figures(report, text)
    if not table:
        return Markup("")
    title = text("section.voice")
    shown = _table(title, table[0], [_row(*row) for row in table[1:]], text("voice.note"))
    return element("section", element("h2", title), shown, class_="figures")


def network_table(report: Report, text: Words) -> Markup:
    """Return loss, jitter, round trip and estimated quality of both directions."""
    table = network_figures(report, text)
    if not table:
        return Markup("")
    title = text("section.network")
    shown = _table(title, table[0], [_row(*row) for row in table[1:]], text("network.note"))
    return element("section", element("h2", title), shown, class_="figures")


def story_table(report: Report, text: Words) -> Markup:
    """Return what happened, line by line."""
    found = happenings(report, text)
    rows = [
        _row(
            text.seconds(h.at_s) if h.at_s < 60 else text.duration(h.at_s),
            f"#{h.event}" if h.event is not None else "",
            h.text,
            class_=h.state or None,
        )
        for h in found[:MOST_ROWS]
    ]
    if not rows:
        return Markup("")
    title = text("section.events")
    head = [text("table.time"), text("table.event"), text("table.what")]
    return _folded(title, _table(title, head, rows, _more(len(found), text)))


def spurts_table(report: Report, text: Words) -> Markup:
    """Return the talk-spurts of both sides."""
    rows = [
        _row(
            text(f"side.{spurt.side}"),
            f"{spurt.start_s:.2f}",
            f"{spurt.end_s:.2f}",
            text.seconds(spurt.end_s - spurt.start_s),
            text.level(spurt.level_dbov),
        )
        for spurt in report.spurts[:MOST_ROWS]
    ]
    if not rows:
        return Markup("")
    title = text("section.spurts")
    head = [text(f"table.{name}") for name in ("side", "from", "until", "length", "level")]
    for i in (1, 2):
        head[i] += " (s)"
    return _folded(title, _table(title, head, rows, _more(len(report.spurts), text)))


def series_table(report: Report, text: Words) -> Markup:
    """Return the levels over time, thinned out to ``SERIES_ROWS``."""
    if report.series is None:
        return Markup("")
    thin = report.series.decimated(SERIES_ROWS)
    columns = thin.agent_before_rms, thin.agent_after_rms, thin.customer_rms
    rows = [
        _row(f"{thin.start_s + i * thin.step_s:.1f}", *(text.level(column[i]) for column in columns))
        for i in range(len(thin.agent_after_rms))
    ]
    title = text("section.series")
    names = ("agent_before", "agent_after", "customer")
    head = [f"{text('table.from')} (s)", *(text(f"level.{name}") for name in names)]
    note = text("legend.rms", step=text.duration(thin.step_s))
    return _folded(title, _table(title, head, rows, note))


def _more(count: int, text: Words) -> str:
    return text("table.more", count=count - MOST_ROWS) if count > MOST_ROWS else ""
