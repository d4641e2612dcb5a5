"""The board: what the appliance has besides sound and network."""

from typing import Protocol

from thirdring_device.core.rings import Urgency

__all__ = ["Board"]


class Board(Protocol):
    """Lamp and ringer of a board."""

    name: str

    def set_ringer(self, urgency: Urgency | None) -> None:
        """Ring and light up as urgently as asked; None: quiet."""
