"""Runs on the board, as root: attaches the bench's USB headset to the kernel, again after each unplugging.

``python3 attach.py HOST PORT``; standard library only. Before it ends it detaches: a process that goes with a
device still attached may take the kernel's controller with it.
"""

import contextlib
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

CONTROLLER: Final = Path("/sys/devices/platform/vhci_hcd.0")
PORT: Final = "0"
FREE: Final = 4
"""``VDEV_ST_NULL``"""
EVERY_S: Final = 0.5
BUS_ID: Final = b"1-1"
REQUEST: Final = struct.pack(">HHI32s", 0x0111, 0x8003, 0, BUS_ID)
REPLY_BYTES, RECORD_BYTES = 8, 312
WHERE: Final = struct.Struct(">288xIII")
"""Bus, device and speed in the record."""


def is_free() -> bool:
    """Tell whether nothing is attached to the controller's first port."""
    for line in (CONTROLLER / "status").read_text(encoding="ascii").splitlines()[1:]:
        _hub, port, state, *_ = line.split()
        if int(port) == int(PORT):
            return int(state) == FREE
    return False


def exactly(line: socket.socket, count: int) -> bytes:
    """Read so many bytes; raises ``ConnectionError``."""
    data = b""
    while len(data) < count:
        more = line.recv(count - len(data))
        if not more:
            raise ConnectionError("closed")
        data += more
    return data


def attach(host: str, port: int) -> None:
    """Import the headset and hand the connection to the kernel; raises ``OSError`` while it is unplugged."""
    with socket.create_connection((host, port), timeout=5.0) as line:
        line.sendall(REQUEST)
        _, _, status = struct.unpack(">HHI", exactly(line, REPLY_BYTES))
        if status:
            raise ConnectionError("unplugged")
        bus, device, speed = WHERE.unpack_from(exactly(line, RECORD_BYTES))
        line.settimeout(None)
        text = f"{PORT} {line.fileno()} {bus << 16 | device} {speed}"
        (CONTROLLER / "attach").write_text(text, encoding="ascii")


def main() -> None:
    """Run until SIGTERM."""
    host, port = sys.argv[1], int(sys.argv[2])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    # The controller complains of each question for the frame number; the serial line is for others.
    Path("/proc/sys/kernel/printk").write_text("1", encoding="ascii")
    subprocess.run(["modprobe", "vhci-hcd"], check=True)
    try:
        while True:
            if is_free():
                with contextlib.suppress(OSError):
                    attach(host, port)
            time.sleep(EVERY_S)
    finally:
        if not is_free():
            (CONTROLLER / "detach").write_text(PORT, encoding="ascii")


if __name__ == "__main__":
    main()
