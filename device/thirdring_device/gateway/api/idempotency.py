"""The same request sent again gets the same answer and does nothing a second time."""

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Final, Generic, TypeVar

from fastapi import Header

from thirdring.protocol.errors import ThirdringError, error

__all__ = ["KEEP_S", "IdempotencyKey", "OnceOnly"]

KEEP_S: Final = 24 * 3600.0
MOST_KEYS: Final = 1000
"""The oldest is given up for a new one; about 300 kB."""

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="any text; the same again within 24 h gives the first answer and does nothing",
        min_length=1,
        max_length=128,
    ),
]

T = TypeVar("T")


@dataclass(slots=True)
class _Answer(Generic[T]):
    request: bytes
    until_s: float
    outcome: asyncio.Future[T]


class OnceOnly(Generic[T]):
    """Answers by (who asks, key), in memory: a restart of the gateway forgets them."""

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        """``now_s`` is a clock that never goes back."""
        self._now_s = now_s
        self._answers: OrderedDict[tuple[str, str], _Answer[T]] = OrderedDict()

    async def run(self, who: str, key: str | None, request: str, act: Callable[[], Awaitable[T]]) -> T:
        """Return what ``act`` returned, or raise what it raised, the first time that ``key`` came.

        Refusals are kept too, but for 7000: the engine was not there, so that nothing has happened. Raises
        ``RequestError`` 1009 when the key came with another ``request``.
        """
        if key is None:
            return await act()
        digest = hashlib.sha256(request.encode(errors="replace")).digest()
        self._forget()
        known = self._answers.get((who, key))
        if known is not None:
            if known.request != digest:
                raise error(1009, key)
            return await asyncio.shield(known.outcome)
        answer = _Answer[T](digest, self._now_s() + KEEP_S, asyncio.get_running_loop().create_future())
        self._answers[who, key] = answer
        answer.outcome.add_done_callback(_looked_at)
        try:
            result = await act()
        except BaseException as reason:
            if not isinstance(reason, ThirdringError) or reason.code == 7000:
                self._answers.pop((who, key), None)
            answer.outcome.set_exception(reason if isinstance(reason, Exception) else error(7002))
            raise
        answer.outcome.set_result(result)
        return result

    def _forget(self) -> None:
        now_s = self._now_s()
        while self._answers:
            oldest = next(iter(self._answers))
            if len(self._answers) < MOST_KEYS and self._answers[oldest].until_s > now_s:
                return
            del self._answers[oldest]


def _looked_at(outcome: "asyncio.Future[T]") -> None:
    """Keep asyncio from complaining of an exception that was raised to its own asker."""
    if not outcome.cancelled():
        outcome.exception()
