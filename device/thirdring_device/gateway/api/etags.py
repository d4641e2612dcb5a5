"""Entity tags (RFC 9110, 8.8.3): what a client has read is told apart from what has become of it."""

import hashlib
import json
from typing import Annotated, Any, Final

from fastapi import Header

__all__ = ["ETAG", "IfMatch", "IfNoneMatch", "etag_of", "matches"]

LONGEST: Final = 1000

IfMatch = Annotated[
    str | None, Header(description="the ETag that was read: 1008 if it is another by now", max_length=LONGEST)
]
IfNoneMatch = Annotated[
    str | None, Header(description="the ETag that is known: 304 if it is still the same", max_length=LONGEST)
]

ETAG: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "headers": {"ETag": {"description": "for If-Match and If-None-Match", "schema": {"type": "string"}}}
    },
    304: {"description": "It is as known"},
}


def etag_of(content: Any) -> str:
    """Return the strong entity tag of JSON ``content``."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=True)
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def matches(header: str | None, tag: str) -> bool:
    """Return whether ``tag`` is in a list of If-Match or If-None-Match; weak ones are compared as strong."""
    given = [one.strip().removeprefix("W/") for one in (header or "").split(",")]
    return tag in given or "*" in given
