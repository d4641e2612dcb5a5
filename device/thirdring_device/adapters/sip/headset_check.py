"""The headset linked to nobody but a test of it, while there is no call."""

from collections.abc import Callable, Collection
from typing import Final, Protocol

from thirdring_device.adapters.media import CallMedia
from thirdring_device.adapters.sip.sound import SoundPath

__all__ = ["CheckMedia", "HeadsetLink"]

LANE: Final = "headset check"
"""In place of a call's id."""


class CheckMedia(CallMedia, Protocol):
    """What a headset is tried with."""

    broken_off: bool

    @property
    def over(self) -> bool:
        """Whether the headset is no longer needed."""


class HeadsetLink:
    """Links the headset for a test, and gives it up at once for a call. ``wanted`` is set from any thread."""

    def __init__(self, sound: SoundPath, calls: Callable[[], Collection[object]]) -> None:
        self._sound, self._calls = sound, calls
        self._linked: CheckMedia | None = None

    def poll(self, wanted: CheckMedia | None) -> None:
        """Link or part as is wanted; on the SIP thread."""
        if wanted is not None and not wanted.over and self._calls():
            wanted.broken_off = True
        if wanted is not None and wanted.over:
            wanted = None
        if wanted is self._linked:
            return
        self._sound.detach(LANE)
        self._linked = wanted
        if wanted is not None:
            self._sound.check(LANE, wanted)
