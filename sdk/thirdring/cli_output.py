"""What the commands of ``thirdring`` share: the newest call by its name, and printing."""

import argparse
import json
from collections.abc import Callable, Sequence
from typing import Any, Final

from thirdring.appliance import Appliance
from thirdring.protocol.codec import to_fields
from thirdring.protocol.errors import error
from thirdring.table import plain, table

__all__ = ["LAST", "Adder", "Run", "named", "print_call", "print_json", "print_views"]

LAST: Final = "last"

Run = Callable[[Any, argparse.Namespace], None]
"""What a command does with the appliance, None for those that need none."""
Adder = Callable[[str, Run], argparse.ArgumentParser]
"""Adds a command to the command line; its help is the docstring of what it runs."""


def named(appliance: Appliance, call: str) -> str:
    """Return the id of ``call``, which may be ``last``; raises ``CallError`` 2000 before the first one."""
    if call != LAST:
        return call
    newest = appliance.calls(1)
    if not newest:
        raise error(2000, "no call yet")
    return newest[0].call_id


def print_views(views: Sequence[Any], options: argparse.Namespace) -> None:
    """Print views as a table, headed by their fields, or as JSON."""
    rows = [to_fields(view) for view in views]
    if options.json:
        print_json(rows)
    elif rows:
        header = [name.replace("_", " ").upper() for name in rows[0]]
        print(table(header, [list(row.values()) for row in rows]))


def print_call(call_id: str, options: argparse.Namespace) -> None:
    """Print the id of the call that a command was about."""
    if options.json:
        print_json({"call_id": call_id})
    else:
        print(plain(call_id))


def print_json(content: Any) -> None:
    """Print JSON for programs."""
    print(json.dumps(content, ensure_ascii=False, indent=2))
