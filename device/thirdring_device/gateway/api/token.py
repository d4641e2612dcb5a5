"""The bearer token of the HTTP server: made once, kept in the state folder, compared in constant time."""

import hmac
import os
import secrets
from pathlib import Path
from typing import Final

from thirdring.protocol.errors import error

__all__ = ["TOKEN_FILE", "read_or_make_token", "same_token"]

TOKEN_FILE: Final = "api-token"  # noqa: S105 - the file's name
TOKEN_BYTES: Final = 32


def read_or_make_token(state_dir: Path) -> str:
    """Return the token in ``DIR/api-token``; make the file (mode 0600) if it is absent or empty.

    Raises ``StorageError`` 5006 when it can be neither read nor made.
    """
    path = state_dir / TOKEN_FILE
    try:
        if path.exists() and (token := path.read_text(encoding="ascii").strip()):
            return token
        token = secrets.token_urlsafe(TOKEN_BYTES)
        new = path.with_name(f"{TOKEN_FILE}.{os.getpid()}")
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(token + "\n")
        new.replace(path)
    except (OSError, UnicodeDecodeError) as reason:
        raise error(5006, f"{path}: {reason}") from reason
    return token


def same_token(given: str, token: str) -> bool:
    """Compare without telling by the time taken how much was right."""
    return hmac.compare_digest(given.encode(errors="replace"), token.encode())
