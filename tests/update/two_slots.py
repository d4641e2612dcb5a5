"""A board with two slots, as its files tell the updater."""

from pathlib import Path

from thirdring_device.update.rauc import Rauc


def two_slots(folder: Path, slot: str) -> Rauc:
    """Return the installer of a ``qemu-amd64`` with version 0.2.0+abc that was started from ``slot``."""
    for name, text in (
        ("system.conf", "[system]\ncompatible=qemu-amd64\n"),
        ("version", "0.2.0+abc"),
        ("build", "1700000000"),
        ("cmdline", f"ro rauc.slot={slot}"),
    ):
        (folder / name).write_text(text, encoding="ascii")
    return Rauc(folder / "system.conf", folder, folder / "cmdline")
