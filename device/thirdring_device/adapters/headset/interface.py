"""What the SIP adapter asks of a headset, and what a test asks of a simulated one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, Protocol

from thirdring_device.adapters.headset.lateness import TickHistogram
from thirdring_device.core.rings import Urgency
from thirdring_device.sound_settings import HeadsetSettings

__all__ = ["Headset", "Urgent"]

Urgent = Urgency | Literal["waiting"] | None


class Headset(Protocol):
    """A microphone and an ear in the conference bridge.

    ``open``, ``connect``, ``disconnect`` and ``close`` are called on the SIP thread only; the others from
    any thread.
    """

    lateness: TickHistogram
    """Intervals between the bridge's ticks."""

    @property
    def name(self) -> str:
        """What the agent would call it."""

    @property
    def spoken(self) -> Callable[[Any], None] | None:
        """What fills a frame of int16 with the microphone's sound of this tick, on the clock thread.

        None for a headset whose microphone is linked in the bridge: there it costs a tick more.
        """

    def open(self, media_format: Any) -> None:
        """Make the ports; ``media_format`` is the bridge's, a pjsua2 ``MediaFormatAudio``."""

    def connect(self, mouth: Any, ear: Any) -> None:
        """Link the microphone to the port ``mouth`` and the port ``ear`` to the ear (pjsua2 media).

        Several pairs may be linked at the same time.
        """

    def disconnect(self, mouth: Any, ear: Any) -> None:
        """Undo ``connect`` for a pair; nothing happens when it was not connected."""

    def close(self) -> None:
        """Drop the ports: the stack is about to be destroyed."""

    def watch(self, told: Callable[[bool, str], None]) -> None:
        """Have ``told(present, reason)`` called, from any thread, when the device has come or gone.

        Comes before ``open``; a simulated headset is always there and says nothing.
        """

    def adjust(self, settings: HeadsetSettings) -> None:
        """Take over the levels of ``settings``."""

    def ring(self, urgency: Urgent) -> None:
        """Sound one burst of the ringer; None: fall silent."""

    def earcon(self, urgency: Literal["warn", "urgent"]) -> None:
        """Sound what goes with a prompt, in the agent's ear only."""

    def speak(self, path: Path) -> float:
        """Speak a sound file into the microphone, after what is still to be spoken; return its seconds.

        Raises ``MediaError`` 4000 (cannot be read), 4002 (a real headset speaks only through people).
        """

    def stop_speaking(self) -> None:
        """Fall silent at once and forget what was still to be spoken."""
