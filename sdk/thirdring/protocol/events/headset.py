"""Events of the headset's buttons."""

from dataclasses import dataclass
from typing import Literal

from thirdring.protocol.events.base import Event

__all__ = ["HeadsetButton", "HeadsetButtonsChanged"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadsetButtonsChanged(Event):
    """A headset with telephony buttons came, went, or cannot be used (numbered error ``code``)."""

    kind = "headset_buttons_changed"
    state: Literal["attached", "detached", "refused"]
    device: str
    code: int = 0
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadsetButton(Event):
    """The agent pressed a button of the headset. What it did follows as ``agent_requested``.

    ``asked``: the command that it stands for as the desk is now, empty when it stands for nothing. ``code``:
    the numbered error of a command that could not be done.
    """

    kind = "headset_button"
    button: str
    asked: str = ""
    code: int = 0
