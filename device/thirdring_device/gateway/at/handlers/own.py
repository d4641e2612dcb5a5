"""Our own commands that change something, and what unmodified clients ask of a telephone with a SIM."""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any, Final

from thirdring.protocol.at.parse import Op, Request
from thirdring.protocol.at.values import Parameter, fields, parameters, quoted, safe_json
from thirdring.protocol.commands import (
    GetHeadset,
    GetSettings,
    PressButton,
    SetSettings,
    Speak,
    command_from_json,
)
from thirdring.protocol.errors import error
from thirdring_device.gateway.at.handlers.base import SOURCE, Handler, Session, one_parameter
from thirdring_device.gateway.at.reply import AtMistake, Reply, json_lines

__all__ = ["HANDLERS"]


async def _do(session: Session, request: Request) -> Reply:
    command = dataclasses.replace(command_from_json(_json_object(request.argument)), source=SOURCE)
    return Reply(json_lines([await session.desk.client.command(command)]))


def _json_object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as reason:
        raise error(1000, str(reason)) from reason
    if not isinstance(value, dict):
        raise error(1000, "not an object")
    return value


async def _speak(session: Session, request: Request) -> Reply:
    result = await session.desk.client.command(Speak(path=one_parameter(request).text, source=SOURCE))
    return Reply([f"#SPEAK: {fields([float(result.get('duration_s', 0.0))])}"])


async def _press(session: Session, request: Request) -> Reply:
    await session.desk.client.command(PressButton(button=one_parameter(request).text, source=SOURCE))
    return Reply()


async def _leds(session: Session, request: Request) -> Reply:
    headset = await session.desk.client.command(GetHeadset(source=SOURCE))
    return Reply([f"#LED: {fields([' '.join(headset['leds']), str(headset['device'])])}"])


async def _get(session: Session, request: Request) -> Reply:
    settings = (await session.desk.client.command(GetSettings(source=SOURCE)))["settings"]
    if request.op is Op.SET:
        name = one_parameter(request).text
        settings = [setting for setting in settings if setting["name"] == name]
        if not settings:
            raise error(1005, name)
    if session.profile.verbose:
        return Reply(json_lines([{"settings": settings}]))
    return Reply([_setting_line(setting) for setting in settings])


def _setting_line(setting: Mapping[str, Any]) -> str:
    about = fields([str(setting["unit"]), str(setting["description"])])
    return f"#GET: {quoted(str(setting['name']))},{safe_json(setting['value'])},{about}"


async def _set(session: Session, request: Request) -> Reply:
    if request.argument.startswith("{"):
        changes = _json_object(request.argument)
    else:
        found = parameters(request.argument)
        if len(found) % 2:
            raise AtMistake("every name needs a value")
        pairs = zip(found[::2], found[1::2], strict=True)
        changes = {name.text: _setting_value(value) for name, value in pairs}
    result = await session.desk.client.command(SetSettings(changes=changes, source=SOURCE))
    if session.profile.verbose:
        return Reply(json_lines([result]))
    return Reply([f"#SET: {'restart' if result.get('restart_required') else 'live'}"])


def _setting_value(parameter: Parameter) -> Any:
    """Return a bare number, ``true`` or ``false`` as such and anything else as a string."""
    if parameter.quoted:
        return parameter.text
    try:
        return json.loads(parameter.text)
    except ValueError:
        return parameter.text


async def _sync(session: Session, request: Request) -> Reply:
    return Reply([f"#SYNC: {quoted(one_parameter(request).text)}"])


async def _pin(session: Session, request: Request) -> Reply:
    return Reply(["+CPIN: READY"])


async def _message_centre(session: Session, request: Request) -> Reply:
    return Reply(code="+CMS ERROR: 330")


HANDLERS: Final[Mapping[str, Handler]] = {
    "#DO": _do,
    "#SPEAK": _speak,
    "#BTN": _press,
    "#LED": _leds,
    "#GET": _get,
    "#SET": _set,
    "#SYNC": _sync,
    "+CPIN": _pin,
    "+CSCA": _message_centre,
}
