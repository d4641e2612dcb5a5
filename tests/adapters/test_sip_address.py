"""Our address changes while a call is up."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.sip

ROOT = Path(__file__).parents[2]


@pytest.mark.interop("our address changes in a call: registered again, call kept (re-INVITE)", peer="SIPp")
def test_call_is_kept_when_our_address_changes(tmp_path: Path) -> None:
    unshare = "-n" if os.geteuid() == 0 else "-rn"
    command = [sys.executable, "-m", "tests.adapters.address_change", str(tmp_path)]
    done = subprocess.run(
        ["unshare", unshare, *command], cwd=ROOT, capture_output=True, text=True, timeout=90, check=False
    )
    assert done.returncode == 0, done.stderr
