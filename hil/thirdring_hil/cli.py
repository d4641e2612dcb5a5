"""``thirdring-hil``: prove an appliance on the bench and write its test certificate."""

import argparse
import contextlib
import io
import json
import os
import re
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TextIO

import pytest

from thirdring_hil.certificate import certificate, suite_verdicts, title, verdict
from thirdring_hil.environment import EnvironmentFault, load
from thirdring_hil.measurements import RECORD_FILE
from thirdring_hil.progress import Progress

__all__ = ["main"]

SUITES: Final = Path(__file__).parents[1] / "suites"
"""Beside this package in a checkout."""
CONFIGURATION: Final = Path(__file__).with_name("bench.ini")
EXIT_PASS, EXIT_FAIL, EXIT_UNUSABLE = 0, 1, 2
LOG_FILE, JUNIT_FILE = "pytest.log", "junit.xml"
WORDS: Final = {"passed": "PASS", "failed": "FAIL", "skipped": "----"}


def _suite_files(folder: Path, names: str) -> list[str]:
    """Return the files of the named suites, of all without names; raises ``EnvironmentFault``."""
    there = {path.stem.removeprefix("test_"): str(path) for path in sorted(folder.glob("test_*.py"))}
    if not there:
        raise EnvironmentFault(f"no suites in {folder}: give the checkout's hil/suites with --suites-from")
    wanted = [name.replace(" ", "_") for name in names.split(",") if name] or list(there)
    unknown = [name for name in wanted if name not in there]
    if unknown:
        raise EnvironmentFault(f"no suite {', '.join(unknown)}; there are {', '.join(there)}")
    return [there[name] for name in wanted]


def _run(args: argparse.Namespace) -> int:
    output: Path = args.output
    output.mkdir(parents=True, exist_ok=True)
    load(args.target)  # a bad environment file is told before anything starts
    arguments = ["-c", str(CONFIGURATION), "--rootdir", str(args.suites_from)]
    arguments += ["--targets", args.target, "--hil-output", str(output), "--soak-calls", str(args.soak_calls)]
    arguments += ["--power-cuts", str(args.power_cuts)]
    arguments += ["--junitxml", str(output / JUNIT_FILE), *_suite_files(args.suites_from, args.suites)]
    record = output / RECORD_FILE
    record.unlink(missing_ok=True)
    # As Ctrl+C: boards and peers end with their tests.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with (
        os.fdopen(os.dup(sys.stdout.fileno()), "w") as terminal,
        (output / LOG_FILE).open("w", encoding="utf-8") as log,
        contextlib.redirect_stdout(log),
        contextlib.redirect_stderr(log),
    ):
        code = int(pytest.main(arguments, plugins=[Progress(terminal)]))
    if not record.exists():
        print(f"nothing was tested (pytest ended with {code}); see {output / LOG_FILE}", file=sys.stderr)
        return EXIT_UNUSABLE
    found = json.loads(record.read_text(encoding="utf-8"))
    _summary(found, sys.stdout)
    for path in _write_certificates(found, output):
        print(f"certificate: {path}")
    whole = verdict(found["outcomes"]) if code in (0, 1) else "failed"
    print(WORDS[whole])
    return EXIT_PASS if whole == "passed" else EXIT_FAIL


def _summary(record: Mapping[str, Any], out: TextIO) -> None:
    for name, unit in record["units"].items():
        board = f"{unit['board']}, {unit['sip_stack']}"
        print(
            f"\n{name}: serial number {unit['serial_number']}, firmware {unit['firmware']}, {board}", file=out
        )
    for suite, how in suite_verdicts(record["outcomes"]).items():
        print(f"{WORDS[how]}  {suite}", file=out)
    for outcome in record["outcomes"]:
        if outcome["outcome"] == "skipped":
            print(f"skipped: {outcome['suite']}: {title(outcome['test'])}: {outcome['reason']}", file=out)
    taken = record["measurements"]
    within = sum(measurement["passed"] for measurement in taken)
    print(f"{within} of {len(taken)} measurements within their limits", file=out)


def _write_certificates(record: Mapping[str, Any], folder: Path) -> list[Path]:
    """Write a page for each unit of the record; return their paths."""
    paths = []
    for target, unit in record["units"].items():
        serial_number = re.sub(r"[^\w.-]+", "_", unit["serial_number"])
        path = folder / f"certificate-{serial_number}.html"
        path.write_text(certificate(record, target), encoding="utf-8")
        paths.append(path)
    return paths


def _certificate(args: argparse.Namespace) -> int:
    record = json.loads(args.record.read_text(encoding="utf-8"))
    for path in _write_certificates(record, args.record.parent):
        print(path)
    return EXIT_PASS


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="thirdring-hil", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="run the suites on one target; exit code 0: pass, 1: fail")
    run.add_argument(
        "--target",
        required=True,
        help="simulator, qemu-amd64, qemu-arm64, qemu-raspi3b, an environment file (.toml), a serial port",
    )
    run.add_argument("--output", type=Path, default=Path("out/hil"), metavar="DIR", help="record and logs")
    run.add_argument("--suites", default="", metavar="NAMES", help="comma-separated; default: all")
    run.add_argument("--suites-from", type=Path, default=SUITES, metavar="DIR", help="where the suites are")
    run.add_argument("--soak-calls", type=int, default=20, metavar="N", help="calls in a row (%(default)s)")
    run.add_argument("--power-cuts", type=int, default=1, metavar="N", help="each in a call (%(default)s)")
    run.set_defaults(function=_run)
    again = commands.add_parser("certificate", help="write the certificates of a record anew")
    again.add_argument("record", type=Path, help=f"a {RECORD_FILE}")
    again.set_defaults(function=_certificate)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    args = _parser().parse_args(argv)
    try:
        return int(args.function(args))
    except (EnvironmentFault, OSError, io.UnsupportedOperation) as reason:
        print(f"thirdring-hil: {reason}", file=sys.stderr)
        return EXIT_UNUSABLE


if __name__ == "__main__":
    sys.exit(main())
