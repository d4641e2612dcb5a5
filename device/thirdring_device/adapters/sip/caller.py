"""Who calls, and what the call asks for, as the INVITE tells it. Pure."""

import re
from dataclasses import dataclass
from typing import Final

from thirdring_device.adapters.sip.addresses import NameAddr, number_of, parse_name_addr

__all__ = ["Caller", "answer_after_s", "caller_of", "header_values"]

LONGEST_S: Final = 60.0
"""A call that asks to be answered later than this is no intercom call."""

_ANSWER_AFTER: Final = re.compile(r";\s*answer-after\s*=\s*\"?(\d{1,4}(?:\.\d+)?)", re.IGNORECASE)
_AUTO_ANSWER: Final = re.compile(r"\binfo\s*=\s*\"?alert-autoanswer", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Caller:
    """``number`` and ``display`` are empty when they are withheld or were not sent."""

    number: str
    display: str
    uri: str
    withheld: bool
    asserted: bool


def header_values(message: str, name: str) -> list[str]:
    """Return the values of a header (RFC 3261 clause 7.3.1), folded lines joined."""
    head = re.sub(r"\r?\n[ \t]+", " ", message.replace("\r\n\r\n", "\n\n").partition("\n\n")[0])
    wanted = name.lower()
    lines = (line.partition(":") for line in head.splitlines()[1:])
    return [value.strip() for key, _, value in lines if key.strip().lower() == wanted]


def caller_of(message: str, from_value: str, *, trust_asserted: bool) -> Caller:
    """Return who calls.

    A caller who asks for ``Privacy: id``, ``user`` or ``header`` (RFC 3323, RFC 3325) or whose From is
    anonymous is withheld, name, number and address, whatever else was sent. P-Asserted-Identity counts
    only where the trunk is trusted.
    """
    said = parse_name_addr(from_value)
    asked = {word.strip().lower() for value in header_values(message, "Privacy") for word in value.split(";")}
    if asked & {"id", "user", "header"} or _is_anonymous(said):
        return Caller("", "", "", withheld=True, asserted=False)
    if trust_asserted:
        for value in header_values(message, "P-Asserted-Identity"):
            vouched = parse_name_addr(value.partition(">,")[0])
            if number_of(vouched):
                name = vouched.display or said.display
                return Caller(number_of(vouched), name, vouched.uri, withheld=False, asserted=True)
    return Caller(number_of(said), said.display, said.uri, withheld=False, asserted=False)


def _is_anonymous(said: NameAddr) -> bool:
    """Tell a caller who hides (RFC 3323 clause 4.1.1.3) from one who has no number to show."""
    return said.user.lower() in ("anonymous", "restricted") or said.uri.lower().endswith("anonymous.invalid")


def answer_after_s(message: str) -> float | None:
    """Return what the call asks for by ``Call-Info: <...>;answer-after=2``.

    ``Alert-Info: <...>;info=alert-autoanswer`` asks for it at once; None when neither is there.
    """
    for value in header_values(message, "Call-Info"):
        found = _ANSWER_AFTER.search(value)
        if found is not None and float(found[1]) <= LONGEST_S:
            return float(found[1])
    if any(_AUTO_ANSWER.search(value) for value in header_values(message, "Alert-Info")):
        return 0.0
    return None
