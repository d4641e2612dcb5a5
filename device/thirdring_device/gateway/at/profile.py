"""What one console has set for itself: kept per session, back to defaults by ``ATZ`` and ``AT&F``."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from thirdring.protocol.at.results import Style

__all__ = ["REGISTERS", "Profile"]

REGISTERS: Final[Mapping[int, tuple[int, int, int]]] = {
    0: (0, 0, 255),  # rings until auto-answer, 0 never
    3: (13, 0, 127),  # ends a line
    4: (10, 0, 127),  # begins and ends results
    5: (8, 0, 127),  # erases
    6: (2, 2, 10),  # s before blind dialling: kept
    7: (60, 1, 255),  # s to connect
    8: (2, 0, 255),  # s a comma waits: kept
    10: (2, 1, 254),  # tenths of a second from carrier loss to hang-up: kept
}
"""S register: default, lowest, highest (V.250 clause 6.2 and 6.3)."""


@dataclass(slots=True)
class Profile:
    """Settings of one console. Names of V.250 and 27.007 commands stand behind the fields."""

    echo: int = 1  # E
    quiet: int = 0  # Q
    words: int = 1  # V
    progress: int = 4  # X
    loudness: int = 2  # L
    speaker: int = 1  # M
    carrier: int = 1  # &C
    terminal: int = 0  # &D
    cme: int = 0  # +CMEE
    registration: int = 0  # +CREG
    clip: int = 0  # +CLIP
    colp: int = 0  # +COLP
    cring: int = 0  # +CRC
    waiting: int = 0  # +CCWA
    clir: int = 0  # +CLIR
    event_reporting: tuple[int, ...] = (0, 0, 0, 0, 0)  # +CMER
    tone_tenths: int = 0  # +VTD
    messages: int = 0  # +CMGF
    reports: int = 0  # #URC
    verbose: int = 0  # #VERBOSE
    registers: dict[int, int] = field(
        default_factory=lambda: {number: default for number, (default, _, _) in REGISTERS.items()}
    )

    @property
    def indicators(self) -> bool:
        """Whether changes of the indicators are reported: mode and ind of ``+CMER``."""
        mode, _, _, ind, _ = self.event_reporting
        return bool(mode and ind)

    @property
    def style(self) -> Style:
        """How results are written."""
        return Style(bool(self.words), bool(self.quiet), self.registers[3], self.registers[4])
