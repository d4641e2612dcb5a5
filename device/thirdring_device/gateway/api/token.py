"""Secrets in files of the state folder: made once, for the owner only, compared in constant time."""

import hmac
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Final

from thirdring.protocol.errors import error

__all__ = ["TOKEN_FILE", "read_or_make_secret", "read_or_make_token", "same_token"]

TOKEN_FILE: Final = "api-token"  # noqa: S105 - the file's name
TOKEN_BYTES: Final = 32


def read_or_make_token(state_dir: Path) -> str:
    """Return the token in ``DIR/api-token``; make the file if it is absent or empty.

    Raises ``StorageError`` 5006 when it can be neither read nor made.
    """
    return read_or_make_secret(state_dir / TOKEN_FILE, lambda: secrets.token_urlsafe(TOKEN_BYTES))


def read_or_make_secret(path: Path, make: Callable[[], str]) -> str:
    """Return the secret in the file; write what ``make`` returns (mode 0600) if it is absent or empty.

    Raises ``StorageError`` 5006 when it can be neither read nor made.
    """
    try:
        if path.exists() and (secret := path.read_text(encoding="ascii").strip()):
            return secret
        secret = make()
        new = path.with_name(f"{path.name}.{os.getpid()}")
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secret + "\n")
        new.replace(path)
    except (OSError, UnicodeDecodeError) as reason:
        raise error(5006, f"{path}: {reason}") from reason
    return secret


def same_token(given: str, token: str) -> bool:
    """Compare without telling by the time taken how much was right."""
    return hmac.compare_digest(given.encode(errors="replace"), token.encode())
