"""Whether KVM really runs anything here: a node ``/dev/kvm`` is no proof, it may refuse, or stop half-way."""

import functools
import select
import subprocess
from pathlib import Path
from typing import Final

__all__ = ["kvm_runs"]

NODE: Final = Path("/dev/kvm")
PROBE_S: Final = 10.0
"""On KVM the firmware is at its console within two seconds; a nested one was seen to stop on the way."""


@functools.cache
def kvm_runs(program: str, kind: str, code: Path) -> bool:
    """Start an empty machine with KVM and wait for the first byte that the firmware ``code`` writes to it."""
    if not NODE.exists():
        return False
    command = [program, "-accel", "kvm", "-cpu", "host", "-machine", kind, "-nodefaults", "-display", "none"]
    command += ["-drive", f"if=pflash,format=raw,readonly=on,file={code}"]
    command += ["-chardev", "stdio,id=said", "-serial", "chardev:said"]
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
