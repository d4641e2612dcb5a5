"""Prove that the bench finds each fault, and nothing else: ``nox -s hil_faults``.

Runs ``thirdring-hil`` on an appliance with each fault; exactly the suite that is there for it must fail.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent
sys.path.insert(0, str(FOLDER.parent))

from faults.broken import CAUGHT_BY  # noqa: E402
from thirdring_hil.certificate import suite_verdicts  # noqa: E402

__all__ = ["Found", "find", "main"]

LONGEST_S: Final = 900.0


@dataclass(frozen=True)
class Found:
    """Names of the suites that failed and of those that passed; why each test failed."""

    failed: set[str]
    passed: set[str]
    reasons: tuple[str, ...]


def find(fault: str, suites: Sequence[str], folder: Path) -> Found:
    """Run the suites (all when empty) with the fault; records and logs go below ``folder``."""
    environment = folder / f"{fault}.toml"
    device = json.dumps([sys.executable, str(FOLDER / "broken.py"), fault])
    environment.write_text(f'[target]\nkind = "simulator"\nname = "{fault}"\ndevice = {device}\n')
    command = [sys.executable, "-m", "thirdring_hil.cli", "run", "--target", str(environment)]
    command += ["--output", str(folder / fault), "--suites", ",".join(suites), "--soak-calls", "5"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=LONGEST_S)
    record = folder / fault / "record.json"
    if not record.exists():
        raise RuntimeError(done.stdout + done.stderr)
    outcomes = json.loads(record.read_text(encoding="utf-8"))["outcomes"]
    verdicts = suite_verdicts(outcomes)
    failed = {suite for suite, how in verdicts.items() if how == "failed"}
    if (done.returncode == 1) != bool(failed):
        raise RuntimeError(f"exit code {done.returncode}\n{done.stdout}{done.stderr}")
    reasons = tuple(f"{one['test']}: {one['reason']}" for one in outcomes if one["outcome"] == "failed")
    return Found(failed, {suite for suite, how in verdicts.items() if how == "passed"}, reasons)


def main(argv: Sequence[str] | None = None) -> int:
    """Run every fault against every suite; return 0 when each is found where it should be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("faults", nargs="*", default=list(CAUGHT_BY), help="default: all")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep records and certificates here")
    args = parser.parse_args(argv)
    wrong = 0
    with tempfile.TemporaryDirectory(prefix="thirdring-faults-") as temporary:
        folder = args.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for fault in args.faults:
            found = find(fault, [], folder)
            right = found.failed == {CAUGHT_BY[fault]}
            wrong += not right
            print(
                f"{fault}: {', '.join(sorted(found.failed)) or 'no suite'} failed, "
                f"{len(found.passed)} passed: "
                f"{'as it should be' if right else 'should be ' + CAUGHT_BY[fault]}",
                *(() if right else found.reasons),
                sep="\n  ",
                flush=True,
            )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
