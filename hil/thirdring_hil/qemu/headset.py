"""The bench's USB headset on a virtual board: the board's kernel attaches it over the virtual network."""

from typing import Final

from thirdring_hil.qemu.machine import ATTACH, Machine

__all__ = ["attach_headset"]

UNIT: Final = "bench-headset"
HANDED_OVER: Final = f"/sys/firmware/qemu_fw_cfg/by_name/opt/thirdring/{ATTACH.name}/raw"


def attach_headset(machine: Machine, address: str, boot_s: float) -> None:
    """Start what attaches the headset at ``address`` (host:port, as the board sees it), once root can log in.

    Raises ``TimeoutError`` when nobody can within ``boot_s``.
    """
    host, _, port = address.rpartition(":")
    with machine.shell(boot_s) as shell:
        shell.run(f"systemd-run --quiet --unit={UNIT} python3 {HANDED_OVER} {host} {port}")
