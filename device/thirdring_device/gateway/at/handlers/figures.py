"""Key figures, forecast, staffing and the agent's state on the console."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from thirdring.protocol.at.parse import Op, Request
from thirdring.protocol.at.values import fields, parameters, safe_json
from thirdring.protocol.codec import to_fields
from thirdring.protocol.commands import SetAgentState
from thirdring.protocol.errors import error
from thirdring.protocol.figures import FiguresRow
from thirdring_device.gateway.at.handlers.base import SOURCE, Handler, Session, desk_state
from thirdring_device.gateway.at.reply import AtMistake, Reply, json_lines
from thirdring_device.gateway.figures import KeyFigures
from thirdring_device.gateway.prompts import Prompter

__all__ = ["HANDLERS"]


def _key_figures(session: Session) -> KeyFigures:
    return KeyFigures(session.desk.reader, lambda: session.desk.settings)


async def _figures(session: Session, request: Request) -> Reply:
    texts = [found.text for found in parameters(request.argument)] if request.op is Op.SET else []
    if len(texts) > 4:
        raise AtMistake("too many fields")
    start, end, by, form = [*texts, *["", "", "hour", ""][len(texts) :]]
    report = await asyncio.to_thread(_key_figures(session).figures, start, end, by or "hour")
    if form == "json" or session.profile.verbose:
        return Reply(json_lines([to_fields(report)]))
    return Reply([_row_line(row) for row in (*report.rows, report.total)])


def _row_line(row: FiguresRow) -> str:
    counts: list[str | float | None] = [
        row.label,
        row.offered,
        row.answered,
        row.abandoned,
        row.short_abandoned,
    ]
    levels = [row.service_level_percent, row.service_level_ignoring_abandoned_percent]
    times = [row.average_speed_of_answer_s, row.average_handling_time_s, row.occupancy_percent]
    ends = [row.transferred_percent, row.first_call_resolution_percent, row.repeat_calls]
    return f"#FIGURES: {fields([*counts, *levels, *times, *ends])}"


async def _forecast(session: Session, request: Request) -> Reply:
    found = await asyncio.to_thread(_key_figures(session).forecast)
    if session.profile.verbose:
        return Reply(json_lines([to_fields(found)]))
    lines = []
    for hour in found.hours:
        needed = hour.staffing
        shown = [hour.weekday, hour.hour, hour.calls, needed.load_erlang, needed.agents, needed.scheduled]
        lines.append(f"#FORECAST: {fields(shown)}")
    return Reply(lines)


async def _staffing(session: Session, request: Request) -> Reply:
    load = _load(request.argument)
    needed = _key_figures(session).staffing(**load)
    if session.profile.verbose:
        return Reply(json_lines([to_fields(needed)]))
    levels = [needed.waiting_percent, needed.service_level_percent, needed.average_speed_of_answer_s]
    shown = fields([needed.agents, needed.scheduled, *levels, needed.occupancy_percent])
    return Reply([f"#STAFFING: {shown}"])


def _load(argument: str) -> dict[str, float]:
    known = ("calls_per_h", "handling_time_s", "answer_within_s", "service_level_percent")
    if argument.startswith("{"):
        try:
            values = json.loads(argument)
        except ValueError as reason:
            raise error(1000, str(reason)) from reason
    else:
        values = dict(zip(known, (found.text for found in parameters(argument)), strict=False))
    try:
        load = {name: float(value) for name, value in values.items() if name in known}
    except (ValueError, TypeError) as reason:
        raise error(1001, str(reason)) from reason
    if "calls_per_h" not in load:
        raise error(1001, "calls_per_h is missing")
    return load


async def _list(session: Session, request: Request) -> Reply:
    """Answer ``what[,which]`` or the object ``{"what": ..., "call_id", "number", "done"}``."""
    reader = session.desk.reader
    asked: dict[str, Any]
    if request.argument.startswith("{"):
        try:
            asked = json.loads(request.argument)
        except ValueError as reason:
            raise error(1000, str(reason)) from reason
    else:
        texts = [found.text for found in parameters(request.argument)]
        which = texts[1] if len(texts) > 1 else ""
        asked = {"what": texts[0], "call_id": which, "number": which}
    what = str(asked.get("what", "")).replace("_", "")
    views: Sequence[object]
    if what == "notes":
        views = await asyncio.to_thread(reader.notes, str(asked.get("call_id", "")))
    elif what == "contacts":
        views = await asyncio.to_thread(reader.contacts, str(asked.get("number", "")))
    elif what == "callbacks":
        views = await asyncio.to_thread(partial(reader.call_backs, done=bool(asked.get("done"))))
    elif what == "prompts":
        prompter = Prompter(session.desk.client, reader, session.desk.state_dir)
        settings, which = await prompter.settings(), str(asked.get("call_id", ""))
        shown = partial(prompter.shown, which, str(asked.get("language", "")), settings)
        views = await asyncio.to_thread(shown)
    else:
        raise AtMistake(f"{what} is not notes, contacts, callbacks or prompts")
    if session.profile.verbose:
        return Reply(json_lines([to_fields(view) for view in views]))
    return Reply([f"#LIST: {safe_json(to_fields(view))}" for view in views])


async def _agent(session: Session, request: Request) -> Reply:
    if request.op is Op.READ:
        state = await desk_state(session)
        return Reply([f"#AGENT: {fields([state.agent_state, state.agent])}"])
    texts = [found.text for found in parameters(request.argument)]
    if len(texts) > 3:
        raise AtMistake("too many fields")
    wanted, agent, reason = [*texts, *["", "", ""][len(texts) :]]
    if wanted not in ("ready", "break", "away"):
        raise AtMistake(f"{wanted} is not ready, break or away")
    command = SetAgentState(state=wanted, agent=agent, reason=reason, source=SOURCE)  # type: ignore[arg-type]
    await session.desk.client.command(command)
    return Reply()


HANDLERS: Final[Mapping[str, Handler]] = {
    "#AGENT": _agent,
    "#FIGURES": _figures,
    "#FORECAST": _forecast,
    "#STAFFING": _staffing,
    "#LIST": _list,
}
