"""The disk: boot loader, two system slots, the data partition, joined by genimage."""

import os
import uuid
from pathlib import Path
from string import Template
from typing import Final

from firmware_ports.recipe.ports import PORTS_DIR, Port
from firmware_ports.recipe.shell import Log

__all__ = ["ROOT_SLOT", "copy_sparse", "grub_config", "kernel_arguments", "make_disk", "written_bytes"]

NAMES: Final = uuid.UUID("8a9b9a52-4c64-5b0c-9d3a-0f6f1c2f7a11")
"""Every UUID of the disk follows from this and its place, so that two builds have the same."""
GRUB_MODULES: Final = (
    *("part_gpt", "fat", "ext2", "normal", "configfile", "linux", "loadenv", "test", "echo", "serial"),
    *("terminal", "reboot", "sleep", "regexp"),
)
GRUB_TARGETS: Final = {"amd64": ("x86_64-efi", "BOOTX64.EFI"), "arm64": ("arm64-efi", "BOOTAA64.EFI")}
ESP_MB: Final = 48
ROOT_SLOT: Final = "rootfs-a.ext4"
"""In the folder ``in`` of the work folder: the file system of the image's first slot, and of an update."""


def _uuid(port: Port, place: str) -> str:
    return str(uuid.uuid5(NAMES, f"{port.name} {place}"))


def kernel_arguments(port: Port) -> str:
    """Return the kernel's command line, without the root partition."""
    console = port.board.console
    words = [
        "ro",
        "init=/usr/lib/thirdring/init",
        "panic=10",
        "quiet",
        "loglevel=4",
        "systemd.show_status=yes",
    ]
    if console.log:
        words.append(f"console={console.log},{console.baud}")
    if not console.root_shell:
        words.append("systemd.getty_auto=no")
    return " ".join(words)


TRIES: Final = 3
"""Starts that a slot gets until it is found good: a power cut in one of them is not the slot's fault."""


def grub_config(port: Port) -> str:
    """Return GRUB's configuration: the first slot of ``ORDER`` that is good and has tries left is booted.

    ``ORDER``, ``X_OK`` and ``X_TRY`` are RAUC's. The try is noted before the slot is booted, and taken back
    by whoever finds the slot good; one that hangs or dies is reset by the watchdog and falls back by itself.
    When no slot is left the tries begin anew. For a damaged ``grubenv`` there is the one kept at a start.
    """
    more = "; ".join(
        f'{"if" if tried == 0 else "elif"} [ "$try" = {tried} ]; then set try={tried + 1}'
        for tried in range(TRIES)
    )
    serial = "serial --unit=0 --speed=115200\nterminal_input serial\nterminal_output serial\n"
    return f"""\
set timeout=0
{serial if port.board.image.architecture == "amd64" else ""}load_env --file $environment
if [ -z "$ORDER" ]; then load_env --file $environment.kept; fi
if [ -z "$ORDER" ]; then set ORDER="A B"; set A_OK=1; set A_TRY=0; set B_OK=0; set B_TRY=0; fi
set slot=
for round in 1 2 3; do
  for name in $ORDER; do
    if [ "$name" = A ]; then set ok="$A_OK"; set try="$A_TRY"; else set ok="$B_OK"; set try="$B_TRY"; fi
    if [ "$round" = 3 ]; then set ok=1; fi
    if [ -z "$slot" -a "$ok" = 1 -a "$try" != {TRIES} ]; then set slot=$name; fi
  done
  if [ -z "$slot" ]; then set A_TRY=0; set B_TRY=0; fi
done
if [ "$slot" = B ]; then set part=3; set label=rootfs-b; set try="$B_TRY"
else set part=2; set label=rootfs-a; set try="$A_TRY"; fi
{more}; else set try=1; fi
if [ "$slot" = B ]; then set B_TRY=$try; else set A_TRY=$try; fi
save_env --file $environment ORDER A_OK A_TRY B_OK B_TRY
echo "thirdring: slot $slot, try $try (order $ORDER, A $A_OK $A_TRY, B $B_OK $B_TRY)"
linux ($disk,gpt$part)/boot/vmlinuz root=PARTLABEL=$label {kernel_arguments(port)} rauc.slot=$slot
initrd ($disk,gpt$part)/boot/initrd.img
boot
reboot
"""


def make_disk(port: Port, root: Path, work: Path, epoch: int, log: Log) -> Path:
    """Return the finished disk image below ``work``."""
    storage = port.board.storage
    inputs, outputs = work / "in", work / "out"
    (inputs / "EFI/BOOT").mkdir(parents=True)
    outputs.mkdir()
    _ext4(inputs / ROOT_SLOT, storage.slot_mb, "rootfs", _uuid(port, "root"), epoch, log, root)
    _ext4(inputs / "data.ext4", storage.data_mb, "data", _uuid(port, "data"), epoch, log)
    _boot_loader(port, root, inputs / "EFI/BOOT", log)
    config = work / "genimage.cfg"
    template = Template((PORTS_DIR / "common" / "genimage.cfg").read_text(encoding="ascii"))
    places = ("disk", "esp", "rootfs_a", "rootfs_b", "data")
    names = {place: _uuid(port, f"partition {place}") for place in places}
    text = template.substitute(
        names, volume=_uuid(port, "volume")[:8], esp_mb=ESP_MB, slot_mb=storage.slot_mb
    )
    config.write_text(text, encoding="ascii")
    empty = work / "empty"
    empty.mkdir()
    log.run(
        [
            *("genimage", "--config", config, "--rootpath", empty, "--inputpath", inputs),
            *("--outputpath", outputs, "--tmppath", work / "genimage"),
        ],
        env={"SOURCE_DATE_EPOCH": str(epoch)},
    )
    return outputs / "disk.img"


def _ext4(
    file: Path, size_mb: int, label: str, name: str, epoch: int, log: Log, content: Path | None = None
) -> None:
    with file.open("wb") as new:
        new.truncate(size_mb << 20)
    options = ["-L", label, "-U", name, "-E", f"hash_seed={name},lazy_itable_init=0,root_owner=0:0"]
    if content is not None:
        options += ["-d", str(content), "-m", "0", "-O", "^has_journal"]  # never written while it runs
    environment = {"E2FSPROGS_FAKE_TIME": str(epoch)}
    log.run(["mke2fs", "-q", "-t", "ext4", "-F", *options, file], env=environment)
    if content is not None:
        _set_change_times(file, content, epoch, log)


def _set_change_times(file: Path, root: Path, epoch: int, log: Log) -> None:
    """Set what mke2fs took from the tree and nothing can set there: when each file was last changed."""
    script = file.with_suffix(".debugfs")
    with script.open("w", encoding="utf-8") as lines:
        for folder, folders, files in os.walk(root):
            for name in (".", *folders, *files):
                place = os.path.normpath("/" / (Path(folder) / name).relative_to(root))
                for field in ("ctime", "atime"):
                    lines.write(f'set_inode_field "{place}" {field} @{epoch}\n')
    log.run(["debugfs", "-w", "-f", script, file], env={"E2FSPROGS_FAKE_TIME": str(epoch)})
    script.unlink()


def _boot_loader(port: Port, root: Path, folder: Path, log: Log) -> None:
    target, name = GRUB_TARGETS[port.board.image.architecture]
    modules = root / "usr/lib/grub" / target
    if not modules.is_dir():
        modules = Path("/usr/lib/grub") / target
    (folder / "grub.cfg").write_text(grub_config(port), encoding="ascii")
    embedded = folder.parent.parent / "embedded.cfg"
    # The disk is the one whose ESP GRUB itself came from.
    embedded.write_text(
        'regexp --set=1:disk "^\\(([^,]+),.*\\)" "$cmdpath"\nset esp=($disk,gpt1)/EFI/BOOT\n'
        "set environment=$esp/grubenv\nexport disk environment\nconfigfile $esp/grub.cfg\n",
        encoding="ascii",
    )
    command = ["grub-mkimage", "-d", str(modules), "-O", target, "-p", "/EFI/BOOT", "-c", str(embedded)]
    log.run([*command, "-o", folder / name, *GRUB_MODULES])
    embedded.unlink()
    environment = folder / "grubenv"
    log.run(["grub-editenv", environment, "create"])
    state = ("ORDER=A B", "A_OK=1", "A_TRY=0", "B_OK=0", "B_TRY=0")
    log.run(["grub-editenv", environment, "set", *state])


def written_bytes(file: Path) -> int:
    """Return how much of a file is written; the rest are holes."""
    return file.stat().st_blocks * 512


def copy_sparse(file: Path, to: Path, log: Log) -> None:
    """Copy an image and leave its holes out."""
    log.run(["cp", "--sparse=always", file, to])
