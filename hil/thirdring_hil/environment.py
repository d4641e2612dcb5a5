"""Environment files: which appliance is on the bench, and what the bench can do to it.

TOML, one table ``[target]``. A bench with another cable differs in this file only::

    [target]
    name = "desk 17"
    console = "/dev/ttyUSB0"          # or kind = "simulator", or kind = "qemu" with an image
    image = "out/images/thirdring-qemu-amd64.img"   # of a virtual board; scripts/build-image makes it
    machine = "qemu-arm64"            # which virtual board; without it qemu-amd64
    sip = "192.0.2.17:5060"           # where it takes calls; without it nothing is called
    trunk_peer = "192.0.2.1:5062"     # where its trunk.server points to: the bench answers its calls there
    state_dir = "/mnt/desk17"         # its state folder, where the bench can read it (simulated headset)
    restart = ["uhubctl", "-a", "cycle", "-l", "1-1"]   # switches it off and on
    features = ["..."]                # what else it has
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from thirdring_hil.qemu.boards import BOARDS

__all__ = ["QEMU", "SIMULATOR", "Environment", "EnvironmentFault", "address", "load"]

SIMULATOR: Final = "simulator"
QEMU: Final = "qemu"
KINDS: Final = (SIMULATOR, QEMU, "serial")
IMAGES: Final = {name: Path(f"out/images/thirdring-{name}.img") for name in BOARDS}
"""Virtual boards by the name of their target, and where scripts/build-image leaves them."""
TEXTS: Final = ("name", "kind", "console", "sip", "trunk_peer", "state_dir", "image", "machine")
LISTS: Final = ("restart", "features", "device")


class EnvironmentFault(ValueError):  # noqa: N818 - named for what the technician must mend
    """An environment file or a target's name that cannot be used."""


@dataclass(frozen=True)
class Environment:
    """A target as declared. ``device``: the command that runs a simulator, empty for the installed one."""

    name: str
    kind: str
    console: str = ""
    sip: tuple[str, int] | None = None
    trunk_peer: tuple[str, int] | None = None
    state_dir: Path | None = None
    restart: tuple[str, ...] = ()
    features: frozenset[str] = frozenset()
    device: tuple[str, ...] = ()
    image: Path = Path()
    machine: str = "qemu-amd64"


def address(text: str) -> tuple[str, int]:
    """Return host and port of ``HOST:PORT``; raises ``EnvironmentFault``."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal():
        raise EnvironmentFault(f"{text!r} is not HOST:PORT")
    return host, int(port)


def load(name: str) -> Environment:
    """Return what ``name`` stands for: ``simulator``, a virtual board, an environment file, or a serial port.

    Raises ``EnvironmentFault``.
    """
    if name == SIMULATOR:
        return Environment(SIMULATOR, SIMULATOR)
    if name in IMAGES:
        return Environment(name, QEMU, image=IMAGES[name], machine=name)
    if not name.endswith(".toml"):
        return Environment(name, "serial", console=name)
    try:
        with Path(name).open("rb") as file:
            table = tomllib.load(file)
    except (OSError, tomllib.TOMLDecodeError) as reason:
        raise EnvironmentFault(f"{name}: {reason}") from reason
    return _environment(name, table)


def _environment(name: str, table: dict[str, Any]) -> Environment:
    target = table.get("target")
    if not isinstance(target, dict) or set(table) != {"target"}:
        raise EnvironmentFault(f"{name}: one table [target] is asked for")
    texts = {key: target.pop(key, "") for key in TEXTS}
    lists = {key: target.pop(key, []) for key in LISTS}
    if target:
        raise EnvironmentFault(f"{name}: unknown: {', '.join(sorted(target))}")
    for key, text in texts.items():
        if not isinstance(text, str):
            raise EnvironmentFault(f"{name}: {key} must be a string")
    for key, items in lists.items():
        if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
            raise EnvironmentFault(f"{name}: {key} must be a list of strings")
    kind = texts["kind"] or "serial"
    if kind not in KINDS:
        raise EnvironmentFault(f"{name}: kind must be one of {', '.join(KINDS)}")
    if kind == "serial" and not texts["console"]:
        raise EnvironmentFault(f"{name}: console is missing")
    if kind == QEMU and not texts["image"]:
        raise EnvironmentFault(f"{name}: image is missing")
    machine = texts["machine"] or Environment.machine
    if machine not in BOARDS:
        raise EnvironmentFault(f"{name}: machine must be one of {', '.join(BOARDS)}")
    return Environment(
        name=texts["name"] or texts["console"] or kind,
        kind=kind,
        console=texts["console"],
        sip=address(texts["sip"]) if texts["sip"] else None,
        trunk_peer=address(texts["trunk_peer"]) if texts["trunk_peer"] else None,
        state_dir=Path(texts["state_dir"]) if texts["state_dir"] else None,
        restart=tuple(lists["restart"]),
        features=frozenset(lists["features"]),
        device=tuple(lists["device"]),
        image=Path(texts["image"]),
        machine=machine,
    )
