"""Routes of the recordings: which there are, and a call's own, opened with the unit's key."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi import Path as PathParameter
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, StreamingResponse

from thirdring.protocol.commands import ListRecordings, ReadRecording
from thirdring.protocol.errors import error
from thirdring.protocol.views import RecordingView
from thirdring_device.gateway.api.gate import principal_of
from thirdring_device.gateway.api.guard import problem_response
from thirdring_device.gateway.api.problems import ENGINE, problems
from thirdring_device.gateway.engine_client import EngineClient

if TYPE_CHECKING:
    from thirdring_device.adapters.recording.reading import RecordingFile

__all__ = ["recordings_router"]

SOURCE: Final = "http"
Named = Annotated[str, PathParameter(description="the call's id", max_length=64)]
MEDIA_TYPES: Final = {"wav": "audio/wav", "ogg": "audio/ogg"}
NOTED_S: Final = 600.0
LONGEST_RANGE: Final = 200
_RANGE: Final = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")
SOUND: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The recording: left agent, right customer",
        "content": {
            kind: {"schema": {"type": "string", "format": "binary"}} for kind in MEDIA_TYPES.values()
        },
    },
    206: {
        "description": "The bytes asked for",
        "content": {
            kind: {"schema": {"type": "string", "format": "binary"}} for kind in MEDIA_TYPES.values()
        },
    },
}


def recordings_router(client: EngineClient, state_dir: Path) -> APIRouter:
    """Return the routes; the engine keeps account of who fetched what."""
    router = APIRouter(prefix="/v1", tags=["recordings"])
    listened = _Listened(client)

    @router.get("/recordings", response_model=list[RecordingView], responses=problems(1004, *ENGINE))
    async def recordings(
        limit: Annotated[int, Query(description="how many at most", ge=1, le=1000)] = 100,
        call_id: Annotated[str, Query(description="of this call only", max_length=64)] = "",
    ) -> Any:
        """Return the recordings that are kept, newest first."""
        result = await client.command(ListRecordings(limit=limit, call_id=call_id, source=SOURCE))
        return JSONResponse(result["recordings"])

    @router.get(
        "/calls/{call_id}/recording",
        response_class=StreamingResponse,
        responses={**SOUND, **problems(4000, 4020, 4021, 4022, 4023, 4024, 4025, 4027, *ENGINE)},
    )
    async def recording(
        call_id: Named,
        request: Request,
        wanted: Annotated[
            str | None,
            Header(alias="Range", description="one range of bytes, `bytes=A-B`", max_length=LONGEST_RANGE),
        ] = None,
    ) -> Response:
        """Return the sound of a call as WAV or Ogg, facts included, or a part; `recording_read` is noted.

        Who goes on listening within ten minutes, by further parts, is noted once.
        """
        part = None if "if-range" in request.headers else _range_of(wanted)
        path = await listened.path(
            principal_of(request).name, call_id, goes_on=part is not None and part[0] != 0
        )
        file, size = await run_in_threadpool(_opened, state_dir / path)
        form, kind = file.form, MEDIA_TYPES[file.form]
        headers = {
            "content-disposition": f'attachment; filename="{call_id}.{form}"',
            "accept-ranges": "bytes",
        }
        if part is None:
            headers["content-length"] = str(size)
            return StreamingResponse(_pieces(file, 0, size), media_type=kind, headers=headers)
        start, end = _within(part, size)
        if start >= end:
            file.close()
            refused = problem_response(error(4027, f"it has {size} bytes"))
            refused.headers["content-range"] = f"bytes */{size}"
            return refused
        headers["content-length"] = str(end - start)
        headers["content-range"] = f"bytes {start}-{end - 1}/{size}"
        return StreamingResponse(_pieces(file, start, end), 206, media_type=kind, headers=headers)

    return router


class _Listened:
    """Where the recordings are that somebody listens to; the engine notes each who begins."""

    def __init__(self, client: EngineClient) -> None:
        self._client = client
        self._noted: dict[tuple[str, str], tuple[str, float]] = {}

    async def path(self, who: str, call_id: str, *, goes_on: bool) -> str:
        """Return the recording's path in the state folder; who ``goes_on`` has been noted before."""
        now_s = time.monotonic()
        self._noted = {key: known for key, known in self._noted.items() if known[1] > now_s}
        known = self._noted.get((who, call_id))
        if goes_on and known is not None:
            return known[0]
        result = await self._client.command(ReadRecording(call_id=call_id, source=SOURCE))
        path = str(result["path"])
        self._noted[who, call_id] = (path, now_s + NOTED_S)
        return path


Part = tuple[int | None, int | None]
"""First and last byte (RFC 9110, 14.1.2); without the first the last one is how many from the end."""


def _range_of(header: str | None) -> Part | None:
    """Return the one range asked for; None for none, for several, and for what is no range of bytes."""
    match = _RANGE.fullmatch(header or "")
    if match is None or not (match[1] or match[2]):
        return None
    first, last = (int(text) if text else None for text in match.groups())
    if first is not None and last is not None and last < first:
        return None
    return first, last


def _within(part: Part, size: int) -> tuple[int, int]:
    """Return start and end of a range in so many bytes; start is not below end when there is none."""
    first, last = part
    if first is None:
        return max(0, size - (last or 0)), size
    return first, size if last is None else min(size, last + 1)


def _opened(path: Path) -> "tuple[RecordingFile, int]":
    from thirdring_device.adapters.recording.reading import RecordingFile  # numpy: not for every gateway

    file = RecordingFile(path)
    return file, file.plain_bytes()


def _pieces(file: "RecordingFile", start: int, end: int) -> Iterator[bytes]:
    try:
        yield from file.plain(start, end)
    finally:
        file.close()
