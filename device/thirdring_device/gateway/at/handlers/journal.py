"""Our own commands about calls past: the journal and the event stream."""

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Final

from thirdring.protocol.at.parse import Op, Request
from thirdring.protocol.at.values import fields, safe_json
from thirdring.protocol.codec import to_fields
from thirdring.protocol.errors import ThirdringError, error
from thirdring.protocol.events import record_to_json
from thirdring.protocol.views import CallSummary
from thirdring_device.gateway.at.handlers.base import Handler, Session, in_range, one_parameter
from thirdring_device.gateway.at.reply import Reply, json_lines
from thirdring_device.gateway.at.reports import norm_line

__all__ = ["HANDLERS"]

CALLS_SHOWN: Final = 20
CALLS_AT_MOST: Final = 1000


def _call_line(prefix: str, call: CallSummary) -> str:
    shown = [call.call_id, call.direction, call.number, call.display_name, call.state]
    times = [call.started_utc, call.answered_utc, call.ended_utc]
    end = [call.ended_by, call.cause, call.wait_s, call.talk_s, call.rings_heard]
    return f"{prefix}: {fields([*shown, *times, *end])}"


async def _calls(session: Session, request: Request) -> Reply:
    limit = CALLS_SHOWN
    if request.op is Op.SET:
        limit = in_range(one_parameter(request).number, 1, CALLS_AT_MOST)
    calls = await asyncio.to_thread(session.desk.reader.calls, limit)
    if session.profile.verbose:
        return Reply(json_lines(map(to_fields, calls)))
    return Reply([_call_line("#CALLS", call) for call in calls])


async def _call(session: Session, request: Request) -> Reply:
    detail = await asyncio.to_thread(session.desk.reader.call, one_parameter(request).text)
    if session.profile.verbose:
        return Reply(json_lines([to_fields(detail)]))
    return Reply([_call_line("#CALL", detail.call), *map(norm_line, detail.verdicts)])


async def _call_events(session: Session, request: Request) -> Reply:
    call_id = one_parameter(request).text
    records = await asyncio.to_thread(session.desk.reader.call_events, call_id)
    if not records:
        raise error(2000, call_id)
    if session.profile.verbose:
        return Reply(json_lines(map(record_to_json, records)))
    return Reply([f"#CALLEVENTS: {safe_json(record_to_json(record))}" for record in records])


async def _events(session: Session, request: Request) -> Reply:
    feed = session.feed
    if request.op is Op.READ:
        if session.profile.verbose:
            return Reply(json_lines([{"on": feed.on, "last": feed.last}]))
        return Reply([f"#EVENTS: {'on' if feed.on else 'off'},{feed.last}"])
    parameter = one_parameter(request)
    if parameter.text.lower() == "off":
        feed.stop()
        return Reply()
    after, newest = parameter.number, None
    with contextlib.suppress(ThirdringError):  # no journal yet: events come when there is one
        newest = await asyncio.to_thread(session.desk.reader.last_number)
    feed.start(after if newest is None else min(after, newest))
    return Reply(json_lines([newest]) if session.profile.verbose else ())


HANDLERS: Final[Mapping[str, Handler]] = {
    "#CALLS": _calls,
    "#CALL": _call,
    "#CALLEVENTS": _call_events,
    "#EVENTS": _events,
}
