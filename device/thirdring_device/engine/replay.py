"""Judging again: the facts of a call in, the derived events out, by the very core that judged live."""

import math
import zoneinfo
from collections.abc import Iterable

from thirdring.protocol.errors import error
from thirdring.protocol.events import Event, Record, Verdict
from thirdring_device.core.desk import Desk, DeskSettings
from thirdring_device.core.norms.outbound import windows
from thirdring_device.settings import Settings
from thirdring_dsp import tone_plans

__all__ = ["desk_settings", "replay", "verdicts"]


def desk_settings(settings: Settings) -> DeskSettings:
    """Return what the core needs; raises ``StorageError`` 5005 for a country without a tone plan."""
    try:
        period_s = tone_plans.ringback_cycle_s(settings.trunk.country)
    except ValueError as reason:
        raise error(5005, f"trunk.country: {reason}") from reason
    norms = settings.norms
    try:
        zoneinfo.ZoneInfo(settings.firm.time_zone)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError) as reason:
        raise error(5005, f"firm.time_zone: {reason}") from reason
    hours = {
        "norms.outbound.weekday_hours": norms.outbound.weekday_hours,
        "norms.outbound.weekend_hours": norms.outbound.weekend_hours,
        "figures.weekday_shifts": settings.figures.weekday_shifts,
        "figures.weekend_shifts": settings.figures.weekend_shifts,
    }
    for name, texts in hours.items():
        try:
            windows(texts)
        except ValueError as reason:
            raise error(5005, f"{name}: {reason}") from reason
    return DeskSettings(
        period_s,
        norms.answer,
        norms.voice,
        norms.hold,
        norms.call,
        norms.prompt,
        settings.calls,
        settings.agent,
        settings.firm,
        norms.returns,
        norms.notes,
        norms.outbound,
        norms.survey,
    )


def replay(records: Iterable[Record], settings: DeskSettings, *, finish: bool = True) -> list[Event]:
    """Feed the facts among ``records`` to a new desk; return every event it derives, in order.

    ``finish``: then let the time pass in which norms are judged that come after the call.
    """
    desk = Desk(settings)
    derived: list[Event] = []
    for record in records:
        if not record.event.derived:
            derived.extend(desk.handle(record).events)
    if finish and not desk.calls:
        derived.extend(desk.wake(math.inf).events)
    return derived


def verdicts(events: Iterable[Event]) -> list[Verdict]:
    """Return the verdicts among ``events``."""
    return [event for event in events if isinstance(event, Verdict)]
