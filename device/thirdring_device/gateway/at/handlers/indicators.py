"""How the telephone stands, as 3GPP TS 27.007 clause 8 asks it: indicators, activity, signal, loudness."""

from collections.abc import Mapping
from typing import Any, Final

from thirdring.protocol.at.parse import Op, Request
from thirdring.protocol.at.values import parameters
from thirdring.protocol.commands import SetSettings
from thirdring_device.gateway.at.error_map import NOT_SUPPORTED
from thirdring_device.gateway.at.handlers.base import (
    SOURCE,
    Handler,
    Session,
    desk_state,
    in_range,
    one_parameter,
    setting_value,
)
from thirdring_device.gateway.at.indicators import IN_SERVICE, of_views
from thirdring_device.gateway.at.reply import AtFailure, AtMistake, Reply

__all__ = ["HANDLERS"]

EAR_SETTING: Final = "headset.ear_db"
LOUDEST: Final = 40
"""``+CLVL`` counts dB from the softest, -40 dB."""
_CMER_HIGHEST: Final = (3, 0, 0, 1, 1)
_READY, _RINGS, _IN_CALL = 0, 3, 4
_SHOWN_UNLESS_ASKED: Final = 4
"""``m`` of ``+CLIR``: withheld call by call."""


async def _indicators(session: Session, request: Request) -> Reply:
    state = await desk_state(session)
    return Reply([f"+CIND: {','.join(map(str, of_views(state.trunk, state.calls)))}"])


async def _event_reporting(session: Session, request: Request) -> Reply:
    """Modes 1 to 3 differ only on a line that also carries data (27.007 clause 8.10); this one never does."""
    if request.op is Op.READ:
        return Reply([f"+CMER: {','.join(map(str, session.profile.event_reporting))}"])
    found = parameters(request.argument)
    if len(found) > len(_CMER_HIGHEST):
        raise AtMistake(f"{len(found)} parameters")
    asked = [
        in_range(parameter.number, 0, high) if parameter.text else 0
        for parameter, high in zip(found, _CMER_HIGHEST, strict=False)
    ]
    session.profile.event_reporting = (*asked, *[0] * (len(_CMER_HIGHEST) - len(asked)))
    return Reply()


async def _activity(session: Session, request: Request) -> Reply:
    states = {call.state for call in (await desk_state(session)).calls}
    activity = _RINGS if states == {"incoming"} else _IN_CALL if states else _READY
    return Reply([f"+CPAS: {activity}"])


async def _signal(session: Session, request: Request) -> Reply:
    there = (await desk_state(session)).trunk in IN_SERVICE
    return Reply([f"+CSQ: {31 if there else 99},99"])


async def _loudness(session: Session, request: Request) -> Reply:
    if request.op is Op.READ:
        return Reply([f"+CLVL: {round(await setting_value(session, EAR_SETTING)) + LOUDEST}"])
    level = in_range(one_parameter(request).number, 0, LOUDEST)
    changes: Mapping[str, Any] = {EAR_SETTING: float(level - LOUDEST)}
    await session.desk.client.command(SetSettings(changes=changes, source=SOURCE))
    return Reply()


async def _our_number(session: Session, request: Request) -> Reply:
    if request.op is Op.READ:
        return Reply([f"+CLIR: {session.profile.clir},{_SHOWN_UNLESS_ASKED}"])
    session.profile.clir = in_range(one_parameter(request).number, 0, 2)
    return Reply()


async def _ussd(session: Session, request: Request) -> Reply:
    if request.op is Op.READ:
        return Reply(["+CUSD: 0"])
    found = parameters(request.argument)
    if in_range(found[0].number, 0, 2) or len(found) > 1:
        raise AtFailure(NOT_SUPPORTED)
    return Reply()


HANDLERS: Final[Mapping[str, Handler]] = {
    "+CIND": _indicators,
    "+CMER": _event_reporting,
    "+CPAS": _activity,
    "+CSQ": _signal,
    "+CLVL": _loudness,
    "+CLIR": _our_number,
    "+CUSD": _ussd,
}
