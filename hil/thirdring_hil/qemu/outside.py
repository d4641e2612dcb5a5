"""A second network of a virtual board: a cable to a network namespace, where strangers may be."""

import contextlib
import fcntl
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from typing import Final

from thirdring_hil.poll import poll
from thirdring_hil.qemu.machine import SPARE_SLOT, Machine

__all__ = ["BOARD_ADDRESS", "outside"]

STRANGER_ADDRESS: Final = "10.99.0.1"
BOARD_ADDRESS: Final = "10.99.0.2"
TAP: Final = "tap0"
CARD: Final = "outside"
TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 0x0002, 0x1000
"""``linux/if_tun.h``"""
PLUG_S: Final = 20.0
MAC: Final = "52:54:00:99:00:02"
CARD_NAME: Final = f"udevadm settle; grep -l {MAC} /sys/class/net/*/address | cut -d/ -f5"


@contextlib.contextmanager
def outside(machine: Machine) -> Iterator[list[str]]:
    """Plug a network card into the board; yield what begins a command at the cable's other end.

    The board has ``BOARD_ADDRESS`` there. Needs root; raises ``OSError``, ``ShellError``.
    """
    ours, theirs = socket.socketpair()
    with ours, contextlib.ExitStack() as stack:
        command = ["unshare", "--net", sys.executable, "-m", __name__, str(theirs.fileno())]
        with theirs:
            namespace = stack.enter_context(subprocess.Popen(command, pass_fds=[theirs.fileno()]))
        stack.callback(ours.shutdown, socket.SHUT_RDWR)
        _, (tap,), _, _ = socket.recv_fds(ours, 1, 1)
        stack.callback(os.close, tap)
        with machine.qmp() as qmp:
            qmp.hand_over(tap, CARD)
            qmp.ask("netdev_add", type="tap", id=CARD, fd=CARD)
            qmp.ask(
                "device_add",
                driver="virtio-net-pci",
                id=CARD,
                netdev=CARD,
                bus=SPARE_SLOT,
                romfile="",
                mac=MAC,
            )
        stack.callback(_unplug, machine)
        with machine.shell() as shell:
            card = poll(lambda: shell.run(CARD_NAME).strip(), "the board has the card", PLUG_S)
            shell.run(f"ip link set {card} up && ip address add {BOARD_ADDRESS}/24 dev {card}")
        yield ["nsenter", f"--net=/proc/{namespace.pid}/ns/net"]


def _unplug(machine: Machine) -> None:
    with contextlib.suppress(OSError), machine.qmp() as qmp:
        qmp.ask("device_del", id=CARD)
        qmp.wait_for("DEVICE_DELETED", PLUG_S)
        qmp.ask("netdev_del", id=CARD)


def _hold_tap(connection: int) -> None:
    """Make the cable in this namespace, hand its end over, and stay until nobody needs it."""
    with socket.socket(fileno=connection) as bench:
        tap = os.open("/dev/net/tun", os.O_RDWR)
        fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH22x", TAP.encode(), IFF_TAP | IFF_NO_PI))
        for words in (f"address add {STRANGER_ADDRESS}/24 dev {TAP}", f"link set {TAP} up"):
            subprocess.run(["ip", *words.split()], check=True)
        socket.send_fds(bench, [b"t"], [tap])
        os.close(tap)
        bench.recv(1)


if __name__ == "__main__":
    _hold_tap(int(sys.argv[1]))
