"""The headset that the settings name."""

from pathlib import Path
from typing import Final

from thirdring.protocol.errors import error
from thirdring_device.adapters.headset.interface import Headset
from thirdring_device.adapters.headset.names import alsa_name, check_device
from thirdring_device.sound_settings import HeadsetSettings

__all__ = ["SIMULATED", "check_opens", "devices", "make_headset"]

SIMULATED: Final = "simulated"
NO_DEVICE: Final = ("headset", "none")
"""Values of ``ring_device`` that name none of its own."""


def devices(settings: HeadsetSettings) -> list[str]:
    """Return the sound devices that the settings name, the headset first."""
    if settings.device == SIMULATED:
        return []
    return [settings.device, *([] if settings.ring_device in NO_DEVICE else [settings.ring_device])]


def check_opens(device: str) -> None:
    """Open a device for playback and close it again; raises ``MediaError`` 4001 with ALSA's own words."""
    from thirdring_device.adapters.headset.alsa import AlsaError, Pcm

    check_device(device)
    try:
        Pcm(alsa_name(device), "playback", 16000, 40).close()
    except AlsaError as reason:
        raise error(4001, str(reason)) from None


def make_headset(settings: HeadsetSettings, directory: Path) -> Headset:
    """Return the simulator or the driver; ``directory`` is where the simulator writes what it hears.

    Raises ``StorageError`` 5005 when a device's name cannot be one.
    """
    if settings.device == SIMULATED:
        from thirdring_device.adapters.headset.simulator import SimulatedHeadset

        simulated = SimulatedHeadset(directory if settings.ear_record else None)
        simulated.adjust(settings)
        return simulated
    from thirdring_device.adapters.headset.native import NativeHeadset

    return NativeHeadset(settings)
