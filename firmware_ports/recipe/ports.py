"""The boards of ``firmware_ports``."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from firmware_ports.recipe.shell import BuildFault

from thirdring_device.board_file import BoardFile, load_board

__all__ = ["PORTS_DIR", "ROOT", "Port", "find_port", "port_names"]

PORTS_DIR: Final = Path(__file__).resolve().parent.parent
ROOT: Final = PORTS_DIR.parent


@dataclass(frozen=True)
class Port:
    """A board and the files it is described by."""

    file: Path
    board: BoardFile

    @property
    def name(self) -> str:
        """The board's own name, which is the image's, too."""
        return self.board.board.name

    @property
    def overlays(self) -> list[Path]:
        """Folders whose ``overlay`` and ``settings.toml`` make the system, later ones over earlier."""
        return [PORTS_DIR / name for name in self.board.image.overlays]


def _ports() -> dict[str, Port]:
    files = sorted(PORTS_DIR.glob("*/board.toml")) + sorted(PORTS_DIR.glob("*/*/board.toml"))
    ports = [Port(file, load_board(file)) for file in files]
    return {port.name: port for port in ports}


def port_names() -> list[str]:
    """Return the boards that an image is made for."""
    return [name for name, port in _ports().items() if port.board.storage.boot]


def find_port(name: str) -> Port:
    """Return a board by name; raises ``BuildFault``."""
    port = _ports().get(name)
    if port is None or not port.board.storage.boot:
        raise BuildFault(f"no image is made for {name!r}; known: {', '.join(port_names())}")
    return port
