"""The commands of ``thirdring`` about the headset, most of them for the simulated one."""

import argparse

from thirdring.appliance import Appliance
from thirdring.cli_output import Adder, print_json, print_views

__all__ = ["add"]


def add(command: Adder) -> None:
    """Add these commands to those of the command line."""
    command("headset", _headset)
    command("press", _press).add_argument("button", help="such as hook, mute or flash")
    command("speak", _speak).add_argument(
        "file", nargs="?", default="", help="a sound file on the appliance (default: stop)"
    )


def _headset(appliance: Appliance, options: argparse.Namespace) -> None:
    """Show the headset's buttons and the lamps that are lit."""
    print_views([appliance.headset()], options)


def _press(appliance: Appliance, options: argparse.Namespace) -> None:
    """Press a button of the simulated headset."""
    appliance.press(options.button)


def _speak(appliance: Appliance, options: argparse.Namespace) -> None:
    """Play a sound file into the simulated headset; print its length in seconds."""
    duration_s = appliance.speak(options.file)
    if options.json:
        print_json({"duration_s": duration_s})
    else:
        print(f"{duration_s:g}")
