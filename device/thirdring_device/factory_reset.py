"""``thirdring-device factory-reset``: at the next start the unit is as delivered."""

import argparse
import os
from pathlib import Path
from typing import Final

from thirdring.protocol.errors import error

__all__ = ["FLAG", "add_parser", "ask_for_reset"]

FLAG: Final = "factory-reset"
"""In the state folder; the image's first process makes the data partition anew when it finds it."""


def ask_for_reset(state_dir: Path) -> None:
    """Have everything wiped at the next start: journal, recordings, settings, keys, passwords, identity.

    Raises ``StorageError`` 5006 when the state folder cannot be written.
    """
    try:
        with (state_dir / FLAG).open("wb") as flag:
            os.fsync(flag.fileno())
    except OSError as reason:
        raise error(5006, f"{state_dir}: {reason}") from reason


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the appliance's."""
    text = "wipe all at the next start of the box: journal, recordings, settings, keys, passwords, identity"
    command = commands.add_parser("factory-reset", help=text, description=text)
    command.add_argument("--state", type=Path, required=True, metavar="DIR", help="the state folder")
    command.add_argument("--yes", action="store_true", required=True, help="it cannot be undone")
    command.set_defaults(function=_run)


def _run(args: argparse.Namespace) -> int:
    ask_for_reset(args.state)
    return 0
