"""A board that starts from a card: QEMU has no firmware for it and takes the kernel out of the image."""

import struct
import subprocess
from pathlib import Path
from typing import Final

__all__ = ["card_bytes", "partition_at", "take_kernel"]

SECTOR: Final = 512
ENTRIES_AT, ENTRIES, ENTRY_BYTES = 2 * SECTOR, 128, 128
FIRST_SECTOR: Final = struct.Struct("<32xQ")
NAME: Final = slice(56, 128)
"""Of an entry of the GPT: UEFI specification, table 5.6."""
BOOT: Final = "boot-a"
FILES: Final = ("vmlinuz", "initrd.img", "cmdline.txt")


def partition_at(image: Path, name: str) -> int:
    """Return where the named partition begins, in bytes; raises ``FileNotFoundError``."""
    with image.open("rb") as file:
        file.seek(ENTRIES_AT)
        for _ in range(ENTRIES):
            entry = file.read(ENTRY_BYTES)
            if entry[NAME].decode("utf-16-le").rstrip("\0") == name:
                return int(FIRST_SECTOR.unpack_from(entry)[0]) * SECTOR
    raise FileNotFoundError(f"{image} has no partition {name}")


def take_kernel(image: Path, device_tree: str, folder: Path) -> None:
    """Copy kernel, initramfs, command line and device tree from the card's first slot into ``folder``.

    Raises ``OSError``.
    """
    where = f"{image}@@{partition_at(image, BOOT)}"
    sources = [f"::{name}" for name in (*FILES, device_tree)]
    subprocess.run(["mcopy", "-n", "-o", "-i", where, *sources, str(folder)], check=True)


def card_bytes(image: Path) -> int:
    """Return the size of a card that the image fits on: a power of two, as QEMU wants it."""
    return 1 << (image.stat().st_size - 1).bit_length()
