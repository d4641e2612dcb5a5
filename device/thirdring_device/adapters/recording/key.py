"""The unit's key: 32 random bytes in a file of the state folder, made when first needed.

Whoever has the file can read every sealed recording of the unit; without it nobody can. Keep a copy
elsewhere: a lost key cannot be replaced.
"""

import base64
import hashlib
import secrets
from pathlib import Path
from typing import Final

from thirdring.protocol.errors import error
from thirdring_device.durable import replace_file

__all__ = ["KEY_BYTES", "KEY_FILE", "KEY_ID_BYTES", "key_id", "read_key", "read_or_make_key"]

KEY_FILE: Final = "recording.key"
"""In the state folder."""
KEY_BYTES: Final = 32
KEY_ID_BYTES: Final = 8
_TAG: Final = "thirdring-recording-key-1 "


def key_id(key: bytes) -> bytes:
    """Return what tells one key from another without giving it away."""
    return hashlib.sha256(b"thirdring recording key id" + key).digest()[:KEY_ID_BYTES]


def read_key(path: Path) -> bytes:
    """Return the key in a file; raises ``MediaError`` 4020 when there is none."""
    try:
        text = path.read_text(encoding="ascii").strip()
        key = base64.b64decode(text.removeprefix(_TAG), validate=True)
    except (OSError, ValueError) as reason:
        raise error(4020, f"{path}: {reason}") from reason
    if not text.startswith(_TAG) or len(key) != KEY_BYTES:
        raise error(4020, f"{path} is not a key file")
    return key


def read_or_make_key(path: Path) -> bytes:
    """Return the unit's key, made at the first use; raises ``MediaError`` 4020, ``StorageError`` 5006."""
    if path.exists():
        return read_key(path)
    text = _TAG + base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode("ascii") + "\n"
    try:
        replace_file(path, text)
    except OSError as reason:
        raise error(5006, f"{path}: {reason}") from reason
    return read_key(path)
