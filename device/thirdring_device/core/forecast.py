"""How many calls each hour of the week brings, and how many agents it needs.

The forecast of an hour of the week is the mean of the same hour in the whole weeks looked back on, the
seasonal mean of Hyndman and Athanasopoulos, "Forecasting: Principles and Practice", section 5.2. No trend is
assumed: a desk's journal is too short for one.
"""

from collections import Counter
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Final

from thirdring.protocol.figures import Forecast, ForecastHour
from thirdring_device.core.erlang import staffing
from thirdring_device.core.figures_facts import Facts
from thirdring_device.core.figures_settings import FiguresSettings

__all__ = ["forecast", "look_back"]

WEEK: Final = timedelta(days=7)
DAYS: Final = 7
HOURS: Final = 24


def look_back(now: datetime, weeks: int, zone: tzinfo) -> tuple[datetime, datetime]:
    """Return where the last whole local weeks (from Monday on) before ``now`` begin and end."""
    today = now.astimezone(zone).date()
    monday = today - timedelta(days=today.weekday())
    first = monday - weeks * WEEK
    return datetime.combine(first, time(), zone), datetime.combine(monday, time(), zone)


def forecast(facts: Facts, now: datetime, zone: tzinfo, settings: FiguresSettings) -> Forecast:
    """Return the forecast of a week by the journal's facts.

    Weeks before the first call are not counted as empty ones. The handling time is the mean of the answered
    incoming calls, wrap-up included; without one it is the setting's.
    """
    start, end = look_back(now, settings.forecast_weeks, zone)
    offered = [call for call in facts.calls if call.offered and start <= call.started < end]
    weeks = 0
    if offered:
        first = min(call.started for call in offered).astimezone(zone).date()
        weeks = (end.date() - first + timedelta(days=DAYS - 1)) // WEEK
    counts = Counter(
        (local.weekday(), local.hour) for local in (call.started.astimezone(zone) for call in offered)
    )
    answered = [call for call in offered if call.answered and call.ended]
    handling_time_s = settings.handling_time_s
    if answered:
        spent_s = sum(call.talk_s + call.hold_s + call.wrap_up_s for call in answered)
        handling_time_s = max(1.0, round(spent_s / len(answered), 3))
    hours = []
    for weekday in range(DAYS):
        for hour in range(HOURS):
            calls = counts[weekday, hour] / weeks if weeks else 0.0
            needed = staffing(
                calls,
                handling_time_s,
                answer_within_s=settings.answer_within_s,
                service_level_percent=settings.service_level_percent,
                shrinkage_percent=settings.shrinkage_percent,
                most_occupancy_percent=settings.most_occupancy_percent,
            )
            hours.append(ForecastHour(weekday=weekday, hour=hour, weeks=weeks, calls=calls, staffing=needed))
    return Forecast(
        from_utc=_iso(start),
        to_utc=_iso(end),
        weeks=weeks,
        time_zone=str(zone),
        handling_time_s=handling_time_s,
        answer_within_s=settings.answer_within_s,
        service_level_percent=settings.service_level_percent,
        hours=tuple(hours),
    )


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
