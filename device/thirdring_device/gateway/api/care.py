"""Routes for a unit that is not well, or given away: support file and factory reset."""

import time
from pathlib import Path
from typing import Literal

from fastapi import APIRouter, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field

from thirdring.protocol.errors import ThirdringError
from thirdring_device.gateway.api.problems import problems
from thirdring_device.gateway.engine_client import EngineClient
from thirdring_device.gateway.reset import reset_unit
from thirdring_device.settings import Settings, load_settings
from thirdring_device.support import support_bundle

__all__ = ["care_router"]

TAR_GZ = "application/gzip"


class ResetRequest(BaseModel):
    """What is typed, lest a unit be wiped by mistake."""

    serial_number: str = Field(description="the unit's, as `GET /v1/unit` tells it", max_length=64)


class Resetting(BaseModel):
    """The unit goes down now and comes back as delivered."""

    resetting: Literal[True]


def care_router(
    client: EngineClient, settings: Settings, state_dir: Path, settings_file: Path | None
) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/v1", tags=["unit"])

    def bundle() -> bytes:
        try:
            newest = load_settings(settings_file, state_dir)
        except ThirdringError:  # they may be what it is about
            newest = settings
        return support_bundle(newest, state_dir)

    @router.get(
        "/support",
        response_class=Response,
        responses={200: {"content": {TAR_GZ: {}}}, **problems()},
    )
    async def support() -> Response:
        """Return a file for whoever helps: versions, settings, log, system's state; no secret, no call."""
        content = await run_in_threadpool(bundle)
        name = time.strftime("thirdring-support-%Y%m%dT%H%M%SZ.tar.gz", time.gmtime())
        headers = {"content-disposition": f'attachment; filename="{name}"'}
        return Response(content, media_type=TAR_GZ, headers=headers)

    @router.post("/factory-reset", status_code=202, responses=problems(1010, 2003, 5006))
    async def factory_reset(request: ResetRequest) -> Resetting:
        """Wipe journal, recordings, settings, keys, passwords; start anew. Refused while a call is there."""
        await reset_unit(client, state_dir, request.serial_number)
        return Resetting(resetting=True)

    return router
