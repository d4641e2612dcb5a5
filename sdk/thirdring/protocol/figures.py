"""Key figures of a desk, each with its formula and where the formula comes from.

The fields below are the one list: the appliance computes them (``thirdring_device.core.figures``), hosts
read them, ``docs/figures.md`` is written from them. None stands for a figure without a denominator.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

__all__ = [
    "FORMULAS",
    "FiguresBy",
    "FiguresReport",
    "FiguresRow",
    "Forecast",
    "ForecastHour",
    "Formula",
    "NormScore",
    "Staffing",
]

FiguresBy = Literal["hour", "day", "agent", "all"]

CISCO: Final = "Cisco ICM and IP Contact Center Enterprise reporting guide, table Service Level Formulas"
GANS: Final = (
    "Gans, Koole, Mandelbaum: Telephone Call Centers: Tutorial, Review, and Research Prospects (MSOM 5, 2003)"
)
CCAI: Final = "Google Contact Center AI Platform, data dictionary"
OURS: Final = "ours"


@dataclass(frozen=True, slots=True)
class Formula:
    """How a figure is made: its unit, in words, and who defines it so."""

    unit: str
    formula: str
    source: str


def _figure(unit: str, formula: str, source: str = OURS) -> Any:
    return field(metadata={"formula": Formula(unit, formula, source)})


@dataclass(frozen=True, slots=True, kw_only=True)
class NormScore:
    """How one norm was kept; ``met_percent`` is of the calls it was judged in, None where in none."""

    met: int
    warned: int
    breached: int
    not_applicable: int
    met_percent: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FiguresRow:
    """The figures of one hour, one day, one agent or the whole time.

    A call counts, with all of its times, where it began. Calls that have not ended do not count yet.
    """

    start_utc: str
    end_utc: str
    label: str
    """The beginning in local time, or the agent."""
    offered: int = _figure("calls", "incoming calls that began to ring (180)", GANS)
    turned_away: int = _figure(
        "calls", "incoming calls that never rang: busy, do not disturb, sent on at once"
    )
    answered: int = _figure("calls", "offered calls that were answered", GANS)
    abandoned: int = _figure(
        "calls", "offered calls that the caller gave up after short_abandon_s or later", CCAI
    )
    short_abandoned: int = _figure(
        "calls", "offered calls that the caller gave up before short_abandon_s", CCAI
    )
    passed_on: int = _figure(
        "calls", "offered calls that were forwarded, overflowed or refused while they rang"
    )
    abandoned_percent: float | None = _figure("%", "100 abandoned / (answered + abandoned)", CCAI)
    answered_in_time: int = _figure("calls", "answered calls with a wait of at most answer_within_s", CISCO)
    service_level_percent: float | None = _figure(
        "%", "100 answered_in_time / offered (abandoned calls count against it)", CISCO
    )
    service_level_ignoring_abandoned_percent: float | None = _figure(
        "%",
        "100 answered_in_time / (offered - calls given up within answer_within_s) (those are ignored)",
        CISCO,
    )
    average_speed_of_answer_s: float | None = _figure(
        "s", "sum of the waits (180 to 200) of answered calls / answered", GANS
    )
    longest_wait_s: float | None = _figure("s", "longest wait of the offered calls, answered or not")
    talk_s: float = _figure("s", "answered incoming calls: answer to end, less hold_s", CCAI)
    hold_s: float = _figure("s", "answered incoming calls: time on hold by the agent", CCAI)
    wrap_up_s: float = _figure("s", "time in the state wrap_up after these calls", CCAI)
    average_handling_time_s: float | None = _figure("s", "(talk_s + hold_s + wrap_up_s) / answered", CCAI)
    held: int = _figure("calls", "answered incoming calls that were on hold at least once")
    held_percent: float | None = _figure("%", "100 held / answered")
    transferred: int = _figure("calls", "answered incoming calls whose transfer succeeded")
    transferred_percent: float | None = _figure("%", "100 transferred / answered")
    outgoing: int = _figure("calls", "calls of ours")
    outgoing_answered: int = _figure("calls", "calls of ours that were answered")
    outgoing_talk_s: float = _figure("s", "calls of ours: answer to end")
    ready_s: float = _figure("s", "time in the state ready within the interval")
    talking_s: float = _figure("s", "time in the state talking within the interval, calls of ours included")
    working_after_s: float = _figure("s", "time in the state wrap_up within the interval")
    break_s: float = _figure("s", "time in the state break within the interval")
    away_s: float = _figure("s", "time in the state away within the interval")
    shift_s: float | None = _figure(
        "s", "length of the shifts within the interval, as far as they have passed; null when none are set"
    )
    staffed_s: float = _figure(
        "s", "time in the states ready, talking and wrap_up within the shifts, at all when none are set"
    )
    staffed_percent: float | None = _figure("%", "100 staffed_s / shift_s")
    occupancy_percent: float | None = _figure(
        "%",
        "100 (talking_s + working_after_s) / staffed_s, of these the time within the shifts",
        GANS,
    )
    first_call_resolution_percent: float | None = _figure(
        "%",
        "100 (1 - answered calls that the same number followed up within repeat_days / answered calls), "
        "of calls with a number and at least repeat_days old",
    )
    repeat_calls: int = _figure(
        "calls", "offered calls whose number had been offered within repeat_days before"
    )
    repeat_callers: int = _figure("numbers", "different numbers among repeat_calls")
    norms: Mapping[str, NormScore] = field(default_factory=dict)
    """By rule; of all calls that began in the interval, incoming and outgoing."""


FORMULAS: Final[Mapping[str, Formula]] = {
    known.name: known.metadata["formula"]
    for known in dataclasses.fields(FiguresRow)
    if "formula" in known.metadata
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FiguresReport:
    """The figures from ``from_utc`` up to ``to_utc``, in rows and as a whole, with the limits used."""

    from_utc: str
    to_utc: str
    by: FiguresBy
    time_zone: str
    answer_within_s: float
    short_abandon_s: float
    repeat_days: int
    rows: tuple[FiguresRow, ...]
    total: FiguresRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Staffing:
    """How many agents a load needs (Erlang C), and how they would do.

    ``occupancy_percent`` of the agents present; ``scheduled`` has the shrinkage (breaks, leave) on top.
    """

    calls_per_h: float
    handling_time_s: float
    load_erlang: float
    agents: int
    scheduled: int
    waiting_percent: float
    service_level_percent: float
    average_speed_of_answer_s: float
    occupancy_percent: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastHour:
    """One hour of the week (``weekday`` 0 is Monday): the mean of the weeks seen, and what it needs."""

    weekday: int
    hour: int
    weeks: int
    calls: float
    staffing: Staffing


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """Arrivals by hour of the week from ``weeks`` whole weeks of the journal, and the agents they need."""

    from_utc: str
    to_utc: str
    weeks: int
    time_zone: str
    handling_time_s: float
    answer_within_s: float
    service_level_percent: float
    hours: tuple[ForecastHour, ...]
