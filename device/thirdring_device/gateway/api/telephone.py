"""Routes of the telephone's keys: hold, swap, transfer, conference, mute."""

from fastapi import APIRouter

from thirdring.protocol.commands import (
    Command,
    Conference,
    Forward,
    Hold,
    Mute,
    PauseRecording,
    Redial,
    Resume,
    ResumeRecording,
    Swap,
    Transfer,
    Unmute,
)
from thirdring_device.gateway.api.models import CallId, ForwardRequest, OptionalCall, TransferRequest
from thirdring_device.gateway.api.problems import ENGINE, PLAN, problems
from thirdring_device.gateway.engine_client import EngineClient

__all__ = ["telephone_router"]

SOURCE = "http"
CALL_ERRORS = problems(2000, 2002, 2004, *ENGINE)
RECORDING_ERRORS = problems(2000, 2002, 2004, 2020, *ENGINE)


def telephone_router(client: EngineClient) -> APIRouter:  # noqa: C901, RUF100 - a list of routes
    """Return the routes that do with calls what a telephone's keys do."""
    router = APIRouter(prefix="/v1", tags=["calls"])

    async def about_call(command: Command) -> CallId:
        return CallId(call_id=str((await client.command(command)).get("call_id", "")))

    def named(request: OptionalCall | None) -> str:
        return request.call_id if request else ""

    @router.post("/hold", responses=CALL_ERRORS)
    async def hold(request: OptionalCall | None = None) -> CallId:
        """Put the call on hold; `hold_started` tells when it is."""
        return await about_call(Hold(call_id=named(request), source=SOURCE))

    @router.post("/resume", responses=CALL_ERRORS)
    async def resume(request: OptionalCall | None = None) -> CallId:
        """Take a held call back, holding another one that is up; `hold_ended` tells when it is."""
        return await about_call(Resume(call_id=named(request), source=SOURCE))

    @router.post("/swap", responses=problems(2002, 2007, *ENGINE))
    async def swap() -> CallId:
        """Hold the call that is up and take the other one, whose id is returned."""
        return await about_call(Swap(source=SOURCE))

    @router.post("/transfer", responses=problems(2000, 2002, 2004, 2005, 2007, *PLAN, *ENGINE))
    async def transfer(request: TransferRequest) -> CallId:
        """Hand the customer on to a number or to the other call; `transfer_progress` tells how it goes."""
        return await about_call(
            Transfer(target=request.target, call_id=request.call_id, consent=request.consent, source=SOURCE)
        )

    @router.post("/conference", responses=problems(2002, 2007, *ENGINE))
    async def conference() -> CallId:
        """Let the agent and both customers hear one another; `conference_started` tells when they do."""
        return await about_call(Conference(source=SOURCE))

    @router.post("/redial", status_code=202, responses=problems(2003, 2005, 2008, *PLAN, 3000, 3001, *ENGINE))
    async def redial() -> CallId:
        """Call the number that was dialled last."""
        return await about_call(Redial(source=SOURCE))

    @router.post("/forward", responses=problems(2000, 2001, 2004, 2005, *PLAN, *ENGINE))
    async def forward(request: ForwardRequest) -> CallId:
        """Send the ringing call on to a number without answering it."""
        return await about_call(Forward(target=request.target, call_id=request.call_id, source=SOURCE))

    @router.post("/mute", responses=CALL_ERRORS)
    async def mute(request: OptionalCall | None = None) -> CallId:
        """Keep the agent's microphone from the customer."""
        return await about_call(Mute(call_id=named(request), source=SOURCE))

    @router.post("/unmute", responses=CALL_ERRORS)
    async def unmute(request: OptionalCall | None = None) -> CallId:
        """Let the customer hear the agent again."""
        return await about_call(Unmute(call_id=named(request), source=SOURCE))

    @router.post("/recording/pause", responses=RECORDING_ERRORS)
    async def pause_recording(request: OptionalCall | None = None) -> CallId:
        """Record silence in place of both directions; `recording_paused` tells from when on."""
        return await about_call(PauseRecording(call_id=named(request), source=SOURCE))

    @router.post("/recording/resume", responses=RECORDING_ERRORS)
    async def resume_recording(request: OptionalCall | None = None) -> CallId:
        """Record sound again; `recording_resumed` tells from when on."""
        return await about_call(ResumeRecording(call_id=named(request), source=SOURCE))

    return router
