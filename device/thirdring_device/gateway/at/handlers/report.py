"""``AT#REPORT``: the report of one call."""

import asyncio
from collections.abc import Mapping
from typing import Final

from thirdring.protocol.at.parse import Request
from thirdring.protocol.at.values import parameters, safe_json
from thirdring_device.gateway.at.handlers.base import Handler, Session
from thirdring_device.gateway.at.reply import AtMistake, Reply, json_lines

__all__ = ["HANDLERS"]


async def _report(session: Session, request: Request) -> Reply:
    found = parameters(request.argument)
    form = found[1].text if len(found) == 2 else "text"
    if len(found) > 2 or form not in ("text", "json", "html"):
        raise AtMistake(f"{form} is not text, json or html")
    text = await asyncio.to_thread(_report_text, session, found[0].text, form)
    if session.profile.verbose:
        return Reply(json_lines([text]))
    return Reply([f"#REPORT: {line}" for line in text.splitlines()])


def _report_text(session: Session, call_id: str, form: str) -> str:
    from thirdring_device.report import build  # numpy and the pictures: only where a report is asked for

    reader = session.desk.reader
    report = build(reader.call(call_id), reader.call_events(call_id), session.desk.settings)
    if form == "json":
        return safe_json(report.to_json())
    return report.to_html() if form == "html" else report.to_text()


HANDLERS: Final[Mapping[str, Handler]] = {"#REPORT": _report}
