"""What every callback of pjsua2 is wrapped in: an exception must neither be lost nor kill the stack."""

import functools
import logging
import traceback
from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ["explain", "guarded"]

log = logging.getLogger(__name__)

F = TypeVar("F", bound=Callable[..., Any])


def explain(failure: BaseException) -> str:
    """Return the text of a failure; a ``pjsua2.Error`` hides its own in ``info``."""
    info = getattr(failure, "info", None)
    return str(info(False)) if callable(info) else str(failure)


def guarded(method: F) -> F:
    """Log what the callback raises.

    The traceback is logged as text: a kept one would keep the frame's pjsua2 objects alive, and those
    die badly when they are collected on another thread.
    """

    @functools.wraps(method)
    def wrapper(*args: Any) -> Any:
        try:
            return method(*args)
        except Exception as failure:
            log.error(
                "%s failed: %s\n%s", method.__qualname__, explain(failure), traceback.format_exc().rstrip()
            )
            return None

    return wrapper  # type: ignore[return-value]
