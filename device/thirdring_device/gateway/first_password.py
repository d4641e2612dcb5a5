"""``thirdring-device password``: the technician's first password, and a new one for who has lost his."""

import contextlib
import sys
from pathlib import Path

from thirdring.protocol.errors import error
from thirdring_device.gateway.api.credentials import ACCESS_FILE, Credentials
from thirdring_device.settings import GatewaySettings

__all__ = ["password_line", "show_password"]


def password_line(state_dir: Path, *, reset: bool = False) -> str:
    """Return the line with the technician's first password, or that it has been changed.

    ``reset`` makes a new one and ends the technician's sessions. Raises ``StorageError`` 5006.
    """
    if not state_dir.is_dir():
        raise error(5006, f"{state_dir}: there is no such folder")
    with contextlib.closing(Credentials(state_dir, GatewaySettings())) as credentials:
        password = credentials.forget_technician() if reset else credentials.first_password()
    if password:
        return f"first password of the technician: {password} (to be changed at the first sign-in)"
    return f"the technician's password has been changed; only its hash is in {ACCESS_FILE}"


def show_password(state_dir: Path, *, reset: bool) -> int:
    """Print that line; return the exit code."""
    sys.stdout.write(password_line(state_dir, reset=reset) + "\n")
    return 0
