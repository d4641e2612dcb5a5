"""Our own commands about the desk as it is now: state, rings, levels, norms."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

from thirdring.protocol.at.parse import Op, Request
from thirdring.protocol.at.values import fields
from thirdring.protocol.codec import to_fields
from thirdring.protocol.errors import error
from thirdring.protocol.events import Levels, MediaEnded, NormNoted, Record, RingBurst, Verdict
from thirdring.protocol.views import CallSummary
from thirdring_device.gateway.at.handlers.base import Handler, Session, desk_state, one_parameter
from thirdring_device.gateway.at.reply import Reply, json_lines
from thirdring_device.gateway.at.reports import norm_line

__all__ = ["HANDLERS", "norm_events"]


async def _state(session: Session, request: Request) -> Reply:
    state = await desk_state(session)
    if session.profile.verbose:
        return Reply(json_lines([to_fields(state)]))
    lines = [
        f"#STATE: {fields([value for value in to_fields(state).values() if not isinstance(value, list)])}"
    ]
    for call in state.calls:
        lines.append(f"#STATECALL: {fields(to_fields(call).values())}")
    return Reply(lines)


async def _newest(session: Session) -> CallSummary:
    """Return the current or last call; raises ``CallError`` 2000 when there never was one."""
    calls = await asyncio.to_thread(session.desk.reader.calls, 1)
    if not calls:
        raise error(2000, "no call yet")
    return calls[0]


async def norm_events(session: Session, call_id: str) -> Sequence[Verdict | NormNoted]:
    """Return a call's verdicts, or the newest state of each norm while it runs; raises 2000."""
    detail = await asyncio.to_thread(session.desk.reader.call, call_id)
    if detail.verdicts:
        return detail.verdicts
    newest: dict[str, NormNoted] = {}
    for record in await asyncio.to_thread(session.desk.reader.call_events, call_id):
        if isinstance(record.event, NormNoted):
            newest[record.event.rule] = record.event
    return list(newest.values())


async def _norm(session: Session, request: Request) -> Reply:
    asked = one_parameter(request).text if request.op is Op.SET else ""
    found = await norm_events(session, asked or (await _newest(session)).call_id)
    if session.profile.verbose:
        return Reply(json_lines({"kind": event.kind, **to_fields(event)} for event in found))
    return Reply([norm_line(event) for event in found])


async def _rings(session: Session, request: Request) -> Reply:
    call = await _newest(session)
    records = await asyncio.to_thread(session.desk.reader.call_events, call.call_id)
    bursts = [record.event for record in records if isinstance(record.event, RingBurst)]
    urgency = bursts[-1].urgency if bursts else ""
    rings = call.rings_heard if call.rings_heard is not None else len(bursts)
    return Reply([f"#RINGS: {fields([rings, call.wait_s, urgency, call.call_id])}"])


async def _level(session: Session, request: Request) -> Reply:
    call = await _newest(session)
    watched = session.desk.calls.get(call.call_id)
    if watched is not None and watched.levels is not None and watched.ended is None:
        return Reply([_sliding(watched.levels)])
    records = await asyncio.to_thread(session.desk.reader.call_events, call.call_id)
    return Reply([_last_level(records, call.call_id)])


def _last_level(records: Sequence[Record], call_id: str) -> str:
    for record in reversed(records):
        event = record.event
        if isinstance(event, MediaEnded):
            before, after, customer = event.agent_before, event.agent_after, event.customer
            levels = [level.active_speech_level_dbov for level in (before, after, customer)]
            return f"#LEVEL: {fields([*levels, None, event.duration_s, 'whole', event.call_id])}"
        if isinstance(event, Levels):
            return _sliding(event)
    raise error(4003, call_id)


def _sliding(event: Levels) -> str:
    levels = [event.agent_before_sliding_dbov, event.agent_after_sliding_dbov, event.customer_sliding_dbov]
    return f"#LEVEL: {fields([*levels, event.agc_gain_db, event.end_s, 'sliding', event.call_id])}"


HANDLERS: Final[Mapping[str, Handler]] = {
    "#STATE": _state,
    "#NORM": _norm,
    "#RINGS": _rings,
    "#LEVEL": _level,
}
