"""Who may come in: hosts, origins, role, size and number of requests; and what no answer goes without.

Outermost layer of the application. It answers every refusal itself, WebSocket handshakes included, so
that nothing behind it runs for a stranger.
"""

import asyncio
import ipaddress
import logging
import time
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from thirdring.protocol.errors import ThirdringError, error
from thirdring_device.gateway.api.error_map import RetryLater, problem, status_of
from thirdring_device.gateway.api.gate import Gate
from thirdring_device.gateway.api.metrics import Metrics
from thirdring_device.gateway.api.rate import RateLimit
from thirdring_device.gateway.api.roles import UPLOAD, endpoint_of

__all__ = ["BODY_LIMIT_BYTES", "Guard", "problem_response"]

BODY_LIMIT_BYTES: Final = 64 * 1024
"""The largest request changes every setting at once: about 10 kB."""

BODY_TIMEOUT_S: Final = 10.0
REQUESTS_AT_ONCE: Final = 64

SECURITY_HEADERS: Final = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:;"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}

logger = logging.getLogger(__name__)


def problem_response(reason: ThirdringError) -> JSONResponse:
    """Return the HTTP response of a numbered error (RFC 9457)."""
    headers = {}
    if reason.code == 6000:
        headers["www-authenticate"] = "Bearer"
    elif isinstance(reason, RetryLater):
        headers["retry-after"] = str(reason.wait_s)
    elif reason.code == 7003:
        headers["retry-after"] = "1"
    return JSONResponse(
        problem(reason), status_of(reason.code).value, headers, media_type="application/problem+json"
    )


class Guard:
    """ASGI middleware; ``gate`` tells who asks and whether he may.

    ``allowed_hosts`` are in lower case, without ports and brackets.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        allowed_hosts: Iterable[str],
        gate: Gate,
        requests_per_s: float,
        metrics: Metrics,
    ) -> None:
        """Wrap ``app``; ``requests_per_s`` of one address are served, ``metrics`` counts them."""
        self._app = app
        self._hosts = frozenset(allowed_hosts)
        self._gate = gate
        self._requests = 0
        self._rate = RateLimit(requests_per_s)
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request through, or refuse it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._guarded(scope, receive, send)
        else:
            await self._counted(scope, receive, send)

    async def _counted(self, scope: Scope, receive: Receive, send: Send) -> None:
        began_s = time.monotonic()
        status = 0

        async def send_seen(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._guarded(scope, receive, send_seen)
        finally:
            endpoint = endpoint_of(scope["method"], scope["path"])
            self._metrics.request(endpoint, status, time.monotonic() - began_s)

    async def _guarded(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def send_safely(message: Message) -> None:
            nonlocal started
            started = True
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)  # the page has a policy of its own
            await send(message)

        try:
            self._check(scope)
            if scope["type"] == "websocket":
                await self._app(scope, receive, send_safely)
            else:
                await self._request(scope, receive, send_safely)
        except ThirdringError as reason:
            refusal = reason
        except Exception:
            logger.exception("%s %s failed", scope.get("method", "WebSocket"), scope["path"])
            refusal = error(7002)
        else:
            return
        if not started:
            await problem_response(refusal)(scope, receive, send_safely)

    def _check(self, scope: Scope) -> None:
        client = scope.get("client")
        self._rate.take(client[0] if client else "")
        headers = Headers(scope=scope)
        hosts = self._hosts | _reached_at(scope)
        if (host := _host_of("//" + headers.get("host", ""))) not in hosts:
            raise error(6001, f"host {host:.60}")
        origin = headers.get("origin")
        if origin is not None and _host_of(origin) not in hosts:
            raise error(6001, f"origin {origin:.60}")
        self._gate.admit(scope, headers)

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._requests >= REQUESTS_AT_ONCE:
            raise error(7003, f"{self._requests} at once")
        self._requests += 1
        try:
            if endpoint_of(scope["method"], scope["path"]) != UPLOAD:
                receive = await _with_whole_body(scope, receive)
            await self._app(scope, receive, send)
        finally:
            self._requests -= 1


async def _with_whole_body(scope: Scope, receive: Receive) -> Receive:
    """Read the whole body and return a ``receive`` that gives it; raises ``RequestError`` 1000 or 1007."""
    announced = Headers(scope=scope).get("content-length", "0")
    if not announced.isdecimal() or int(announced) > BODY_LIMIT_BYTES:
        raise error(1007, f"more than {BODY_LIMIT_BYTES} bytes")
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            while True:
                message = await receive()
                body += message.get("body", b"")
                if len(body) > BODY_LIMIT_BYTES:
                    raise error(1007, f"more than {BODY_LIMIT_BYTES} bytes")
                if not message.get("more_body", False):
                    break
    except TimeoutError as reason:
        raise error(1000, f"the body did not arrive within {BODY_TIMEOUT_S:g} s") from reason
    waiting: list[Message] = [{"type": "http.request", "body": bytes(body), "more_body": False}]

    async def replay() -> Message:
        return waiting.pop() if waiting else await receive()

    return replay


def _reached_at(scope: Scope) -> frozenset[str]:
    """Return the address of ours that the client has connected to.

    A browser that was sent to it by a foreign name (DNS rebinding) has that name in its headers.
    """
    server = scope.get("server")
    try:
        return frozenset({str(ipaddress.ip_address(server[0]))} if server else ())
    except ValueError:  # a test's name, a Unix socket's path
        return frozenset()


def _host_of(url: str) -> str:
    """Return the lower-case host of an origin or of ``//host:port``, empty when there is none."""
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""
