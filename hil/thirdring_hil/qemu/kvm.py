"""Whether KVM really runs anything here: a node ``/dev/kvm`` is no proof, it may refuse, or hang for ever."""

import functools
import select
import subprocess
from pathlib import Path
from typing import Final

__all__ = ["kvm_runs"]

NODE: Final = Path("/dev/kvm")
PROBE_S: Final = 5.0
"""The firmware says its first word within a tenth of a second on KVM."""
DEBUG_PORT: Final = "isa-debugcon,iobase=0x402,chardev=said"


@functools.cache
def kvm_runs(program: str) -> bool:
    """Start an empty machine with KVM and wait for the first byte its firmware writes."""
    if not NODE.exists():
        return False
    command = [program, "-accel", "kvm", "-machine", "q35", "-nodefaults", "-display", "none"]
    command += ["-chardev", "stdio,id=said", "-device", DEBUG_PORT]
    try:
        with subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as machine:
            try:
                return _first_byte(machine)
            finally:
                machine.kill()
    except OSError:
        return False


def _first_byte(machine: "subprocess.Popen[bytes]") -> bool:
    assert machine.stdout is not None  # noqa: S101 - a pipe
    readable, _, _ = select.select([machine.stdout], [], [], PROBE_S)
    return bool(readable and machine.stdout.read(1))
