"""The WebSocket ``/v1/events``: every event as it happens, resumed by number."""

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any, Final

from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from starlette.websockets import WebSocketState

from thirdring.protocol.errors import ThirdringError, error
from thirdring_device.gateway.api.error_map import close_of
from thirdring_device.gateway.api.gate import Gate
from thirdring_device.gateway.api.metrics import Metrics
from thirdring_device.gateway.hub import EventHub

__all__ = ["LAST_EVENT_HEADER", "SERVICE_RESTART", "stream_router"]

STREAMS_AT_ONCE: Final = 64

JOURNAL_S: Final = 5.0
"""How long a client that comes before the journal waits; it is told to come again (503)."""

SEND_TIMEOUT_S: Final = 5.0
"""A client that takes nothing for so long, with the buffers of both ends full, is dropped."""

SERVICE_RESTART: Final = 1012
"""Close code (IANA): connect again and resume."""

LAST_EVENT_HEADER: Final = "thirdring-last-event"
"""In the answer to the handshake: the newest event's number. When it is lower than what was asked for, the
journal was begun anew and the stream starts behind it."""


def stream_router(
    hub: EventHub, gate: Gate, metrics: Metrics, *, send_timeout_s: float = SEND_TIMEOUT_S
) -> APIRouter:
    """Return the WebSocket route."""
    router = APIRouter()
    streams: set[WebSocket] = set()

    @router.websocket("/v1/events")
    async def events(websocket: WebSocket) -> None:
        after = _after(websocket)
        if len(streams) >= STREAMS_AT_ONCE:
            raise error(7003, f"{len(streams)} streams at once")
        streams.add(websocket)
        metrics.stream(open=True)
        try:
            await hub.begun(JOURNAL_S)
            await websocket.accept(headers=[(LAST_EVENT_HEADER.encode(), str(hub.last).encode())])
            start = hub.last if after is None else min(after, hub.last)
            await _serve(websocket, _send(websocket, hub, gate, start, send_timeout_s))
        finally:
            streams.discard(websocket)
            metrics.stream(open=False)

    return router


def _after(websocket: WebSocket) -> int | None:
    """Return the ``after`` of the query, None when it is not given; raises ``RequestError`` 1001."""
    text = websocket.query_params.get("after")
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise error(1001, "after is not an event's number")
    return int(text)


async def _serve(websocket: WebSocket, to_send: Coroutine[Any, Any, tuple[int, str]]) -> None:
    """Send until the client leaves or is too slow; what the client says is not listened to."""
    sending = asyncio.create_task(to_send)
    listening = asyncio.create_task(_listen(websocket))
    try:
        await asyncio.wait({sending, listening}, return_when=asyncio.FIRST_COMPLETED)
        if sending.done() and not listening.done():
            code, reason = sending.result()
            if websocket.application_state is WebSocketState.CONNECTED:
                with contextlib.suppress(RuntimeError, WebSocketDisconnect):
                    await websocket.close(code, reason)
    finally:
        for task in (sending, listening):
            task.cancel()
        await asyncio.gather(sending, listening, return_exceptions=True)


async def _send(
    websocket: WebSocket, hub: EventHub, gate: Gate, after: int, send_timeout_s: float
) -> tuple[int, str]:
    """Send events; return close code and reason when that has come to its end."""
    try:
        async with contextlib.aclosing(hub.follow(after)) as lines:
            async for line in lines:
                if not gate.still_in(websocket):
                    return close_of(error(6000, "the session is over"))
                async with asyncio.timeout(send_timeout_s):
                    await websocket.send_text(line.text)
    except TimeoutError:
        return close_of(error(7004, f"nothing taken for {send_timeout_s:g} s"))
    except ThirdringError as reason:
        return close_of(reason)
    except WebSocketDisconnect:
        pass
    return SERVICE_RESTART, "the journal starts anew: connect again"


async def _listen(websocket: WebSocket) -> None:
    """Wait until the client has gone."""
    while (await websocket.receive())["type"] != "websocket.disconnect":
        pass
