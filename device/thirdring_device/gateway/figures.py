"""Key figures and forecasts as the servers give them: out of the journal, for times as people write them."""

import zoneinfo
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Protocol

from thirdring.protocol.errors import error
from thirdring.protocol.events import Record
from thirdring.protocol.figures import FiguresBy, FiguresReport, Forecast, Staffing
from thirdring_device.core.erlang import staffing
from thirdring_device.core.figures import MOST_ROWS, figures
from thirdring_device.core.figures_facts import collect
from thirdring_device.core.figures_settings import FiguresSettings
from thirdring_device.core.forecast import forecast, look_back
from thirdring_device.settings import Settings

__all__ = ["KeyFigures", "time_of", "utc_text"]

BY: Final[tuple[FiguresBy, ...]] = ("hour", "day", "agent", "all")
WRAP_UP: Final = timedelta(hours=2)
"""A wrap-up, and a long call, may go on so long behind the time asked for."""


class Source(Protocol):
    """The journal."""

    def figure_records(self, start_utc: str, end_utc: str, *, verdicts: bool) -> list[Record]:
        """Return what key figures count of the calls that began from ``start_utc`` to ``end_utc``."""


def _now() -> datetime:
    return datetime.now(UTC)


class KeyFigures:
    """Reads the journal and computes; every method may be called from any thread."""

    def __init__(
        self, reader: Source, settings: Callable[[], Settings], now: Callable[[], datetime] = _now
    ) -> None:
        self._reader = reader
        self._now_set = settings
        self._now = now

    @property
    def _settings(self) -> FiguresSettings:
        return self._now_set().figures

    @property
    def _zone(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(self._now_set().firm.time_zone)

    def figures(self, start: str = "", end: str = "", by: str = "hour") -> FiguresReport:
        """Return the figures from ``start`` (default: midnight) to ``end`` (default: the next one after it).

        Each is a date or date and time, ISO 8601, in local time unless it says otherwise. Raises
        ``RequestError`` 1004.
        """
        now = self._now()
        if by not in BY:
            raise error(1004, f"by is {by!r:.40}, not one of {', '.join(BY)}")
        begins = self._time(start) if start else self._midnight(now.astimezone(self._zone).date())
        if end:
            ends = self._time(end)
        else:
            ends = self._midnight(begins.astimezone(self._zone).date() + timedelta(days=1))
        if not timedelta(0) < ends - begins <= timedelta(days=MOST_ROWS):
            raise error(1004, f"from {begins.isoformat()} to {ends.isoformat()}")
        window = timedelta(days=self._settings.repeat_days)
        wide = self._reader.figure_records(utc_text(begins - window), utc_text(ends + window), verdicts=False)
        narrow = self._reader.figure_records(utc_text(begins), utc_text(ends), verdicts=True)
        numbered = {record.number: record for record in (*wide, *narrow)}
        facts = collect((numbered[number] for number in sorted(numbered)), now)
        try:
            return figures(facts, begins, ends, by, self._zone, self._settings, now)
        except ValueError as reason:
            raise error(1004, str(reason)) from reason

    def forecast(self) -> Forecast:
        """Return the forecast of a week's arrivals, with the agents that each hour needs."""
        now = self._now()
        start, end = look_back(now, self._settings.forecast_weeks, self._zone)
        records = self._reader.figure_records(utc_text(start), utc_text(end + WRAP_UP), verdicts=False)
        return forecast(collect(records, now), now, self._zone, self._settings)

    def staffing(
        self,
        calls_per_h: float,
        handling_time_s: float | None = None,
        answer_within_s: float | None = None,
        service_level_percent: float | None = None,
    ) -> Staffing:
        """Return what a load needs, by the settings where nothing is said; raises ``RequestError`` 1004."""
        settings = self._settings
        try:
            return staffing(
                calls_per_h,
                settings.handling_time_s if handling_time_s is None else handling_time_s,
                answer_within_s=settings.answer_within_s if answer_within_s is None else answer_within_s,
                service_level_percent=(
                    settings.service_level_percent if service_level_percent is None else service_level_percent
                ),
                shrinkage_percent=settings.shrinkage_percent,
                most_occupancy_percent=settings.most_occupancy_percent,
            )
        except ValueError as reason:
            raise error(1004, str(reason)) from reason

    def _time(self, text: str) -> datetime:
        return time_of(text, self._zone)

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), self._zone).astimezone(UTC)


def time_of(text: str, zone: zoneinfo.ZoneInfo) -> datetime:
    """Return a date or date and time, ISO 8601, in ``zone`` unless it says otherwise.

    Raises ``RequestError`` 1004.
    """
    try:
        at = datetime.fromisoformat(text.strip())
        return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError) as reason:
        raise error(1004, f"{text!r:.60} is not a date or date and time (ISO 8601)") from reason


def utc_text(at: datetime) -> str:
    """Return ``at`` as the journal writes times."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
