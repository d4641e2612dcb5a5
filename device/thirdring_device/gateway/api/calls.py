"""Routes that read the journal: calls, their events, verdicts and reports."""

from collections.abc import Iterable
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import JSONResponse

from thirdring.protocol.codec import to_fields
from thirdring.protocol.errors import error
from thirdring.protocol.events import Record, Verdict, record_to_json
from thirdring.protocol.views import CallDetail, CallSummary
from thirdring_device.gateway.api.models import RECORD_MODEL
from thirdring_device.gateway.api.problems import JOURNAL, problems
from thirdring_device.gateway.journal import Reader

__all__ = ["calls_router"]

LONGEST_LIST: Final = 1000

Named = Annotated[str, Path(description="the call's id", max_length=64)]
RECORDS: Final[dict[int | str, dict[str, Any]]] = {200: {"model": list[RECORD_MODEL]}}


def calls_router(reader: Reader) -> APIRouter:
    """Return the routes that read the journal."""
    router = APIRouter(prefix="/v1", tags=["journal"])

    @router.get("/calls", response_model=list[CallSummary], responses=problems(2000, *JOURNAL))
    def calls(
        limit: Annotated[int, Query(description="how many at most", ge=1, le=LONGEST_LIST)] = 20,
        before: Annotated[
            str | None, Query(description="id of the call to go on from: the last one of the page before")
        ] = None,
    ) -> Any:
        """Return calls, newest first."""
        if before is not None:
            reader.call(before)
        return _json([to_fields(call) for call in reader.calls(limit, before)])

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

    @router.get("/events", responses={**RECORDS, **problems(*JOURNAL)})
    def events(
        after: Annotated[int, Query(description="number of the last event already known", ge=0)] = 0,
        limit: Annotated[int, Query(description="how many at most", ge=1, le=LONGEST_LIST)] = 100,
    ) -> Response:
        """Return stored events in order; the WebSocket of the same path gives them as they happen."""
        return _records(reader.events(after, limit))

    return router


def _json(content: Any) -> JSONResponse:
    return JSONResponse(content)


def _records(records: Iterable[Record]) -> JSONResponse:
    return _json([record_to_json(record) for record in records])
