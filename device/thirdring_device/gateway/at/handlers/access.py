"""Our own commands that open and lock a console."""

import asyncio
from collections.abc import Mapping
from typing import Final

from thirdring.protocol.at.parse import Op, Request
from thirdring.protocol.at.values import fields, parameters
from thirdring_device.gateway.at.handlers.base import Handler, Session, one_parameter
from thirdring_device.gateway.at.reply import AtMistake, Reply, json_lines

__all__ = ["HANDLERS", "OPEN"]

OPEN: Final = frozenset(
    ("I", "+GMI", "+GMM", "+GMR", "+GSN", "+CGMI", "+CGMM", "+CGMR", "+CGSN", "+GCAP", "#LOGIN", "#LOGOUT")
) | frozenset(("E", "Q", "V", "Z", "&F", "+CMEE", "#URC", "#VERBOSE", "#SYNC"))
"""What a locked console answers: who it is, the login, and the form of its answers."""


async def _log_in(session: Session, request: Request) -> Reply:
    lock = session.desk.lock
    if request.op is Op.READ:
        wait_s = await asyncio.to_thread(lock.wait_s)
        if session.profile.verbose:
            return Reply(json_lines([{"locked": session.locked, "wait_s": wait_s}]))
        return Reply([f"#LOGIN: {fields([session.locked, round(wait_s)])}"])
    await asyncio.to_thread(lock.check, one_parameter(request).text)
    session.log_in()
    return Reply()


async def _log_out(session: Session, request: Request) -> Reply:
    session.log_out()
    return Reply()


async def _password(session: Session, request: Request) -> Reply:
    found = parameters(request.argument)
    if len(found) != 2:
        raise AtMistake(f"{len(found)} parameters instead of two")
    await asyncio.to_thread(session.desk.lock.change, found[0].text, found[1].text)
    return Reply()


HANDLERS: Final[Mapping[str, Handler]] = {
    "#LOGIN": _log_in,
    "#LOGOUT": _log_out,
    "#PASSWORD": _password,
}
