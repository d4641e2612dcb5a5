"""The report as one HTML page that needs nothing else: no script, no font, no file beside it."""

from importlib.resources import files

from thirdring.protocol.events import Verdict
from thirdring_device.report.answering import render_answering
from thirdring_device.report.marks import SYMBOLS
from thirdring_device.report.markup import Markup, element, join
from thirdring_device.report.messages import Words, words
from thirdring_device.report.model import Report
from thirdring_device.report.story import facts, heading, turns_figures, verdict_figures, verdict_says
from thirdring_device.report.tables import (
    levels_table,
    network_table,
    series_table,
    spurts_table,
    story_table,
    voice_table,
)
from thirdring_device.report.timeline import PICTURE_POINTS, render_timeline

__all__ = ["render_page"]

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""What a browser may load for this page (Content Security Policy Level 3): its own style, nothing else."""

MOST_EVIDENCE = 12


def render_page(report: Report, language: str) -> str:
    """Return the page in ``language``."""
    text = words(language)
    style = files("thirdring_device.report").joinpath("page.css").read_text(encoding="utf-8")
    title = f"{text('title')} {report.call.call_id}"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", f"{title} · Thirdring"),
        element("style", Markup(style)),
    )
    body = element(
        "body",
        _header(report, text),
        element("main", *_sections(report, text)),
        element(
            "footer",
            element("p", text("footer.made", count=len(report.verdicts)), " ", text("footer.utc")),
        ),
    )
    return f"<!DOCTYPE html>\n{element('html', head, body, lang=text('language.tag'))}\n"


def _header(report: Report, text: Words) -> Markup:
    listed = [
        element("div", element("dt", name), element("dd", value)) for name, value in facts(report, text)
    ]
    return element(
        "header",
        element("p", "Thirdring ", element("span", text("title")), class_="brand"),
        element("h1", heading(report, text)),
        element("dl", *listed, class_="facts"),
    )


def _sections(report: Report, text: Words) -> list[Markup]:
    answering = render_answering(report, text)
    return [
        element("div", *_tiles(report, text), class_="tiles"),
        _section(text("section.norms"), "norms", *_norms(report, text)),
        _section(text("section.answering"), "answering", _picture(answering, text("section.answering")))
        if answering
        else Markup(""),
        _section(
            text("section.course"),
            "course",
            _picture(render_timeline(report, text), text("section.course")),
            _legend(report, text),
        ),
        _section(text("section.talk"), "talk", *_talk(report, text)),
        levels_table(report, text),
        voice_table(report, text),
        network_table(report, text),
        story_table(report, text),
        spurts_table(report, text),
        series_table(report, text),
    ]


def _section(title: str, id_: str, *content: Markup) -> Markup:
    return element("section", element("h2", title, id=id_), *content, aria_labelledby=id_)


def _picture(picture: Markup, name: str) -> Markup:
    return element("div", picture, class_="picture", tabindex="0", role="region", aria_label=name)


def _tile(name: str, value: str, hint: str, state: str = "") -> Markup:
    return element(
        "div",
        element("span", name, class_="name"),
        element("strong", value),
        element("span", hint, class_="hint"),
        class_=f"tile {state}".strip(),
    )


def _tiles(report: Report, text: Words) -> list[Markup]:
    states = {verdict.rule: verdict.verdict for verdict in report.verdicts}
    tiles = []
    if report.rings:
        hint = text("fact.rings.hint", limit=text.rings(report.limits.max_rings))
        rings = text.rings(len(report.rings))
        tiles.append(_tile(text("fact.rings"), rings, hint, states.get("answer.rings", "")))
    if report.call.wait_s is not None:
        key = "fact.wait.hint" if report.answered_at_s is not None else "fact.wait.hint.unanswered"
        tiles.append(_tile(text("fact.wait"), text.quantity(report.call.wait_s, "s"), text(key)))
    if report.greeting_s is not None:
        said = text.seconds(report.greeting_s)
        hint = text("fact.greeting.hint")
        tiles.append(_tile(text("fact.greeting"), said, hint, states.get("answer.greeting", "")))
    if report.agent_before is not None and report.agent_after is not None:
        after = text.level(report.agent_after.active_speech_level_dbov)
        hint = text("fact.level.hint", before=text.level(report.agent_before.active_speech_level_dbov))
        tiles.append(_tile(text("fact.level"), after, hint, states.get("voice.level", "")))
    if report.call.talk_s is not None:
        tiles.append(_tile(text("fact.talk"), text.duration(report.call.talk_s), text("fact.talk.hint")))
    return tiles


def _norms(report: Report, text: Words) -> list[Markup]:
    if not report.verdicts:
        return [element("p", text("verdict.none"), class_="note")]
    return [element("ul", *(_norm(v, report, text) for v in report.verdicts), class_="norms")]


def _norm(verdict: Verdict, report: Report, text: Words) -> Markup:
    figures = [
        join(element("span", f"{name} ", class_="name"), element("span", value, class_="value"))
        for name, value in verdict_figures(verdict, text)
    ]
    badge = element(
        "span",
        element("span", SYMBOLS[verdict.verdict], aria_hidden="true"),
        f" {text(f'verdict.{verdict.verdict}')}",
        class_="badge",
    )
    return element(
        "li",
        badge,
        element(
            "div",
            element("h3", text.named("rule", verdict.rule), " ", element("code", verdict.rule)),
            element("p", verdict_says(verdict, text)),
            element("p", *_separated(figures), class_="note") if figures else Markup(""),
            _evidence(verdict, report, text),
        ),
        class_=verdict.verdict,
    )


def _separated(pieces: list[Markup]) -> list[Markup]:
    dot = Markup(" · ")
    return [part for piece in pieces for part in (dot, piece)][1:]


def _evidence(verdict: Verdict, report: Report, text: Words) -> Markup:
    if not verdict.evidence:
        return Markup("")
    named = []
    for number in verdict.evidence[:MOST_EVIDENCE]:
        at_s = report.evidence.get(number)
        shown = f"#{number}" if at_s is None else f"#{number} ({text.duration(at_s)})"
        named.append(element("span", shown, class_="value"))
    if len(verdict.evidence) > MOST_EVIDENCE:
        named.append(Markup(f"+{len(verdict.evidence) - MOST_EVIDENCE}"))
    return element("p", f"{text('evidence')} ", *_separated(named), class_="note")


def _legend(report: Report, text: Words) -> Markup:
    if report.media_at_s is None:
        return Markup("")
    target, band = report.limits.level_target_dbov, report.limits.level_band_db
    step_s = report.series.decimated(PICTURE_POINTS).step_s if report.series else 0.1
    edges = {"low": f"{target - band:g}", "high": text("unit.dbov", value=f"{target + band:g}")}
    entries = (
        ("line agent", text("legend.after")),
        ("dashed agent", text("legend.before")),
        ("line customer", text("legend.customer")),
        ("area", text("legend.rms", step=text.seconds(step_s))),
        ("band", text("legend.band", **edges)),
        ("bar", text("legend.spurts")),
        *((f"block {kind}", text(f"legend.{kind}")) for kind in _drawn_turns(report)),
    )
    return element(
        "ul",
        *(element("li", element("i", class_=class_, aria_hidden="true"), name) for class_, name in entries),
        class_="legend",
    )


def _drawn_turns(report: Report) -> list[str]:
    there = {stretch.kind for stretch in report.stretches}
    return [kind for kind in ("overlap", "dead_air") if kind in there]


def _talk(report: Report, text: Words) -> list[Markup]:
    talk = report.talk
    if talk is None:
        return [element("p", text("talk.none"), class_="note")]
    shares = [
        (name, seconds)
        for name, seconds in (
            ("agent", talk.agent_s),
            ("both", talk.both_s),
            ("customer", talk.customer_s),
            ("silence", talk.silence_s),
        )
    ]
    bar = element(
        "div",
        *(
            element("span", class_=name, style=f"flex-grow:{talk.percent(seconds):.2f}")
            for name, seconds in shares
            if seconds > 0
        ),
        class_="shares",
        aria_hidden="true",
    )
    figures = [
        element(
            "li",
            element("i", class_=f"share {name}", aria_hidden="true"),
            f"{text(f'talk.{name}')} ",
            element("b", text.percent(talk.percent(seconds))),
            f" {text.duration(seconds)}",
        )
        for name, seconds in shares
    ]
    turns = [
        join(f"{name} ", element("b", value), f" {share}".rstrip())
        for name, value, share in turns_figures(report, text)
    ]
    figures += [element("li", turn) for turn in turns]
    return [bar, element("ul", *figures, class_="legend")]
