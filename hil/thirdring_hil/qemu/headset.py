"""The bench's USB headset on a virtual board: the board's kernel attaches it over the virtual network."""

from typing import Final

from thirdring_hil.qemu.machine import ATTACH, Machine

__all__ = ["attach_headset"]

UNIT: Final = "bench-headset"
HANDED_OVER: Final = f"/sys/firmware/qemu_fw_cfg/by_name/opt/thirdring/{ATTACH.name}/raw"


def attach_headset(machine: Machine, address: str) -> None:
    """Have the headset at ``address`` (host:port, as the board sees it) attached whenever it is plugged in.

    Until the board is switched off; may be asked for twice. Raises ``OSError`` where root cannot log in.
    """
    host, _, port = address.rpartition(":")
    begin = f"systemd-run --quiet --unit={UNIT} python3 {HANDED_OVER} {host} {port}"
    with machine.shell() as shell:
        shell.run(f"systemctl --quiet is-active {UNIT} || {begin}")
