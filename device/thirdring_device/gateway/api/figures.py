"""Routes of the key figures: what the desk did, what a load needs, what is to be expected."""

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from thirdring.protocol.codec import to_fields
from thirdring.protocol.figures import FiguresReport, Forecast, Staffing
from thirdring_device.gateway.api.problems import JOURNAL, problems
from thirdring_device.gateway.figures import KeyFigures

__all__ = ["figures_router"]

MOST_CALLS_PER_H: Final = 100_000.0


def figures_router(figures: KeyFigures) -> APIRouter:
    """Return the routes; the formulas stand in ``docs/figures.md``."""
    router = APIRouter(prefix="/v1", tags=["figures"])

    @router.get("/figures", response_model=FiguresReport, responses=problems(1004, *JOURNAL))
    def key_figures(
        start: Annotated[
            str,
            Query(alias="from", description="ISO 8601 date or date and time; empty: today", max_length=40),
        ] = "",
        end: Annotated[
            str, Query(alias="to", description="up to here; empty: the next midnight", max_length=40)
        ] = "",
        by: Annotated[Literal["hour", "day", "agent", "all"], Query(description="a row for each")] = "hour",
    ) -> Any:
        """Return the key figures of the desk, computed from the journal."""
        return JSONResponse(to_fields(figures.figures(start, end, by)))

    @router.get("/staffing", response_model=Staffing, responses=problems(1004))
    def agents_needed(
        calls_per_h: Annotated[float, Query(description="calls an hour", ge=0.0, le=MOST_CALLS_PER_H)],
        handling_time_s: Annotated[
            float | None, Query(description="of one call; default: as set", gt=0.0, le=7200.0)
        ] = None,
        answer_within_s: Annotated[
            float | None, Query(description="default: as set", ge=0.0, le=600.0)
        ] = None,
        service_level_percent: Annotated[
            float | None, Query(description="default: as set", gt=0.0, lt=100.0)
        ] = None,
    ) -> Any:
        """Return how many agents a load of calls needs, by Erlang C."""
        needed = figures.staffing(calls_per_h, handling_time_s, answer_within_s, service_level_percent)
        return JSONResponse(to_fields(needed))

    @router.get("/forecast", response_model=Forecast, responses=problems(*JOURNAL))
    def expected() -> Any:
        """Return the calls to be expected in each hour of a week, and the agents they need."""
        return JSONResponse(to_fields(figures.forecast()))

    return router
