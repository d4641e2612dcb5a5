"""Numbered errors as HTTP statuses, problem bodies (RFC 9457) and WebSocket close codes (RFC 6455, 7.4)."""

import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from thirdring.protocol.errors import ERRORS, ThirdringError

__all__ = ["CLOSE_CODES", "STATUSES", "RetryLater", "close_of", "problem", "status_of"]

STATUSES: Final[Mapping[int, HTTPStatus]] = {
    1000: HTTPStatus.BAD_REQUEST,
    1001: HTTPStatus.UNPROCESSABLE_ENTITY,
    1002: HTTPStatus.METHOD_NOT_ALLOWED,
    1003: HTTPStatus.NOT_FOUND,
    1004: HTTPStatus.UNPROCESSABLE_ENTITY,
    1005: HTTPStatus.UNPROCESSABLE_ENTITY,
    1006: HTTPStatus.BAD_REQUEST,
    1007: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    1008: HTTPStatus.PRECONDITION_FAILED,
    1009: HTTPStatus.UNPROCESSABLE_ENTITY,
    1010: HTTPStatus.UNPROCESSABLE_ENTITY,
    2000: HTTPStatus.NOT_FOUND,
    2001: HTTPStatus.CONFLICT,
    2002: HTTPStatus.CONFLICT,
    2003: HTTPStatus.CONFLICT,
    2004: HTTPStatus.CONFLICT,
    2005: HTTPStatus.UNPROCESSABLE_ENTITY,
    2006: HTTPStatus.UNPROCESSABLE_ENTITY,
    2007: HTTPStatus.CONFLICT,
    2008: HTTPStatus.CONFLICT,
    2009: HTTPStatus.FORBIDDEN,
    2010: HTTPStatus.FORBIDDEN,
    2011: HTTPStatus.FORBIDDEN,
    2012: HTTPStatus.TOO_MANY_REQUESTS,
    2013: HTTPStatus.CONFLICT,
    2014: HTTPStatus.CONFLICT,
    2020: HTTPStatus.CONFLICT,
    3000: HTTPStatus.CONFLICT,
    3001: HTTPStatus.SERVICE_UNAVAILABLE,
    3002: HTTPStatus.SERVICE_UNAVAILABLE,
    3003: HTTPStatus.SERVICE_UNAVAILABLE,
    3004: HTTPStatus.SERVICE_UNAVAILABLE,
    3005: HTTPStatus.SERVICE_UNAVAILABLE,
    3006: HTTPStatus.SERVICE_UNAVAILABLE,
    3007: HTTPStatus.SERVICE_UNAVAILABLE,
    3008: HTTPStatus.SERVICE_UNAVAILABLE,
    3009: HTTPStatus.SERVICE_UNAVAILABLE,
    3010: HTTPStatus.SERVICE_UNAVAILABLE,
    3011: HTTPStatus.SERVICE_UNAVAILABLE,
    3012: HTTPStatus.SERVICE_UNAVAILABLE,
    3013: HTTPStatus.CONFLICT,
    3014: HTTPStatus.SERVICE_UNAVAILABLE,
    3015: HTTPStatus.SERVICE_UNAVAILABLE,
    4000: HTTPStatus.UNPROCESSABLE_ENTITY,
    4001: HTTPStatus.SERVICE_UNAVAILABLE,
    4002: HTTPStatus.CONFLICT,
    4003: HTTPStatus.CONFLICT,
    4010: HTTPStatus.FORBIDDEN,
    4011: HTTPStatus.CONFLICT,
    4020: HTTPStatus.INTERNAL_SERVER_ERROR,
    4021: HTTPStatus.INTERNAL_SERVER_ERROR,
    4022: HTTPStatus.INTERNAL_SERVER_ERROR,
    4023: HTTPStatus.INTERNAL_SERVER_ERROR,
    4024: HTTPStatus.NOT_FOUND,
    4025: HTTPStatus.CONFLICT,
    4026: HTTPStatus.INTERNAL_SERVER_ERROR,
    4027: HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
    5000: HTTPStatus.INSUFFICIENT_STORAGE,
    5001: HTTPStatus.INTERNAL_SERVER_ERROR,
    5002: HTTPStatus.INTERNAL_SERVER_ERROR,
    5003: HTTPStatus.INTERNAL_SERVER_ERROR,
    5004: HTTPStatus.UNPROCESSABLE_ENTITY,
    5005: HTTPStatus.UNPROCESSABLE_ENTITY,
    5006: HTTPStatus.INSUFFICIENT_STORAGE,
    5007: HTTPStatus.INTERNAL_SERVER_ERROR,
    5008: HTTPStatus.INTERNAL_SERVER_ERROR,
    5009: HTTPStatus.INTERNAL_SERVER_ERROR,
    5010: HTTPStatus.UNPROCESSABLE_ENTITY,
    5020: HTTPStatus.INSUFFICIENT_STORAGE,
    6000: HTTPStatus.UNAUTHORIZED,
    6001: HTTPStatus.FORBIDDEN,
    6002: HTTPStatus.FORBIDDEN,
    6003: HTTPStatus.UNAUTHORIZED,
    6004: HTTPStatus.FORBIDDEN,
    6005: HTTPStatus.TOO_MANY_REQUESTS,
    6006: HTTPStatus.FORBIDDEN,
    6010: HTTPStatus.INTERNAL_SERVER_ERROR,
    6011: HTTPStatus.UNAUTHORIZED,
    6020: HTTPStatus.FORBIDDEN,
    6021: HTTPStatus.FORBIDDEN,
    6022: HTTPStatus.TOO_MANY_REQUESTS,
    6023: HTTPStatus.CONFLICT,
    6024: HTTPStatus.UNPROCESSABLE_ENTITY,
    7000: HTTPStatus.SERVICE_UNAVAILABLE,
    7001: HTTPStatus.GATEWAY_TIMEOUT,
    7002: HTTPStatus.INTERNAL_SERVER_ERROR,
    7003: HTTPStatus.TOO_MANY_REQUESTS,
    7004: HTTPStatus.REQUEST_TIMEOUT,
    7005: HTTPStatus.INTERNAL_SERVER_ERROR,
    7006: HTTPStatus.INTERNAL_SERVER_ERROR,
    7007: HTTPStatus.INTERNAL_SERVER_ERROR,
    7020: HTTPStatus.INTERNAL_SERVER_ERROR,
    7021: HTTPStatus.BAD_GATEWAY,
    7022: HTTPStatus.BAD_GATEWAY,
    7030: HTTPStatus.CONFLICT,
    7031: HTTPStatus.CONFLICT,
    7032: HTTPStatus.UNPROCESSABLE_ENTITY,
    7033: HTTPStatus.UNPROCESSABLE_ENTITY,
    7034: HTTPStatus.UNPROCESSABLE_ENTITY,
    7035: HTTPStatus.INSUFFICIENT_STORAGE,
    7036: HTTPStatus.CONFLICT,
    7037: HTTPStatus.CONFLICT,
    7038: HTTPStatus.BAD_GATEWAY,
    7039: HTTPStatus.INTERNAL_SERVER_ERROR,
    7040: HTTPStatus.INTERNAL_SERVER_ERROR,
    # Raised by hosts, for an appliance that stands between: what a proxy would answer.
    8000: HTTPStatus.BAD_GATEWAY,
    8001: HTTPStatus.GATEWAY_TIMEOUT,
    8002: HTTPStatus.BAD_GATEWAY,
    8003: HTTPStatus.NOT_IMPLEMENTED,
    9000: HTTPStatus.GATEWAY_TIMEOUT,
}

CLOSE_CODES: Final[Mapping[int, int]] = {
    6000: 1008,
    7003: 1013,  # try again later
    7004: 1008,  # policy violation
}
"""Every other error closes a WebSocket with 1011, internal error."""


class RetryLater(ThirdringError):  # noqa: N818 - the name says what to do
    """A refusal that passes: ``wait_s`` goes out as Retry-After."""

    def __init__(self, code: int, wait_s: float) -> None:
        self.wait_s = max(1, math.ceil(wait_s))
        super().__init__(code, f"again in {self.wait_s} s")


def status_of(code: int) -> HTTPStatus:
    """Return the HTTP status of a numbered error."""
    return STATUSES.get(code, HTTPStatus.INTERNAL_SERVER_ERROR)


def problem(reason: ThirdringError) -> dict[str, Any]:
    """Return the ``application/problem+json`` body; ``type`` leads to the error's row in ``/docs``."""
    return {
        "type": f"/docs#error-{reason.code}",
        "title": ERRORS.get(reason.code, "unknown error"),
        "status": status_of(reason.code).value,
        "code": reason.code,
        "detail": reason.detail,
    }


def close_of(reason: ThirdringError) -> tuple[int, str]:
    """Return close code and reason of a WebSocket; the reason begins with the number, at most 123 bytes."""
    text = str(reason).encode()[:123].decode(errors="ignore")
    return CLOSE_CODES.get(reason.code, 1011), text
