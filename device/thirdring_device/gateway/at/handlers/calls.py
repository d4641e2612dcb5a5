"""Call control: V.250 clause 6.3 and 3GPP TS 27.007 clauses 6 and 7."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from thirdring.protocol.at.dial import dial_string
from thirdring.protocol.at.parse import Op, Request
from thirdring.protocol.at.values import address_type, fields, parameters, phone_number
from thirdring.protocol.commands import Answer, Command, Dial, Hangup, Redial, SendDtmf
from thirdring.protocol.errors import ThirdringError, TrunkError
from thirdring.protocol.views import CallView
from thirdring_device.gateway.at.error_map import NUMBER_TOO_LONG
from thirdring_device.gateway.at.handlers.base import (
    SOURCE,
    Handler,
    Session,
    desk_state,
    in_range,
    one_parameter,
)
from thirdring_device.gateway.at.reply import AtFailure, AtMistake, Reply
from thirdring_device.gateway.at.reports import end_code
from thirdring_device.gateway.at.watch import WatchedCall

__all__ = ["HANDLERS"]

_STATES: Final[Mapping[str, int]] = {
    "active": 0,
    "answering": 0,
    "held": 1,
    "dialing": 2,
    "alerting": 3,
    "incoming": 4,
}
"""27.007 clause 7.18; a call that is ending is no longer listed."""
_WAITING: Final = 5
WITHHOLD: Final = 1
"""Of ``+CLIR``: 0 and 2 show our number."""
LONGEST_TENTHS: Final = 50
LONGEST_NUMBER: Final = 40
"""Digits, as the engine has it."""


async def _dial(session: Session, request: Request) -> Reply:
    string = dial_string(request.argument)
    if len(string.number.removeprefix("+")) > LONGEST_NUMBER:
        raise AtFailure(NUMBER_TOO_LONG)
    withheld = session.profile.clir == WITHHOLD if string.withheld is None else string.withheld
    command: Command = Dial(number=string.number, withheld=withheld, source=SOURCE)
    if string.redial:
        command = Redial(withheld=withheld, source=SOURCE)
    try:
        result = await session.desk.client.command(command)
    except TrunkError:
        if session.profile.cme:
            raise
        return Reply(code="NO DIALTONE" if session.profile.progress in (2, 4) else "NO CARRIER")
    call_id = str(result["call_id"])
    if string.voice and not session.profile.colp:
        session.spawn(_give_up(session, call_id, session.profile.registers[7]))
        return Reply()
    return await _connect(session, call_id, voice=string.voice)


async def _give_up(session: Session, call_id: str, limit_s: int) -> None:
    """End the call unless it is answered within S7."""
    try:
        async with asyncio.timeout(limit_s):
            await session.desk.outcome(call_id)
    except TimeoutError:
        session.timed_out.add(call_id)
        await session.quietly(Hangup(call_id=call_id, source=SOURCE))


async def _connect(session: Session, call_id: str, *, voice: bool) -> Reply:
    """Wait for the answer; give up after S7 or when the host types (V.250 clause 5.6.1)."""
    session.released.add(call_id)  # its end is this command's result, not a report
    session.abort.clear()
    session.abortable = True
    outcome = asyncio.create_task(session.desk.outcome(call_id))
    aborted: asyncio.Task[Any] = asyncio.create_task(session.abort.wait())
    try:
        await asyncio.wait(
            (outcome, aborted), timeout=session.profile.registers[7], return_when=asyncio.FIRST_COMPLETED
        )
    finally:
        session.abortable = False
        outcome.cancel()
        aborted.cancel()
    if outcome.done() and not outcome.cancelled():
        return _connected(session, outcome.result(), voice=voice)
    await session.quietly(Hangup(call_id=call_id, source=SOURCE))
    return Reply(code="NO CARRIER" if session.abort.is_set() else "NO ANSWER")


def _connected(session: Session, call: WatchedCall, *, voice: bool) -> Reply:
    if call.ended is not None:
        return Reply(code=end_code(call.ended, call, session.profile))
    session.released.discard(call.call_id)
    if not voice:
        return Reply(code="CONNECT")
    number = phone_number(call.number)
    return Reply([f"+COLP: {fields([number, address_type(number)])}"] if session.profile.colp else ())


async def _answer(session: Session, request: Request) -> Reply:
    try:
        await session.desk.client.command(Answer(source=SOURCE))
    except ThirdringError as reason:
        if reason.code == 2001 and not session.profile.cme:
            return Reply(code="NO CARRIER")
        raise
    return Reply()


async def _hang_up(session: Session, request: Request) -> Reply:
    in_range(request.number, 0, 0)
    ours = {call_id for call_id, call in session.desk.calls.items() if call.announced and not call.ended}
    session.released |= ours
    try:
        await session.desk.client.command(Hangup(source=SOURCE))
    except ThirdringError as reason:
        session.released -= ours
        if reason.code != 2002:
            raise
    return Reply()


async def _list_calls(session: Session, request: Request) -> Reply:
    state = await desk_state(session)
    return Reply([_call_line(call) for call in state.calls if call.state in _STATES])


def _call_line(call: CallView) -> str:
    number = phone_number(call.number)
    theirs = int(call.direction == "incoming")
    state = _WAITING if call.waiting else _STATES[call.state]
    return (
        f"+CLCC: {fields((call.index, theirs, state, 0, int(call.conference), number, address_type(number)))}"
    )


async def _why_ended(session: Session, request: Request) -> Reply:
    end = session.desk.last_ended()
    shown = fields([end.cause, end.sip_code, end.reason]) if end else fields(["none", 0, ""])
    return Reply([f"+CEER: {shown}"])


async def _dtmf(session: Session, request: Request) -> Reply:
    """Digits, and ``{digit,duration}`` with the duration in tenths of a second (27.007 clause C.2.11)."""
    runs: list[tuple[str, int]] = []
    for parameter in parameters(request.argument):
        digits, tenths = parameter.text, session.profile.tone_tenths
        if digits.startswith("{"):
            digit, *lengths = parameters(digits.removeprefix("{").removesuffix("}"))
            if not digits.endswith("}") or len(lengths) != 1 or len(digit.text) != 1:
                raise AtMistake(digits)
            digits, tenths = digit.text, in_range(lengths[0].number, 1, LONGEST_TENTHS)
        if runs and runs[-1][1] == tenths:
            runs[-1] = (runs[-1][0] + digits, tenths)
        else:
            runs.append((digits, tenths))
    for digits, tenths in runs:
        command = SendDtmf(digits=digits.upper(), duration_ms=tenths * 100, source=SOURCE)
        await session.desk.client.command(command)
    return Reply()


async def _tone_duration(session: Session, request: Request) -> Reply:
    if request.op is Op.SET:
        session.profile.tone_tenths = in_range(one_parameter(request).number, 0, LONGEST_TENTHS)
        return Reply()
    return Reply([f"+VTD: {session.profile.tone_tenths}"])


HANDLERS: Final[Mapping[str, Handler]] = {
    "D": _dial,
    "A": _answer,
    "H": _hang_up,
    "+CHUP": _hang_up,
    "+CLCC": _list_calls,
    "+CEER": _why_ended,
    "+VTS": _dtmf,
    "+VTD": _tone_duration,
}
