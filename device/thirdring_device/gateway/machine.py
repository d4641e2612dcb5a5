"""What the gateway can tell of the machine that it runs on."""

import os
import platform
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["Machine", "machine"]

NAMES: Final = (Path("/proc/device-tree/model"), Path("/sys/class/dmi/id/product_name"))
"""Where firmware says what the machine is: device tree (ARM), DMI (PC)."""


@dataclass(frozen=True, slots=True)
class Machine:
    """``model`` and ``system`` are empty where nobody says; room is that of the state folder's disk."""

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
