"""``thirdring-device factory-reset``: the unit is as delivered."""

import argparse
import os
import shutil
from pathlib import Path
from typing import Final

from thirdring.protocol.errors import error

__all__ = ["FLAG", "add_parser", "ask_for_reset", "wipe"]

FLAG: Final = "factory-reset"
"""In the state folder. A box that finds it starts anew, and its first process makes a new data partition;
elsewhere ``thirdring-device run`` wipes the state folder."""


def ask_for_reset(state_dir: Path) -> None:
    """Have everything wiped, at once where the unit runs: journal, settings, keys, passwords, identity.

    Raises ``StorageError`` 5006 when the state folder cannot be written.
    """
    try:
        with (state_dir / FLAG).open("wb") as flag:
            os.fsync(flag.fileno())
    except OSError as reason:
        raise error(5006, f"{state_dir}: {reason}") from reason


def wipe(state_dir: Path) -> None:
    """Remove what is in the state folder, the request for it last: cut off, it is done at the next start."""
    for path in state_dir.iterdir():
        if path.name == FLAG:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    (state_dir / FLAG).unlink()


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the appliance's."""
    text = "wipe all and start anew: journal, recordings, settings, keys, passwords, identity"
    command = commands.add_parser("factory-reset", help=text, description=text)
    command.add_argument("--state", type=Path, required=True, metavar="DIR", help="the state folder")
    command.add_argument("--yes", action="store_true", required=True, help="it cannot be undone")
    command.set_defaults(function=_run)


def _run(args: argparse.Namespace) -> int:
    ask_for_reset(args.state)
    return 0
