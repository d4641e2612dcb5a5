"""The virtual boards of ``firmware_ports/qemu``: what QEMU is told of each."""

import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final

__all__ = ["AMD64", "ARM64", "BOARDS", "RASPI3B", "Board"]


@dataclass(frozen=True)
class Board:
    """What is virtual about a board.

    ``packages``: of Debian, that bring QEMU and the firmware; ``architecture``: as ``platform.machine`` names
    it; ``firmware``: UEFI's code, the first that is there; ``lines``: how the chardevs ``linux`` and ``at``
    become serial lines; ``network``: the card. ``device_tree``: of a board that has no UEFI but a card, from
    which QEMU takes the kernel. ``usb_headset``: whether it is fast enough for the bench's USB headset;
    ``slowness``: how many times as long as a board of its kind it may take for what has a limit in time,
    emulated on another processor; the certificate says so. ``lamps``: where
    the levels of their pins can be read, register and bit.
    """

    program: str
    packages: str
    architecture: str
    machine: tuple[str, ...]
    emulated_cpu: str
    firmware: tuple[str, ...]
    lines: tuple[str, ...] = ("-serial", "chardev:linux", "-serial", "chardev:at")
    network: str = "virtio-net-pci,netdev=net,romfile="
    device_tree: str = ""
    usb_headset: bool = True
    slowness: int = 1
    cores: int = 2
    memory_mb: int = 512
    lamps: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def takes_settings(self) -> bool:
        """Whether files can be handed over to it (``fw_cfg``)."""
        return not self.device_tree

    @property
    def may_have_kvm(self) -> bool:
        """Whether this computer's processor could run it."""
        return platform.machine() == self.architecture

    def uefi(self) -> tuple[Path, Path]:
        """Return UEFI's code and its empty variables; raises ``FileNotFoundError``."""
        for name in self.firmware:
            code = Path(name)
            variables = code.with_name(code.name.replace("CODE", "VARS"))
            if code.exists() and variables.exists():
                return code, variables
        raise FileNotFoundError(f"no {self.firmware[0]}: install {self.packages}")


ATOM: Final = "max,vendor=GenuineIntel,family=6,model=28,stepping=10"
"""All that QEMU emulates, in the name of an Atom of 2008: Linux takes the time from an Intel's counter, not
from the HPET outside the emulated processor, and does not guard an Atom against speculation: engines start
in half the time."""
AMD64: Final = Board(
    "qemu-system-x86_64",
    "qemu-system-x86 and ovmf",
    "x86_64",
    ("q35",),
    ATOM,
    ("/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_CODE.fd"),
)
NEWEST: Final = "max,pauth=off,sve=off"
"""All that QEMU emulates but what costs it most: locks are one instruction, nothing is guarded."""
ARM64: Final = Board(
    "qemu-system-aarch64",
    "qemu-system-arm and qemu-efi-aarch64",
    "aarch64",
    ("virt",),
    NEWEST,
    ("/usr/share/AAVMF/AAVMF_CODE.fd",),
    ("-serial", "chardev:linux", "-device", "pci-serial,chardev=at"),
    usb_headset=False,
    slowness=2,
)
GPLEV0: Final = 0x3F200034
"""Levels of GPIO 0 to 31: *BCM2835 ARM Peripherals*, 6.1, where the BCM2837 has it."""
RASPI3B: Final = Board(
    "qemu-system-aarch64",
    "qemu-system-arm and mtools",
    "",
    ("raspi3b",),
    "cortex-a53",
    (),
    ("-serial", "chardev:at", "-serial", "chardev:linux"),
    "usb-net,netdev=net",
    "bcm2837-rpi-3-b.dtb",
    usb_headset=False,
    slowness=2,
    cores=4,
    memory_mb=1024,
    lamps=MappingProxyType({"ring": (GPLEV0, 17), "headset": (GPLEV0, 27)}),
)
BOARDS: Final = {"qemu-amd64": AMD64, "qemu-arm64": ARM64, "qemu-raspi3b": RASPI3B}
