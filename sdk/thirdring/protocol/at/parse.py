"""A command line to the commands on it: ITU-T V.250 clauses 5.3 (basic) and 5.4 (extended)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

__all__ = ["AtSyntaxError", "Op", "Request", "requests"]

_EXTENDED: Final = re.compile(r"[+#][A-Za-z][A-Za-z0-9!%\-./:_]*")
_BASIC: Final = re.compile(r"(&?[A-Za-z])([0-9]{0,5})")
_S_REGISTER: Final = re.compile(r"[Ss]([0-9]{1,3})(\?|=([0-9]{0,5}))?")


class AtSyntaxError(ValueError):
    """The line cannot be read any further."""


class Op(Enum):
    """How a command was written: its letter in the command table."""

    ACT = "a"
    READ = "r"
    TEST = "t"
    SET = "s"


@dataclass(frozen=True, slots=True)
class Request:
    """One command of a line. ``number`` is what follows a basic command (0 if nothing), or the S register.

    ``argument`` is what follows ``=``, quotes kept; of ``D`` the rest of the line.
    """

    name: str
    op: Op = Op.ACT
    number: int = 0
    argument: str = ""


def requests(line: str) -> Iterator[Request]:
    """Yield the commands of a line (without its ``AT``) in order.

    Lazily: a mistake raises ``AtSyntaxError`` only when what stands before it has been yielded, since that
    is to be executed (V.250 clause 5.5).
    """
    text = _without_spaces(line)
    at = 0
    while at < len(text):
        if text[at] == ";":
            at += 1
        elif text[at] in "+#":
            request, at = _extended(text, at)
            yield request
        elif text[at] in "Dd":
            yield Request("D", argument=text[at + 1 :])
            return
        elif text[at] in "Ss":
            request, at = _s_register(text, at)
            yield request
        else:
            match = _BASIC.match(text, at)
            if match is None:
                raise AtSyntaxError(text[at:])
            yield Request(match[1].upper(), number=int(match[2] or 0))
            at = match.end()


def _without_spaces(line: str) -> str:
    """Drop spaces outside quotes."""
    if " " not in line:
        return line
    parts = line.split('"')
    parts[::2] = [part.replace(" ", "") for part in parts[::2]]
    return '"'.join(parts)


def _extended(text: str, start: int) -> tuple[Request, int]:
    match = _EXTENDED.match(text, start)
    if match is None:
        raise AtSyntaxError(text[start:])
    name, at = match[0].upper(), match.end()
    end = _end_of_command(text, at)
    rest = text[at:end]
    if rest == "":
        return Request(name), end
    if rest == "?":
        return Request(name, Op.READ), end
    if rest == "=?":
        return Request(name, Op.TEST), end
    if rest.startswith("="):
        return Request(name, Op.SET, argument=rest[1:]), end
    raise AtSyntaxError(rest)


def _end_of_command(text: str, start: int) -> int:
    """Return where the next ``;`` outside quotes stands, or the end."""
    in_quotes = False
    for at in range(start, len(text)):
        if text[at] == '"':
            in_quotes = not in_quotes
        elif text[at] == ";" and not in_quotes:
            return at
    if in_quotes:
        raise AtSyntaxError("a quote is not closed")
    return len(text)


def _s_register(text: str, start: int) -> tuple[Request, int]:
    match = _S_REGISTER.match(text, start)
    if match is None:
        raise AtSyntaxError(text[start:])
    register = int(match[1])
    if match[2] is None:
        return Request("S", Op.ACT, register), match.end()
    if match[2] == "?":
        return Request("S", Op.READ, register), match.end()
    return Request("S", Op.SET, register, match[3]), match.end()
