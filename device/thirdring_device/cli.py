"""The appliance's command: ``thirdring-device``."""

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from thirdring.protocol.errors import ThirdringError, error
from thirdring_device import (
    analyze,
    console_password,
    factory_reset,
    firewall,
    plans,
    recording_files,
    selftest,
    support,
)
from thirdring_device.logs import keep_log
from thirdring_device.settings import load_settings
from thirdring_device.supervisor import EXIT_REFUSED, Supervisor
from thirdring_device.update import command as update

__all__ = ["main"]


def _state_dir(path: Path) -> Path:
    """Return the state folder, made if need be, readable by its owner only."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as reason:
        raise error(5006, f"{path}: {reason}") from reason
    return path.resolve()


def _run(args: argparse.Namespace) -> int:
    state_dir = _state_dir(args.state)
    load_settings(args.settings, state_dir)  # refuse a bad file before anything starts
    return Supervisor(state_dir, args.settings, args.board).run()


def _engine(args: argparse.Namespace) -> int:
    from thirdring_device.engine.main import run_engine

    state_dir = _state_dir(args.state)
    keep_log(state_dir, "engine")
    again = asyncio.run(run_engine(load_settings(args.settings, state_dir), state_dir, args.board))
    if again:  # as another process in the same place: the SIP stack fits once into one
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - our own command
    return 0


def _gateway(args: argparse.Namespace) -> int:
    from thirdring_device.gateway.main import serve

    state_dir = _state_dir(args.state)
    keep_log(state_dir, "gateway")
    asyncio.run(serve(load_settings(args.settings, state_dir), state_dir, args.settings))
    return 0


def _demo(args: argparse.Namespace) -> int:
    if args.page:
        from thirdring_device.demo.live import run_page_demo

        return run_page_demo(args.out.resolve(), args.language)
    from thirdring_device.demo.run import run_demo

    return run_demo(args.out.resolve(), args.language)


def _password(args: argparse.Namespace) -> int:
    from thirdring_device.gateway.first_password import show_password

    return show_password(args.state, reset=args.reset)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="thirdring-device", description=__doc__)
    parser.add_argument("--log", default="warning", choices=("debug", "info", "warning", "error"))
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, function, text in (
        ("run", _run, "run the appliance: engine and gateway"),
        ("engine", _engine, "run the engine alone (calls, sound, norms, journal)"),
        ("gateway", _gateway, "run the gateway alone (HTTP, WebSocket, serial consoles)"),
    ):
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("--state", type=Path, required=True, metavar="DIR", help="the state folder")
        command.add_argument("--settings", type=Path, metavar="FILE", help="settings file (TOML)")
        if name != "gateway":
            command.add_argument("--board", required=True, help="the board, such as simulator")
        command.set_defaults(function=function)
    analyze.add_parser(commands)
    plans.add_parser(commands)
    recording_files.add_parser(commands)
    selftest.add_parser(commands)
    text = "show the technician's first password, which must be changed at the first sign-in"
    password = commands.add_parser("password", help=text, description=text)
    password.add_argument("--state", type=Path, required=True, metavar="DIR", help="the state folder")
    password.add_argument(
        "--reset", action="store_true", help="make a new first password; ends the technician's sessions"
    )
    password.set_defaults(function=_password)
    console_password.add_parser(commands)
    factory_reset.add_parser(commands)
    firewall.add_parser(commands)
    support.add_parser(commands)
    update.add_parser(commands)
    demo = commands.add_parser("demo", help="one real call through the whole appliance, and its report")
    demo.add_argument("--language", default="zh", choices=("zh", "en"), help="language spoken in the call")
    demo.add_argument("--out", type=Path, default=Path("out/demo"), metavar="DIR", help="made anew each time")
    demo.add_argument(
        "--page", action="store_true", help="callers ring until Ctrl-C: work at it in a browser"
    )
    demo.set_defaults(function=_demo)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code: 0 done, 2 refused with a numbered error."""
    args = _parser().parse_args(argv)
    logging.basicConfig(
        level=args.log.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr
    )
    try:
        return int(args.function(args))
    except ThirdringError as reason:
        print(f"thirdring-device: error {reason}", file=sys.stderr)
        return EXIT_REFUSED
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


if __name__ == "__main__":
    sys.exit(main())
