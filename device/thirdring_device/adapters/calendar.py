"""Local time and public holidays where a number is (``phonenumbers``, ``holidays``)."""

import functools
import zoneinfo
from datetime import date, datetime
from typing import Final

import holidays
import phonenumbers
from phonenumbers import timezone

__all__ = ["festival", "holiday", "local_time", "region_of"]

_NOT_MERRY: Final = frozenset({"休息日", "Day off", "清明节", "Tomb-Sweeping Day"})
"""Days off that nobody is wished a happy one of."""
HOLIDAY_LANGUAGES: Final = {"zh": "zh_CN", "en": "en_US"}


def region_of(e164: str, home: str) -> str:
    """Return the country of a full number (ISO 3166-1 alpha-2), ``home`` when it is not known."""
    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(e164, None)) or home
    except phonenumbers.NumberParseException:
        return home


def local_time(e164: str, now: datetime, home: zoneinfo.ZoneInfo) -> datetime:
    """Return ``now`` (aware) where a full number is; where that is not known, at the desk."""
    try:
        zones = timezone.time_zones_for_number(phonenumbers.parse(e164, None))
    except phonenumbers.NumberParseException:
        return now.astimezone(home)
    if len(zones) != 1 or zones[0] == timezone.UNKNOWN_TIMEZONE:
        return now.astimezone(home)
    return now.astimezone(zoneinfo.ZoneInfo(zones[0]))


@functools.lru_cache(maxsize=64)
def _calendar(country: str, year: int, language: str) -> holidays.HolidayBase | None:
    try:
        supported = holidays.country_holidays(country).supported_languages
        wanted = HOLIDAY_LANGUAGES.get(language, "")
        return holidays.country_holidays(
            country, years=year, language=wanted if wanted in supported else None
        )
    except NotImplementedError:
        return None


def holiday(country: str, day: date, language: str = "en") -> str:
    """Return the name of the public holiday of ``country`` on ``day``, empty when it is none or not known."""
    known = _calendar(country, day.year, language)
    return str(known.get(day, "")) if known is not None else ""


def festival(name: str) -> str:
    """Return the bare name of a holiday, without what stands in brackets; empty where nobody says "happy"."""
    bare = name.split(";")[0].split("（")[0].split(" (")[0].strip()
    return "" if bare in _NOT_MERRY else bare
