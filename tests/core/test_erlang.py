"""Erlang C against exact arithmetic; the forecast against counts by hand."""

import math
import zoneinfo
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest

from thirdring_device.core.erlang import probability_of_waiting, staffing
from thirdring_device.core.figures_facts import CallFacts, Facts
from thirdring_device.core.figures_settings import FiguresSettings
from thirdring_device.core.forecast import forecast, look_back

ZONE = zoneinfo.ZoneInfo("Asia/Shanghai")


def exactly(load: Fraction, agents: int) -> Fraction:
    """Erlang C as it stands in the textbooks, in fractions."""
    last = load**agents / math.factorial(agents) * agents / (agents - load)
    return last / (sum(load**k / math.factorial(k) for k in range(agents)) + last)


@pytest.mark.parametrize(("load", "agents"), [("1/2", 1), ("8", 10), ("48", 55), ("99/10", 11), ("150", 160)])
def test_probability_of_waiting_is_the_textbooks(load: str, agents: int) -> None:
    exact = exactly(Fraction(load), agents)
    assert probability_of_waiting(float(Fraction(load)), agents) == pytest.approx(float(exact), rel=1e-9)


def test_the_common_example_of_360_calls_in_half_an_hour() -> None:
    """360 calls in 30 min, 4 min each, 55 agents, 15 s: 48 erlang; the fewest agents for what 55 give."""
    waiting = float(exactly(Fraction(48), 55))
    level_percent = 100.0 * (1.0 - waiting * math.exp(-7.0 * 15.0 / 240.0))
    needed = staffing(720.0, 240.0, answer_within_s=15.0, service_level_percent=level_percent - 0.1)
    assert needed.agents == 55
    assert needed.service_level_percent == pytest.approx(level_percent)
    assert needed.waiting_percent == pytest.approx(100.0 * waiting)
    assert needed.average_speed_of_answer_s == pytest.approx(waiting * 240.0 / 7.0)
    assert needed.occupancy_percent == pytest.approx(100.0 * 48.0 / 55.0)


def test_100_calls_of_three_minutes_at_80_in_20() -> None:
    """5 erlang: 8 agents give 80/20 where 7 do not."""
    needed = staffing(100.0, 180.0, answer_within_s=20.0, service_level_percent=80.0)
    with_seven = 1.0 - float(exactly(Fraction(5), 7)) * math.exp(-2.0 * 20.0 / 180.0)
    assert with_seven < 0.8
    assert (needed.load_erlang, needed.agents) == (5.0, 8)
    assert needed.service_level_percent == pytest.approx(
        100.0 * (1.0 - float(exactly(Fraction(5), 8)) * math.exp(-3.0 * 20.0 / 180.0))
    )


def test_occupancy_and_shrinkage_add_agents() -> None:
    plain = staffing(1000.0, 300.0, answer_within_s=60.0, service_level_percent=50.0)
    careful = staffing(
        1000.0,
        300.0,
        answer_within_s=60.0,
        service_level_percent=50.0,
        shrinkage_percent=30.0,
        most_occupancy_percent=85.0,
    )
    assert plain.occupancy_percent > 85.0 >= careful.occupancy_percent
    assert careful.scheduled == math.ceil(careful.agents / 0.7)


def test_no_calls_need_nobody_and_nonsense_is_refused() -> None:
    needed = staffing(0.0, 180.0, answer_within_s=20.0, service_level_percent=80.0)
    assert (needed.agents, needed.service_level_percent) == (0, 100.0)
    for load in (-1.0, math.nan, 1e9):
        with pytest.raises(ValueError, match="calls per hour"):
            staffing(load, 180.0, answer_within_s=20.0, service_level_percent=80.0)


def call(started: datetime) -> CallFacts:
    return CallFacts(
        "c",
        True,
        "1",
        started,
        "",
        alerting_at_s=0.0,
        answered_at_s=5.0,
        ended_at_s=125.0,
        ended_by="customer",
    )


def test_a_forecast_is_the_mean_of_the_same_hour_in_the_weeks_before() -> None:
    wednesday = datetime(2026, 11, 18, 15, 30, tzinfo=ZONE)
    start, end = look_back(wednesday, 8, ZONE)
    assert (start.isoformat(), end.isoformat()) == ("2026-09-21T00:00:00+08:00", "2026-11-16T00:00:00+08:00")
    mondays = [datetime(2026, 11, day, 9, 10, tzinfo=ZONE) for day in (2, 9)]
    calls = [call((monday + timedelta(minutes=n)).astimezone(UTC)) for monday in mondays for n in range(20)]
    calls.append(call(wednesday))
    made = forecast(Facts(tuple(calls), ()), wednesday, ZONE, FiguresSettings())
    by_hour = {(hour.weekday, hour.hour): hour for hour in made.hours}
    assert len(by_hour) == 168
    assert (made.weeks, made.handling_time_s) == (2, 120.0)
    assert by_hour[0, 9].calls == 20.0
    assert by_hour[0, 9].staffing.load_erlang == pytest.approx(20.0 * 120.0 / 3600.0)
    assert sum(hour.calls for hour in made.hours) == 20.0
