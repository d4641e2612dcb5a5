"""Our own commands about the unit as a whole: trunk, headset, log, self-test."""

import asyncio
import json
import sys
from collections.abc import Mapping
from typing import Any, Final

from thirdring.protocol.at.parse import Op, Request
from thirdring.protocol.at.values import fields, safe_json
from thirdring.protocol.commands import GetHeadset
from thirdring.protocol.errors import ThirdringError, error
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
from thirdring_device.gateway.at.indicators import IN_SERVICE
from thirdring_device.gateway.at.reply import Reply, json_lines
from thirdring_device.gateway.at.reports import headset_line, trunk_line

__all__ = ["HANDLERS"]

LOG_SHOWN: Final = 20
LOG_AT_MOST: Final = 1000
LOG_SEARCHED: Final = 5000
"""How far back the log looks; a busy call has some ten events a second."""
NOT_LOGGED: Final = (Levels, Overlap, TalkSpurt, TalkSpurtStarted, ToneHeard, VoiceFigures)
"""What is heard in calls, many times a second; ``AT#CALLEVENTS`` has it."""
SELFTEST_LIMIT_S: Final = 60.0
SELFTEST_NICENESS: Final = 10


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
    found = [*await _desk_items(session), *await _stack_items(session)]
    failed = any(result == "failed" for _, result, _ in found)
    found.append(("unit", "failed" if failed else "ok", ""))
    return Reply([f"#SELFTEST: {fields(item)}" for item in found])


async def _desk_items(session: Session) -> list[tuple[str, str, str]]:
    """Return what the running engine says: item, result, finding; raises 2003 while a call is there."""
    try:
        state = await desk_state(session)
        headset = await session.desk.client.command(GetHeadset(source=SOURCE))
    except ThirdringError as reason:
        return [("engine", "failed", str(reason))]
    if state.calls:
        raise error(2003, "a self-test would take time from the call")
    present = bool(headset["present"])
    return [
        ("engine", "ok", f"{state.version}, {state.board}"),
        (
            "trunk",
            "ok" if state.trunk in IN_SERVICE else "failed",
            f"{state.trunk} {state.trunk_reason}".strip(),
        ),
        ("storage", "ok" if state.storage == "ok" else "failed", state.storage),
        ("headset", "ok" if present else "failed", str(headset["sound"])),
        ("buttons", "ok" if headset["device"] else "warning", str(headset["device"]) or "none"),
    ]


async def _stack_items(session: Session) -> list[tuple[str, str, str]]:
    """Return what ``thirdring-device selftest`` says of the stack that this machine has."""
    file = session.desk.settings_file
    process = await asyncio.create_subprocess_exec(
        *("nice", "-n", str(SELFTEST_NICENESS), sys.executable, "-m", "thirdring_device.cli"),
        *("selftest", "--json", "--leave-headset"),
        *(("--settings", str(file)) if file is not None else ()),
        *(("--state", str(session.desk.state_dir)) if session.desk.state_dir is not None else ()),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(SELFTEST_LIMIT_S):
            out, complaints = await process.communicate()
    except TimeoutError:
        return [("stack", "failed", f"no answer within {SELFTEST_LIMIT_S:.0f} s")]
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    try:
        found: dict[str, Any] = json.loads(out)
    except ValueError:
        return [("stack", "failed", complaints.decode("utf-8", "replace").strip()[-200:])]
    return [
        ("stack", "ok", found["stack"]),
        ("tls", "ok", found["tls"]),
        ("codecs", "ok", " ".join(found["codecs"])),
        ("alsa", "ok", found["alsa"] or "none"),
        *(("stack", "warning", warning) for warning in found["warnings"]),
        *(("settings", "failed", refusal) for refusal in found["refusals"]),
    ]


HANDLERS: Final[Mapping[str, Handler]] = {
    "#TRUNK": _trunk,
    "#HEADSET": _headset,
    "#LOG": _log,
    "#SELFTEST": _self_test,
}
