"""What the Raspberry Pi's firmware needs: its own files from Debian, and device trees with our lamps."""

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from firmware_ports.recipe.base import KEYRING, SUITE, machine_sources
from firmware_ports.recipe.shell import BuildFault, Log

from thirdring_device.board_file import Lamps

__all__ = ["DEVICE_TREES", "FIRMWARE", "LAMPS", "LAMP_GPIOS", "change_tree", "firmware_files"]

PACKAGE: Final = "raspi-firmware"
COMPONENT: Final = "non-free-firmware"
FIRMWARE: Final = ("start4cd.elf", "fixup4cd.dat", "start_cd.elf", "fixup_cd.dat")
"""With ``gpu_mem=16`` the firmware takes those without camera and codecs."""
DEVICE_TREES: Final = ("bcm2711-rpi-4-b", "bcm2837-rpi-zero-2-w", "bcm2837-rpi-3-b")
"""As Debian's kernel names them; the last is what QEMU imitates."""
GPIO: Final = "/soc/gpio@7e200000"
LAMPS: Final = "/thirdring-lamps"
"""A node of our own: Linux takes all lamps of a node or none, and the Pi's others hang on its firmware."""
BLUETOOTH: Final = "/soc/serial@7e201000/bluetooth"
LAMP_GPIOS: Final = {"ring": 17, "headset": 27}


def firmware_files(cache: Path, log: Log) -> Path:
    """Return the folder of the firmware's files, from Debian's package; apt checks its signature.

    The package is in the component ``non-free-firmware``, which this machine's apt need not know.
    """
    state = cache / "raspi-firmware-apt"
    for folder in ("state/lists/partial", "cache/archives/partial"):
        (state / folder).mkdir(parents=True, exist_ok=True)
    (state / "status").touch()
    lines = {line.rsplit(" ", 1)[0] for line in machine_sources(log) if line.split()[3] == SUITE}
    sources = "".join(f"deb [signed-by={KEYRING}] {line.partition('] ')[2]} {COMPONENT}\n" for line in lines)
    (state / "sources.list").write_text(sources, encoding="utf-8")
    apt = [
        *("apt-get", "-q", "-o", f"Dir::State={state}/state", "-o", f"Dir::State::status={state}/status"),
        *("-o", f"Dir::Cache={state}/cache", "-o", f"Dir::Etc::sourcelist={state}/sources.list"),
        *("-o", "Dir::Etc::sourceparts=/dev/null", "-o", "APT::Sandbox::User=root"),
        *("-o", "Acquire::Languages=none", "-o", "Acquire::AllowInsecureRepositories=false"),
        *("-o", "APT::Get::AllowUnauthenticated=false"),
    ]
    log.run([*apt, "-o", "APT::Update::Error-Mode=any", "update"])
    with tempfile.TemporaryDirectory(prefix="thirdring-firmware-") as folder:
        log.run([*apt, "download", PACKAGE], cwd=Path(folder))
        (package,) = Path(folder).glob("*.deb")
        kept = cache / package.stem.replace("%3a", ".")
        if not kept.exists():
            new = kept.with_suffix(".new")
            shutil.rmtree(new, ignore_errors=True)
            log.run(["dpkg-deb", "-x", package, new])
            new.rename(kept)
    files = kept / "usr/lib/raspi-firmware"
    missing = [name for name in (*FIRMWARE, "bootcode.bin") if not (files / name).is_file()]
    if missing:
        raise BuildFault(f"Debian's {PACKAGE} lacks {', '.join(missing)}")
    return files


def change_tree(file: Path, lamps: Lamps, log: Log, *, free_uart: bool = False) -> None:
    """Add our lamps to a device tree; ``free_uart``: take Bluetooth off the first UART, ``ttyAMA0``.

    Raises ``BuildFault`` where the tree has not the pins that this hangs on. Debian's trees are compiled
    without symbols: an overlay of the firmware could not refer to them.
    """
    gpio = log.output(["fdtget", "-t", "u", file, GPIO, "phandle"]).strip()
    if free_uart and _has(file, BLUETOOTH):
        log.run(["fdtput", "-r", file, BLUETOOTH])
    log.run(["fdtput", "-c", file, LAMPS])
    log.run(["fdtput", "-t", "s", file, LAMPS, "compatible", "gpio-leds"])
    for name, label in (("ring", lamps.ring), ("headset", lamps.headset)):
        if not label:
            continue
        node = f"{LAMPS}/led-{name}"
        log.run(["fdtput", "-c", file, node])
        log.run(["fdtput", "-t", "s", file, node, "label", label])
        log.run(["fdtput", "-t", "u", file, node, "gpios", gpio, str(LAMP_GPIOS[name]), "0"])
        log.run(["fdtput", "-t", "s", file, node, "default-state", "off"])
        log.run(["fdtput", "-t", "s", file, node, "linux,default-trigger", "timer"])


def _has(file: Path, node: str) -> bool:
    done = subprocess.run(["fdtget", "-p", file, node], capture_output=True, check=False)
    return done.returncode == 0
