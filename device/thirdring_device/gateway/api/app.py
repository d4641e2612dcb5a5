"""The HTTP and WebSocket application."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from fastapi import FastAPI, Request, WebSocket
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.exceptions import HTTPException

from thirdring.protocol.commands import GetState
from thirdring.protocol.errors import ThirdringError, error
from thirdring_device.gateway.api.backup import backup_router
from thirdring_device.gateway.api.calls import calls_router
from thirdring_device.gateway.api.care import care_router
from thirdring_device.gateway.api.credentials import Credentials
from thirdring_device.gateway.api.desk import desk_router
from thirdring_device.gateway.api.docs_page import docs_page
from thirdring_device.gateway.api.figures import figures_router
from thirdring_device.gateway.api.gate import Gate
from thirdring_device.gateway.api.guard import Guard, problem_response
from thirdring_device.gateway.api.headset import headset_router
from thirdring_device.gateway.api.hooks import hooks_router
from thirdring_device.gateway.api.metrics import Metrics, metrics_router
from thirdring_device.gateway.api.models import Health, Ready
from thirdring_device.gateway.api.page import page_router
from thirdring_device.gateway.api.problems import ENGINE, JOURNAL, complete_openapi, problems
from thirdring_device.gateway.api.recordings import recordings_router
from thirdring_device.gateway.api.roles import methods_at
from thirdring_device.gateway.api.sessions import sessions_router
from thirdring_device.gateway.api.set_up import set_up_router
from thirdring_device.gateway.api.stream import SEND_TIMEOUT_S, stream_router
from thirdring_device.gateway.api.telephone import telephone_router
from thirdring_device.gateway.api.token import read_or_make_token
from thirdring_device.gateway.api.unit import unit_router
from thirdring_device.gateway.api.update import update_router
from thirdring_device.gateway.api.work import work_router
from thirdring_device.gateway.at.transcript import Transcript
from thirdring_device.gateway.engine_client import EngineClient
from thirdring_device.gateway.figures import KeyFigures
from thirdring_device.gateway.hub import KEEP_EVENTS, EventHub
from thirdring_device.gateway.journal import Reader
from thirdring_device.gateway.live_settings import LiveSettings
from thirdring_device.gateway.names import served_names
from thirdring_device.gateway.prompts import Prompter
from thirdring_device.settings import Settings
from thirdring_device.update.rauc import Rauc

__all__ = ["VERSION", "create_app"]

VERSION: Final = "0.1.0"

DESCRIPTION: Final = """\
The programming interface of a Thirdring desk appliance. Everything under /v1 needs either the header \
"Authorization: Bearer TOKEN", with the token from the file api-token in the appliance's state folder (a \
technician's) or one made with POST /v1/tokens, or the cookie of a session begun with POST /v1/session. \
Requests of a session other than GET carry the session's CSRF token in the header x-csrf-token. Who may do \
what: x-role of each operation; agent, lead and technician may each do what those before may.

Events: the WebSocket /v1/events?after=N sends every event above number N, then those to come, one JSON \
object a message, in order, without gap or double; without "after" only those to come. A WebSocket may give \
the token as ?token=. The header thirdring-last-event of the handshake's answer is the newest number. Close \
codes: 1008 with a reason that begins with 7004, the client read too slowly; 1012, connect again and resume.

Errors are application/problem+json with a numbered code that never changes its meaning."""

logger = logging.getLogger(__name__)


def create_app(
    settings: Settings,
    state_dir: Path,
    client: EngineClient,
    reader: Reader,
    *,
    keep_events: int = KEEP_EVENTS,
    send_timeout_s: float = SEND_TIMEOUT_S,
    settings_file: Path | None = None,
    transcript: Transcript | None = None,
) -> FastAPI:
    """Return the application; it follows the engine's events from its start-up to its shut-down.

    ``keep_events`` and ``send_timeout_s`` bound how far and how long a WebSocket may lag; ``settings_file``
    is what the settings were read from, ``transcript`` is written by the serial consoles. Raises
    ``StorageError`` 5006 when the token in ``state_dir`` can be neither read nor made.
    """
    hub = EventHub(client, reader, keep_events=keep_events)
    credentials = Credentials(state_dir, settings.gateway)
    open_metrics = settings.gateway.metrics == "loopback"
    gate = Gate(credentials, read_or_make_token(state_dir), open_metrics=open_metrics)
    metrics = Metrics()
    live = LiveSettings(settings)
    hub.observers += [metrics.event, live.note]

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        following = asyncio.create_task(hub.run(), name="event hub")
        following.add_done_callback(_log_end)
        try:
            yield
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
            credentials.close()

    app = FastAPI(
        title="Thirdring",
        version=VERSION,
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.include_router(desk_router(client))
    app.include_router(telephone_router(client))
    app.include_router(headset_router(client))
    app.include_router(set_up_router(client))
    app.include_router(hooks_router(client))
    app.include_router(calls_router(reader, live))
    app.include_router(figures_router(KeyFigures(reader, lambda: live.now)))
    app.include_router(recordings_router(client, state_dir))
    prompter = Prompter(client, reader, state_dir)
    app.include_router(work_router(client, reader, prompter))
    app.include_router(sessions_router(credentials))
    rauc = Rauc()
    said = transcript or Transcript()
    app.include_router(unit_router(client, settings, state_dir, settings_file, said, rauc))
    app.include_router(update_router(client, state_dir, VERSION, rauc))
    app.include_router(care_router(client, settings, state_dir, settings_file))
    app.include_router(backup_router(client, VERSION))
    app.include_router(metrics_router(metrics, client))
    app.include_router(stream_router(hub, gate, metrics, send_timeout_s=send_timeout_s))
    _add_pages(app, client, reader)
    _add_error_handlers(app)
    complete_openapi(app)
    app.add_middleware(
        Guard,
        allowed_hosts=served_names(settings.gateway),
        gate=gate,
        requests_per_s=settings.gateway.requests_per_s,
        metrics=metrics,
    )
    return app


def _add_pages(app: FastAPI, client: EngineClient, reader: Reader) -> None:
    app.include_router(page_router())

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return HTMLResponse(docs_page(app.openapi()))

    @app.get("/healthz", tags=["gateway"])
    async def healthz() -> Health:
        """Tell, without a token, that the gateway is up and whether the engine answers."""
        try:
            await client.command(GetState(source="health"))
        except ThirdringError:
            return Health(gateway="ok", engine="unreachable")
        return Health(gateway="ok", engine="ok")

    @app.get("/readyz", tags=["gateway"], responses=problems(*JOURNAL, *ENGINE))
    async def readyz() -> Ready:
        """Tell, without a token, that calls can be served: the engine answers, the journal can be read."""
        state = await client.command(GetState(source="health"))
        await run_in_threadpool(reader.last_number)
        return Ready(trunk=state["trunk"], storage=state["storage"])


def _add_error_handlers(app: FastAPI) -> None:
    """Every refusal becomes a numbered problem; what is not numbered is left to the guard (7002)."""

    @app.exception_handler(ThirdringError)
    async def numbered(connection: Request | WebSocket, reason: ThirdringError) -> JSONResponse | None:
        if isinstance(connection, WebSocket):
            await connection.send_denial_response(problem_response(reason))
            return None
        return problem_response(reason)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, reason: RequestValidationError) -> JSONResponse:
        first = reason.errors()[0]
        if first["type"] == "json_invalid":
            return problem_response(error(1000, str(first.get("ctx", {}).get("error", ""))))
        where = ".".join(str(part) for part in first["loc"][1:]) or "the body"
        return problem_response(error(1001, f"{where}: {first['msg']}"))

    @app.exception_handler(HTTPException)
    async def framework(request: Request, reason: HTTPException) -> JSONResponse:
        known = {400: 1000, 404: 1003, 405: 1002}
        response = problem_response(error(known.get(reason.status_code, 7002), request.url.path[:200]))
        response.headers.update(reason.headers or {})
        if reason.status_code == 405 and (methods := methods_at(request.scope["path"])):
            response.headers["allow"] = ", ".join(methods)  # the framework names those of one route only
        return response


def _log_end(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        logger.error("the event hub ended", exc_info=task.exception())
