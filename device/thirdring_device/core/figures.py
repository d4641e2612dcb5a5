"""The key figures of a desk: rows of ``thirdring.protocol.figures`` out of what the journal holds.

Nothing is kept but the journal: the figures of any time can be made again, and are then the same.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Final

from thirdring.protocol.figures import FiguresBy, FiguresReport, FiguresRow, NormScore
from thirdring_device.core.figures_facts import CallFacts, Facts
from thirdring_device.core.figures_settings import FiguresSettings
from thirdring_device.core.shifts import Shifts

__all__ = ["MOST_ROWS", "figures", "intervals"]

MOST_ROWS: Final = 3000
"""Rows of one report: four months of hours."""
PASSED_ON: Final = frozenset({"forwarded", "overflow", "rejected", "busy", "do_not_disturb"})

Interval = tuple[datetime, datetime]


def intervals(start: datetime, end: datetime, by: FiguresBy, zone: tzinfo) -> Iterator[Interval]:
    """Yield the hours or days of local time that touch ``start`` to ``end``, cut to it."""
    at = start
    while at < end:
        local = at.astimezone(zone)
        if by == "hour":
            whole = local.replace(minute=0, second=0, microsecond=0).astimezone(UTC) + timedelta(hours=1)
        elif by == "day":
            tomorrow = datetime.combine(local.date() + timedelta(days=1), time(), zone)
            whole = tomorrow.astimezone(UTC)
        else:
            whole = end
        yield at, min(whole, end)
        at = min(whole, end)


def figures(
    facts: Facts,
    start: datetime,
    end: datetime,
    by: FiguresBy,
    zone: tzinfo,
    settings: FiguresSettings,
    now: datetime,
) -> FiguresReport:
    """Return the figures from ``start`` up to ``end``; all times are aware.

    ``facts`` reach ``repeat_days`` farther on both sides, for what the same numbers did before and after.
    ``now`` says how much of that has happened. Raises ``ValueError`` for more than ``MOST_ROWS`` rows.
    """
    if by == "hour" and (end - start) > timedelta(hours=MOST_ROWS):
        raise ValueError(f"more than {MOST_ROWS} rows")
    maker = _Maker(facts, zone, settings, now)
    if by == "agent":
        names = sorted({call.agent for call in facts.calls} | {span.agent for span in facts.spans})
        rows = [maker.row(start, end, name, label=name) for name in names]
        rows = [row for row in rows if row.offered or row.outgoing or row.ready_s or row.talking_s]
    else:
        rows = [maker.row(*interval) for interval in intervals(start, end, by, zone)]
    return FiguresReport(
        from_utc=_iso(start),
        to_utc=_iso(end),
        by=by,
        time_zone=str(zone),
        answer_within_s=settings.answer_within_s,
        short_abandon_s=settings.short_abandon_s,
        repeat_days=settings.repeat_days,
        rows=tuple(rows),
        total=maker.row(start, end),
    )


class _Maker:
    """Makes rows of one set of facts."""

    def __init__(self, facts: Facts, zone: tzinfo, settings: FiguresSettings, now: datetime) -> None:
        self._calls = sorted((call for call in facts.calls if call.ended), key=lambda call: call.started)
        self._starts = [call.started for call in self._calls]
        self._spans = facts.spans
        self._zone = zone
        self._shifts = Shifts(settings, zone)
        self._settings = settings
        self._window = timedelta(days=settings.repeat_days)
        self._now = now
        self._offered_of: dict[str, list[datetime]] = defaultdict(list)
        for call in self._calls:
            if call.offered and call.number:
                self._offered_of[call.number].append(call.started)

    def row(self, start: datetime, end: datetime, agent: str | None = None, label: str = "") -> FiguresRow:
        """Return the figures of one interval, of one agent or of all."""
        first, behind = bisect_left(self._starts, start), bisect_left(self._starts, end)
        calls = [call for call in self._calls[first:behind] if agent in (None, call.agent)]
        incoming = [call for call in calls if call.incoming]
        offered = [call for call in incoming if call.offered]
        answered = [call for call in offered if call.answered]
        given_up = [call for call in offered if call.given_up]
        outgoing = [call for call in calls if not call.incoming]
        settings = self._settings
        short = sum(call.wait_s < settings.short_abandon_s for call in given_up)
        abandoned = len(given_up) - short
        in_time = sum(call.wait_s <= settings.answer_within_s for call in answered)
        soon_given_up = sum(call.wait_s <= settings.answer_within_s for call in given_up)
        talk_s, hold_s = sum(c.talk_s for c in answered), sum(c.hold_s for c in answered)
        wrap_up_s = sum(call.wrap_up_s for call in answered)
        held, transferred = sum(c.held for c in answered), sum(c.transferred for c in answered)
        repeats = [call for call in offered if self._called_before(call)]
        spent_s = self._spent_s(start, end, agent)
        shift_s, in_shift_s = self._in_shift(start, end, agent)
        busy_s = in_shift_s["talking"] + in_shift_s["wrap_up"]
        staffed_s = busy_s + in_shift_s["ready"]
        return FiguresRow(
            start_utc=_iso(start),
            end_utc=_iso(end),
            label=label or start.astimezone(self._zone).isoformat(timespec="minutes"),
            offered=len(offered),
            turned_away=len(incoming) - len(offered),
            answered=len(answered),
            abandoned=abandoned,
            short_abandoned=short,
            passed_on=sum(not call.answered and call.cause in PASSED_ON for call in offered),
            abandoned_percent=_percent(abandoned, len(answered) + abandoned),
            answered_in_time=in_time,
            service_level_percent=_percent(in_time, len(offered)),
            service_level_ignoring_abandoned_percent=_percent(in_time, len(offered) - soon_given_up),
            average_speed_of_answer_s=_mean(sum(call.wait_s for call in answered), len(answered)),
            longest_wait_s=round(max(call.wait_s for call in offered), 3) if offered else None,
            talk_s=round(talk_s, 3),
            hold_s=round(hold_s, 3),
            wrap_up_s=round(wrap_up_s, 3),
            average_handling_time_s=_mean(talk_s + hold_s + wrap_up_s, len(answered)),
            held=held,
            held_percent=_percent(held, len(answered)),
            transferred=transferred,
            transferred_percent=_percent(transferred, len(answered)),
            outgoing=len(outgoing),
            outgoing_answered=sum(call.answered for call in outgoing),
            outgoing_talk_s=round(sum(call.talk_s + call.hold_s for call in outgoing), 3),
            ready_s=round(spent_s["ready"], 3),
            talking_s=round(spent_s["talking"], 3),
            working_after_s=round(spent_s["wrap_up"], 3),
            break_s=round(spent_s["break"], 3),
            away_s=round(spent_s["away"], 3),
            shift_s=None if shift_s is None else round(shift_s, 3),
            staffed_s=round(staffed_s, 3),
            staffed_percent=_percent(staffed_s, shift_s or 0.0),
            occupancy_percent=_percent(busy_s, staffed_s),
            first_call_resolution_percent=self._resolved_percent(answered),
            repeat_calls=len(repeats),
            repeat_callers=len({call.number for call in repeats}),
            norms=_scores(calls),
        )

    def _spent_s(self, start: datetime, end: datetime, agent: str | None) -> dict[str, float]:
        spent_s: dict[str, float] = defaultdict(float)
        for span in self._spans:
            within = min(span.end, end) - max(span.start, start)
            if within > timedelta(0) and agent in (None, span.agent):
                spent_s[span.state] += within.total_seconds()
        return spent_s

    def _in_shift(
        self, start: datetime, end: datetime, agent: str | None
    ) -> tuple[float | None, dict[str, float]]:
        """Return the length of the shifts so far, and of the states within them; all, when none are set."""
        if not self._shifts.known:
            return None, self._spent_s(start, end, agent)
        shift_s, spent_s = 0.0, defaultdict[str, float](float)
        for begins, ends in self._shifts.between(start, min(end, self._now)):
            shift_s += (ends - begins).total_seconds()
            for state, length_s in self._spent_s(begins, ends, agent).items():
                spent_s[state] += length_s
        return shift_s, spent_s

    def _called_before(self, call: CallFacts) -> bool:
        starts = self._offered_of.get(call.number, [])
        here = bisect_left(starts, call.started)
        return here > bisect_left(starts, call.started - self._window)

    def _called_again(self, call: CallFacts) -> bool:
        starts = self._offered_of[call.number]
        here = bisect_right(starts, call.started)
        return here < bisect_right(starts, call.started + self._window)

    def _resolved_percent(self, answered: Iterable[CallFacts]) -> float | None:
        settled = [call for call in answered if call.number and call.started + self._window <= self._now]
        return _percent(sum(not self._called_again(call) for call in settled), len(settled))


def _scores(calls: Sequence[CallFacts]) -> dict[str, NormScore]:
    counts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for call in calls:
        for rule, verdict in call.verdicts.items():
            counts[rule][verdict] += 1
    return {
        rule: NormScore(
            met=found["met"],
            warned=found["warned"],
            breached=found["breached"],
            not_applicable=found["not_applicable"],
            met_percent=_percent(found["met"], found["met"] + found["warned"] + found["breached"]),
        )
        for rule, found in sorted(counts.items())
    }


def _percent(part: float, whole: float) -> float | None:
    return round(100.0 * part / whole, 3) if whole else None


def _mean(total: float, count: int) -> float | None:
    return round(total / count, 3) if count else None


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
