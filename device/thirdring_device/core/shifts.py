"""Shifts: when somebody is to be at the desk, as the settings say."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

from thirdring_device.core.figures_settings import FiguresSettings
from thirdring_device.core.norms.outbound import WEEKEND, windows

__all__ = ["Shifts"]

Interval = tuple[datetime, datetime]
DAY: Final = timedelta(days=1)


class Shifts:
    """The shifts of a desk, in its local time. A night's shift is two: up to 24:00 and from 00:00 on."""

    def __init__(self, settings: FiguresSettings, zone: tzinfo) -> None:
        """Raise ``ValueError`` for what is not HH:MM-HH:MM."""
        self._weekday = windows(settings.weekday_shifts)
        self._weekend = windows(settings.weekend_shifts)
        self._zone = zone

    @property
    def known(self) -> bool:
        """Whether there are any."""
        return bool(self._weekday or self._weekend)

    def between(self, start: datetime, end: datetime) -> Iterator[Interval]:
        """Yield the shifts that touch ``start`` to ``end``, cut to it, in UTC."""
        day = start.astimezone(self._zone).date()
        while self._moment(day, time()) < end:
            for begins, ends in self._weekend if day.weekday() >= WEEKEND else self._weekday:
                first, last = self._moment(day, begins), self._moment(day, ends)
                if max(first, start) < min(last, end):
                    yield max(first, start), min(last, end)
            day += DAY

    def _moment(self, day: date, at: time) -> datetime:
        if at == time.max:  # 24:00
            day, at = day + DAY, time()
        return datetime.combine(day, at, self._zone).astimezone(UTC)
