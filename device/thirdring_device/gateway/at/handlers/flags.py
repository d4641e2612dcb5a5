"""Extended commands that hold one number of the session."""

from collections.abc import Mapping
from typing import Final

from thirdring.protocol.at.parse import Op, Request
from thirdring_device.gateway.at.handlers.base import Handler, Session, desk_state, in_range, one_parameter
from thirdring_device.gateway.at.reply import Reply
from thirdring_device.gateway.at.reports import REGISTRATION

__all__ = ["HANDLERS"]

_FLAGS: Final[Mapping[str, tuple[str, int]]] = {
    "+CLIP": ("clip", 1),
    "+CMEE": ("cme", 2),
    "+CMGF": ("messages", 0),
    "+COLP": ("colp", 1),
    "+CRC": ("cring", 1),
    "+CREG": ("registration", 1),
    "#URC": ("reports", 1),
    "#VERBOSE": ("verbose", 1),
}
"""Command: the profile's field, the highest value."""


async def _flag(session: Session, request: Request) -> Reply:
    name, high = _FLAGS[request.name]
    if request.op is Op.SET:
        setattr(session.profile, name, in_range(one_parameter(request).number, 0, high))
        return Reply()
    shown = [getattr(session.profile, name)]
    if request.name == "+CREG":
        shown.append(REGISTRATION[(await desk_state(session)).trunk])
    elif request.name in ("+CLIP", "+COLP"):
        shown.append(1)  # the trunk does offer it
    return Reply([f"{request.name}: {','.join(map(str, shown))}"])


HANDLERS: Final[Mapping[str, Handler]] = dict.fromkeys(_FLAGS, _flag)
