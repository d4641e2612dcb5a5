"""Routes of the web hooks: how they fare, and what their servers did not take."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from thirdring.protocol.commands import ListDeadLetters, ListHooks, RetryDeadLetters
from thirdring.protocol.views import DeadLetterView, HookView
from thirdring_device.gateway.api.models import Integer
from thirdring_device.gateway.api.problems import problems
from thirdring_device.gateway.engine_client import EngineClient

__all__ = ["hooks_router"]

SOURCE: Final = "http"


class RetryRequest(BaseModel):
    """Which dead letter to post again."""

    model_config = ConfigDict(extra="forbid", strict=True)
    letter_id: Integer = Field(0, description="from `GET /v1/hooks/dead`; 0: every one", ge=0, le=2**53 - 1)


class Retried(BaseModel):
    """How many dead letters are posted again."""

    retried: int


def hooks_router(client: EngineClient) -> APIRouter:
    """Return the routes; ``client`` is the gateway's, which answers these commands itself."""
    router = APIRouter(prefix="/v1/hooks", tags=["hooks"])

    @router.get("", response_model=list[HookView], responses=problems())
    async def hooks() -> Any:
        """Return the web hooks that are set, each with what waits for it."""
        return JSONResponse((await client.command(ListHooks(source=SOURCE)))["hooks"])

    @router.get("/dead", response_model=list[DeadLetterView], responses=problems(1004))
    async def dead_letters(
        limit: Annotated[int, Query(description="how many at most", ge=1, le=1000)] = 100,
    ) -> Any:
        """Return the newest events that were given up."""
        return JSONResponse(
            (await client.command(ListDeadLetters(limit=limit, source=SOURCE)))["dead_letters"]
        )

    @router.post("/retry", responses=problems(1003))
    async def retry(request: RetryRequest) -> Retried:
        """Post one of them again, or all; the other web hooks that wait try again at once, too."""
        result = await client.command(RetryDeadLetters(letter_id=request.letter_id, source=SOURCE))
        return Retried(retried=int(result["retried"]))

    return router
