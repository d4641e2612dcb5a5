"""The buttons that the settings name."""

from typing import Final

from thirdring_device.adapters.hid.hidraw import HidrawButtons
from thirdring_device.adapters.hid.interface import HeadsetButtons
from thirdring_device.adapters.hid.simulator import SimulatedButtons
from thirdring_device.sound_settings import HeadsetSettings

__all__ = ["make_buttons"]

USB: Final = "usb:"


def make_buttons(settings: HeadsetSettings) -> HeadsetButtons | None:
    """Return the simulator, the driver or nothing.

    Buttons go with the sound unless set otherwise: a simulated headset has simulated ones, and of several USB
    headsets that one is taken whose sound is used. Raises ``StorageError`` 5005 for an unknown family.
    """
    kind = settings.buttons
    if kind == "auto":
        kind = "simulator" if settings.device == "simulated" else "hidraw"
    if kind == "simulator":
        return SimulatedButtons(settings.button_family)
    sound_usb_id = settings.device.removeprefix(USB) if settings.device.startswith(USB) else ""
    return HidrawButtons(settings.button_device or sound_usb_id) if kind == "hidraw" else None
