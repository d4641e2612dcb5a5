"""Waiting for what nobody announces: ask again until it is so, with a deadline."""

import time
from collections.abc import Callable
from typing import TypeVar

__all__ = ["poll"]

T = TypeVar("T")
EVERY_S = 0.05


def poll(ask: Callable[[], T], what: str, timeout_s: float, not_yet: tuple[type[Exception], ...] = ()) -> T:
    """Return the first answer of ``ask`` that is true; an exception of ``not_yet`` is no answer yet.

    Raises ``TimeoutError`` with ``what`` when ``timeout_s`` are over.
    """
    deadline_s = time.monotonic() + timeout_s
    while True:
        reason: Exception | None = None
        try:
            if answer := ask():
                return answer
        except not_yet as failed:
            reason = failed
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"not within {timeout_s:g} s: {what}") from reason
        time.sleep(EVERY_S)
