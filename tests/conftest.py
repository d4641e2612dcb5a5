"""``--interop FILE``: note in FILE which rows of ``docs/interop.md`` were proved, and on which SIP stack."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

NOTES = pytest.StashKey[dict[str, Any]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--interop", type=Path, metavar="FILE", help="note what was proved with real peers")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--interop") is not None:
        config.stash[NOTES] = {}


def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    notes = item.config.stash.get(NOTES, None)
    marker = item.get_closest_marker("interop")
    if notes is None or marker is None or (call.when != "call" and call.excinfo is None):
        return
    name = item.nodeid.partition("[")[0]
    row = notes.setdefault(marker.args[0], {"peer": marker.kwargs["peer"], "tests": [], "failed": False})
    row["tests"] = sorted({*row["tests"], name})
    row["failed"] = row["failed"] or call.excinfo is not None


def pytest_sessionfinish(session: pytest.Session) -> None:
    notes = session.config.stash.get(NOTES, None)
    if not notes:
        return
    file: Path = session.config.getoption("--interop")
    kept = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    stack = _stack()
    for what, row in notes.items():
        stacks = {**kept.get(what, {}).get("stacks", {}), stack: "failed" if row["failed"] else "passed"}
        kept[what] = {"peer": row["peer"], "tests": row["tests"], "stacks": dict(sorted(stacks.items()))}
    file.write_text(json.dumps(dict(sorted(kept.items())), indent=1) + "\n", encoding="utf-8")


def _stack() -> str:
    """Return the stack's name, asked in another process: it fits once into one."""
    command = [sys.executable, "-m", "thirdring_device.cli", "selftest", "--json"]
    return str(json.loads(subprocess.run(command, capture_output=True, check=True).stdout)["stack"])
