"""Which ALSA device a setting means."""

import re
from pathlib import Path
from typing import Final

from thirdring.protocol.errors import error

__all__ = ["alsa_name", "check_device", "sound_cards"]

ANY_USB: Final = "usb"
USB: Final = re.compile(r"usb:([0-9a-f]{4}):([0-9a-f]{4})", re.IGNORECASE)
HARDWARE: Final = re.compile(r"hw:(.+)")
PROC: Final = Path("/proc/asound")


def check_device(device: str) -> None:
    """Raise ``StorageError`` 5005 when ``device`` can be no device."""
    if not device or (device.startswith("usb:") and not USB.fullmatch(device)):
        raise error(5005, f"headset device {device!r}: an ALSA name, usb, or usb:VVVV:PPPP in hexadecimal")


def sound_cards(proc: Path = PROC) -> dict[str, str]:
    """Return the sound cards that are there by what ``headset.device`` calls them; USB ones by their id."""
    found = {}
    for card in sorted(proc.glob("card[0-9]*")):
        try:
            name = (card / "id").read_text(encoding="utf-8").strip()
            usb_id = (card / "usbid").read_text(encoding="ascii").strip() if (card / "usbid").exists() else ""
        except OSError:  # it is being unplugged
            continue
        device = f"usb:{usb_id}" if usb_id else f"plughw:CARD={name}"
        found[device] = _long_name(proc, card.name.removeprefix("card")) or name
    return found


def _long_name(proc: Path, number: str) -> str:
    """Return the name of a card as the kernel's list has it: `` 1 [H]: USB-Audio - Jabra Link 380``."""
    try:
        text = (proc / "cards").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    line = re.search(rf"^ *{number} \[.*?\]: .*? - (.+)$", text, re.MULTILINE)
    return line[1].strip() if line else ""


def alsa_name(device: str, proc: Path = PROC) -> str:
    """Return the ALSA name of ``device``: ``usb:VVVV:PPPP`` is looked up among the cards that are there.

    ``usb`` is the first card on the USB.

    The hardware is always opened through the plug layer, which converts rate and channels: a headset that
    has 48 kHz stereo only would otherwise refuse. Raises ``MediaError`` 4001 when no card has that USB id.
    """
    hardware = HARDWARE.fullmatch(device)
    if hardware:
        return f"plughw:{hardware[1]}"
    usb = USB.fullmatch(device)
    if usb is None and device != ANY_USB:
        return device
    wanted = f"{usb[1]}:{usb[2]}".lower() if usb else ""
    for card in sorted(proc.glob("card[0-9]*")):
        try:
            found = (card / "usbid").read_text(encoding="ascii").strip().lower()
            if found == wanted or not wanted:
                return f"plughw:CARD={(card / 'id').read_text(encoding='utf-8').strip()},DEV=0"
        except OSError:  # no USB card, or it is being unplugged
            continue
    raise error(4001, f"no sound card has the USB id {wanted}" if wanted else "no USB sound card is there")
