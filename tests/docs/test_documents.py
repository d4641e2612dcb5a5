import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_reference_documents_say_what_the_code_says() -> None:
    done = subprocess.run(
        [sys.executable, "docs/generate.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
