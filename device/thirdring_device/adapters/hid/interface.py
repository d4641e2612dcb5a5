"""What the engine asks of a headset's buttons and lamps, and what it is told."""

from collections.abc import Sequence
from typing import Protocol

from thirdring_device.core.headset_buttons import Change
from thirdring_device.core.headset_leds import Leds

__all__ = ["ButtonListener", "HeadsetButtons", "PressableButtons"]


class ButtonListener(Protocol):
    """The engine's side. Called on any thread, in the order of what happened; must return at once."""

    def attached(self, device: str) -> None:
        """Take note of a headset with telephony buttons; it waits for ``show``."""

    def detached(self, device: str) -> None:
        """Take note that it is gone."""

    def refused(self, device: str, code: int, detail: str) -> None:
        """Take note of a headset that cannot be used: numbered error ``code``."""

    def changed(self, changes: Sequence[Change]) -> None:
        """Take in what a report says."""


class HeadsetButtons(Protocol):
    """The buttons and lamps of whatever headset is attached."""

    def start(self, listener: ButtonListener) -> None:
        """Look for a headset from now on."""

    def show(self, leds: Leds, *, again: bool = False) -> None:
        """Light these lamps as far as the headset has them; ``again``: also those that are lit so already.

        Returns at once, without a headset too; any thread.
        """

    def stop(self) -> None:
        """Put the lamps out and let go of the headset."""


class PressableButtons(HeadsetButtons, Protocol):
    """The simulator's, besides."""

    family: str
    """Whose headset it behaves like."""

    @property
    def lit(self) -> Leds:
        """The lamps as the headset has understood them."""

    @property
    def names(self) -> tuple[str, ...]:
        """The buttons it has."""

    def press(self, button: str) -> None:
        """Press and release a button; raises ``RequestError`` 1004 when the headset has none of that name."""
