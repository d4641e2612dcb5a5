"""What runs inside a call's sound path: the interface between the SIP adapter and the engine."""

from collections.abc import Callable
from typing import Any, Protocol

__all__ = ["CallMedia", "MediaFactory"]


class CallMedia(Protocol):
    """The judge and shaper of one call's sound, called on the bridge's clock thread."""

    def process(self, mouth_in: Any, ear_in: Any, mouth_out: Any, ear_out: Any) -> None:
        """Process one frame of both directions: four int16 buffers of equal length.

        ``mouth_in`` is the headset's microphone, ``mouth_out`` goes to the customer; ``ear_in`` came from
        the customer, ``ear_out`` goes to the headset's ear.
        """

    def finish(self) -> None:
        """Report what is left, ``media_ended`` last. Called once, after the last ``process``."""


MediaFactory = Callable[[str, str], CallMedia]
"""``(call_id, codec name) -> CallMedia``, called when the call's media becomes active."""
