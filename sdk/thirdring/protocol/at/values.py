"""Parameters: ITU-T V.250 clause 5.4.2 (strings, numbers), 3GPP TS 24.008 clause 10.5.4.7 (types)."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from thirdring.protocol.at.parse import AtSyntaxError

__all__ = [
    "Parameter",
    "address_type",
    "fields",
    "parameters",
    "phone_number",
    "quoted",
    "safe_json",
]

_ESCAPE: Final = re.compile(r"\\([0-9A-Fa-f]{2})?")
_UNSAFE: Final = re.compile(r'[\x00-\x1f\x7f"\\]')
_PHONE: Final = re.compile(r"\+?[0-9]+")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One value of a list; ``quoted`` tells a string from a bare word or number."""

    text: str
    quoted: bool = False

    @property
    def number(self) -> int:
        """The value as a decimal number; raises ``AtSyntaxError``."""
        if self.quoted or not self.text.isascii() or not self.text.isdecimal() or len(self.text) > 15:
            raise AtSyntaxError(self.text)
        return int(self.text)


def parameters(argument: str) -> list[Parameter]:
    """Split what follows ``=`` at commas outside quotes and braces; raises ``AtSyntaxError``."""
    found, start, in_quotes, depth = [], 0, False, 0
    for at, char in enumerate(argument):
        if char == '"':
            in_quotes = not in_quotes
        elif not in_quotes and char in "{}":
            depth += 1 if char == "{" else -1
        elif char == "," and not in_quotes and depth == 0:
            found.append(_parameter(argument[start:at]))
            start = at + 1
    found.append(_parameter(argument[start:]))
    return found


def _parameter(text: str) -> Parameter:
    if not text.startswith('"'):
        return Parameter(text)
    if len(text) < 2 or not text.endswith('"') or '"' in text[1:-1]:
        raise AtSyntaxError(text)
    return Parameter(_ESCAPE.sub(_unescape, text[1:-1]), quoted=True)


def _unescape(match: re.Match[str]) -> str:
    if match[1] is None:
        raise AtSyntaxError("a backslash is followed by two hexadecimal digits")
    return chr(int(match[1], 16))


def quoted(text: str) -> str:
    r"""Return a string parameter; quotes, backslashes and control characters become ``\xx``."""
    return '"' + _UNSAFE.sub(lambda match: f"\\{ord(match[0]):02X}", text) + '"'


def fields(values: Iterable[str | float | None]) -> str:
    """Return values as fixed comma-separated fields: strings quoted, None empty, floats with two places."""
    return ",".join(_field(value) for value in values)


def _field(value: str | float | None) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, bool):
        return str(int(value))
    return str(value) if isinstance(value, int) else f"{value:.2f}"


def safe_json(value: Any) -> str:
    """Return ASCII JSON that passes through an AT line: no quote is escaped by a backslash alone."""
    return json.dumps(value, separators=(",", ":")).replace("\\\\", "\\u005c").replace('\\"', "\\u0022")


def phone_number(number: str) -> str:
    """Return ``number`` if it is digits with an optional ``+``, else nothing: clients choke on the rest."""
    return number if _PHONE.fullmatch(number) and number.isascii() else ""


def address_type(number: str) -> int:
    """Return the type of address: 145 with ``+`` (international), 129 otherwise (unknown)."""
    return 145 if number.startswith("+") else 129
