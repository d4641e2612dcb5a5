"""The commands' implementations, one table from name to function."""

from collections.abc import Mapping
from typing import Final

from thirdring.protocol.at.parse import Op, Request
from thirdring.protocol.at.table import TABLE, test_lines
from thirdring.protocol.errors import error
from thirdring_device.gateway.at.handlers import (
    access,
    basic,
    calls,
    desk,
    figures,
    flags,
    identity,
    indicators,
    journal,
    own,
    report,
    supplementary,
    unit,
)
from thirdring_device.gateway.at.handlers.base import Handler, Session
from thirdring_device.gateway.at.reply import AtMistake, Reply

__all__ = ["HANDLERS", "run"]

HANDLERS: Final[Mapping[str, Handler]] = {
    **access.HANDLERS,
    **basic.HANDLERS,
    **flags.HANDLERS,
    **identity.HANDLERS,
    **calls.HANDLERS,
    **supplementary.HANDLERS,
    **desk.HANDLERS,
    **journal.HANDLERS,
    **report.HANDLERS,
    **figures.HANDLERS,
    **own.HANDLERS,
    **indicators.HANDLERS,
    **unit.HANDLERS,
}


async def run(session: Session, request: Request) -> Reply:
    """Execute one command; raises ``AtMistake``, ``AtSyntaxError``, ``AtFailure`` or ``ThirdringError``."""
    if session.locked and request.name not in access.OPEN:
        raise error(6020)
    spec = TABLE.get(request.name)
    if spec is None or request.op.value not in spec.forms:
        raise AtMistake(f"{request.name} {request.op.name.lower()}")
    if request.op is Op.TEST:
        return Reply(test_lines(spec))
    return await HANDLERS[request.name](session, request)
