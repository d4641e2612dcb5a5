"""``thirdring-device console-password``: set the password of the serial consoles on the unit itself."""

import argparse
import getpass
import sys
from pathlib import Path

from thirdring.protocol.errors import error
from thirdring_device.gateway.at.lock import PASSWORD_FILE, ConsoleLock

__all__ = ["add_parser"]


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the appliance's."""
    text = "set the password of the serial consoles, from a terminal or the first line of standard input"
    command = commands.add_parser("console-password", help=text, description=text)
    command.add_argument("--state", type=Path, required=True, metavar="DIR", help="the state folder")
    command.set_defaults(function=_run)


def _run(args: argparse.Namespace) -> int:
    if not args.state.is_dir():
        raise error(5006, f"{args.state} is no folder")
    typed = sys.stdin.isatty()
    password = getpass.getpass("new password: ") if typed else sys.stdin.readline().rstrip("\n")
    ConsoleLock(args.state / PASSWORD_FILE).reset(password)
    return 0
