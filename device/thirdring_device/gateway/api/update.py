"""Routes for updates of the unit: where one is, from a URL, from a file that is sent."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field

from thirdring.protocol.codec import to_fields
from thirdring.protocol.commands import GetState
from thirdring.protocol.errors import error
from thirdring.protocol.views import UpdatePhase
from thirdring_device.gateway.api.problems import ENGINE, problems
from thirdring_device.gateway.engine_client import EngineClient
from thirdring_device.gateway.updating import update_state
from thirdring_device.update.rauc import Rauc
from thirdring_device.update.state import Request as Wanted
from thirdring_device.update.state import UpdateFolder

__all__ = ["UpdateView", "update_router", "update_view"]

SOURCE: Final = "http"
SILENT_S: Final = 30.0
"""After which a sender that sends nothing is given up."""
ASKED: Final = (5006, 7030, 7031, 7035, 7037)
BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


class UpdateView(BaseModel):
    """Whether this unit installs updates, and where the last one is."""

    supported: bool = Field(description="whether this unit's board installs updates itself")
    running: str = Field(description="the version that runs")
    slot: str = Field(
        description="the half of the disk that it runs from, A or B; empty: there are no halves"
    )
    phase: UpdatePhase
    percent: int
    version: str = Field(description="the new version, as soon as it is known")
    code: int = Field(description="the numbered error of an update that failed, 0 otherwise")
    detail: str
    utc: str


class UpdateRequest(BaseModel):
    """An update from a URL."""

    url: str = Field(pattern=r"^https?://\S+$", max_length=2000)
    force: bool = Field(default=False, description="also one that is older than what runs")
    wait: bool = Field(default=False, description="when a call is up, until it has ended")


def update_view(rauc: Rauc, folder: UpdateFolder, version: str) -> UpdateView:
    """Return how updates stand; ``version`` is what runs where there is no image."""
    return UpdateView(**to_fields(update_state(rauc, folder, version)))


def update_router(client: EngineClient, state_dir: Path, version: str, rauc: Rauc) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/v1/unit/update", tags=["unit"])
    folder = UpdateFolder(state_dir)
    sending = asyncio.Lock()

    async def admit(*, wait: bool) -> None:
        """Raise a numbered error where no update can be begun now."""
        rauc.require()
        await run_in_threadpool(folder.make)
        await run_in_threadpool(folder.refuse_second)
        if not wait and (await client.command(GetState(source=SOURCE)))["calls"]:
            raise error(7037)

    async def view() -> UpdateView:
        return await run_in_threadpool(update_view, rauc, folder, version)

    @router.get("", responses=problems())
    async def update() -> UpdateView:
        """Return where the last update is; to be asked again while it is under way."""
        return await view()

    @router.post("", status_code=202, responses=problems(*ASKED, *ENGINE))
    async def update_from_url(request: UpdateRequest) -> UpdateView:
        """Begin an update from a URL; the unit restarts by itself when it is in place and no call is up."""
        await admit(wait=request.wait)
        await run_in_threadpool(folder.submit, Wanted(**request.model_dump()))
        return await view()

    @router.put("/bundle", status_code=202, openapi_extra=BODY, responses=problems(*ASKED, 7038, *ENGINE))
    async def update_from_file(
        request: Request,
        force: Annotated[bool, Query(description="also one that is older than what runs")] = False,  # noqa: FBT002, RUF100
        wait: Annotated[bool, Query(description="when a call is up, until it has ended")] = False,  # noqa: FBT002, RUF100
    ) -> UpdateView:
        """Begin an update from a bundle, which is the body."""
        await admit(wait=wait)
        if sending.locked():
            raise error(7031, "another bundle is being sent")
        async with sending:
            size_bytes = int(request.headers.get("content-length", "0"))
            await _receive(request.stream(), folder, size_bytes)
            await run_in_threadpool(folder.submit, Wanted(force=force, wait=wait))
        return await view()

    return router


async def _receive(stream: AsyncIterator[bytes], folder: UpdateFolder, size_bytes: int) -> None:
    """Write what is sent to the arriving bundle; raises ``ApplianceError`` 7035, 7038."""
    folder.arriving.unlink(missing_ok=True)
    folder.check_room(size_bytes)
    try:
        with folder.arriving.open("wb") as file:
            got_bytes = 0
            while chunk := await asyncio.wait_for(anext(stream, b""), SILENT_S):
                got_bytes += len(chunk)
                if got_bytes > size_bytes:
                    raise error(7038, "more is sent than was announced")
                await run_in_threadpool(file.write, chunk)
        if got_bytes != size_bytes:
            raise error(7038, f"{got_bytes} of {size_bytes} bytes arrived")
    except (OSError, TimeoutError) as reason:
        folder.arriving.unlink(missing_ok=True)
        raise error(7038, str(reason) or "nothing more arrived") from reason
