"""``thirdring-device update``, and what the box's services run: ``update-run``, ``update-health``."""

import argparse
import contextlib
import shutil
import sys
import time
from pathlib import Path
from typing import Final

from thirdring.protocol.errors import ThirdringError, error
from thirdring_device.update.engine import desk_state
from thirdring_device.update.rauc import Rauc
from thirdring_device.update.state import ENDED, Request, UpdateFolder

__all__ = ["add_parser"]

STATE: Final = Path("/var/lib/thirdring")
LOOK_S: Final = 0.5


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands to the appliance's."""
    text = "install an update from a file or a URL; the box then restarts by itself"
    update = commands.add_parser("update", help=text, description=text)
    update.add_argument("source", metavar="FILE|URL", help="a bundle (.raucb), or where it is (http, https)")
    update.add_argument("--force", action="store_true", help="also one that is older than what runs")
    update.add_argument("--wait", action="store_true", help="when a call is up, until it has ended")
    update.set_defaults(function=_update)
    runner = commands.add_parser("update-run", help="install what was asked for (thirdring-update.service)")
    runner.set_defaults(function=_run)
    health = commands.add_parser("update-health", help="judge this start (thirdring-health.service)")
    health.add_argument("--settings", type=Path, metavar="FILE", help="settings file (TOML)")
    health.set_defaults(function=_health)
    for command in (update, runner, health):
        command.add_argument("--state", type=Path, default=STATE, metavar="DIR", help="the state folder")


def _update(args: argparse.Namespace) -> int:
    Rauc().require()
    folder = UpdateFolder(args.state)
    folder.make()
    folder.refuse_second()
    if not args.wait:
        with contextlib.suppress(ThirdringError):  # without an engine there is no call
            if desk_state(args.state).calls:
                raise error(7037)
    is_url = args.source.startswith(("http://", "https://"))
    if not is_url:
        _take_in(Path(args.source), folder)
    folder.submit(Request(url=args.source if is_url else "", force=args.force, wait=args.wait))
    return _follow(folder)


def _take_in(source: Path, folder: UpdateFolder) -> None:
    try:
        folder.check_room(source.stat().st_size)
        shutil.copyfile(source, folder.arriving)
        folder.give(folder.arriving)
    except OSError as reason:
        raise error(7038, f"{source}: {reason}") from reason


def _follow(folder: UpdateFolder) -> int:
    """Print each step; raises the numbered error of an update that failed."""
    shown = ""
    while True:
        now = folder.progress()
        line = f"{now.phase} {now.version} {now.percent} %".replace("  ", " ")
        if line != shown:
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
            shown = line
        if now.phase == "failed":
            raise error(now.code, now.detail)
        if now.phase == "restarting" or now.phase in ENDED:
            return 0
        time.sleep(LOOK_S)


def _run(args: argparse.Namespace) -> int:
    from thirdring_device.update.install import run_update

    return 0 if run_update(args.state, Rauc()) else 1


def _health(args: argparse.Namespace) -> int:
    from thirdring_device.update.health import run_health

    rauc = Rauc()
    rauc.require()
    return 1 if run_health(args.state, args.settings, rauc) else 0
