"""Notes for the documents: which rows were proved.

``--interop FILE``: rows of ``docs/interop.md``, and on which SIP stack; ``--console FILE``: rules of
``docs/at-conformance.md``.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

NOTES = pytest.StashKey[dict[str, Any]]()
RULES = pytest.StashKey[dict[str, Any]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--interop", type=Path, metavar="FILE", help="note what was proved with real peers")
    parser.addoption(
        "--console", type=Path, metavar="FILE", help="note which rules of the console were proved"
    )


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--interop") is not None:
        config.stash[NOTES] = {}
    if config.getoption("--console") is not None:
        config.stash[RULES] = {}


def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    _note_rules(item, call)
    notes = item.config.stash.get(NOTES, None)
    marker = item.get_closest_marker("interop")
    if notes is None or marker is None or (call.when != "call" and call.excinfo is None):
        return
    name = item.nodeid.partition("[")[0]
    row = notes.setdefault(marker.args[0], {"peer": marker.kwargs["peer"], "tests": [], "failed": False})
    row["tests"] = sorted({*row["tests"], name})
    row["failed"] = row["failed"] or call.excinfo is not None


def _note_rules(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    rules = item.config.stash.get(RULES, None)
    if rules is None or (call.when != "call" and call.excinfo is None):
        return
    name = item.nodeid.partition("[")[0]
    for marker in item.iter_markers("console"):
        row = rules.setdefault(
            marker.args[0], {"clause": marker.kwargs["clause"], "tests": [], "passed": True}
        )
        row["tests"] = sorted({*row["tests"], name})
        row["passed"] = row["passed"] and call.excinfo is None


def pytest_sessionfinish(session: pytest.Session) -> None:
    rules = session.config.stash.get(RULES, None)
    if rules:
        file: Path = session.config.getoption("--console")
        file.write_text(json.dumps(dict(sorted(rules.items())), indent=1) + "\n", encoding="utf-8")
    _write_interop(session)


def _write_interop(session: pytest.Session) -> None:
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
