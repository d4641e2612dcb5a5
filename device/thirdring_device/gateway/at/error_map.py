"""Our error codes as AT result codes; None stands for a plain ``ERROR`` (a mistake in the command itself)."""

from collections.abc import Mapping
from typing import Final

__all__ = ["CME_OF_ERROR", "cme_of"]

NOT_ALLOWED: Final = 3
NOT_SUPPORTED: Final = 4
WRONG_PASSWORD: Final = 16
MEMORY_FULL: Final = 20
INVALID_INDEX: Final = 21
NOT_FOUND: Final = 22
NUMBER_TOO_LONG: Final = 26
BAD_NUMBER: Final = 27
NO_SERVICE: Final = 30
UNKNOWN: Final = 100

CME_OF_ERROR: Final[Mapping[int, int | None]] = {
    1000: None,
    1001: None,
    1002: None,
    1003: NOT_FOUND,
    1004: None,
    1005: NOT_FOUND,
    1006: None,
    1007: None,
    1008: NOT_ALLOWED,
    1009: None,
    2000: NOT_FOUND,
    2001: NOT_ALLOWED,
    2002: NOT_ALLOWED,
    2003: NOT_ALLOWED,
    2004: NOT_ALLOWED,
    2005: BAD_NUMBER,
    2006: None,
    2007: NOT_ALLOWED,
    2008: NOT_FOUND,
    2009: NOT_ALLOWED,
    2010: NOT_ALLOWED,
    2011: NOT_ALLOWED,
    2012: NOT_ALLOWED,
    2013: NOT_ALLOWED,
    2014: NOT_ALLOWED,
    2020: NOT_ALLOWED,
    3000: NO_SERVICE,
    3001: NO_SERVICE,
    3002: NO_SERVICE,
    3003: NO_SERVICE,
    3004: NO_SERVICE,
    3005: NO_SERVICE,
    3006: NO_SERVICE,
    4000: NOT_SUPPORTED,
    4001: NOT_ALLOWED,
    4002: NOT_SUPPORTED,
    4003: NOT_FOUND,
    4010: NOT_ALLOWED,
    4011: NOT_SUPPORTED,
    4020: NOT_ALLOWED,
    4021: NOT_ALLOWED,
    4022: UNKNOWN,
    4023: UNKNOWN,
    4024: NOT_FOUND,
    4025: NOT_ALLOWED,
    4026: NOT_FOUND,
    4027: None,
    5000: MEMORY_FULL,
    5001: UNKNOWN,
    5002: UNKNOWN,
    5003: UNKNOWN,
    5004: NOT_FOUND,
    5005: None,
    5006: UNKNOWN,
    5007: NOT_ALLOWED,
    5008: UNKNOWN,
    5009: UNKNOWN,
    5010: None,
    5020: MEMORY_FULL,
    6000: NOT_ALLOWED,
    6001: NOT_ALLOWED,
    6002: NOT_ALLOWED,
    6003: NOT_ALLOWED,
    6004: NOT_ALLOWED,
    6005: NOT_ALLOWED,
    6006: NOT_ALLOWED,
    6010: UNKNOWN,
    6011: NOT_ALLOWED,
    6020: NOT_ALLOWED,
    6021: WRONG_PASSWORD,
    6022: NOT_ALLOWED,
    6023: NOT_ALLOWED,
    6024: None,
    7000: UNKNOWN,
    7001: UNKNOWN,
    7002: UNKNOWN,
    7003: NOT_ALLOWED,
    7004: UNKNOWN,
    7005: NOT_SUPPORTED,
    7006: UNKNOWN,
    7007: UNKNOWN,
    7020: NOT_ALLOWED,
    7021: UNKNOWN,
    7022: UNKNOWN,
    8000: UNKNOWN,
    8001: UNKNOWN,
    8002: UNKNOWN,
    8003: NOT_SUPPORTED,
    9000: UNKNOWN,
}


def cme_of(code: int) -> int | None:
    """Return the ``+CME ERROR`` number of one of our codes, None for a plain ``ERROR``."""
    return CME_OF_ERROR.get(code, UNKNOWN)
