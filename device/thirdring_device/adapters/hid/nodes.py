"""Where the kernel keeps HID devices: sysfs tells what they are, ``/dev/hidraw*`` speaks with them."""

import fcntl
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

__all__ = ["HidNode", "LinuxNodes", "Nodes"]

MOST_DESCRIPTOR_BYTES: Final = 4096


def _ior(number: int, size: int) -> int:
    """Return an ioctl request of ``linux/hidraw.h``: read, type ``H``."""
    return 2 << 30 | size << 16 | ord("H") << 8 | number


HIDIOCGRDESCSIZE: Final = _ior(0x01, 4)
HIDIOCGRDESC: Final = _ior(0x02, 4 + MOST_DESCRIPTOR_BYTES)


@dataclass(frozen=True, slots=True)
class HidNode:
    """One device node; ``descriptor`` is None where sysfs does not have it."""

    path: Path
    name: str
    usb_id: str
    """Vendor and product, ``vvvv:pppp`` in lower-case hex digits."""
    descriptor: bytes | None


class Nodes(Protocol):
    """The kernel, so that tests may stand in for it."""

    def found(self) -> Iterator[HidNode]:
        """Yield the nodes that are there."""

    def open(self, path: Path) -> int:
        """Open for reading and writing without blocking; raises ``OSError``."""

    def descriptor(self, fd: int) -> bytes:
        """Ask an open node for its report descriptor; raises ``OSError``."""


class LinuxNodes:
    """See ``Nodes``."""

    def __init__(self, sysfs: Path = Path("/sys/class/hidraw"), dev: Path = Path("/dev")) -> None:
        self._sysfs, self._dev = sysfs, dev

    def found(self) -> Iterator[HidNode]:
        """See ``Nodes``. A device that vanishes meanwhile is left out."""
        try:
            names = sorted(entry.name for entry in self._sysfs.iterdir())
        except OSError:
            return
        for name in names:
            device = self._sysfs / name / "device"
            about = dict(line.split("=", 1) for line in _text(device / "uevent").splitlines() if "=" in line)
            _, _, usb_id = about.get("HID_ID", "").partition(":")
            vendor, _, product = usb_id.partition(":")
            yield HidNode(
                path=self._dev / name,
                name=about.get("HID_NAME", name),
                usb_id=f"{vendor[-4:]}:{product[-4:]}".lower(),
                descriptor=_bytes(device / "report_descriptor"),
            )

    def open(self, path: Path) -> int:
        """See ``Nodes``."""
        return os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)

    def descriptor(self, fd: int) -> bytes:
        """See ``Nodes``."""
        (size,) = struct.unpack("i", fcntl.ioctl(fd, HIDIOCGRDESCSIZE, bytes(4)))
        asked = struct.pack("I", size) + bytes(MOST_DESCRIPTOR_BYTES)
        buffer = bytearray(asked)
        fcntl.ioctl(fd, HIDIOCGRDESC, buffer)
        return bytes(buffer[4 : 4 + size])


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
