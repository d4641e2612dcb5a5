"""Routes that ask the engine: the desk's state, calls being made, settings."""

import asyncio
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Path, Query, Request, Response

from thirdring.protocol.commands import (
    Answer,
    Command,
    Dial,
    GetSettings,
    GetState,
    Hangup,
    SendDtmf,
    SetAgentState,
    SetSettings,
    Speak,
)
from thirdring.protocol.errors import error
from thirdring.protocol.views import DeskState
from thirdring_device.gateway.api.etags import ETAG, IfMatch, IfNoneMatch, etag_of, matches
from thirdring_device.gateway.api.gate import principal_of
from thirdring_device.gateway.api.idempotency import IdempotencyKey, OnceOnly
from thirdring_device.gateway.api.models import (
    AgentNow,
    AgentStateRequest,
    CallId,
    DialRequest,
    DtmfRequest,
    OptionalCall,
    SettingsChanged,
    SettingsList,
    Speaking,
    SpeakRequest,
)
from thirdring_device.gateway.api.problems import ENGINE, PLAN, problems
from thirdring_device.gateway.engine_client import EngineClient
from thirdring_device.settings import setting_descriptions

__all__ = ["desk_router"]

SOURCE = "http"

Named = Annotated[str, Path(description="the call's id", max_length=64)]
ANSWER_ERRORS = problems(2000, 2001, 2004, *ENGINE)
HANGUP_ERRORS = problems(2000, 2002, 2004, *ENGINE)
DTMF_ERRORS = problems(1004, 2000, 2002, 2004, 2006, *ENGINE)


def desk_router(client: EngineClient) -> APIRouter:  # noqa: C901, RUF100 - a list of routes
    """Return the routes that send commands to the engine."""
    router = APIRouter(prefix="/v1", tags=["desk"])
    dialled = OnceOnly[CallId]()
    settings_change = asyncio.Lock()

    async def about_call(command: Command, call_id: str = "") -> CallId:
        result = await client.command(command)
        return CallId(call_id=str(result.get("call_id", call_id)))

    @router.get("/state", response_model=DeskState, responses=problems(*ENGINE))
    async def state() -> Any:
        """Return the desk as it is now: trunk, storage, calls, number of the last event."""
        return await client.command(GetState(source=SOURCE))

    @router.post(
        "/dial", status_code=202, responses=problems(1009, 2003, 2005, *PLAN, 2013, 2014, 3000, 3001, *ENGINE)
    )
    async def dial(asked: DialRequest, request: Request, idempotency_key: IdempotencyKey = None) -> CallId:
        """Call a number. Answers at once with the call's id; how it goes on shows in events."""
        command = Dial(number=asked.number, reason=asked.reason, withheld=asked.withheld, source=SOURCE)
        who = principal_of(request).name
        return await dialled.run(who, idempotency_key, repr(command), lambda: about_call(command))

    @router.post("/answer", responses=ANSWER_ERRORS)
    async def answer(request: OptionalCall | None = None) -> CallId:
        """Answer the call that rings."""
        call_id = request.call_id if request else ""
        return await about_call(Answer(call_id=call_id, source=SOURCE), call_id)

    @router.post("/hangup", responses=HANGUP_ERRORS)
    async def hangup(request: OptionalCall | None = None) -> CallId:
        """End the current call, refuse it if it rings, give up if it is being dialled."""
        call_id = request.call_id if request else ""
        return await about_call(Hangup(call_id=call_id, source=SOURCE), call_id)

    @router.post("/dtmf", responses=DTMF_ERRORS)
    async def dtmf(request: DtmfRequest) -> CallId:
        """Send DTMF digits to the customer."""
        command = SendDtmf(
            digits=request.digits,
            call_id=request.call_id,
            duration_ms=request.duration_ms,
            source=SOURCE,
        )
        return await about_call(command, request.call_id)

    @router.post("/calls/{call_id}/answer", responses=ANSWER_ERRORS)
    async def answer_call(call_id: Named) -> CallId:
        """Answer this call."""
        return await about_call(Answer(call_id=call_id, source=SOURCE), call_id)

    @router.post("/calls/{call_id}/hangup", responses=HANGUP_ERRORS)
    async def hangup_call(call_id: Named) -> CallId:
        """End this call."""
        return await about_call(Hangup(call_id=call_id, source=SOURCE), call_id)

    @router.post("/agent", responses=problems(1004, *ENGINE))
    async def agent(request: AgentStateRequest) -> AgentNow:
        """Set what the agent does: ready, on break or away; sign in who sits at the desk."""
        command = SetAgentState(
            state=request.state, agent=request.agent, reason=request.reason, source=SOURCE
        )
        return AgentNow.model_validate(await client.command(command))

    @router.post("/speak", responses=problems(4000, 4002, *ENGINE))
    async def speak(request: SpeakRequest) -> Speaking:
        """Play a sound file of the appliance into the simulated headset's microphone (simulator board)."""
        result = await client.command(Speak(path=request.path, source=SOURCE))
        return Speaking(duration_s=float(result.get("duration_s", 0.0)))

    @router.get("/settings", response_model=SettingsList, responses={**ETAG, **problems(*ENGINE)})
    async def settings(
        response: Response,
        language: Annotated[Literal["en", "zh"], Query(description="of the descriptions")] = "en",
        if_none_match: IfNoneMatch = None,
    ) -> Any:
        """Return every setting with value, default, unit and bounds; passwords read as `***`."""
        found = await client.command(GetSettings(source=SOURCE))
        tag = etag_of(found)
        if matches(if_none_match, tag):
            return Response(status_code=304, headers={"etag": tag})
        response.headers["etag"] = tag
        if language == "en":
            return found
        words = setting_descriptions(language)
        return {
            "settings": [
                {**one, "description": words.get(one["name"], one["description"])}
                for one in found["settings"]
            ]
        }

    @router.patch("/settings", responses=problems(1008, *PLAN[:3], 5004, 5005, 5006, *ENGINE))
    async def set_settings(
        changes: Annotated[
            dict[str, Any],
            Body(
                description="dotted name to new value", examples=[{"recording.enabled": True}], min_length=1
            ),
        ],
        if_match: IfMatch = None,
    ) -> SettingsChanged:
        """Change settings by dotted name; all of them or none."""
        async with settings_change:
            if if_match is not None:
                tag = etag_of(await client.command(GetSettings(source=SOURCE)))
                if not matches(if_match, tag):
                    raise error(1008, f"now {tag}")
            result = await client.command(SetSettings(changes=changes, source=SOURCE))
        return SettingsChanged(restart_required=bool(result.get("restart_required", False)))

    return router
