"""A person at a terminal of a whole appliance: two calls by hand, the unit's own state, the lock."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.at.bench import Host
from tests.integration.conftest import Unit
from tests.peers import BaresipPeer, wait_until

pytestmark = pytest.mark.sip

rule = pytest.mark.console
ANSWER_LIMIT_S = 2.0
"""ModemManager 1.20 gives ATA, +CHLD and +CHUP so long."""
SELFTEST_LIMIT_S = 60.0
PASSWORD = "open the console"  # noqa: S105 - of a unit that lives for one test


@pytest.fixture
def terminal(unit: Unit) -> Iterator[Host]:
    unit.free()
    host = Host(unit.state_dir / "console")
    host.write(b"\rATZE0\r")
    host.find(b"\r\nOK\r\n")
    yield host
    host.write(b"\rATZ\r")
    host.find(b"\r\nOK\r\n")
    host.close()


@pytest.fixture
def tone(tmp_path: Path) -> Path:
    path = tmp_path / "tone.wav"
    soundfile.write(path, 0.1 * np.sin(2 * np.pi * 440 * np.arange(8000 * 30) / 8000), 8000)
    return path


def at_once(host: Host, line: str) -> None:
    """Send a line that must be answered with a bare OK as soon as clients want it."""
    began_s = time.monotonic()
    host.write(line.encode() + b"\r")
    host.find(b"\r\nOK\r\n", ANSWER_LIMIT_S)
    assert time.monotonic() - began_s < ANSWER_LIMIT_S


def listed(host: Host) -> dict[int, int]:
    """Return the state of each call by its id, as +CLCC lists them."""
    host.write(b"AT+CLCC\r")
    return {
        int(index): int(state)
        for index, state in re.findall(rb"\+CLCC: (\d),1,(\d),0,0,", host.find(b"\r\nOK\r\n"))
    }


@rule(
    "on the whole appliance: ids lowest free and stable; ATA and +CHLD within 2 s; +CIEV with each step",
    clause="clients",
)
def test_two_calls_by_hand(unit: Unit, terminal: Host, tmp_path: Path, tone: Path) -> None:
    assert terminal.ask("AT+CLIP=1;+CCWA=1;+CMER=3,0,0,1") == ["OK"]
    with (
        BaresipPeer(tmp_path, speaks=tone, user="10086") as first,
        BaresipPeer(tmp_path, speaks=tone, user="10010") as second,
    ):
        first.dial(f"sip:desk@{unit.target}")
        terminal.find(b"\r\n+CIEV: 4,1\r\n")
        terminal.find(b'\r\nRING\r\n\r\n+CLIP: "10086",129,,,,0\r\n')
        assert listed(terminal) == {1: 4}
        at_once(terminal, "ATA")
        terminal.find(b"\r\n+CIEV: 3,1\r\n\r\n+CIEV: 4,0\r\n")
        second.dial(f"sip:desk@{unit.target}")
        terminal.find(b'\r\n+CCWA: "10010",129,1\r\n')
        assert listed(terminal) == {1: 0, 2: 5}
        at_once(terminal, "AT+CHLD=2")  # hold the first, take the second
        wait_until(lambda: listed(terminal) == {1: 1, 2: 0}, "the second is taken")
        at_once(terminal, "AT+CHLD=2")  # swap
        wait_until(lambda: listed(terminal) == {1: 0, 2: 1}, "they are swapped")
        assert terminal.ask("AT+CIND?")[-2:] == ["+CIND: 1,5,1,0,1", "OK"]
        at_once(terminal, "AT+CHLD=1")  # release the first, take the second
        wait_until(lambda: listed(terminal) == {2: 0}, "the second keeps its id")
        first.dial(f"sip:desk@{unit.target}")
        terminal.find(b'\r\n+CCWA: "10086",129,1\r\n')
        assert listed(terminal) == {1: 5, 2: 0}  # the lowest id that was free
        at_once(terminal, "AT+CHLD=0")  # refuse
        wait_until(lambda: listed(terminal) == {2: 0}, "the first is refused")
        at_once(terminal, "ATH")
        unit.free()
    terminal.find(b"+CIEV: 3,0\r\n")
    assert terminal.ask("AT+CPAS")[-2:] == ["+CPAS: 0", "OK"]


@rule(
    "on the whole appliance: self-test, log, trunk, headset and loudness are those of the unit", clause="ours"
)
def test_the_unit_is_looked_at(unit: Unit, terminal: Host) -> None:
    terminal.write(b"AT#SELFTEST\r")
    found = terminal.find(b"\r\nOK\r\n", SELFTEST_LIMIT_S).decode()
    assert '#SELFTEST: "engine","ok"' in found
    assert '#SELFTEST: "stack","ok","pjsua2 ' in found
    assert '#SELFTEST: "unit","ok",""' in found
    assert terminal.ask("AT#TRUNK?;#HEADSET?")[1].endswith(',"present"')
    assert any('"kind":"engine_started"' in line for line in terminal.ask("AT#LOG=1000"))
    assert terminal.ask("AT+CLVL=34;+CLVL?") == ["+CLVL: 34", "OK"]
    (ear,) = (setting.value for setting in unit.desk.settings() if setting.name == "headset.ear_db")
    assert ear == -6.0
    assert terminal.ask("AT+CLVL=40") == ["OK"]


@rule("on the whole appliance: serial.lock locks at once, and needs the password set before", clause="ours")
def test_the_lock_is_turned_on_and_off(unit: Unit, terminal: Host) -> None:
    assert terminal.ask(f'AT#PASSWORD="","{PASSWORD}"') == ["OK"]
    assert unit.desk.set_settings({"serial.lock": True}) is False
    wait_until(lambda: terminal.ask("AT#LOGIN?")[0] == "#LOGIN: 1,0", "the console is locked")
    assert terminal.ask("AT+CLCC") == ["ERROR"]
    assert terminal.ask(f'AT#LOGIN="{PASSWORD}";+CLCC') == ["OK"]
    assert terminal.ask('AT#SET="serial.lock",false') == ["#SET: live", "OK"]
    wait_until(lambda: terminal.ask("AT#LOGOUT;#LOGIN?")[0] == "#LOGIN: 0,0", "the console is open")
