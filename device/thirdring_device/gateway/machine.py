"""What the gateway can tell of the machine that it runs on."""

import hashlib
import os
import platform
import shutil
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

__all__ = ["Machine", "machine", "serial_number"]

NAMES: Final = (Path("/proc/device-tree/model"), Path("/sys/class/dmi/id/product_name"))
"""Where firmware says what the machine is: device tree (ARM), DMI (PC)."""


@dataclass(frozen=True, slots=True)
class Machine:
    """``model`` and ``system`` are empty where nobody says; room is that of the state folder's disk."""

    serial_number: str
    model: str
    processor: str
    processors: int
    system: str
    kernel: str
    python: str
    up_s: float
    load: float
    disk_free_mb: float
    disk_mb: float


def machine(state_dir: Path) -> Machine:
    """Look at the machine."""
    room = shutil.disk_usage(state_dir)
    return Machine(
        serial_number=serial_number(),
        model=_model(),
        processor=platform.machine(),
        processors=os.cpu_count() or 1,
        system=_system(),
        kernel=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        up_s=round(time.clock_gettime(time.CLOCK_BOOTTIME)),
        load=round(os.getloadavg()[0], 2),
        disk_free_mb=round(room.free / 1e6),
        disk_mb=round(room.total / 1e6),
    )


@cache
def serial_number() -> str:
    """Return the board's serial number (device tree), else one made from the machine's id."""
    board = Path("/proc/device-tree/serial-number")
    if board.exists():
        return board.read_text(encoding="ascii").strip("\0\n ")
    identity = Path("/etc/machine-id")
    known = identity.read_bytes().strip() if identity.exists() else b""
    return hashlib.sha256(b"thirdring " + known).hexdigest()[:16]


def _model() -> str:
    for file in NAMES:
        try:
            if name := file.read_text(encoding="utf-8", errors="replace").strip("\0\n "):
                return name
        except OSError:
            continue
    return ""


def _system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return ""
