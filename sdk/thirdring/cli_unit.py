"""The commands of ``thirdring`` about the unit itself: update, support file, factory reset."""

import argparse
import time
from pathlib import Path
from typing import Final

from thirdring.appliance import Appliance
from thirdring.cli_output import Adder, print_json
from thirdring.protocol.codec import to_fields
from thirdring.protocol.errors import ConnectionLost, error
from thirdring.protocol.views import UpdateState
from thirdring.table import plain

__all__ = ["add"]

LOOK_S: Final = 1.0
AWAY_S: Final = 900.0
"""How long a unit may be away while it restarts into a new version: it gives that up itself by then."""
ENDED: Final = ("idle", "done", "failed")


def add(command: Adder) -> None:
    """Add these commands to those of the command line."""
    update = command("update", _update)
    update.add_argument(
        "source", nargs="?", default="", help="URL or file of a bundle (default: show how it is)"
    )
    update.add_argument("--force", action="store_true", help="also one that is older than what runs")
    update.add_argument("--wait", action="store_true", help="when a call is up, until it has ended")
    update.add_argument("--no-follow", action="store_true", help="begin, and do not tell how it goes")
    command("support", _support).add_argument("file", type=Path, help="the file to write, a .tar.gz")
    command("factory-reset", _factory_reset).add_argument("serial_number", help="the unit's own")


def _update(appliance: Appliance, options: argparse.Namespace) -> None:
    """Update the unit and tell how it goes, until the new version is kept or given up."""
    if options.source:
        appliance.update(options.source, force=options.force, wait=options.wait)
    state = appliance.update_state()
    if options.source and not options.no_follow:
        state = _followed(appliance, state, options)
    elif not options.json:
        print(_line(state))
    if options.json:
        print_json(to_fields(state))
    if options.source and state.phase == "failed":
        raise error(state.code, state.detail)


def _followed(appliance: Appliance, state: UpdateState, options: argparse.Namespace) -> UpdateState:
    told, seen_s = "", time.monotonic()
    while True:
        if not options.json and _line(state) != told:
            told = _line(state)
            print(told, flush=True)
        if state.phase in ENDED:
            return state
        time.sleep(LOOK_S)
        try:
            state = appliance.update_state()
            seen_s = time.monotonic()
        except ConnectionLost:
            if time.monotonic() - seen_s > AWAY_S:
                raise


def _line(state: UpdateState) -> str:
    percent = f" {state.percent} %" if state.phase in ("fetching", "checking", "installing") else ""
    of = f", {plain(state.version)}" if state.version else ""
    slot = f" from slot {plain(state.slot)}" if state.slot else ""
    return f"{state.phase}{percent}{of} ({plain(state.running)} runs{slot})"


def _support(appliance: Appliance, options: argparse.Namespace) -> None:
    """Save a file for whoever helps: versions, settings, log; no secret, no call."""
    appliance.save_support_file(options.file)


def _factory_reset(appliance: Appliance, options: argparse.Namespace) -> None:
    """Wipe journal, recordings, settings, keys and passwords; the unit starts anew as delivered."""
    appliance.factory_reset(options.serial_number)
