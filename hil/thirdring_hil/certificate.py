"""The test certificate of a unit: one page that needs nothing else, made from the bench's record."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from importlib.resources import files
from typing import Any, Final

from thirdring_hil.pictures import levels_svg, response_svg

__all__ = ["certificate", "suite_verdicts", "title", "verdict"]

Rows = Sequence[Mapping[str, Any]]

WORDS: Final = {"passed": "PASS", "failed": "FAIL", "skipped": "skipped"}


def suite_verdicts(outcomes: Rows) -> dict[str, str]:
    """Return ``passed``, ``failed`` or ``skipped`` for each suite, in the order they were run."""
    found: dict[str, str] = {}
    for outcome in outcomes:
        suite, how = str(outcome["suite"]), str(outcome["outcome"])
        before = found.setdefault(suite, how)
        if how == "failed" or (how == "passed" and before == "skipped"):
            found[suite] = how
    return found


def verdict(outcomes: Rows) -> str:
    """Return ``passed`` when something was tested and nothing failed, else ``failed``."""
    verdicts = set(suite_verdicts(outcomes).values())
    return "passed" if "passed" in verdicts and "failed" not in verdicts else "failed"


def title(test: str) -> str:
    """Return a test's name in words."""
    name, _, parameters = test.partition("[")
    words = name.removeprefix("test_").replace("_", " ")
    variant = parameters.rstrip("]").rpartition("-")[2] if "-" in parameters else ""
    variant = "" if variant.endswith(".toml") else variant  # of the target's name, not of the test
    return f"{words} ({variant})" if variant else words


def certificate(record: Mapping[str, Any], target: str) -> str:
    """Return the page of one target of the record; raises ``KeyError`` for a target that is not in it."""
    unit = record["units"][target]
    outcomes = [row for row in record["outcomes"] if row["target"] == target]
    taken = [row for row in record["measurements"] if row["target"] == target]
    curves = [row for row in record["curves"] if row["target"] == target]
    whole = verdict(outcomes)
    facts = [
        ("Serial number", unit["serial_number"]),
        ("Firmware", unit["firmware"]),
        ("Board", unit["board"]),
        ("SIP stack", unit["sip_stack"]),
        ("Target", target),
        ("Tested (UTC)", f"{record['started_utc']} to {record['finished_utc']}"),
        ("Measurements", f"{sum(row['passed'] for row in taken)} of {len(taken)} within their limits"),
    ]
    if (slowness := unit.get("slowness", 1)) != 1:
        facts += [("Limits of durations", f"{slowness} times as wide: emulated on another processor")]
    suites = suite_verdicts(outcomes)
    style = files("thirdring_hil").joinpath("certificate.css").read_text(encoding="utf-8")
    return "".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            f"<title>Test certificate {escape(unit['serial_number'])}</title>",
            f"<style>{style}</style></head><body>",
            f"<header><div><h1>Test certificate</h1><dl>{_facts(facts)}</dl></div>",
            f'<div class="verdict {whole}">{WORDS[whole]}</div></header>',
            "<h2>Suites</h2><table>",
            *(f"<tr><td>{escape(suite)}</td><td>{_tag(how)}</td></tr>" for suite, how in suites.items()),
            "</table>",
            "<h2>Level and frequency response</h2>",
            f'<div class="pictures">{levels_svg(taken)}{"".join(map(response_svg, curves))}</div>',
            "<h2>Measurements</h2>",
            _measurements(taken),
            "<h2>Tests</h2>",
            _tests(outcomes),
            "</body></html>\n",
        ]
    )


def _facts(facts: Iterable[tuple[str, str]]) -> str:
    return "".join(f"<dt>{escape(name)}</dt><dd>{escape(str(value))}</dd>" for name, value in facts)


def _tag(how: str) -> str:
    return f'<span class="tag {how}">{WORDS[how]}</span>'


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _measurements(taken: Rows) -> str:
    rows = [
        f"<tr><td>{escape(row['name'].replace('_', ' '))}</td>"
        f'<td class="number">{_number(row["value"])}</td><td>{escape(row["unit"])}</td>'
        f'<td class="number">{_number(row["low"])}</td><td class="number">{_number(row["high"])}</td>'
        f"<td>{_tag('passed' if row['passed'] else 'failed')}</td>"
        f'<td class="why">{escape(row["reason"])}</td></tr>'
        for row in taken
    ]
    return _table(("what", "value", "unit", "at least", "at most", "", "limits from"), rows)


def _tests(outcomes: Rows) -> str:
    rows = [
        f"<tr><td>{escape(row['suite'])}</td><td>{escape(title(row['test']))}</td><td>{_tag(row['outcome'])}</td>"
        f'<td class="number">{row["duration_s"]:.1f} s</td><td class="why">{escape(row["reason"])}</td></tr>'
        for row in outcomes
    ]
    return _table(("suite", "test", "", "took", "reason"), rows)


def _table(head: Iterable[str], rows: Iterable[str]) -> str:
    columns = "".join(f"<th>{word}</th>" for word in head)
    return f"<table><tr>{columns}</tr>{''.join(rows)}</table>"
