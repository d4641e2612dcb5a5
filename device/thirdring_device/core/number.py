"""What can be dialled."""

from typing import Final

__all__ = ["is_number"]

DIALLABLE: Final = frozenset("0123456789*#")
LONGEST: Final = 40


def is_number(text: str) -> bool:
    """Return whether ``text`` is digits, ``*`` and ``#``, after a ``+`` or without, and nothing else."""
    digits = text.removeprefix("+")
    return 0 < len(digits) <= LONGEST and set(digits) <= DIALLABLE
