"""What ``thirdring-device run`` does with a process that does not end."""

import signal
import sys
from pathlib import Path

import pytest

from tests.peers import wait_until
from thirdring_device import supervisor

STAYS = """
import signal, sys
from pathlib import Path

def waits_for_ever():
    signal.pause()

signal.signal(signal.SIGTERM, signal.SIG_IGN)
Path(sys.argv[1]).touch()
waits_for_ever()
"""


def test_a_process_that_does_not_end_tells_where_it_stood(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(supervisor, "STOP_S", 0.2)
    unit = supervisor.Supervisor(tmp_path, None, "simulator")
    running = tmp_path / "running"
    child, unit._children = unit._children[0], unit._children[:1]
    child._arguments = [sys.executable, "-c", STAYS, str(running)]
    assert unit._turn() == 0
    process = child.process
    assert process is not None
    try:
        wait_until(running.exists, "the process", 30.0)
    finally:
        unit._end_children()
    assert process.returncode == -signal.SIGABRT
    told = capfd.readouterr().err
    assert "Fatal Python error: Aborted" in told
    assert "waits_for_ever" in told
