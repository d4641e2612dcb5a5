"""One gate of the conformance run: what is asked, what we do, what a peer does."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple


class Row(NamedTuple):
    section: str
    """Heading the row stands under: ``DTMF``, ``Level``, ..."""
    gate: str
    """What is measured, in words, with its trials."""
    limit: str
    """The figure to meet, with its unit."""
    ours: str
    """Our figure, with its unit."""
    met: bool
    peer: str = "-"
    """A peer's figure in the same run, and whose it is."""
    note: str = ""


# A section module has ``def rows(pictures: Path) -> list[Row]`` and draws its plots there.
Section = Callable[[Path], list[Row]]
