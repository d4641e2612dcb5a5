"""Web hooks as they cross the wire: headers and signature of the Standard Webhooks specification, 1.0.

A message is signed with HMAC-SHA256 over ``ID.TIMESTAMP.BODY``. ``webhook-id`` is the same however often a
message is sent: who receives it keeps the ids that were seen. Sans-io; the appliance signs, a host verifies.
"""

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from typing import Final

from thirdring.protocol.errors import error
from thirdring.protocol.events import Record, record_from_json, record_to_json

__all__ = [
    "HEADER_ID",
    "HEADER_SIGNATURE",
    "HEADER_TIMESTAMP",
    "SECRET_PREFIX",
    "hook_body",
    "hook_key",
    "sign",
    "verify",
]

HEADER_ID: Final = "webhook-id"
HEADER_TIMESTAMP: Final = "webhook-timestamp"
HEADER_SIGNATURE: Final = "webhook-signature"
SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - of every secret
LEAST_KEY_BYTES: Final = 24
"""As the specification asks."""
TOLERANCE_S: Final = 300.0
"""How old or new a message may be: what was overheard cannot be sent again later."""


def hook_key(secret: str) -> bytes:
    """Return the key of a secret ``whsec_BASE64``; raises ``AccessError`` 6010 when it is none."""
    try:
        key = base64.b64decode(secret.strip().removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError) as reason:
        raise error(6010, f"not {SECRET_PREFIX}BASE64: {reason}") from reason
    if len(key) < LEAST_KEY_BYTES:
        raise error(6010, f"{len(key)} bytes, at least {LEAST_KEY_BYTES}")
    return key


def hook_body(record: Record) -> bytes:
    """Return the body that tells ``record``: ``{"type": KIND, "timestamp": UTC, "data": EVENT}``."""
    told = {"type": record.event.kind, "timestamp": record.utc, "data": record_to_json(record)}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def sign(key: bytes, message_id: str, timestamp_s: int, body: bytes) -> str:
    """Return the value of ``webhook-signature``."""
    signed = b".".join((message_id.encode(), str(timestamp_s).encode(), body))
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def verify(
    secret: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    now_s: float | None = None,
    tolerance_s: float = TOLERANCE_S,
) -> Record:
    """Return the event of a request that the appliance with this ``secret`` has signed.

    ``headers`` in any letter case. Raises ``AccessError`` 6011 for everybody else's and for one that is
    older or newer than ``tolerance_s``, ``RequestError`` when the body is no event.
    """
    named = {name.lower(): value for name, value in headers.items()}
    try:
        message_id, signatures = named[HEADER_ID], named[HEADER_SIGNATURE].split()
        timestamp_s = int(named[HEADER_TIMESTAMP])
    except (KeyError, ValueError) as reason:
        raise error(6011, f"header {reason}") from reason
    expected = sign(hook_key(secret), message_id, timestamp_s, body).encode()
    if not any(hmac.compare_digest(given.encode(errors="replace"), expected) for given in signatures):
        raise error(6011)
    age_s = (time.time() if now_s is None else now_s) - timestamp_s
    if abs(age_s) > tolerance_s:
        raise error(6011, f"{age_s:.0f} s old")
    try:
        return record_from_json(json.loads(body)["data"])
    except (ValueError, KeyError, TypeError, AttributeError) as reason:
        raise error(1000, str(reason)) from reason
