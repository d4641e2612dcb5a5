"""The board: what the appliance has besides sound and network."""

from typing import Literal, Protocol

from thirdring_device.core.rings import Urgency

__all__ = ["Board"]


class Board(Protocol):
    """Lamp and ringer of a board."""

    name: str

    def set_ringer(self, urgency: Urgency | Literal["waiting"] | None) -> None:
        """Ring and light up as urgently as asked; waiting: beside a call, quietly; None: off."""

    def set_headset_lamp(self, *, lost: bool) -> None:
        """Show whether the headset is gone."""
