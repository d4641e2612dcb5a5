"""The dial string: ITU-T V.250 clause 6.3.1 and 3GPP TS 27.007 clause 6.2."""

from dataclasses import dataclass
from typing import Final

from thirdring.protocol.at.parse import AtSyntaxError

__all__ = ["DialString", "dial_string"]

_MODIFIERS: Final = str.maketrans("", "", "TtPpWwIiGg,!@-.()/ ")
"""Pulse, tone, pauses, caller id and closed user group: nothing of it exists on a SIP trunk."""


@dataclass(frozen=True, slots=True)
class DialString:
    """A number; ``voice`` when it ended in ``;``, ``redial`` for ``L`` instead of a number.

    ``withheld``: ``I`` asks that our number be kept from the other side, ``i`` that it be shown.
    """

    number: str
    voice: bool
    redial: bool = False
    withheld: bool | None = None


def dial_string(text: str) -> DialString:
    """Read what follows ``D``; whether the number can be dialled is not judged here.

    Raises ``AtSyntaxError`` for a second command behind the ``;`` and for a stored number (``D>``).
    """
    body, semicolon, rest = text.partition(";")
    if rest.strip(";") or body.startswith(">"):
        raise AtSyntaxError(text)
    number = body.translate(_MODIFIERS)
    redial = number in ("L", "l")
    return DialString("" if redial else number, bool(semicolon), redial, _withheld(body))


def _withheld(body: str) -> bool | None:
    """Return what ``I`` (invocation) or ``i`` (suppression) says of our number (27.007 clause 6.2)."""
    return "I" in body if "I" in body or "i" in body else None
