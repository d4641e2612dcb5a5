"""One attempt to post one event."""

import asyncio
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import httpx

from thirdring.protocol.errors import ThirdringError, error
from thirdring.protocol.events import Record
from thirdring.protocol.hooks import HEADER_ID, HEADER_SIGNATURE, HEADER_TIMESTAMP, hook_body, sign
from thirdring_device.gateway.hooks.target import Network, Target

__all__ = ["Outcome", "Poster"]

GONE: Final = 410
"""The receiver wants no more of it (Standard Webhooks): not sent again by itself."""
MESSAGE_REFUSED: Final = frozenset({400, 406, 409, 413, 415, 422})
"""Statuses about this one message; all others are about the server, which is left alone for a while."""
KEEPALIVE_S: Final = 4.0


def _trusted(ca_file: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file or None)
    except OSError as reason:
        raise error(7020, f"hooks.ca_file: {ca_file}: {reason}") from reason


@dataclass(frozen=True, slots=True)
class Outcome:
    """``reason`` is empty when the event was taken. ``away``: no event would have been taken."""

    reason: str = ""
    away: bool = False
    gone: bool = False
    retry_after_s: float = 0.0


class Poster:
    """Posts events to one address, one at a time. Nothing of an answer but its status is read."""

    def __init__(
        self,
        target: Target,
        key: bytes,
        unit: str,
        allowed: Sequence[Network],
        timeout_s: float,
        ca_file: str = "",
    ) -> None:
        """Post to ``target``; raises ``ApplianceError`` 7020 when ``ca_file`` cannot be read."""
        self._target = target
        self._key = key
        self._unit = unit
        self._allowed = allowed
        self._timeout_s = timeout_s
        self._http = httpx.AsyncClient(
            timeout=timeout_s,
            verify=_trusted(ca_file),
            follow_redirects=False,
            trust_env=False,
            limits=httpx.Limits(max_connections=1, keepalive_expiry=KEEPALIVE_S),
        )

    async def close(self) -> None:
        """Close the connection."""
        await self._http.aclose()

    async def post(self, record: Record) -> Outcome:
        """Post ``record`` once."""
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._post(record)
        except TimeoutError:
            return Outcome(str(error(7021, f"no answer within {self._timeout_s:g} s")), away=True)
        except httpx.HTTPError as reason:
            return Outcome(str(error(7021, str(reason) or type(reason).__name__)), away=True)
        except ThirdringError as reason:
            return Outcome(str(reason), away=True)

    async def _post(self, record: Record) -> Outcome:
        body = hook_body(record)
        message_id, timestamp_s = f"{self._unit}-{record.number}", int(time.time())
        headers = {
            "host": self._target.authority,
            "content-type": "application/json",
            "user-agent": "thirdring",
            HEADER_ID: message_id,
            HEADER_TIMESTAMP: str(timestamp_s),
            HEADER_SIGNATURE: sign(self._key, message_id, timestamp_s, body),
        }
        address = await self._target.address(self._allowed)
        async with self._http.stream(
            "POST",
            self._target.at(address),
            content=body,
            headers=headers,
            extensions={"sni_hostname": self._target.host},
        ) as response:
            status, retry_after = response.status_code, response.headers.get("retry-after", "")
        if 200 <= status < 300:
            return Outcome()
        return Outcome(
            str(error(7022, f"HTTP {status}")),
            away=status not in MESSAGE_REFUSED and status != GONE,
            gone=status == GONE,
            retry_after_s=float(retry_after) if retry_after.isascii() and retry_after.isdecimal() else 0.0,
        )
