"""The board that the engine runs on, by name or by its ``board.toml``."""

from pathlib import Path

from thirdring.protocol.errors import error
from thirdring_device.adapters.board.interface import Board
from thirdring_device.adapters.board.leds import LedBoard
from thirdring_device.adapters.board.simulator import SimulatorBoard
from thirdring_device.board_file import load_board

__all__ = ["make_board"]


def make_board(name: str, state_dir: Path) -> Board:
    """Return the simulator, or the board of a ``board.toml``: with its lamps, or like the simulator without.

    Raises ``ApplianceError`` 7005 for a name that is neither, or a file with a mistake.
    """
    if name == SimulatorBoard.name:
        return SimulatorBoard(state_dir)
    if not name.endswith(".toml"):
        raise error(7005, f"{name}; known: {SimulatorBoard.name}, or the path of a board.toml")
    file = load_board(Path(name))
    board: Board = LedBoard(file.lamps) if file.lamps.ring else SimulatorBoard(state_dir)
    board.name = file.board.name
    return board
