"""Routes of the recordings: which there are, and a call's own, opened with the unit's key."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from fastapi import Path as PathParameter
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, StreamingResponse

from thirdring.protocol.commands import ListRecordings, ReadRecording
from thirdring.protocol.views import RecordingView
from thirdring_device.gateway.api.problems import ENGINE, problems
from thirdring_device.gateway.engine_client import EngineClient

__all__ = ["recordings_router"]

SOURCE: Final = "http"
Named = Annotated[str, PathParameter(description="the call's id", max_length=64)]
MEDIA_TYPES: Final = {"wav": "audio/wav", "ogg": "audio/ogg"}
SOUND: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The recording: left agent, right customer",
        "content": {
            kind: {"schema": {"type": "string", "format": "binary"}} for kind in MEDIA_TYPES.values()
        },
    }
}


def recordings_router(client: EngineClient, state_dir: Path) -> APIRouter:
    """Return the routes; the engine keeps account of who fetched what."""
    router = APIRouter(prefix="/v1", tags=["recordings"])

    @router.get("/recordings", response_model=list[RecordingView], responses=problems(1004, *ENGINE))
    async def recordings(
        limit: Annotated[int, Query(description="how many at most", ge=1, le=1000)] = 100,
    ) -> Any:
        """Return the recordings that are kept, newest first."""
        result = await client.command(ListRecordings(limit=limit, source=SOURCE))
        return JSONResponse(result["recordings"])

    @router.get(
        "/calls/{call_id}/recording",
        response_class=StreamingResponse,
        responses={**SOUND, **problems(4000, 4020, 4021, 4022, 4023, 4024, 4025, *ENGINE)},
    )
    async def recording(call_id: Named) -> StreamingResponse:
        """Return the sound of a call as WAV or Ogg, facts included; `recording_read` is noted first."""
        result = await client.command(ReadRecording(call_id=call_id, source=SOURCE))
        form, pieces = await run_in_threadpool(_opened, state_dir / str(result["path"]))
        headers = {"content-disposition": f'attachment; filename="{call_id}.{form}"'}
        return StreamingResponse(pieces, media_type=MEDIA_TYPES[form], headers=headers)

    return router


def _opened(path: Path) -> tuple[str, Iterator[bytes]]:
    from thirdring_device.adapters.recording.reading import RecordingFile  # numpy: not for every gateway

    file = RecordingFile(path)

    def pieces() -> Iterator[bytes]:
        try:
            yield from file.plain()
        finally:
            file.close()

    return file.form, pieces()
