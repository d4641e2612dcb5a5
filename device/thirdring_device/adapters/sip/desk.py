"""What the modules of the SIP thread share."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from thirdring.protocol.events import Event
from thirdring_device.adapters.media import MediaFactory
from thirdring_device.adapters.sip.conference import Conference
from thirdring_device.adapters.sip.sound import SoundPath
from thirdring_device.core.calls_settings import CallsSettings

if TYPE_CHECKING:
    from thirdring_device.adapters.sip.call import DeskCall

__all__ = ["Desk"]


@dataclass(slots=True)
class Desk:
    """The way out of the SIP thread, and its table of calls."""

    clock: Callable[[], float]
    post: Callable[[Event], None]
    media: MediaFactory
    sound: SoundPath
    calls_settings: Callable[[], CallsSettings] = CallsSettings
    referred: Callable[["DeskCall", str], "DeskCall | None"] = lambda call, uri: None
    """Makes the call that the other side of a call asks for by REFER, None to refuse."""
    replacing: Callable[["DeskCall", Any], "DeskCall | None"] = lambda call, rdata: None
    """Makes the call that an INVITE wants to put in a call's place, None to refuse."""
    pause_clock: Callable[[], None] = lambda: None
    """Keeps the bridge from sending until the SIP thread's next turn."""
    calls: dict[str, "DeskCall"] = field(default_factory=dict)
    """Calls whose end has not been reported."""
    conference: "Conference" = field(init=False)
    ending: list["DeskCall"] = field(default_factory=list)
    """Calls whose end was reported, held until the stack is through with them."""

    def __post_init__(self) -> None:
        self.conference = Conference(self.calls, self.sound, self.clock, self.post)
