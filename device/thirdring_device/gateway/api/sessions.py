"""Routes of signing in and out, passwords and API tokens."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Path, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field

from thirdring.protocol.errors import error
from thirdring_device.gateway.api.credentials import Credentials, Principal, TokenRow
from thirdring_device.gateway.api.gate import SESSION_COOKIE, principal_of
from thirdring_device.gateway.api.passwords import LONGEST, SHORTEST
from thirdring_device.gateway.api.problems import problems
from thirdring_device.gateway.api.roles import ROLES, Role
from thirdring_device.gateway.api.throttle import Throttle

__all__ = ["SignIn", "sessions_router"]

FREE_BY_ADDRESS: Final = 5
FREE_BY_ROLE: Final = 50
"""From all addresses together; a neighbour who guesses shall not easily shut the others out."""

NewPassword = Annotated[str, Field(min_length=SHORTEST, max_length=LONGEST, examples=["a tram to the sea"])]

Stage = Literal["none", "first", "set"]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class SignInRequest(_Request):
    """Who signs in."""

    role: Role = Field(examples=["technician"])
    password: str = Field(max_length=LONGEST, examples=["k7mq-x2wp-9dfa"])


class PasswordRequest(_Request):
    """The signed-in role's new password."""

    old: str = Field(max_length=LONGEST, examples=["k7mq-x2wp-9dfa"])
    new: NewPassword


class AccountPasswordRequest(_Request):
    """A password given to a role by the technician."""

    password: NewPassword
    must_change: bool = Field(default=True, description="it has to be changed at the next sign-in")


class TokenRequest(_Request):
    """A token to be made."""

    name: str = Field(description="what it is for", min_length=1, max_length=60, examples=["wall screen"])
    role: Role = Field(description="what it may do", examples=["lead"])


class Session(BaseModel):
    """Who asks, as the gateway sees it."""

    role: Role
    kind: Literal["session", "token"]
    csrf_token: str = Field(
        description="to be sent as `x-csrf-token` with every request but GET of a session; empty for a token"
    )
    must_change_password: bool = Field(description="nothing else is allowed before: 6004")
    ends_utc: str | None = Field(description="when it ends even if it is used; null for a token")


class Account(BaseModel):
    """A role's password, without the password."""

    role: Role
    password: Stage = Field(
        description="none: nobody can sign in; first: it must be changed at the next sign-in"
    )


class Token(BaseModel):
    """An API token, without its text."""

    token_id: str
    name: str
    role: Role
    made_utc: str
    used_utc: str | None = Field(description="to within five minutes; null: never")


class NewToken(Token):
    """A token that was just made."""

    token: str = Field(description="its text, shown only now")


class SignIn:
    """Checks passwords one at a time, slows down who guesses, makes the cookie."""

    def __init__(self, credentials: Credentials) -> None:
        """Check against ``credentials``."""
        self._credentials = credentials
        self._one_at_a_time = asyncio.Lock()
        self._by_address = Throttle(FREE_BY_ADDRESS)
        self._by_role = Throttle(FREE_BY_ROLE)

    async def check(self, request: Request, role: Role, password: str) -> None:
        """Raise ``AccessError`` 6003 when the password is wrong, ``RetryLater`` 6005 after too many."""
        address = request.client.host if request.client else ""
        async with self._one_at_a_time:
            self._by_address.check(address)
            self._by_role.check(role)
            if not await run_in_threadpool(self._credentials.password_is, role, password):
                self._by_address.failed(address)
                self._by_role.failed(role)
                raise error(6003)
            self._by_address.succeeded(address)

    def begin(self, request: Request, response: Response, role: Role) -> Principal:
        """Begin a session in place of the one whose cookie came along, and set its cookie."""
        if former := request.cookies.get(SESSION_COOKIE):
            self._credentials.end_session(former)
        principal = self._credentials.begin_session(role)
        response.set_cookie(
            SESSION_COOKIE,
            principal.secret,
            max_age=self._credentials.absolute_s,
            path="/",
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="strict",
        )
        return principal


def sessions_router(credentials: Credentials) -> APIRouter:  # noqa: C901, RUF100 - a list of routes
    """Return the routes; who may use which stands in ``roles``."""
    router = APIRouter(prefix="/v1", tags=["access"])
    sign_in = SignIn(credentials)

    @router.post("/session", responses=problems(5006, 6003, 6005))
    async def begin_session(asked: SignInRequest, request: Request, response: Response) -> Session:
        """Sign in: the answer sets the session's cookie (HttpOnly, SameSite=Strict)."""
        await sign_in.check(request, asked.role, asked.password)
        return _session(sign_in.begin(request, response, asked.role))

    @router.get("/session", responses=problems())
    async def session(request: Request) -> Session:
        """Return who is signed in, and the session's CSRF token."""
        return _session(principal_of(request))

    @router.delete("/session", status_code=204, responses=problems(5006))
    async def end_session(request: Request, response: Response) -> None:
        """Sign out. A token stays valid."""
        principal = principal_of(request)
        if principal.kind == "session":
            credentials.end_session(principal.secret)
        response.delete_cookie(SESSION_COOKIE, path="/", httponly=True, samesite="strict")

    @router.put("/session/password", responses=problems(1004, 5006, 6003, 6005))
    async def change_password(asked: PasswordRequest, request: Request) -> Session:
        """Change the password of one's own role; ends the role's other sessions."""
        principal = principal_of(request)
        await sign_in.check(request, principal.role, asked.old)
        if asked.new == asked.old:
            raise error(1004, "the new password is the old one")
        await run_in_threadpool(
            credentials.set_password, principal.role, asked.new, must_change=False, keep=principal.secret
        )
        return _session(credentials.session(principal.secret) or principal)

    @router.get("/accounts", responses=problems())
    async def accounts() -> list[Account]:
        """Return which roles can sign in."""
        known = credentials.accounts()
        words: dict[bool | None, Stage] = {
            None: "none",
            True: "first",
            False: "set",
        }
        return [Account(role=role, password=words[known.get(role)]) for role in ROLES]

    @router.put("/accounts/{role}/password", status_code=204, responses=problems(5006))
    async def give_password(
        role: Annotated[Role, Path(description="whose password")], asked: AccountPasswordRequest
    ) -> None:
        """Give a role a password; ends its sessions."""
        await run_in_threadpool(credentials.set_password, role, asked.password, must_change=asked.must_change)

    @router.get("/tokens", responses=problems())
    async def tokens() -> list[Token]:
        """Return the API tokens, oldest first; the one in the file `api-token` is not among them."""
        return [_token(row) for row in credentials.tokens()]

    @router.post("/tokens", status_code=201, responses=problems(1004, 5006))
    async def make_token(asked: TokenRequest) -> NewToken:
        """Make an API token. Its text is in this answer and nowhere else."""
        row, text = credentials.make_token(asked.name, asked.role)
        return NewToken(**_token(row).model_dump(), token=text)

    @router.delete("/tokens/{token_id}", status_code=204, responses=problems(1003, 5006))
    async def revoke_token(
        token_id: Annotated[str, Path(description="the token's id", max_length=64)],
    ) -> None:
        """Revoke an API token."""
        credentials.revoke_token(token_id)

    return router


def _session(principal: Principal) -> Session:
    return Session(
        role=principal.role,
        kind=principal.kind,
        csrf_token=principal.csrf_token,
        must_change_password=principal.must_change,
        ends_utc=None if principal.ends_s is None else _utc(principal.ends_s),
    )


def _token(row: TokenRow) -> Token:
    return Token(
        token_id=row.token_id,
        name=row.name,
        role=row.role,
        made_utc=_utc(row.made_s),
        used_utc=None if row.used_s is None else _utc(row.used_s),
    )


def _utc(unix_s: float) -> str:
    return datetime.fromtimestamp(unix_s, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
