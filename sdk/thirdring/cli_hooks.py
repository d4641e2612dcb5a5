"""The commands of ``thirdring`` about web hooks."""

import argparse

from thirdring.appliance import Appliance
from thirdring.cli_output import Adder, print_json, print_views

__all__ = ["add"]


def add(command: Adder) -> None:
    """Add these commands to those of the command line."""
    command("hooks", _hooks)
    dead = command("dead-letters", _dead_letters)
    dead.add_argument("--limit", type=int, default=100, help="how many at most (default %(default)s)")
    retry = command("retry-hook", _retry_hook)
    retry.add_argument(
        "letter", type=int, nargs="?", default=0, help="a dead letter's id (default: every one)"
    )


def _hooks(appliance: Appliance, options: argparse.Namespace) -> None:
    """Show the web hooks and what waits for each."""
    print_views(appliance.hooks(), options)


def _dead_letters(appliance: Appliance, options: argparse.Namespace) -> None:
    """List the events that web hooks gave up posting."""
    print_views(appliance.dead_letters(options.limit), options)


def _retry_hook(appliance: Appliance, options: argparse.Namespace) -> None:
    """Post dead letters again."""
    count = appliance.retry_dead_letters(options.letter)
    if options.json:
        print_json({"retried": count})
    else:
        print(count)
