"""Passwords, sessions and API tokens of the unit, in ``access.sqlite3`` of the state folder.

Nothing in it lets anybody in: passwords are kept by scrypt, sessions and tokens, which are long and random,
by SHA-256. Only the first password stands in clear, in the file ``first-password``, until it is changed.
"""

import contextlib
import hashlib
import hmac
import logging
import os
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, cast

from thirdring.protocol.errors import error
from thirdring_device.gateway.api.passwords import first_password, hash_password, password_matches
from thirdring_device.gateway.api.roles import Role
from thirdring_device.gateway.api.token import read_or_make_secret
from thirdring_device.settings import GatewaySettings

__all__ = ["ACCESS_FILE", "FIRST_PASSWORD_FILE", "Credentials", "Principal", "TokenRow"]

ACCESS_FILE: Final = "access.sqlite3"
FIRST_PASSWORD_FILE: Final = "first-password"  # noqa: S105 - the file's name

TOUCH_S: Final = 300.0
"""Uses of a session within so long of the last one noted are not written: the disk is often an SD card."""
CLOCK_SLACK_S: Final = 300.0
"""A session from a future further away than this belongs to a clock that has been set back: it is over."""
LOCK_TIMEOUT_S: Final = 0.5
"""The command ``password`` writes for milliseconds; the gateway waits no longer for it."""
MOST_TOKENS: Final = 100
MOST_SESSIONS: Final = 100

TABLES: Final = """
CREATE TABLE IF NOT EXISTS accounts (
    role TEXT PRIMARY KEY, password TEXT NOT NULL, must_change INTEGER NOT NULL, changed_s REAL NOT NULL);
CREATE TABLE IF NOT EXISTS sessions (
    hash BLOB PRIMARY KEY, role TEXT NOT NULL, made_s REAL NOT NULL, used_s REAL NOT NULL);
CREATE TABLE IF NOT EXISTS tokens (
    id TEXT PRIMARY KEY, hash BLOB NOT NULL UNIQUE, name TEXT NOT NULL, role TEXT NOT NULL,
    made_s REAL NOT NULL, used_s REAL);
"""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks, by which ``secret``; ``ends_s`` is a session's latest moment (Unix time)."""

    role: Role
    kind: Literal["session", "token"]
    secret: str
    name: str
    """Of a token its id, of a session the role: tells askers apart, and is no secret."""
    must_change: bool = False
    ends_s: float | None = None

    @property
    def csrf_token(self) -> str:
        """Return what requests of a session that change something carry in ``x-csrf-token``."""
        return hmac.digest(self.secret.encode(), b"csrf", "sha256").hex() if self.kind == "session" else ""


@dataclass(frozen=True, slots=True)
class TokenRow:
    """An API token as it is listed."""

    token_id: str
    name: str
    role: Role
    made_s: float
    used_s: float | None


class Credentials:
    """The unit's passwords, sessions and tokens. May be used from any thread."""

    def __init__(
        self,
        state_dir: Path,
        settings: GatewaySettings,
        *,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        """Open the file, made if need be; raises ``StorageError`` 5006."""
        self._state_dir = state_dir
        self._idle_s = settings.session_idle_h * 3600.0
        self.absolute_s = round(settings.session_h * 3600.0)
        """How long a session lasts at most."""
        self._now_s = now_s
        self._lock = threading.Lock()
        path = state_dir / ACCESS_FILE
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            self._base = sqlite3.connect(
                path, timeout=LOCK_TIMEOUT_S, isolation_level=None, check_same_thread=False
            )
        except (OSError, sqlite3.Error) as reason:
            raise error(5006, f"{path}: {reason}") from reason
        with self._locked() as base:
            base.execute("PRAGMA journal_mode=WAL")
            base.execute("PRAGMA synchronous=FULL")
            base.executescript(TABLES)
        self.first_password()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._base.close()

    # passwords

    def first_password(self) -> str:
        """Return the technician's first password while it has not been changed, else an empty text."""
        if self._account("technician") is not None:
            return ""
        return read_or_make_secret(self._state_dir / FIRST_PASSWORD_FILE, first_password)

    def password_is(self, role: Role, password: str) -> bool:
        """Return whether ``password`` is the role's; slow, not for the event loop."""
        account = self._account(role)
        if account is not None:
            return password_matches(password, account[0])
        first = self.first_password() if role == "technician" else ""
        return bool(first) and hmac.compare_digest(password.encode(), first.encode())

    def set_password(self, role: Role, password: str, *, must_change: bool, keep: str = "") -> None:
        """Set the role's password and end its sessions, but for the one with secret ``keep``; slow."""
        made = hash_password(password)
        with self._locked() as base:
            base.execute("BEGIN IMMEDIATE")
            row = (role, made, must_change, self._now_s())
            base.execute("INSERT OR REPLACE INTO accounts VALUES (?, ?, ?, ?)", row)
            base.execute("DELETE FROM sessions WHERE role = ? AND hash <> ?", (role, _hash(keep)))
            base.execute("COMMIT")
        if role == "technician":
            with contextlib.suppress(OSError):
                (self._state_dir / FIRST_PASSWORD_FILE).unlink(missing_ok=True)

    def forget_technician(self) -> str:
        """Return a new first password for a technician who has lost his; ends the role's sessions."""
        with self._locked() as base:
            base.execute("BEGIN IMMEDIATE")
            base.execute("DELETE FROM accounts WHERE role = 'technician'")
            base.execute("DELETE FROM sessions WHERE role = 'technician'")
            base.execute("COMMIT")
        return self.first_password()

    def accounts(self) -> dict[Role, bool]:
        """Return the roles that have a password, and whether it must be changed."""
        rows = self._read("SELECT role, must_change FROM accounts")
        known: dict[Role, bool] = {"technician": True}
        return known | {cast("Role", role): bool(must) for role, must in rows}

    def _account(self, role: Role) -> tuple[str, bool] | None:
        rows = self._read("SELECT password, must_change FROM accounts WHERE role = ?", role)
        return (rows[0][0], bool(rows[0][1])) if rows else None

    # sessions

    def begin_session(self, role: Role) -> Principal:
        """Return a new session."""
        secret = secrets.token_urlsafe(32)
        now_s = self._now_s()
        with self._locked() as base:
            base.execute("BEGIN IMMEDIATE")
            base.execute(
                "DELETE FROM sessions WHERE used_s < ? OR made_s < ?",
                (now_s - self._idle_s, now_s - self.absolute_s),
            )
            base.execute(
                "DELETE FROM sessions WHERE hash IN"
                " (SELECT hash FROM sessions ORDER BY used_s DESC LIMIT -1 OFFSET ?)",
                (MOST_SESSIONS - 1,),
            )
            base.execute("INSERT INTO sessions VALUES (?, ?, ?, ?)", (_hash(secret), role, now_s, now_s))
            base.execute("COMMIT")
        return self._session(secret, role, now_s)

    def session(self, secret: str) -> Principal | None:
        """Return whose session this is, None when there is none or it is over; counts as a use."""
        rows = self._read("SELECT role, made_s, used_s FROM sessions WHERE hash = ?", _hash(secret))
        if not rows:
            return None
        role, made_s, used_s = rows[0]
        now_s = self._now_s()
        over = now_s >= made_s + self.absolute_s or now_s >= used_s + self._idle_s
        if over or now_s < used_s - CLOCK_SLACK_S:
            self.end_session(secret)
            return None
        if now_s >= used_s + min(TOUCH_S, self._idle_s / 4):
            self._touch("UPDATE sessions SET used_s = ? WHERE hash = ?", now_s, _hash(secret))
        return self._session(secret, role, made_s)

    def end_session(self, secret: str) -> None:
        """End a session, if there is one."""
        with self._locked() as base:
            base.execute("DELETE FROM sessions WHERE hash = ?", (_hash(secret),))

    def _session(self, secret: str, role: Role, made_s: float) -> Principal:
        account = self._account(role)
        must_change = account[1] if account else True
        return Principal(role, "session", secret, role, must_change, made_s + self.absolute_s)

    # tokens

    def make_token(self, name: str, role: Role) -> tuple[TokenRow, str]:
        """Return a new token and its text, which nobody can see again.

        Raises ``RequestError`` 1004 when there are as many as there may be.
        """
        text = f"thirdring_{secrets.token_urlsafe(32)}"
        row = TokenRow(secrets.token_hex(8), name, role, self._now_s(), None)
        with self._locked() as base:
            if base.execute("SELECT count(*) FROM tokens").fetchone()[0] >= MOST_TOKENS:
                raise error(1004, f"there are {MOST_TOKENS} tokens already")
            values = (row.token_id, _hash(text), name, role, row.made_s, None)
            base.execute("INSERT INTO tokens VALUES (?, ?, ?, ?, ?, ?)", values)
        return row, text

    def token(self, text: str) -> Principal | None:
        """Return whose token this is, None when there is none; counts as a use."""
        rows = self._read("SELECT id, role, used_s FROM tokens WHERE hash = ?", _hash(text))
        if not rows:
            return None
        token_id, role, used_s = rows[0]
        now_s = self._now_s()
        if used_s is None or abs(now_s - used_s) >= TOUCH_S:
            self._touch("UPDATE tokens SET used_s = ? WHERE id = ?", now_s, token_id)
        return Principal(role, "token", text, token_id)

    def tokens(self) -> list[TokenRow]:
        """Return every token, the oldest first."""
        rows = self._read("SELECT id, name, role, made_s, used_s FROM tokens ORDER BY made_s, id")
        return [TokenRow(*row) for row in rows]

    def revoke_token(self, token_id: str) -> None:
        """Make a token worthless; raises ``RequestError`` 1003 when there is none of this id."""
        with self._locked() as base:
            if base.execute("DELETE FROM tokens WHERE id = ?", (token_id,)).rowcount == 0:
                raise error(1003, token_id)

    # the file

    def _read(self, query: str, *values: object) -> list[tuple]:  # type: ignore[type-arg]
        with self._locked() as base:
            return base.execute(query, values).fetchall()

    @contextlib.contextmanager
    def _locked(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                yield self._base
            except sqlite3.Error as reason:
                raise error(5006, f"{ACCESS_FILE}: {reason}") from reason
            finally:
                if self._base.in_transaction:
                    self._base.rollback()

    def _touch(self, query: str, *values: object) -> None:
        """Note a use; that it cannot be noted keeps nobody out."""
        try:
            with self._lock:
                self._base.execute(query, values)
        except sqlite3.Error as reason:
            logger.warning("%s: %s", ACCESS_FILE, reason)


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode(errors="replace")).digest()
