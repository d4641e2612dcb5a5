import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_reference_documents_say_what_the_code_says() -> None:
    done = subprocess.run(
        [sys.executable, "docs/generate.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_row_of_the_console_is_proved_by_a_test_that_is_there() -> None:
    rows = json.loads((ROOT / "docs" / "at-conformance.json").read_text(encoding="utf-8"))
    named = {test for row in rows.values() for test in row["tests"]}
    there = {
        f"{file.relative_to(ROOT)}::{name}"
        for folder in ("tests/at", "tests/clients")
        for file in (ROOT / folder).glob("test_*.py")
        for name in re.findall(r"^def (test_\w+)\(", file.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert named <= there
    assert all(row["passed"] for row in rows.values())
