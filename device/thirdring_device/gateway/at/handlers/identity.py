"""Who this is, and what it knows."""

from collections.abc import Mapping
from importlib.metadata import version
from typing import Final

from thirdring.protocol.at.parse import Request
from thirdring.protocol.at.table import TABLE
from thirdring.protocol.at.values import fields
from thirdring_device.gateway.at.handlers.base import Handler, Session, in_range
from thirdring_device.gateway.at.reply import Reply
from thirdring_device.gateway.machine import serial_number

__all__ = ["HANDLERS"]

MAKER: Final = "Thirdring"
MODEL: Final = "Thirdring desk appliance"


async def _identify(session: Session, request: Request) -> Reply:
    in_range(request.number, 0, 9)
    return Reply([MAKER, MODEL, version("thirdring-device")])


async def _maker(session: Session, request: Request) -> Reply:
    return Reply([MAKER])


async def _model(session: Session, request: Request) -> Reply:
    return Reply([MODEL])


async def _version(session: Session, request: Request) -> Reply:
    return Reply([version("thirdring-device")])


async def _serial(session: Session, request: Request) -> Reply:
    return Reply([serial_number()])


async def _capabilities(session: Session, request: Request) -> Reply:
    return Reply(["+GCAP: +CGSM"])


async def _all_commands(session: Session, request: Request) -> Reply:
    return Reply([f"AT{name}" for name in TABLE])


async def _help(session: Session, request: Request) -> Reply:
    return Reply([f"#HELP: {fields([spec.syntax, spec.help])}" for spec in TABLE.values()])


HANDLERS: Final[Mapping[str, Handler]] = {
    "I": _identify,
    "+GMI": _maker,
    "+CGMI": _maker,
    "+GMM": _model,
    "+CGMM": _model,
    "+GMR": _version,
    "+CGMR": _version,
    "+GSN": _serial,
    "+CGSN": _serial,
    "+GCAP": _capabilities,
    "+CLAC": _all_commands,
    "#HELP": _help,
}
