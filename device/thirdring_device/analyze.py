"""``thirdring-device analyze FILE``: the report of a recorded call."""

import argparse
import json
import sys
from pathlib import Path

from thirdring.protocol.errors import error
from thirdring_device.settings import load_settings

__all__ = ["add_parser", "run"]


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command ``analyze``."""
    text = "judge a recorded call: left channel agent, right channel customer"
    parser = subparsers.add_parser("analyze", help=text, description=text)
    parser.add_argument("file", type=Path, metavar="FILE", help="a sound file of two channels")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--text", action="store_true", help="print the report as text (the default)")
    form.add_argument("--json", action="store_true", help="print the report as JSON")
    form.add_argument("--html", type=Path, metavar="OUT", help="write the report as one page to OUT")
    parser.add_argument("--language", choices=("en", "zh"), default="en", help="of text and page")
    parser.add_argument("--settings", type=Path, metavar="FILE", help="settings file (TOML)")
    parser.add_argument(
        "--key",
        type=Path,
        metavar="KEYFILE",
        help="key of a sealed recording (default: recording.key beside the folder it lies in)",
    )
    parser.add_argument("--progress", action="store_true", help="show progress even without a terminal")
    parser.set_defaults(function=run)


def run(args: argparse.Namespace) -> int:
    """Analyze and print; raises ``ThirdringError`` for a file that cannot be read or written."""
    from thirdring_device.recorded import analyze  # scipy and the detectors: not for every command

    settings = load_settings(args.settings)
    shown = args.progress or sys.stderr.isatty()
    report = analyze(args.file, settings, _show_progress if shown else None, args.key)
    if args.html is not None:
        try:
            args.html.write_text(report.to_html(args.language), encoding="utf-8")
        except OSError as reason:
            raise error(5008, f"{args.html}: {reason.strerror}") from reason
    elif args.json:
        sys.stdout.write(json.dumps(report.to_json(), ensure_ascii=False, allow_nan=False) + "\n")
    else:
        sys.stdout.write(report.to_text(args.language, colour=sys.stdout.isatty()))
    return 0


def _show_progress(done_s: float, whole_s: float) -> None:
    end = "\n" if done_s >= whole_s else ""
    sys.stderr.write(f"\ranalyzed {done_s:.0f} of {whole_s:.0f} s{end}")
    sys.stderr.flush()
