"""V.250 basic commands that only change or show the session."""

from collections.abc import Mapping
from typing import Final

from thirdring.protocol.at.parse import Op, Request
from thirdring_device.gateway.at.handlers.base import Handler, Session, in_range
from thirdring_device.gateway.at.profile import REGISTERS, Profile
from thirdring_device.gateway.at.reply import AtMistake, Reply

__all__ = ["HANDLERS"]

_LIMITS: Final[Mapping[str, tuple[str, int]]] = {
    "E": ("echo", 1),
    "L": ("loudness", 3),
    "M": ("speaker", 2),
    "Q": ("quiet", 1),
    "V": ("words", 1),
    "X": ("progress", 4),
    "&C": ("carrier", 1),
    "&D": ("terminal", 3),
}
"""Command: the profile's field, the highest value."""


async def _set_field(session: Session, request: Request) -> Reply:
    name, high = _LIMITS[request.name]
    setattr(session.profile, name, in_range(request.number, 0, high))
    return Reply()


async def _reset(session: Session, request: Request) -> Reply:
    in_range(request.number, 0, 0)
    session.profile = Profile()
    session.feed.stop()
    return Reply()


async def _register(session: Session, request: Request) -> Reply:
    if request.number not in REGISTERS:
        raise AtMistake(f"S{request.number}")
    if request.op is Op.READ:
        return Reply([f"{session.profile.registers[request.number]:03d}"])
    if request.op is Op.SET:
        _, low, high = REGISTERS[request.number]
        session.profile.registers[request.number] = in_range(int(request.argument or 0), low, high)
    return Reply()


async def _nothing(session: Session, request: Request) -> Reply:
    return Reply()


HANDLERS: Final[Mapping[str, Handler]] = {
    **dict.fromkeys(_LIMITS, _set_field),
    "Z": _reset,
    "&F": _reset,
    "S": _register,
    "T": _nothing,
    "P": _nothing,
}
