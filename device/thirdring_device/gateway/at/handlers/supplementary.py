"""Hold, swap, a waiting call, mute: 3GPP TS 27.007 clauses 7.11, 7.13 and 8.24."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from thirdring.protocol.at.parse import Op, Request
from thirdring.protocol.at.values import fields, parameters
from thirdring.protocol.commands import (
    Answer,
    Command,
    Conference,
    Forward,
    Hangup,
    Hold,
    Mute,
    PauseRecording,
    Resume,
    ResumeRecording,
    SetSettings,
    Swap,
    Transfer,
    Unmute,
)
from thirdring.protocol.views import CallView
from thirdring_device.gateway.at.error_map import INVALID_INDEX, NOT_ALLOWED
from thirdring_device.gateway.at.handlers.base import (
    SOURCE,
    Handler,
    Session,
    desk_state,
    in_range,
    one_parameter,
    setting_value,
)
from thirdring_device.gateway.at.reply import AtFailure, AtMistake, Reply

__all__ = ["HANDLERS"]

WAITING_SETTING: Final = "calls.waiting"
VOICE_CLASS: Final = 1

Calls = Sequence[CallView]


def _in_state(calls: Calls, *states: str) -> list[CallView]:
    return [call for call in calls if call.state in states]


def _release_or_refuse(calls: Calls, index: int) -> list[Command]:
    """``0``: refuse the waiting call, else release those on hold."""
    waiting = [call for call in calls if call.waiting]
    return [Hangup(call_id=call.call_id, source=SOURCE) for call in waiting or _in_state(calls, "held")]


def _release_and_take(calls: Calls, index: int) -> list[Command]:
    """``1``: release the active calls and take the other; ``1x``: release call x."""
    if index:
        return [Hangup(call_id=_numbered(calls, index).call_id, source=SOURCE)]
    ended = [Hangup(call_id=call.call_id, source=SOURCE) for call in _in_state(calls, "active")]
    return [*ended, *_take_other(calls)]


def _hold_and_take(calls: Calls, index: int) -> list[Command]:
    """``2``: hold the active calls and take the other; ``2x``: hold all but x."""
    if index:
        call = _numbered(calls, index)
        held = [
            Hold(call_id=other.call_id, source=SOURCE)
            for other in _in_state(calls, "active")
            if other.index != index
        ]
        return [*held, *([Resume(call_id=call.call_id, source=SOURCE)] if call.state == "held" else [])]
    active, held_calls = _in_state(calls, "active"), _in_state(calls, "held")
    if active and held_calls and not _in_state(calls, "incoming"):
        return [Swap(source=SOURCE)]
    return _take_other(calls) or [Hold(call_id=call.call_id, source=SOURCE) for call in active]


def _take_other(calls: Calls) -> list[Command]:
    """Return what takes the other call: a waiting one wins over a held one."""
    if waiting := _in_state(calls, "incoming"):
        return [Answer(call_id=waiting[0].call_id, source=SOURCE)]
    return [Resume(call_id=call.call_id, source=SOURCE) for call in _in_state(calls, "held")[:1]]


def _numbered(calls: Calls, index: int) -> CallView:
    found = next((call for call in calls if call.index == index), None)
    if found is None:
        raise AtFailure(INVALID_INDEX)
    return found


_CHLD: Final[Mapping[str, tuple[Callable[[Calls, int], list[Command]], bool]]] = {
    "0": (_release_or_refuse, False),
    "1": (_release_and_take, True),
    "2": (_hold_and_take, True),
    "3": (lambda calls, index: [Conference(source=SOURCE)], False),
    "4": (lambda calls, index: [Transfer(source=SOURCE)], False),
}
"""First digit: what is to be done, and whether a call's number may follow."""


async def _call_hold(session: Session, request: Request) -> Reply:
    text = one_parameter(request).text
    found = _CHLD.get(text[:1])
    if found is None or not (len(text) == 1 or (found[1] and text[1:].isdecimal())):
        raise AtMistake(f"+CHLD={text}")
    commands = found[0]((await desk_state(session)).calls, int(text[1:] or 0))
    if not commands:
        raise AtFailure(NOT_ALLOWED)
    for command in commands:
        if isinstance(command, Hangup):
            session.released.add(command.call_id)
        await session.desk.client.command(command)
    return Reply()


async def _mute(session: Session, request: Request) -> Reply:
    if request.op is Op.READ:
        muted = any(call.muted for call in (await desk_state(session)).calls)
        return Reply([f"+CMUT: {int(muted)}"])
    on = in_range(one_parameter(request).number, 0, 1)
    await session.desk.client.command(Mute(source=SOURCE) if on else Unmute(source=SOURCE))
    return Reply()


async def _recording(session: Session, request: Request) -> Reply:
    if request.op is Op.READ:
        calls = (await desk_state(session)).calls
        return Reply([f"#REC: {fields([call.recording, call.call_id])}" for call in calls])
    on = in_range(one_parameter(request).number, 0, 1)
    command = ResumeRecording(source=SOURCE) if on else PauseRecording(source=SOURCE)
    await session.desk.client.command(command)
    return Reply()


async def _call_waiting(session: Session, request: Request) -> Reply:
    if request.op is Op.READ:
        return Reply([f"+CCWA: {session.profile.waiting}"])
    found = parameters(request.argument)
    if len(found) > 3:
        raise AtMistake(f"{len(found)} parameters")
    shown, mode, *_ = [*(parameter.text for parameter in found), "", ""]
    if shown:
        session.profile.waiting = in_range(found[0].number, 0, 1)
    if not mode:
        return Reply()
    asked = in_range(found[1].number, 0, 2)
    if asked == 2:
        on = await setting_value(session, WAITING_SETTING)
        return Reply([f"+CCWA: {int(on)},{VOICE_CLASS}"])
    await session.desk.client.command(SetSettings(changes={WAITING_SETTING: bool(asked)}, source=SOURCE))
    return Reply()


async def _transfer(session: Session, request: Request) -> Reply:
    target, *consent = parameters(request.argument)
    if len(consent) > 1:
        raise AtMistake(f"{len(consent) + 1} parameters")
    agreed = bool(consent and in_range(consent[0].number, 0, 1))
    await session.desk.client.command(Transfer(target=target.text, consent=agreed, source=SOURCE))
    return Reply()


async def _forward(session: Session, request: Request) -> Reply:
    command = Forward(target=one_parameter(request).text, source=SOURCE)
    await session.desk.client.command(command)
    return Reply()


HANDLERS: Final[Mapping[str, Handler]] = {
    "#FORWARD": _forward,
    "#REC": _recording,
    "#TRANSFER": _transfer,
    "+CHLD": _call_hold,
    "+CMUT": _mute,
    "+CCWA": _call_waiting,
}
