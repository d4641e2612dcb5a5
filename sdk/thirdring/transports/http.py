"""HTTP for questions and commands, a WebSocket for events; ``http://HOST:PORT`` and ``https://HOST``.

Nothing is ever sent twice: a request that got no answer raises, and whoever asked decides. Only the stream
of events connects again by itself, and resumes behind the last event it gave out.
"""

import asyncio
import json
import logging
import os
import ssl
from collections.abc import AsyncGenerator, Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal, TypeVar
from urllib.parse import quote, urlsplit

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus, WebSocketException

from thirdring.protocol.codec import from_fields, to_fields
from thirdring.protocol.commands import (
    Answer,
    Command,
    Conference,
    Dial,
    FinishCallBack,
    Forward,
    GetHeadset,
    GetSettings,
    GetState,
    Hangup,
    Hold,
    ListDeadLetters,
    ListHooks,
    ListRecordings,
    Mute,
    PauseRecording,
    PressButton,
    Redial,
    RemoveContact,
    Resume,
    ResumeRecording,
    RetryDeadLetters,
    SaveContact,
    SendDtmf,
    SetAgentState,
    SetSettings,
    Speak,
    Swap,
    TakeNotes,
    Transfer,
    Unmute,
)
from thirdring.protocol.errors import ConnectionLost, RequestError, ThirdringError, error
from thirdring.protocol.events import Record, record_from_json
from thirdring.protocol.figures import FiguresBy, FiguresReport, Forecast, Staffing
from thirdring.protocol.views import CallDetail, CallSummary, UpdateState
from thirdring.reconnect import Absence, Reconnect

__all__ = ["LAST_EVENT_HEADER", "HttpTransport"]

LAST_EVENT_HEADER: Final = "thirdring-last-event"
"""In the answer to the WebSocket's handshake: the number of the newest event."""

KEEPALIVE_S: Final = 3.0
"""Below the server's 5 s, so that no request goes out on a connection that is just being closed."""

TRANSIENT_STATUSES: Final = frozenset({429, 502, 503, 504})

UPDATE: Final = "/v1/unit/update"

PIECE_BYTES: Final = 1 << 18

FORMS: Final = {"json": "application/json", "text": "text/plain", "html": "text/html"}

logger = logging.getLogger(__name__)

T = TypeVar("T")

_ROUTES: Final[Mapping[type[Command], tuple[str, str]]] = {
    GetState: ("GET", "state"),
    Dial: ("POST", "dial"),
    Answer: ("POST", "answer"),
    Hangup: ("POST", "hangup"),
    Hold: ("POST", "hold"),
    Resume: ("POST", "resume"),
    Swap: ("POST", "swap"),
    Transfer: ("POST", "transfer"),
    Conference: ("POST", "conference"),
    Redial: ("POST", "redial"),
    Forward: ("POST", "forward"),
    Mute: ("POST", "mute"),
    Unmute: ("POST", "unmute"),
    PauseRecording: ("POST", "recording/pause"),
    ResumeRecording: ("POST", "recording/resume"),
    ListRecordings: ("GET", "recordings"),
    SendDtmf: ("POST", "dtmf"),
    SetAgentState: ("POST", "agent"),
    TakeNotes: ("POST", "notes"),
    SaveContact: ("POST", "contacts"),
    RemoveContact: ("POST", "contacts/remove"),
    FinishCallBack: ("POST", "call_backs/done"),
    Speak: ("POST", "speak"),
    PressButton: ("POST", "headset/press"),
    GetHeadset: ("GET", "headset"),
    GetSettings: ("GET", "settings"),
    SetSettings: ("PATCH", "settings"),
    ListHooks: ("GET", "hooks"),
    ListDeadLetters: ("GET", "hooks/dead"),
    RetryDeadLetters: ("POST", "hooks/retry"),
}

_LISTS: Final[Mapping[type[Command], str]] = {
    ListRecordings: "recordings",
    ListHooks: "hooks",
    ListDeadLetters: "dead_letters",
}
"""Commands that HTTP answers with an array, and its name in the result object."""


class HttpTransport:
    """A ``Transport`` over HTTP. Proxies named in the environment are not used."""

    def __init__(self, url: str, *, token: str, timeout_s: float, reconnect: Reconnect) -> None:
        """``timeout_s`` bounds each request, ``reconnect`` how events come back.

        Raises ``RequestError`` 1004 when ``url`` is no HTTP URL.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise error(1004, f"{url!r:.100} is not http://HOST:PORT")
        self._headers = {"authorization": f"Bearer {token}"} if token else {}
        self._timeout_s = timeout_s
        self._reconnect = reconnect
        self._http = httpx.AsyncClient(
            base_url=url,
            headers=self._headers,
            timeout=timeout_s,
            limits=httpx.Limits(keepalive_expiry=KEEPALIVE_S),
            trust_env=False,
            # As websockets does: the system's authorities, or those that SSL_CERT_FILE names.
            verify=ssl.create_default_context() if parts.scheme == "https" else True,
        )
        scheme = "wss" if parts.scheme == "https" else "ws"
        self._events_url = f"{scheme}://{parts.netloc}{parts.path.rstrip('/')}/v1/events"

    async def open(self) -> None:
        """Make sure that somebody answers; raises ``ConnectionLost`` 8000 or 8001."""
        await self._request("GET", "/")

    async def close(self) -> None:
        """Disconnect; may be called twice."""
        await self._http.aclose()

    async def command(self, command: Command) -> Mapping[str, Any]:
        """Execute one command and return its result object. It is sent once and never again."""
        method, path = _ROUTES[type(command)]
        fields = to_fields(command)
        del fields["source"]
        body = fields["changes"] if isinstance(command, SetSettings) else fields
        if (name := _LISTS.get(type(command))) is not None:
            response = await self._request(method, f"/v1/{path}", params=body)
            return _parsed(response, lambda views: {name: list(views)})
        response = await self._request(method, f"/v1/{path}", json=None if method == "GET" else body)
        return _parsed(response, dict)

    async def calls(self, *, limit: int) -> list[CallSummary]:
        """Return the newest calls, newest first."""
        response = await self._request("GET", "/v1/calls", params={"limit": limit})
        return _parsed(response, lambda items: [from_fields(CallSummary, item) for item in items])

    async def call(self, call_id: str) -> CallDetail:
        """Return one call with its verdicts; raises ``CallError`` 2000."""
        response = await self._request("GET", _call_path(call_id))
        return _parsed(response, lambda fields: from_fields(CallDetail, fields))

    async def call_events(self, call_id: str) -> list[Record]:
        """Return the events of one call in order."""
        response = await self._request("GET", f"{_call_path(call_id)}/events")
        return _parsed(response, lambda items: [record_from_json(item) for item in items])

    async def listed(self, what: str, asked: Mapping[str, Any]) -> list[Any]:
        """Return JSON objects of the agent's work: ``notes``, ``contacts`` or ``call_backs``."""
        return _parsed(await self._request("GET", f"/v1/{what}", params=dict(asked)), list)

    async def figures(self, start: str, end: str, by: FiguresBy) -> FiguresReport:
        """Return key figures; raises ``RequestError`` 1004."""
        params = {"from": start, "to": end, "by": by}
        response = await self._request("GET", "/v1/figures", params=params)
        return _parsed(response, lambda fields: from_fields(FiguresReport, fields))

    async def staffing(self, load: Mapping[str, float]) -> Staffing:
        """Return what a load needs; raises ``RequestError`` 1004."""
        response = await self._request("GET", "/v1/staffing", params=dict(load))
        return _parsed(response, lambda fields: from_fields(Staffing, fields))

    async def forecast(self) -> Forecast:
        """Return what a week is expected to bring."""
        response = await self._request("GET", "/v1/forecast")
        return _parsed(response, lambda fields: from_fields(Forecast, fields))

    async def report(self, call_id: str, form: Literal["text", "json", "html"]) -> str:
        """Return the report of one call, as the appliance writes it."""
        return (await self._request("GET", f"{_call_path(call_id)}/report", params={"format": form})).text

    async def save_recording(self, call_id: str, path: Path) -> None:
        """Write the recording of a call to a file, opened; complete or not at all.

        Raises ``MediaError`` 4024 and what the appliance refuses it with, ``StorageError`` 5008 when the
        file cannot be written.
        """
        await self._save(f"{_call_path(call_id)}/recording", path)

    async def save_support_file(self, path: Path) -> None:
        """Write the support file, complete or not at all; raises ``StorageError`` 5008."""
        await self._save("/v1/support", path)

    async def update_state(self) -> UpdateState:
        """Return where the last update is."""
        response = await self._request("GET", UPDATE)
        return _parsed(response, lambda fields: from_fields(UpdateState, fields))

    async def update_from_url(self, url: str, *, force: bool, wait: bool) -> None:
        """Begin an update that the unit fetches; raises ``ApplianceError`` 7030, 7031, 7035, 7037."""
        await self._request("POST", UPDATE, json={"url": url, "force": force, "wait": wait})

    async def update_from_file(self, path: Path, *, force: bool, wait: bool) -> None:
        """Send a bundle and begin the update; raises as the other, 7038, ``StorageError`` 5003."""
        try:
            with path.open("rb") as file:  # noqa: ASYNC230, RUF100 - a piece at a time
                size = str(os.fstat(file.fileno()).st_size)
                pieces = _pieces(file)
                asked = {"params": {"force": force, "wait": wait}, "headers": {"content-length": size}}
                await self._request("PUT", f"{UPDATE}/bundle", content=pieces, **asked)
        except OSError as reason:
            raise error(5003, f"{path}: {reason}") from reason

    async def factory_reset(self, serial_number: str) -> None:
        """Wipe the unit; raises ``RequestError`` 1010, ``CallError`` 2003 while a call is there."""
        await self._request("POST", "/v1/factory-reset", json={"serial_number": serial_number})

    async def _save(self, url: str, path: Path) -> None:
        unfinished = path.with_name(path.name + ".part")
        try:
            async with self._http.stream("GET", url) as response:
                if not response.is_success:
                    raise _refusal(response.status_code, await response.aread())
                with unfinished.open("wb") as file:  # noqa: ASYNC230, RUF100 - a piece at a time
                    async for piece in response.aiter_bytes():
                        file.write(piece)
            unfinished.replace(path)
        except httpx.TimeoutException as reason:
            raise error(8001, f"GET {url} within {self._timeout_s:g} s") from reason
        except (httpx.HTTPError, httpx.InvalidURL, RuntimeError) as reason:
            raise error(8000, f"{self._http.base_url}: {reason}") from reason
        except OSError as reason:
            raise error(5008, f"{path}: {reason}") from reason
        finally:
            unfinished.unlink(missing_ok=True)

    async def events(self, after: int) -> AsyncGenerator[Record, None]:
        """Yield every event numbered above ``after``, then those to come, over any number of connections.

        Raises ``ConnectionLost`` 8000 when the first connection fails or the appliance stays away
        for too long (``Reconnect``), and what the appliance refuses the stream with (``AccessError``).
        """
        absence = Absence(self._reconnect)
        while True:
            connected, began_at = False, after
            try:
                async with connect(
                    f"{self._events_url}?after={after}",
                    additional_headers=self._headers,
                    open_timeout=self._timeout_s,
                    close_timeout=1.0,
                    compression=None,
                    proxy=None,
                ) as websocket:
                    connected = True
                    began_at = after = min(after, _newest(websocket.response, after))
                    async for message in websocket:
                        record = _record(message)
                        if record.number > after:
                            after = record.number
                            yield record
                    lost = f"closed: {websocket.close_code} {websocket.close_reason}"
            except InvalidStatus as refused:
                if refused.response.status_code not in TRANSIENT_STATUSES:
                    raise _refusal(refused.response.status_code, refused.response.body) from refused
                lost = str(refused)
            except (OSError, TimeoutError, WebSocketException) as reason:
                lost = str(reason) or type(reason).__name__
            if connected:
                absence.was_there(useful=after > began_at)
            pause_s = absence.next_pause_s()
            if pause_s is None:
                raise error(8000, f"{self._events_url}: {lost}")
            logger.info("the stream of events broke after %d: %s", after, lost)
            await asyncio.sleep(pause_s)

    async def _request(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            response = await self._http.request(method, path, **options)
        except httpx.TimeoutException as reason:
            raise error(8001, f"{method} {path} within {self._timeout_s:g} s") from reason
        except (httpx.HTTPError, httpx.InvalidURL, RuntimeError) as reason:  # RuntimeError: closed
            raise error(8000, f"{self._http.base_url}: {reason}") from reason
        if not response.is_success:
            raise _refusal(response.status_code, response.content)
        return response


async def _pieces(file: BinaryIO) -> AsyncGenerator[bytes, None]:
    while piece := file.read(PIECE_BYTES):
        yield piece


def _call_path(call_id: str) -> str:
    if not call_id:
        raise error(2000, "empty call_id")
    return f"/v1/calls/{quote(call_id, safe='')}"


def _parsed(response: httpx.Response, parse: Callable[[Any], T]) -> T:
    try:
        return parse(response.json())
    except (ValueError, TypeError, RequestError) as reason:
        raise error(8002, f"{response.request.url.path}: {reason}") from reason


def _record(message: str | bytes) -> Record:
    try:
        return record_from_json(json.loads(message))
    except (ValueError, AttributeError, RequestError) as reason:
        raise error(8002, f"event: {reason}") from reason


def _refusal(status: int, body: bytes | bytearray | None) -> ThirdringError:
    """Return the numbered error of a problem body, 8002 for one that is none."""
    try:
        fields = json.loads(body or b"")
        return error(int(fields["code"]), str(fields.get("detail", "")))
    except (ValueError, TypeError, KeyError, AttributeError):
        return ConnectionLost(8002, f"HTTP {status} without a numbered error")


def _newest(response: Any, default: int) -> int:
    """Return the newest event's number as the handshake's answer tells it."""
    text = response.headers.get(LAST_EVENT_HEADER, "") if response is not None else ""
    return int(text) if text.isdecimal() else default
