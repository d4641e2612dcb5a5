"""The report for a terminal: aligned, plain characters, colour only when asked for."""

from collections.abc import Sequence
from typing import Final

from thirdring.protocol.events import LevelSummary
from thirdring_device.report.axis import display_width
from thirdring_device.report.messages import Words, words
from thirdring_device.report.model import Report
from thirdring_device.report.story import (
    facts,
    happenings,
    heading,
    network_figures,
    turns_figures,
    verdict_figures,
    verdict_says,
    voice_figures,
)

__all__ = ["render_text"]

COLOURS: Final = {"met": "32", "warned": "33", "breached": "31", "not_applicable": "90"}
"""ANSI (ECMA-48) colours of the verdicts."""

STRIP_COLUMNS: Final = 64
MOST_HAPPENINGS: Final = 60


def render_text(report: Report, language: str, *, colour: bool) -> str:
    """Return the report in ``language``, each line without trailing spaces."""
    text = words(language)
    title = f"Thirdring · {text('title')}"
    blocks = [
        [title, "=" * display_width(title), heading(report, text)],
        _columns([[label, value] for label, value in facts(report, text)]),
        _section(text("section.norms"), _norms(report, text, colour)),
        _section(text("section.answering"), _answering(report, text)),
        _section(text("section.course"), _strip(report, text)),
        _section(text("section.talk"), _talk(report, text)),
        _section(text("section.levels"), _levels(report, text)),
        _section(text("section.voice"), _columns(voice_figures(report, text), right=range(1, 5))),
        _section(text("section.network"), _columns(network_figures(report, text), right=range(1, 6))),
        _section(text("section.events"), _events(report, text)),
    ]
    return "\n\n".join("\n".join(line.rstrip() for line in block) for block in blocks if block) + "\n"


def _section(title: str, lines: Sequence[str]) -> list[str]:
    return [title, *(f"  {line}" for line in lines)] if lines else []


def _padded(text: str, width: int, *, right: bool = False) -> str:
    space = " " * max(0, width - display_width(text))
    return space + text if right else text + space


def _columns(table: Sequence[Sequence[str]], right: Sequence[int] = ()) -> list[str]:
    """Return the rows of ``table`` aligned; columns numbered in ``right`` are set to the right."""
    if not table:
        return []
    widths = [max(display_width(row[i]) for row in table) for i in range(len(table[0]))]
    return [
        "  ".join(_padded(cell, widths[i], right=i in right) for i, cell in enumerate(row)) for row in table
    ]


def _norms(report: Report, text: Words, colour: bool) -> list[str]:
    if not report.verdicts:
        return [text("verdict.none")]
    table = [
        [text(f"verdict.{v.verdict}"), text.named("rule", v.rule), verdict_says(v, text)]
        for v in report.verdicts
    ]
    lines = []
    for verdict, line in zip(report.verdicts, _columns(table), strict=True):
        word = text(f"verdict.{verdict.verdict}")
        if colour:
            line = f"\x1b[{COLOURS[verdict.verdict]}m{word}\x1b[0m{line[len(word) :]}"
        lines.append(line)
        notes = [f"{name} {value}" for name, value in verdict_figures(verdict, text)]
        if verdict.evidence:
            notes.append(f"{text('evidence')} {_numbers(verdict.evidence)}")
        if notes:
            indent = max(display_width(row[0]) for row in table) + 2
            lines.append(" " * indent + "; ".join(notes))
    return lines


def _numbers(numbers: Sequence[int], most: int = 8) -> str:
    shown = ", ".join(f"#{number}" for number in numbers[:most])
    return f"{shown} … (+{len(numbers) - most})" if len(numbers) > most else shown


def _answering(report: Report, text: Words) -> list[str]:
    if report.alerting_at_s is None:
        return []
    listed = []
    if report.rings:
        allowed = text("fact.rings.hint", limit=text.rings(report.limits.max_rings))
        listed.append([text("fact.rings"), text.rings(len(report.rings)), allowed])
    if report.call.wait_s is not None:
        unanswered = "" if report.answered_at_s is not None else ".unanswered"
        hint = text(f"fact.wait.hint{unanswered}")
        listed.append([text("fact.wait"), text.quantity(report.call.wait_s, "s"), hint])
    if report.greeting_s is not None:
        listed.append([text("fact.greeting"), text.seconds(report.greeting_s), text("fact.greeting.hint")])
    return _columns(listed, right=(1,))


def _strip(report: Report, text: Words) -> list[str]:
    """Return the call in ``STRIP_COLUMNS`` characters: rings by number, speech as ``#``."""
    if report.duration_s <= 0 or not (report.rings or report.spurts):
        return []
    step_s = report.duration_s / STRIP_COLUMNS
    signals = [" "] * STRIP_COLUMNS
    for at_s, sign in (
        *((ring.at_s, str(ring.number)[-1]) for ring in report.rings),
        *((key.at_s, key.digit) for key in report.keys),
        (report.answered_at_s, "A"),
        (report.ended_at_s, "E"),
    ):
        if at_s is not None:
            signals[min(STRIP_COLUMNS - 1, int(at_s / step_s))] = sign
    rows = [["", "".join(signals)]]
    for side in ("agent", "customer") if report.media_at_s is not None else ():
        spoken = [0.0] * STRIP_COLUMNS
        for spurt in report.spurts:
            if spurt.side == side:
                for i in range(int(spurt.start_s / step_s), STRIP_COLUMNS):
                    overlap = min(spurt.end_s, (i + 1) * step_s) - max(spurt.start_s, i * step_s)
                    if overlap <= 0:
                        break
                    spoken[i] += overlap
        signs = ("#" if s > step_s / 2 else "-" if s > step_s / 10 else "." for s in spoken)
        rows.append([text(f"side.{side}"), "".join(signs)])
    end = text.duration(report.duration_s)
    rows.append(["", _padded("0", STRIP_COLUMNS - display_width(end)) + end])
    return _columns(rows)


def _talk(report: Report, text: Words) -> list[str]:
    talk = report.talk
    if talk is None:
        return [text("talk.none")] if report.answered_at_s is not None else []
    shares = ("agent", talk.agent_s), ("customer", talk.customer_s), ("both", talk.both_s)
    table = [
        [text(f"talk.{name}"), text.duration(seconds), text.percent(talk.percent(seconds))]
        for name, seconds in (*shares, ("silence", talk.silence_s))
    ]
    table += [list(row) for row in turns_figures(report, text)]
    return _columns(table, right=(1, 2))


def _levels(report: Report, text: Words) -> list[str]:
    points = ("agent_before", report.agent_before), ("agent_after", report.agent_after)
    known: list[tuple[str, LevelSummary]] = [
        (name, level) for name, level in (*points, ("customer", report.customer)) if level is not None
    ]
    if not known:
        return []
    names = ("active", "activity", "active_s", "peak", "clipped")
    table = [[text("level.point"), *(text(f"level.{name}") for name in names)]]
    for name, level in known:
        table.append(
            [
                text(f"level.{name}"),
                text.level(level.active_speech_level_dbov),
                text.percent(level.activity_percent),
                text.duration(level.active_s),
                text.level(level.peak_dbov),
                str(level.clipped_samples),
            ]
        )
    return _columns(table, right=range(1, 6))


def _events(report: Report, text: Words) -> list[str]:
    found = happenings(report, text)
    table = [
        [f"{h.at_s:.2f} s", f"#{h.event}" if h.event is not None else "", h.text]
        for h in found[:MOST_HAPPENINGS]
    ]
    lines = _columns(table, right=(0, 1))
    if len(found) > MOST_HAPPENINGS:
        lines.append(text("table.more", count=len(found) - MOST_HAPPENINGS))
    return lines
