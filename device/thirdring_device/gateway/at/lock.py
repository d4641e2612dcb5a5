"""The password of the consoles: kept as a scrypt hash, guesses slowed down whichever console they come by."""

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from thirdring.protocol.errors import error
from thirdring_device.durable import replace_file

__all__ = ["FREE_FAILURES", "PASSWORD_FILE", "ConsoleLock"]

PASSWORD_FILE: Final = "console-password.json"  # noqa: S105 - a file's name
"""In the state folder."""
SHORTEST, LONGEST = 8, 64
FREE_FAILURES: Final = 5
"""Wrong passwords before the first wait; they are kept over a restart."""
WAIT_FIRST_S: Final = 30.0
WAIT_LAST_S: Final = 900.0
_COST: Final = {"n": 2**14, "r": 8, "p": 1}
"""scrypt (RFC 7914): 16 MB and some 50 ms a guess."""


class ConsoleLock:
    """Knows the password's hash; any thread, as each check takes its time."""

    def __init__(self, path: Path | None, clock_s: Callable[[], float] = time.monotonic) -> None:
        """``path`` is the file, None when there is nowhere to keep it."""
        self._path = path
        self._clock_s = clock_s
        self._guard = threading.Lock()
        self._failed_at_s = clock_s()

    def wait_s(self) -> float:
        """Return how long no password is looked at after too many wrong ones."""
        with self._guard:
            return self._wait_s(self._read())

    def check(self, password: str) -> None:
        """Return if the password is right; raises ``AccessError`` 6021 (wrong), 6022 (wait), 6023 (none)."""
        with self._guard:
            kept = self._read()
            if not kept:
                raise error(6023)
            self._check(kept, password)

    def change(self, old: str, new: str) -> None:
        """Set a new password; ``old`` is empty when there was none. Raises as ``check``; 6024, 5006."""
        with self._guard:
            kept = self._read()
            if kept:
                self._check(kept, old)
            elif old:
                raise error(6021)
            self._set(new)

    def reset(self, new: str) -> None:
        """Set a new password whatever the old one was; raises 6024, 5006."""
        with self._guard:
            self._set(new)

    def _check(self, kept: dict[str, Any], password: str) -> None:
        wait_s = self._wait_s(kept)
        if wait_s > 0:
            raise error(6022, f"{wait_s:.0f} s")
        if hmac.compare_digest(_hash(password, kept["salt"]), kept["hash"]):
            if kept["failures"]:
                self._write({**kept, "failures": 0})
            return
        self._failed_at_s = self._clock_s()
        self._write({**kept, "failures": kept["failures"] + 1})
        raise error(6021)

    def _set(self, new: str) -> None:
        if not SHORTEST <= len(new) <= LONGEST:
            raise error(6024, f"{len(new)} characters")
        salt = base64.b64encode(secrets.token_bytes(16)).decode("ascii")
        self._write({"salt": salt, "hash": _hash(new, salt), "failures": 0})

    def _wait_s(self, kept: dict[str, Any]) -> float:
        beyond = int(kept.get("failures", 0)) - FREE_FAILURES
        if beyond < 0:
            return 0.0
        limit_s = min(WAIT_FIRST_S * float(2 ** min(beyond, 10)), WAIT_LAST_S)
        return max(0.0, self._failed_at_s + limit_s - self._clock_s())

    def _read(self) -> dict[str, Any]:
        """Return what is kept, nothing without a password; raises ``StorageError`` 5003."""
        if self._path is None or not self._path.exists():
            return {}
        try:
            kept: dict[str, Any] = json.loads(self._path.read_text(encoding="ascii"))
            base64.b64decode(kept["salt"], validate=True)
            if not isinstance(kept["hash"], str) or not isinstance(kept["failures"], int):
                raise ValueError("not a password file")
        except (OSError, ValueError, KeyError, TypeError) as reason:
            raise error(5003, f"{self._path}: {reason}") from reason
        return kept

    def _write(self, kept: dict[str, Any]) -> None:
        if self._path is None:
            raise error(5006, "there is no state folder")
        try:
            replace_file(self._path, json.dumps(kept))
        except OSError as reason:
            raise error(5006, f"{self._path}: {reason}") from reason


def _hash(password: str, salt: str) -> str:
    made = hashlib.scrypt(password.encode("utf-8", "replace"), salt=base64.b64decode(salt), **_COST)
    return base64.b64encode(made).decode("ascii")
