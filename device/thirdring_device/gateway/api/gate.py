"""Who asks, and whether he may: token or session, CSRF token, role."""

import hmac
from http.cookies import CookieError, SimpleCookie
from typing import Final
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import Scope

from thirdring.protocol.errors import error
from thirdring_device.gateway.api.credentials import Credentials, Principal
from thirdring_device.gateway.api.roles import METRICS, may, needed
from thirdring_device.gateway.api.token import same_token

__all__ = ["CSRF_HEADER", "SESSION_COOKIE", "Gate", "principal_of"]

SESSION_COOKIE: Final = "thirdring_session"
CSRF_HEADER: Final = "x-csrf-token"
LOOPBACK: Final = {"127.0.0.1", "::1"}
SAFE_METHODS: Final = {"GET", "HEAD"}


class Gate:
    """Lets a request through by the table of ``roles``; knows the token of the file besides the others."""

    def __init__(self, credentials: Credentials, file_token: str, *, open_metrics: bool = False) -> None:
        """``file_token`` is a technician's; with ``open_metrics`` the machine itself needs none."""
        self._credentials = credentials
        self._file_token = file_token
        self._open_metrics = open_metrics

    def admit(self, scope: Scope, headers: Headers) -> None:
        """Note who asks in the scope's state; raises ``AccessError`` 6000, 6001, 6002, 6004 or 6006."""
        method = scope["method"] if scope["type"] == "http" else "WEBSOCKET"
        need = needed(method, scope["path"])
        if need == "public" or self._reads_metrics(scope, method):
            return
        principal = self._principal(scope, headers)
        if principal is None:
            raise error(6000)
        if principal.kind == "session":
            _check_session_request(principal, method, headers)
        if principal.must_change and need != "signed in":
            raise error(6004)
        if not may(principal.role, need):
            raise error(6002, f"{principal.role}, needed: {need}")
        scope.setdefault("state", {})["principal"] = principal

    def still_in(self, connection: HTTPConnection) -> bool:
        """Return whether session or token still count, for connections that stay open; counts as a use."""
        principal = principal_of(connection)
        if principal.kind == "session":
            return self._credentials.session(principal.secret) is not None
        return self._by_token(principal.secret) is not None

    def _reads_metrics(self, scope: Scope, method: str) -> bool:
        if not self._open_metrics or f"{method} {scope['path']}" != METRICS:
            return False
        client = scope.get("client")
        return client is not None and client[0] in LOOPBACK

    def _principal(self, scope: Scope, headers: Headers) -> Principal | None:
        token = _token_of(scope, headers)
        if token is None:
            secret = _cookie_of(headers)
            return self._credentials.session(secret) if secret else None
        return self._by_token(token)

    def _by_token(self, token: str) -> Principal | None:
        if same_token(token, self._file_token):
            return Principal("technician", "token", token, "api-token")
        return self._credentials.token(token)


def principal_of(connection: HTTPConnection) -> Principal:
    """Return who asks, for routes that are not public."""
    principal: Principal = connection.state.principal
    return principal


def _check_session_request(principal: Principal, method: str, headers: Headers) -> None:
    """Let only our own page use the cookie, which a browser sends along with anybody's requests."""
    origin = headers.get("origin")
    if origin is not None and urlsplit(origin).netloc.lower() != headers.get("host", "").lower():
        raise error(6001, f"origin {origin:.60}")
    if method == "WEBSOCKET" or method in SAFE_METHODS:
        return
    given = headers.get(CSRF_HEADER, "").encode(errors="replace")
    if not hmac.compare_digest(given, principal.csrf_token.encode()):
        raise error(6006)


def _token_of(scope: Scope, headers: Headers) -> str | None:
    """Return the token of the Authorization header or, for a WebSocket, of the first ``?token=``.

    None without either. A header that is no bearer token is an empty one: it is not passed over for a cookie.
    """
    given = headers.get("authorization")
    if given is not None:
        scheme, _, value = given.partition(" ")
        return value.strip() if scheme.lower() == "bearer" else ""
    if scope["type"] == "websocket":
        try:
            query = parse_qs(scope["query_string"].decode("latin-1"), max_num_fields=20)
        except ValueError:
            return ""
        if "token" in query:
            return str(query["token"][0])
    return None


def _cookie_of(headers: Headers) -> str:
    """Return the session cookie, empty when there is none."""
    try:
        morsel = SimpleCookie(headers.get("cookie", "")).get(SESSION_COOKIE)
    except CookieError:
        return ""
    return morsel.value if morsel is not None else ""
