"""The card of a Raspberry Pi: the firmware's partitions, two system slots, the data partition."""

import shutil
from pathlib import Path
from string import Template
from typing import Final

from firmware_ports.recipe.disk import _ext4, _uuid, kernel_arguments
from firmware_ports.recipe.ports import PORTS_DIR, Port
from firmware_ports.recipe.raspberry import DEVICE_TREES, FIRMWARE, change_tree, firmware_files
from firmware_ports.recipe.shell import BuildFault, Log

__all__ = ["command_line", "fill_boot", "fill_start", "make_card"]

FILES: Final = PORTS_DIR / "raspberry_pi"
START_MB: Final = 34
"""The first partition: which of the two is started. Large enough for FAT32, which every model reads."""
BOOT_MB: Final = 128
FIRST_UART: Final = "/dev/ttyAMA0"
"""Bluetooth's; a bench in QEMU has it as its second serial line."""


def command_line(port: Port, slot: str) -> str:
    """Return ``cmdline.txt`` of slot ``a`` or ``b``."""
    return f"root=PARTLABEL=rootfs-{slot} rootwait {kernel_arguments(port)}\n"


def fill_start(folder: Path, firmware: Path) -> None:
    """Put the first partition's files into ``folder``: what says which other one is started."""
    shutil.copyfile(FILES / "boot" / "autoboot.txt", folder / "autoboot.txt")
    shutil.copyfile(firmware / "bootcode.bin", folder / "bootcode.bin")  # models before the 4 begin with it


def fill_boot(port: Port, root: Path, folder: Path, firmware: Path, log: Log) -> None:
    """Put kernel, device trees and firmware of the system below ``root`` into ``folder``."""
    for name in FIRMWARE:
        shutil.copyfile(firmware / name, folder / name)
    for name in ("vmlinuz", "initrd.img"):
        shutil.copyfile(root / "boot" / name, folder / name)
    for name in DEVICE_TREES:
        found = sorted(root.glob(f"usr/lib/linux-image-*/broadcom/{name}.dtb"))
        if not found:
            raise BuildFault(f"the kernel's package has no device tree {name}")
        shutil.copyfile(found[-1], folder / f"{name}.dtb")
        free_uart = FIRST_UART in port.board.console.at
        change_tree(folder / f"{name}.dtb", port.board.lamps, log, free_uart=free_uart)
    shutil.copyfile(FILES / "boot" / "config.txt", folder / "config.txt")
    (folder / "cmdline.txt").write_text(command_line(port, "a"), encoding="ascii")


def make_card(port: Port, root: Path, work: Path, cache: Path, epoch: int, log: Log) -> Path:
    """Return the finished card's image below ``work``."""
    storage = port.board.storage
    inputs, outputs = work / "in", work / "out"
    start, boot, empty = work / "start", work / "boot", work / "empty"
    for folder in (inputs, outputs, start, boot, empty):
        folder.mkdir()
    firmware = firmware_files(cache, log)
    fill_start(start, firmware)
    fill_boot(port, root, boot, firmware, log)
    _ext4(inputs / "rootfs-a.ext4", storage.slot_mb, "rootfs", _uuid(port, "root"), epoch, log, root)
    _ext4(inputs / "data.ext4", storage.data_mb, "data", _uuid(port, "data"), epoch, log)
    places = ("disk", "esp", "boot_a", "boot_b", "rootfs_a", "rootfs_b", "data")
    names = {place: _uuid(port, f"partition {place}") for place in places}
    volumes = {
        name: _uuid(port, place)[:8]
        for name, place in (("volume", "volume"), ("volume_a", "volume a"), ("signature", "signature"))
    }
    template = Template((FILES / "genimage.cfg").read_text(encoding="ascii"))
    config = work / "genimage.cfg"
    sizes = {"start_mb": START_MB, "boot_mb": BOOT_MB, "slot_mb": storage.slot_mb}
    text = template.substitute(names, **volumes, **sizes, start=start, boot=boot)
    config.write_text(text, encoding="ascii")
    log.run(
        [
            *("genimage", "--config", config, "--rootpath", empty, "--inputpath", inputs),
            *("--outputpath", outputs, "--tmppath", work / "genimage"),
        ],
        env={"SOURCE_DATE_EPOCH": str(epoch)},
    )
    return outputs / "disk.img"
