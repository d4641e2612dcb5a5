"""The settings of the firm that the desk belongs to, and of its key figures."""

from dataclasses import dataclass

from thirdring_device.core.settings import setting

__all__ = ["FiguresSettings", "FirmSettings"]


@dataclass(frozen=True, slots=True)
class FirmSettings:
    """Whose desk this is: what prompts fill in, and what local time is."""

    name: str = setting("", "name of the firm, for prompts", live=True)
    department: str = setting("", "department, for prompts", live=True)
    agent: str = setting("", "name or number of the agent, until one signs in", live=True)
    language: str = setting("zh", "language of prompts and announcements", choices=("zh", "en"), live=True)
    internal_digits: int = setting(
        5, "numbers of at most so many digits are colleagues'", unit="digits", low=0, high=12, live=True
    )
    time_zone: str = setting("Asia/Shanghai", "time zone of the desk (IANA name)", live=True)
    set_up: bool = setting(
        False, "the page's set-up was gone through; without that and a trunk it shows itself", live=True
    )


@dataclass(frozen=True, slots=True)
class FiguresSettings:
    """The limits of the key figures and of staffing."""

    answer_within_s: float = setting(
        20.0, "wait within which an answer counts for the service level", unit="s", low=1.0, high=600.0
    )
    service_level_percent: float = setting(
        80.0, "service level that staffing aims at", unit="%", low=1.0, high=99.9
    )
    short_abandon_s: float = setting(
        5.0, "wait below which a given-up call is a short abandon", unit="s", low=0.0, high=60.0
    )
    repeat_days: int = setting(
        7, "days within which a further call of a number is a repeat", unit="days", low=1, high=60
    )
    weekday_shifts: tuple[str, ...] = setting(
        (), "when the desk is staffed from Monday to Friday, HH:MM-HH:MM of local time; a night is two"
    )
    weekend_shifts: tuple[str, ...] = setting((), "when the desk is staffed on Saturday and Sunday")
    handling_time_s: float = setting(
        180.0,
        "handling time that staffing assumes until the journal has one",
        unit="s",
        low=1.0,
        high=7200.0,
    )
    shrinkage_percent: float = setting(
        30.0,
        "share of paid time that agents are not at the telephone, for staffing",
        unit="%",
        low=0.0,
        high=90.0,
    )
    most_occupancy_percent: float = setting(
        85.0, "occupancy that staffing does not exceed", unit="%", low=10.0, high=100.0
    )
    forecast_weeks: int = setting(
        8, "whole weeks of the journal that a forecast looks back on", unit="weeks", low=1, high=104
    )
