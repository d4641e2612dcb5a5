"""Our own commands about the unit as a whole: trunk, headset, log, self-test, factory reset."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from thirdring.protocol.at.parse import Op, Request
from thirdring.protocol.at.values import Parameter, fields, parameters, safe_json
from thirdring.protocol.codec import to_fields
from thirdring.protocol.commands import GetHeadset
from thirdring.protocol.errors import error
from thirdring.protocol.events import (
    Levels,
    Overlap,
    TalkSpurt,
    TalkSpurtStarted,
    ToneHeard,
    VoiceFigures,
    record_to_json,
)
from thirdring_device.gateway.at.handlers.base import (
    SOURCE,
    Handler,
    Session,
    desk_state,
    in_range,
    one_parameter,
)
from thirdring_device.gateway.at.reply import AtMistake, Reply, json_lines
from thirdring_device.gateway.at.reports import headset_line, trunk_line
from thirdring_device.gateway.reset import reset_unit
from thirdring_device.gateway.selftest import examine_unit, passed
from thirdring_device.gateway.updating import update_state
from thirdring_device.update.rauc import Rauc
from thirdring_device.update.state import Request as Wanted
from thirdring_device.update.state import UpdateFolder

__all__ = ["HANDLERS"]

FLAGS_OFF: Final = (Parameter("0"), Parameter("0"))

LOG_SHOWN: Final = 20
LOG_AT_MOST: Final = 1000
LOG_SEARCHED: Final = 5000
"""How far back the log looks; a busy call has some ten events a second."""
NOT_LOGGED: Final = (Levels, Overlap, TalkSpurt, TalkSpurtStarted, ToneHeard, VoiceFigures)
"""What is heard in calls, many times a second; ``AT#CALLEVENTS`` has it."""


async def _trunk(session: Session, request: Request) -> Reply:
    state = await desk_state(session)
    return Reply([trunk_line(state.trunk, state.trunk_sip_code, state.trunk_reason)])


async def _headset(session: Session, request: Request) -> Reply:
    headset = await session.desk.client.command(GetHeadset(source=SOURCE))
    return Reply([headset_line(str(headset["sound"]), "present" if headset["present"] else "lost")])


async def _log(session: Session, request: Request) -> Reply:
    count = LOG_SHOWN
    if request.op is Op.SET:
        count = in_range(one_parameter(request).number, 1, LOG_AT_MOST)
    recent = await asyncio.to_thread(session.desk.reader.newest_events, LOG_SEARCHED)
    newest = [record for record in recent if not isinstance(record.event, NOT_LOGGED)][-count:]
    shown = [record_to_json(record) for record in newest]
    if session.profile.verbose:
        return Reply(json_lines(shown))
    return Reply([f"#LOG: {safe_json(record)}" for record in shown])


# --- self-test ------------------------------------------------------------------------------------


async def _self_test(session: Session, request: Request) -> Reply:
    desk = session.desk
    found = await examine_unit(desk.client, desk.state_dir, desk.settings_file)
    lines = [(item.name, item.result, item.finding) for item in found]
    lines.append(("unit", "ok" if passed(found) else "failed", ""))
    return Reply([f"#SELFTEST: {fields(line)}" for line in lines])


async def _reset(session: Session, request: Request) -> Reply:
    desk = session.desk
    if desk.state_dir is None:
        raise error(5006, "there is none")
    await reset_unit(desk.client, desk.state_dir, one_parameter(request).text)
    return Reply([])


# --- update ---------------------------------------------------------------------------------------


async def _update(session: Session, request: Request) -> Reply:
    rauc, folder = Rauc(), UpdateFolder(session.desk.state_dir or Path())
    if request.op is Op.READ:
        runs = "" if rauc.supported else (await desk_state(session)).version
        now = await asyncio.to_thread(update_state, rauc, folder, runs)
        if session.profile.verbose:
            return Reply(json_lines([to_fields(now)]))
        about = [now.phase, now.percent, now.version, now.code, now.detail, now.running, now.slot]
        return Reply([f"#UPDATE: {fields(about)}"])
    found = parameters(request.argument)
    if not 1 <= len(found) <= 3 or not found[0].text.startswith(("http://", "https://")):
        raise AtMistake("a URL, force, wait")
    force, wait = (bool(in_range(flag.number, 0, 1)) for flag in (*found[1:], *FLAGS_OFF)[:2])
    rauc.require()
    if not wait and (await desk_state(session)).calls:
        raise error(7037)
    await asyncio.to_thread(folder.submit, Wanted(url=found[0].text, force=force, wait=wait))
    return Reply()


HANDLERS: Final[Mapping[str, Handler]] = {
    "#TRUNK": _trunk,
    "#HEADSET": _headset,
    "#LOG": _log,
    "#SELFTEST": _self_test,
    "#RESET": _reset,
    "#UPDATE": _update,
}
