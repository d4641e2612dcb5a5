"""What a command answers, and the ways it fails."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from thirdring.protocol.at.values import safe_json

__all__ = ["AtFailure", "AtMistake", "Reply", "json_lines"]


@dataclass(frozen=True, slots=True)
class Reply:
    """Information lines and the result; anything but ``OK`` ends the command line."""

    lines: Sequence[str] = ()
    code: str = "OK"


class AtMistake(Exception):  # noqa: N818 - answered as ERROR, it is the host's mistake
    """The command or a parameter of it is wrong: ``ERROR``."""


class AtFailure(Exception):  # noqa: N818 - answered as +CME ERROR
    """The command is right but cannot be done: ``+CME ERROR: number``."""

    def __init__(self, number: int) -> None:
        super().__init__(f"CME {number}")
        self.number = number


def json_lines(values: Iterable[Any]) -> list[str]:
    """Return one ``#RESULT:`` line a value, as ``AT#VERBOSE=1`` asks for."""
    return [f"#RESULT: {safe_json(value)}" for value in values]
