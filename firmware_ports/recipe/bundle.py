"""The update of a board: the root slot as a signed RAUC bundle, and the keys it is signed with."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from firmware_ports.recipe.ports import Port
from firmware_ports.recipe.shell import BuildFault, Log

__all__ = ["Keys", "development_keys", "make_bundle", "manifest", "system_config"]

DAYS: Final = 20 * 365
"""A box outlives certificates of the usual length."""
SLOTS: Final = {"A": "rootfs-a", "B": "rootfs-b"}
SQUASHFS: Final = "-comp zstd -Xcompression-level 6 -processors 2"


@dataclass(frozen=True)
class Keys:
    """PEM files: what an update is signed with, and what a box believes (``keyring``)."""

    key: Path
    certificate: Path
    keyring: Path

    def check(self) -> None:
        """Raise ``BuildFault`` where a file is missing."""
        for path in (self.key, self.certificate, self.keyring):
            if not path.is_file():
                raise BuildFault(f"no {path}: see docs/box.md on keys of updates")


def development_keys(cache: Path, log: Log, name: str = "development") -> Keys:
    """Return keys that are made once and kept with what else the recipe keeps; for nobody's customers."""
    folder = cache / "update-keys"
    key, certificate = folder / f"{name}.key.pem", folder / f"{name}.cert.pem"
    if not (key.exists() and certificate.exists()):
        folder.mkdir(mode=0o700, exist_ok=True)
        new = folder / f"{name}.new"
        curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
        subject = ("-days", str(DAYS), "-subj", f"/CN=Thirdring {name} updates")
        log.run(["openssl", "req", "-x509", *curve, *subject, "-keyout", key, "-out", new])
        key.chmod(0o600)
        new.rename(certificate)
    return Keys(key, certificate, certificate)


def manifest(board: str, version: str, build: int) -> str:
    """Return the bundle's ``manifest.raucm``; ``build`` is the newest commit's time, in s since 1970."""
    return (
        f"[update]\ncompatible={board}\nversion={version}\nbuild={build}\n"
        "[bundle]\nformat=verity\n[image.rootfs]\nfilename=rootfs.ext4\n"
    )


def system_config(port: Port) -> str:
    """Return the box's ``/etc/rauc/system.conf``. The slots' names are links that its first process makes."""
    lines = [
        "[system]",
        f"compatible={port.name}",
        "bootloader=grub",
        "grubenv=/boot/efi/EFI/BOOT/grubenv",
        "statusfile=/var/lib/rauc/status",
        "mountprefix=/run/rauc",
        "bundle-formats=-plain",
        "[keyring]",
        "path=/etc/rauc/keyring.pem",
        "use-bundle-signing-time=true",  # a box without a clock chip may begin in the past
    ]
    for number, (name, partition) in enumerate(SLOTS.items()):
        lines += [f"[slot.rootfs.{number}]", f"device=/dev/thirdring/{partition}"]
        lines += ["type=ext4", f"bootname={name}"]
    return "\n".join(lines) + "\n"


def make_bundle(image: Path, text: str, keys: Keys, work: Path, bundle: Path, log: Log) -> None:
    """Sign the file system ``image`` with the manifest ``text``; ``bundle`` is replaced when it is whole."""
    content = work / "bundle"
    shutil.rmtree(content, ignore_errors=True)
    content.mkdir()
    (content / "rootfs.ext4").hardlink_to(image)
    (content / "manifest.raucm").write_text(text, encoding="ascii")
    new = work / "new.raucb"
    new.unlink(missing_ok=True)
    signer = (f"--cert={keys.certificate}", f"--key={keys.key}", f"--keyring={keys.keyring}")
    log.run(["rauc", "bundle", *signer, f"--mksquashfs-args={SQUASHFS}", content, new])
    shutil.move(new, bundle)
    shutil.rmtree(content)
