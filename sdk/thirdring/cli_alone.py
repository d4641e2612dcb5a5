"""The commands of ``thirdring`` that need no appliance: looking for one, completion in the shell."""

import argparse

from thirdring.cli_output import Adder, print_views
from thirdring.discovery import LOOK_S, discover

__all__ = ["add"]

SHELLS = ("bash", "zsh", "tcsh")


def add(command: Adder, parser: argparse.ArgumentParser) -> None:
    """Add these commands to those of ``parser``, the command line."""
    find = command("find", _find)
    find.add_argument("--within-s", type=float, default=LOOK_S, help="(default %(default)s)")
    completion = command("completion", _completion)
    completion.add_argument("shell", choices=SHELLS)
    for alone in (find, completion):
        alone.set_defaults(alone=True, parser=parser)


def _find(_: None, options: argparse.Namespace) -> None:
    """Look for appliances on the local network (mDNS)."""
    print_views(discover(options.within_s), options)


def _completion(_: None, options: argparse.Namespace) -> None:
    """Print what lets a shell complete this command: eval "$(thirdring completion bash)"."""
    import shtab

    print(shtab.complete(options.parser, options.shell))
