"""The commands of ``thirdring`` about events: as they happen, of a call, waited for."""

import argparse
import json

from thirdring.appliance import Appliance
from thirdring.cli_output import LAST, Adder, named
from thirdring.protocol.codec import to_fields
from thirdring.protocol.events import Record, record_to_json
from thirdring.table import plain

__all__ = ["add"]


def add(command: Adder) -> None:
    """Add these commands to those of the command line."""
    watch = command("watch", _watch)
    watch.add_argument("--after", type=int, help="begin behind this event's number")
    watch.add_argument("--count", type=int, help="end after so many events")
    events = command("events", _events)
    events.add_argument("call", nargs="?", default=LAST, help="the call's id (default: the last call)")
    wait = command("wait", _wait)
    wait.add_argument("kind", help="such as call_ended")
    wait.add_argument("--after", type=int, help="from this event's number on (default: from now on)")
    wait.add_argument("--within-s", type=float, default=60.0, help="(default %(default)s)")


def _watch(appliance: Appliance, options: argparse.Namespace) -> None:
    """Show events as they happen, until interrupted."""
    left = options.count
    if left == 0:
        return
    for record in appliance.events(options.after):
        _print(record, options)
        if left is not None:
            left -= 1
            if left == 0:
                return


def _events(appliance: Appliance, options: argparse.Namespace) -> None:
    """Show the events of a call."""
    for record in appliance.call_events(named(appliance, options.call)):
        _print(record, options)


def _wait(appliance: Appliance, options: argparse.Namespace) -> None:
    """Wait for an event of a kind and show it; exit code 19 when none came."""
    _print(appliance.wait_for(options.kind, options.within_s, options.after), options)


def _print(record: Record, options: argparse.Namespace) -> None:
    if options.json:
        print(json.dumps(record_to_json(record), ensure_ascii=False), flush=True)
    else:
        print(_event_line(record), flush=True)


def _event_line(record: Record) -> str:
    fields = to_fields(record.event)
    for known in ("at_s", "call_id"):
        fields.pop(known)
    told = {name: value for name, value in fields.items() if value not in ("", None, [], {})}
    shown = " ".join(f"{name}={plain(value)}" for name, value in told.items())
    call = plain(record.event.call_id or "-")
    return f"{record.number:>7} {plain(record.utc)} {call:12} {record.event.kind:20} {shown}"
