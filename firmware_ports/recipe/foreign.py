"""Programs of another architecture on this machine: the kernel hands them to QEMU's user emulation."""

from pathlib import Path
from typing import Final

from firmware_ports.recipe.shell import BuildFault, Log

__all__ = ["register_emulation", "runs_here"]

FORMATS: Final = Path("/proc/sys/fs/binfmt_misc")
DECLARED: Final = Path("/usr/lib/binfmt.d")
"""What a booted Debian registers by itself; a container has it to be done."""
MACHINES: Final = {"arm64": "aarch64", "amd64": "x86_64"}


def runs_here(architecture: str, log: Log) -> bool:
    """Tell whether this machine is of the architecture."""
    return log.output(["dpkg", "--print-architecture"]).strip() == architecture


def register_emulation(
    architecture: str, log: Log, formats: Path = FORMATS, declared: Path = DECLARED
) -> None:
    """Have the kernel run programs of ``architecture`` (binfmt_misc); raises ``BuildFault``."""
    name = f"qemu-{MACHINES[architecture]}"
    if not (formats / "register").exists():
        log.run(["mount", "-t", "binfmt_misc", "binfmt_misc", formats])
    if (formats / name).exists():
        return
    rule = declared / f"{name}.conf"
    try:
        (formats / "register").write_bytes(rule.read_bytes().rstrip())
    except OSError as reason:
        raise BuildFault(
            f"{architecture} programs cannot be run here ({reason}): install qemu-user-static"
        ) from reason
