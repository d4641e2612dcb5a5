"""Routes of the headset's buttons and lamps."""

from typing import Any

from fastapi import APIRouter

from thirdring.protocol.commands import GetHeadset, PressButton
from thirdring.protocol.views import HeadsetView
from thirdring_device.gateway.api.models import PressRequest
from thirdring_device.gateway.api.problems import ENGINE, problems
from thirdring_device.gateway.engine_client import EngineClient

__all__ = ["headset_router"]

SOURCE = "http"


def headset_router(client: EngineClient) -> APIRouter:
    """Return the routes that look at the headset, and press the simulated one's buttons."""
    router = APIRouter(prefix="/v1", tags=["headset"])

    @router.get("/headset", response_model=HeadsetView, responses=problems(*ENGINE))
    async def headset() -> Any:
        """Return whether a headset with buttons is there, and its lamps."""
        return await client.command(GetHeadset(source=SOURCE))

    @router.post("/headset/press", response_model=HeadsetView, responses=problems(1004, 4002, *ENGINE))
    async def press(request: PressRequest) -> Any:
        """Press a button of the simulated headset (simulator board); what it does shows in events."""
        return await client.command(PressButton(button=request.button, source=SOURCE))

    return router
