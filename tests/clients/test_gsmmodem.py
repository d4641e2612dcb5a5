"""python-gsmmodem-new, unmodified, on the console of a whole appliance; SIPp at the other end."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clients.conftest import last_call
from tests.integration.conftest import Unit
from tests.peers import SippPeer

pytestmark = pytest.mark.sip

HOST = Path(__file__).with_name("gsmmodem_host.py")


class Host:
    """The host program of ``gsmmodem_host.py`` in a process of its own."""

    def __init__(self, console: Path, log: Path) -> None:
        self._log = log.open("w")
        self._process = subprocess.Popen(
            [sys.executable, str(HOST), str(console)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        self.identity = self.result()

    def order(self, *words: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(" ".join(words) + "\n")
        self._process.stdin.flush()

    def result(self) -> dict[str, Any]:
        """Return the next line of results; the program ends by itself when something takes too long."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, Path(self._log.name).read_text(encoding="utf-8")[-3000:]
        result: dict[str, Any] = json.loads(line)
        return result

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        assert self._process.wait(30) == 0, Path(self._log.name).read_text(encoding="utf-8")[-3000:]
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._log.close()


@pytest.fixture(scope="module")
def host(unit: Unit, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    made = Host(unit.state_dir / "console", tmp_path_factory.mktemp("host") / "log")
    yield made
    made.close()


@pytest.mark.console(
    "python-gsmmodem-new, unmodified: dials, sends digits, sees who calls, answers, refuses, hangs up",
    clause="clients",
)
def test_it_knows_the_appliance(host: Host) -> None:
    assert host.identity["manufacturer"] == "Thirdring"
    assert host.identity["serial"]
    assert "+VTS" in host.identity["dtmf"]


@pytest.mark.console(
    "python-gsmmodem-new, unmodified: dials, sends digits, sees who calls, answers, refuses, hangs up",
    clause="clients",
)
def test_it_dials_sends_digits_and_hangs_up(unit: Unit, host: Host, tmp_path: Path, trunk_port: int) -> None:
    unit.free()
    # As long as a person takes: the library asks twice a second and wants to see the call ring.
    with SippPeer("ring_then_answer_until_bye", tmp_path, port=trunk_port, hold_ms=2000) as callee:
        host.order("dial", "02155501234", "19#")
        assert host.result() == {"answered": True, "number": "02155501234", "left": 0}
        callee.wait()
    assert (last_call(unit).by, last_call(unit).cause) == ("agent", "hangup")


@pytest.mark.console(
    "python-gsmmodem-new, unmodified: dials, sends digits, sees who calls, answers, refuses, hangs up",
    clause="clients",
)
def test_it_sees_who_calls_answers_and_hangs_up(unit: Unit, host: Host, tmp_path: Path) -> None:
    unit.free()
    keys = {"caller": "+8613800138000"}
    with SippPeer("call_until_bye", tmp_path, target=unit.target, keys=keys) as caller:
        host.order("answer")
        assert host.result() == {"number": "+8613800138000", "voice": True, "answered": True}
        caller.wait()
    assert (last_call(unit).by, last_call(unit).cause) == ("agent", "hangup")


@pytest.mark.console(
    "python-gsmmodem-new, unmodified: dials, sends digits, sees who calls, answers, refuses, hangs up",
    clause="clients",
)
def test_it_refuses_a_call(unit: Unit, host: Host, tmp_path: Path) -> None:
    unit.free()
    keys = {"caller": "02155509999"}
    with SippPeer("call_refused", tmp_path, target=unit.target, keys=keys) as caller:
        host.order("refuse")
        # The library puts a + before every caller's number, whatever its type.
        assert host.result() == {"number": "+02155509999", "voice": True, "answered": False}
        caller.wait()
    assert last_call(unit).cause == "rejected"
