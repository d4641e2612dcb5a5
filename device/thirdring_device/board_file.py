"""``board.toml``: what a board of ``firmware_ports`` has, for the image's recipe and for the engine."""

import dataclasses
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from thirdring.protocol.errors import error

__all__ = ["BoardFile", "load_board"]


@dataclass(frozen=True, slots=True)
class About:
    """``[board]``. ``proved``: in plain words, on what it has been run."""

    name: str
    title: str
    proved: str


@dataclass(frozen=True, slots=True)
class Consoles:
    """``[console]``: the kernel's line, the lines of the AT console, their speed.

    ``root_shell``: whether the kernel's line lets root in without a password; benches only.
    """

    log: str = ""
    at: tuple[str, ...] = ()
    baud: int = 115200
    root_shell: bool = False


@dataclass(frozen=True, slots=True)
class Headset:
    """``[headset]``: the setting ``headset.device`` as the board is delivered."""

    device: str = "simulated"


@dataclass(frozen=True, slots=True)
class Lamps:
    """``[lamps]``: names below ``/sys/class/leds``; without ``ring`` the state is the file ``board.json``."""

    ring: str = ""
    headset: str = ""


@dataclass(frozen=True, slots=True)
class Buttons:
    """``[buttons]``: the GPIO of a button to ground, -1 where there is none."""

    factory_reset_gpio: int = -1


@dataclass(frozen=True, slots=True)
class Watchdog:
    """``[watchdog]``: the kernel's module and after how long without a sign of life the board is reset."""

    module: str = ""
    timeout_s: int = 0


@dataclass(frozen=True, slots=True)
class Storage:
    """``[storage]``: how it boots (``efi``, ``pi``; empty: no image), sizes of a slot and the data."""

    boot: str = ""
    slot_mb: int = 0
    data_mb: int = 0


@dataclass(frozen=True, slots=True)
class Network:
    """``[network]``: interfaces that ask for an address, as ``systemd.network`` matches names."""

    interfaces: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Image:
    """``[image]``: Debian's architecture and kernel, modules that reach the disk, overlays in order."""

    architecture: str = ""
    kernel: str = ""
    modules: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    overlays: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Bench:
    """``[hil]``: what a bench may ask of this board (``thirdring-hil``)."""

    features: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BoardFile:
    """One ``board.toml``."""

    board: About
    console: Consoles = field(default_factory=Consoles)
    headset: Headset = field(default_factory=Headset)
    lamps: Lamps = field(default_factory=Lamps)
    buttons: Buttons = field(default_factory=Buttons)
    watchdog: Watchdog = field(default_factory=Watchdog)
    storage: Storage = field(default_factory=Storage)
    network: Network = field(default_factory=Network)
    image: Image = field(default_factory=Image)
    hil: Bench = field(default_factory=Bench)


def load_board(path: Path) -> BoardFile:
    """Read a board's file; raises ``ApplianceError`` 7005, which names what is wrong in it."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as reason:
        raise error(7005, f"{path}: {reason}") from reason
    sections: dict[str, Any] = {}
    for section in dataclasses.fields(BoardFile):
        table = data.pop(section.name, {})
        if not isinstance(table, dict):
            raise error(7005, f"{path}: {section.name} is not a table")
        assert isinstance(section.type, type)  # noqa: S101 - the annotations of this module are no strings
        sections[section.name] = _section(section.type, table, f"{path}: [{section.name}]")
    if data:
        raise error(7005, f"{path}: unknown: {', '.join(data)}")
    return BoardFile(**sections)


def _section(kind: type, table: dict[str, Any], where: str) -> Any:
    values: dict[str, Any] = {}
    for item in dataclasses.fields(kind):
        if item.name not in table:
            if item.default is dataclasses.MISSING:
                raise error(7005, f"{where} lacks {item.name}")
            continue
        value = table.pop(item.name)
        if isinstance(value, list) and all(isinstance(entry, str) for entry in value):
            value = tuple(value)
        if type(value) is not (item.type if isinstance(item.type, type) else tuple):
            raise error(7005, f"{where} {item.name} has the wrong type")
        values[item.name] = value
    if table:
        raise error(7005, f"{where} unknown: {', '.join(table)}")
    return kind(**values)
