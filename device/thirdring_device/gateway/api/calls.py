"""Routes that read the journal: calls, their events, verdicts and reports."""

import zoneinfo
from collections.abc import Iterable
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse

from thirdring.protocol.codec import to_fields
from thirdring.protocol.errors import error
from thirdring.protocol.events import Record, Verdict, record_to_json
from thirdring.protocol.views import CallDetail, CallSummary
from thirdring_device.adapters.store.call_filter import CallFilter
from thirdring_device.gateway.api.models import RECORD_MODEL
from thirdring_device.gateway.api.problems import JOURNAL, problems
from thirdring_device.gateway.figures import time_of, utc_text
from thirdring_device.gateway.journal import Reader
from thirdring_device.gateway.live_settings import LiveSettings

__all__ = ["calls_router"]

LONGEST_LIST: Final = 1000
MOST_EVENTS: Final = 2**53 - 1
"""The largest integer that every reader of JSON has exactly (RFC 8259, section 6)."""

Form = Literal["json", "text", "html"]
VerdictWord = Literal["met", "warned", "breached", "not_applicable"]
Named = Annotated[str, Path(description="the call's id", max_length=64)]
RECORDS: Final[dict[int | str, dict[str, Any]]] = {200: {"model": list[RECORD_MODEL]}}
REPORTS: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The report",
        "content": {
            "application/json": {"schema": {"type": "object"}},
            "text/plain": {"schema": {"type": "string"}},
            "text/html": {"schema": {"type": "string"}},
        },
    }
}


def calls_router(reader: Reader, settings: LiveSettings) -> APIRouter:
    """Return the routes that read the journal; ``settings`` are those that reports show as limits."""
    router = APIRouter(prefix="/v1", tags=["journal"])

    def local(text: str) -> str:
        zone = zoneinfo.ZoneInfo(settings.now.firm.time_zone)
        return utc_text(time_of(text, zone)) if text else ""

    @router.get("/calls", response_model=list[CallSummary], responses=problems(1004, 2000, *JOURNAL))
    def calls(
        limit: Annotated[int, Query(description="how many at most", ge=1, le=LONGEST_LIST)] = 20,
        before: Annotated[
            str | None,
            Query(description="id of the call to go on from: the last one of the page before", max_length=64),
        ] = None,
        direction: Annotated[Literal["incoming", "outgoing"] | None, Query(description="only these")] = None,
        number: Annotated[str, Query(description="only with this in the number", max_length=64)] = "",
        start: Annotated[
            str, Query(alias="from", description="only from then on: ISO 8601, local time", max_length=40)
        ] = "",
        end: Annotated[str, Query(alias="to", description="only before then", max_length=40)] = "",
        answered: Annotated[bool | None, Query(description="only answered or only missed ones")] = None,
        verdict: Annotated[
            VerdictWord | None, Query(description="only where a norm, or that of `rule`, has this verdict")
        ] = None,
        rule: Annotated[
            str, Query(description="only where this norm was judged, such as answer.rings", max_length=64)
        ] = "",
    ) -> Any:
        """Return calls, newest first; every filter that is given must hold."""
        if before is not None:
            reader.call(before)
        wanted = CallFilter(
            direction=direction or "",
            number=number,
            start_utc=local(start),
            end_utc=local(end),
            answered=answered,
            verdict=verdict or "",
            rule=rule,
        )
        return _json([to_fields(call) for call in reader.calls(limit, before, wanted)])

    @router.get("/calls/{call_id}", response_model=CallDetail, responses=problems(2000, *JOURNAL))
    def call(call_id: Named) -> Any:
        """Return one call with the verdicts of the norms."""
        return _json(to_fields(reader.call(call_id)))

    @router.get("/calls/{call_id}/norms", response_model=list[Verdict], responses=problems(2000, *JOURNAL))
    def norms(call_id: Named) -> Any:
        """Return the verdicts of one call."""
        return _json([to_fields(verdict) for verdict in reader.call(call_id).verdicts])

    @router.get("/calls/{call_id}/events", responses={**RECORDS, **problems(2000, *JOURNAL)})
    def call_events(call_id: Named) -> Response:
        """Return every event of one call in order."""
        records = reader.call_events(call_id)
        if not records:
            raise error(2000, call_id)
        return _records(records)

    @router.get(
        "/calls/{call_id}/report",
        response_class=Response,
        responses={**REPORTS, **problems(2000, *JOURNAL)},
    )
    def report(
        call_id: Named,
        form: Annotated[
            Literal["json", "text", "html"], Query(alias="format", description="of the report")
        ] = "json",
        language: Annotated[Literal["en", "zh"], Query(description="of text and page")] = "en",
    ) -> Response:
        """Return the report of one call: facts, levels, who spoke when, every verdict with its evidence."""
        from thirdring_device.report import build  # not before it is needed: it brings the tone plans

        made = build(reader.call(call_id), reader.call_events(call_id), settings.now)
        if form == "html":
            return HTMLResponse(made.to_html(language))
        if form == "text":
            return PlainTextResponse(made.to_text(language))
        return _json(made.to_json())

    @router.get("/events", responses={**RECORDS, **problems(*JOURNAL)})
    def events(
        after: Annotated[
            int, Query(description="number of the last event already known", ge=0, le=MOST_EVENTS)
        ] = 0,
        limit: Annotated[int, Query(description="how many at most", ge=1, le=LONGEST_LIST)] = 100,
    ) -> Response:
        """Return stored events in order; the WebSocket of the same path gives them as they happen."""
        return _records(reader.events(after, limit))

    return router


def _json(content: Any) -> JSONResponse:
    return JSONResponse(content)


def _records(records: Iterable[Record]) -> JSONResponse:
    return _json([record_to_json(record) for record in records])
