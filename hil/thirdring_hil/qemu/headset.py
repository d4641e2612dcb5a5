"""The bench's USB headset on a virtual board: the board's kernel attaches it over the virtual network."""

import logging
import threading
from typing import Final

from thirdring_hil.qemu.machine import ATTACH, Machine

__all__ = ["attach_headset"]

UNIT: Final = "bench-headset"
HANDED_OVER: Final = f"/sys/firmware/qemu_fw_cfg/by_name/opt/thirdring/{ATTACH.name}/raw"

logger = logging.getLogger("thirdring_hil.peer")
"""Kept in the log of each test."""


def attach_headset(machine: Machine, address: str, boot_s: float) -> None:
    """Have the headset at ``address`` (host:port, as the board sees it) attached as soon as root can log in.

    Returns at once. Whether it has been is told by the headset itself.
    """

    def attach() -> None:
        host, _, port = address.rpartition(":")
        try:
            with machine.shell(boot_s) as shell:
                shell.run(f"systemd-run --quiet --unit={UNIT} python3 {HANDED_OVER} {host} {port}")
        except OSError as reason:  # switched off meanwhile, or it does not boot
            logger.warning("the headset was not attached: %s", reason)

    threading.Thread(target=attach, name="attach headset", daemon=True).start()
