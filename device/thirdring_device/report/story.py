"""Sentences that the page and the terminal share: what a verdict says, what happened when."""

from collections.abc import Iterator
from dataclasses import dataclass

from thirdring.protocol.events import Verdict
from thirdring_device.report.messages import Words
from thirdring_device.report.model import Moment, Report, Stretch, ToneSpan

__all__ = [
    "Happening",
    "facts",
    "happenings",
    "heading",
    "how_ended",
    "network_figures",
    "stretch_says",
    "tone_name",
    "tone_says",
    "turns_figures",
    "verdict_figures",
    "verdict_says",
    "voice_figures",
]


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of what happened; ``event`` is its number, None for what follows from several."""

    at_s: float
    text: str
    event: int | None
    state: str = ""
    """The verdict's or ring's word for how serious it is."""


def verdict_says(verdict: Verdict, words: Words) -> str:
    """Return the measured value against the limit, or why there is no judgement."""
    reason = words.reason(verdict.reason)
    if verdict.verdict == "not_applicable" or verdict.value is None:
        return reason
    value = words.quantity(verdict.value, verdict.unit)
    threshold = words.quantity(verdict.threshold, verdict.unit)
    if verdict.rule == "answer.greeting" and "greeting_latency_s" not in verdict.measures:
        return words("says.answer.greeting.unspoken", value=value, threshold=threshold)
    if verdict.threshold is None:
        said = words("says.value", value=value)
    elif words.has(f"says.{verdict.rule}"):
        said = words(f"says.{verdict.rule}", value=value, threshold=threshold)
    else:
        said = words("says.other", value=value, threshold=threshold)
    return f"{said} ({reason})" if reason else said


def verdict_figures(verdict: Verdict, words: Words) -> list[tuple[str, str]]:
    """Return the measures besides the value judged, as names and quantities."""
    return [
        words.measure(name, value)
        for name, value in verdict.measures.items()
        if value != verdict.value or name == "wait_s"
    ]


def heading(report: Report, words: Words) -> str:
    """Return who called whom."""
    call = report.call
    if not report.signalled:
        return words("heading.recording", party=report.recording)
    if not call.number and not call.display_name:
        return words(f"heading.{call.direction}.withheld")
    party = call.number or call.display_name
    if call.number and call.display_name and call.display_name != call.number:
        party = f"{call.display_name} ({party})"
    return words(f"heading.{call.direction}", party=party)


def how_ended(report: Report, words: Words) -> str:
    """Return who ended the call and how, with the SIP answer when that says more."""
    call = report.call
    if call.state == "live":
        return words("state.live")
    if not call.cause:
        return ""
    cause, party = words.named("cause", call.cause), words.named("party", call.ended_by)
    how = words("ended.by", cause=cause, party=party) if call.ended_by else cause
    return f"{how} (SIP {report.end_sip_code})" if report.end_sip_code >= 300 else how


def clock(utc: str | None) -> str:
    """Return an ISO 8601 time without its T, fraction and zone."""
    return utc.replace("T", " ")[:19] if utc else ""


def facts(report: Report, words: Words) -> list[tuple[str, str]]:
    """Return the call's facts as labels and values, those that it has."""
    call = report.call
    answered = call.state == "live" or report.answered_at_s is not None
    never = "" if answered else words("fact.never")
    listed = [
        ("fact.call", call.call_id),
        ("fact.began", clock(call.started_utc)),
        ("fact.answered", clock(call.answered_utc) or never),
        ("fact.ended", f"{clock(call.ended_utc)}  {how_ended(report, words)}".strip()),
        ("fact.codec", _codec(report)),
        ("fact.recording", report.recording),
        ("fact.verdicts", words("fact.verdicts.live") if report.live_verdicts else ""),
        ("fact.start", "" if report.signalled else words("fact.start.foreign")),
    ]
    return [(words(key), value) for key, value in listed if value]


def _codec(report: Report) -> str:
    if not report.codec:
        return ""
    if report.signalled and report.sample_rate_hz:
        return f"{report.codec}, {report.sample_rate_hz} Hz"
    return report.codec


def happenings(report: Report, words: Words) -> list[Happening]:
    """Return what happened in the order of time, sound levels and talk-spurts apart."""
    found = [*_signalling(report, words), *(_moment(moment, words) for moment in report.moments)]
    for key in report.keys:
        text = words("moment.dtmf", side=words(f"side.{key.side}"), digit=key.digit)
        found.append(Happening(key.at_s, text, key.event))
    for tone in report.tones:
        found.append(Happening(tone.start_s, tone_says(tone, words), tone.event))
    for stretch in report.stretches:
        if stretch.kind != "overlap":
            found.append(Happening(stretch.start_s, stretch_says(stretch, words), stretch.event))
    return sorted(found, key=lambda happening: (happening.at_s, happening.event or 0))


def tone_name(tone: ToneSpan, words: Words) -> str:
    """Return what a tone is, with its count or variant."""
    name = words.named("tone", tone.tone)
    if not tone.detail:
        return name
    if tone.tone == "ringback":
        return words("tone.ring", tone=name, ring=tone.detail)
    return words("tone.of", tone=name, detail=tone.detail)


def tone_says(tone: ToneSpan, words: Words) -> str:
    """Return the sentence that a tone was heard."""
    return words("moment.tone", tone=tone_name(tone, words), level=words.tone_level(tone.level_dbm0))


def stretch_says(stretch: Stretch, words: Words) -> str:
    """Return the sentence about an overlap, an interruption or dead air."""
    return words(f"moment.{stretch.kind}", length=words.duration(stretch.end_s - stretch.start_s))


def turns_figures(report: Report, words: Words) -> list[tuple[str, str, str]]:
    """Return dead air and interruptions of the whole call: name, quantity, share of the sound's time."""
    shared = report.shared
    if shared is None:
        return []
    talk = report.talk
    share = words.percent(talk.percent(shared.dead_air_s)) if talk is not None else ""
    return [
        (words("talk.dead_air"), words.duration(shared.dead_air_s), share),
        (words("talk.interruptions"), str(shared.interruptions), ""),
    ]


def voice_figures(report: Report, words: Words) -> list[list[str]]:
    """Return the table of pace and noise, its head first; empty for a call that has none."""
    sides = ("agent", report.agent_voice), ("customer", report.customer_voice)
    rows = [
        [
            words(f"side.{side}"),
            words.pace(voice.syllables_per_s),
            words.duration(voice.articulated_s),
            words.level(voice.noise_level_dbov),
            words.quantity(voice.snr_db, "dB"),
        ]
        for side, voice in sides
        if voice is not None
    ]
    names = ("table.side", "voice.pace", "voice.articulated", "voice.noise", "voice.snr")
    return [[words(name) for name in names], *rows] if rows else []


def network_figures(report: Report, words: Words) -> list[list[str]]:
    """Return the table of what the network did to the sound, its head first; empty for a call without."""
    told = report.quality
    if told is None:
        return []
    heard = (told.received, told.lost_percent, told.jitter_ms, told.heard_mos)
    sent = (told.sent, told.sent_lost_percent, told.sent_jitter_ms, told.sent_mos)
    names = ("direction", "packets", "lost", "jitter", "trip", "mos")
    return [
        [words(f"network.{name}") for name in names],
        *(
            [
                words(f"network.{direction}"),
                str(packets),
                words.quantity(lost, "%"),
                words.quantity(jitter_ms, "ms"),
                words.quantity(told.round_trip_ms, "ms"),
                words("unit.none") if mos is None else f"{mos:.2f}",
            ]
            for direction, (packets, lost, jitter_ms, mos) in (("heard", heard), ("sent", sent))
        ),
    ]


def _signalling(report: Report, words: Words) -> Iterator[Happening]:
    if report.alerting_at_s is not None:
        outgoing = report.call.direction == "outgoing"
        text = words("moment.alerting.outgoing" if outgoing else "moment.alerting")
        yield Happening(report.alerting_at_s, text, None)
    for ring in report.rings:
        text = words("moment.ring", ring=ring.number, wait=words.duration(ring.wait_s))
        yield Happening(ring.at_s, text, ring.event, ring.urgency)
    if report.media_at_s is not None:
        yield Happening(report.media_at_s, words("moment.media", codec=_codec(report)), None)
    if report.answered_at_s is not None:
        yield Happening(report.answered_at_s, words("moment.answered"), None)
        if report.greeting_s is not None:
            yield Happening(report.answered_at_s + report.greeting_s, words("moment.greeting"), None)
    if report.ended_at_s is not None:
        how = how_ended(report, words)
        text = words("moment.ended.how", how=how) if how else words("moment.ended")
        yield Happening(report.ended_at_s, text, None)


def _moment(moment: Moment, words: Words) -> Happening:
    if moment.kind == "norm":
        rule, state = words.named("rule", moment.rule), words.named("verdict", moment.state)
        text = words("moment.norm", rule=rule, state=state)
        if moment.value is not None:
            text += f" ({words.quantity(moment.value, moment.unit)})"
        return Happening(moment.at_s, text, moment.event, moment.state)
    if moment.kind == "request" and moment.state:
        what = words.named("request", moment.name)
        text = words("moment.request.via", what=what, source=moment.state)
    else:
        text = words(f"moment.{moment.kind}", what=words.named(moment.kind, moment.name))
    state = moment.state if moment.kind == "prompt" else ""
    return Happening(moment.at_s, text, moment.event, state)
