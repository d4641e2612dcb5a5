"""The lock of the consoles: what a locked one answers, guesses, and when it locks again."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.at.bench import Host, ServedConsole, served, wait_for
from tests.at.test_indicators import failure
from tests.at.test_ports import Cable, conversing
from thirdring.protocol.errors import AccessError
from thirdring.protocol.events import SettingsChanged, TrunkChanged
from thirdring_device.gateway.at.lock import FREE_FAILURES, PASSWORD_FILE, ConsoleLock

rule = pytest.mark.console
PASSWORD = "correct horse"  # noqa: S105 - of consoles that live for one test


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[ServedConsole]:
    ConsoleLock(tmp_path / PASSWORD_FILE).reset(PASSWORD)
    with served(tmp_path, lock=True) as console:
        yield console


@pytest.fixture
def guest(locked: ServedConsole) -> Iterator[Host]:
    host = Host(locked.path)
    assert host.ask("ATE0+CMEE=1")[-1] == "OK"
    yield host
    host.close()


@pytest.mark.console("a locked console answers who it is and AT#LOGIN, nothing else", clause="ours")
def test_a_locked_console_answers_who_it_is_and_nothing_else(locked: ServedConsole, guest: Host) -> None:
    assert guest.ask("AT") == ["OK"]
    assert guest.ask("AT+CGMI") == ["Thirdring", "OK"]
    assert guest.ask("AT#LOGIN?") == ["#LOGIN: 1,0", "OK"]
    for line in ("ATD10086;", "ATA", "ATH", "AT+CLCC", "AT#GET", "AT#CALLS", 'AT#SET="serial.lock",false'):
        assert failure(guest, line) == "+CME ERROR: 3"
    for line in ("AT+CLAC", "AT#HELP", "AT#DO=?", 'AT#PASSWORD="","long enough"', "ATS0=1", "AT#NONE"):
        assert failure(guest, line) == "+CME ERROR: 3"
    assert locked.engine.asked == []


@pytest.mark.console("a locked console reports nothing", clause="ours")
def test_a_locked_console_reports_nothing_and_an_open_one_does(locked: ServedConsole, guest: Host) -> None:
    locked.rings()
    assert guest.quiet() == b""
    assert guest.ask(f'AT#LOGIN="{PASSWORD}";#LOGIN?') == ["#LOGIN: 0,0", "OK"]
    assert guest.quiet() == b""  # what rang before is not told afterwards
    locked.ended("c1")
    assert guest.until(b"CARRIER\r\n") == b"\r\nNO CARRIER\r\n"
    guest.write(b"AT#EVENTS=3\r")
    assert b"#EVENT: " in guest.until(b'"why"}\r\n')
    assert guest.ask("AT#LOGOUT") == ["OK"]
    locked.emit(TrunkChanged(at_s=0, state="registered"))
    assert guest.quiet() == b""
    assert failure(guest, "AT+CLCC") == "+CME ERROR: 3"


@pytest.mark.console("hanging up locks, and A/ does not repeat a password", clause="ours")
def test_hanging_up_locks_and_the_last_line_does_not_open(locked: ServedConsole, guest: Host) -> None:
    assert guest.ask(f'AT#LOGIN="{PASSWORD}"') == ["OK"]
    guest.write(b"A/")
    assert guest.until(b"OK\r\n") == b"\r\nOK\r\n"  # an empty line
    guest.close()
    wait_for(lambda: not locked.do(conversing))
    again = Host(locked.path)
    again.write(b"A/")
    again.until(b"OK\r\n")
    assert again.ask("AT#LOGIN?") == ["#LOGIN: 1,0", "OK"]
    again.close()


@rule(
    "a port that is unplugged is locked when it comes back, and each console is opened by itself",
    clause="ours",
)
def test_unplugging_locks(tmp_path: Path) -> None:
    ConsoleLock(tmp_path / PASSWORD_FILE).reset(PASSWORD)
    device = tmp_path / "ttyACM0"
    with served(tmp_path, (str(device),), lock=True) as console:
        host = Host(console.path)
        assert host.ask(f'ATE0+CMEE=1;#LOGIN="{PASSWORD}"')[-1] == "OK"
        for _ in range(2):
            with Cable() as cable:
                device.unlink(missing_ok=True)
                device.symlink_to(cable.device)
                cable.power_on()
                os.write(cable.master, b"ATE0#LOGIN?\r")
                cable.until(b"#LOGIN: 1,0\r\n\r\nOK\r\n")
                os.write(cable.master, f'AT#LOGIN="{PASSWORD}"\r'.encode())
                assert cable.until(b"OK\r\n") == b"\r\nOK\r\n"
        assert host.ask("AT+CLCC") == ["OK"]
        host.close()


@rule("a console that gets no command for serial.lock_idle_s is locked", clause="ours")
def test_an_idle_console_locks(tmp_path: Path) -> None:
    ConsoleLock(tmp_path / PASSWORD_FILE).reset(PASSWORD)
    with served(tmp_path, lock=True, lock_idle_s=1) as console:
        host = Host(console.path)
        assert host.ask(f'ATE0+CMEE=1;#LOGIN="{PASSWORD}"')[-1] == "OK"
        assert host.ask("AT+CLCC") == ["OK"]
        assert host.quiet(1.2) == b""
        assert failure(host, "AT+CLCC") == "+CME ERROR: 3"
        host.close()


@pytest.mark.console("five wrong passwords, then waits that double, over restarts, too", clause="ours")
def test_wrong_passwords_slow_down_whichever_console_they_come_by(locked: ServedConsole, guest: Host) -> None:
    for _ in range(FREE_FAILURES):
        assert failure(guest, 'AT#LOGIN="wrong horse"') == "+CME ERROR: 16"
    assert failure(guest, f'AT#LOGIN="{PASSWORD}"') == "+CME ERROR: 3"
    guest.write(b"AT#LOGIN?\r")
    wait_s = int(guest.until(b"OK\r\n").decode().split(",")[1].split("\r")[0])
    assert 25 <= wait_s <= 30


def test_waits_double_are_kept_over_a_restart_and_end_with_the_right_password(tmp_path: Path) -> None:
    now_s = 100.0
    lock = ConsoleLock(tmp_path / "p", lambda: now_s)
    lock.change("", PASSWORD)

    def refused() -> int:
        with pytest.raises(AccessError) as caught:
            lock.check("wrong horse")
        return caught.value.code

    assert [refused() for _ in range(FREE_FAILURES + 1)] == [6021] * FREE_FAILURES + [6022]
    now_s += 30.5
    assert refused() == 6021
    assert lock.wait_s() == 60.0
    lock = ConsoleLock(tmp_path / "p", lambda: now_s)
    assert lock.wait_s() == 60.0
    now_s += 61
    lock.check(PASSWORD)
    assert lock.wait_s() == 0.0
    assert refused() == 6021


def test_the_password_is_changed_with_the_old_one_and_kept_as_a_hash(tmp_path: Path) -> None:
    with served(tmp_path) as console:
        host = Host(console.path)
        host.ask("ATE0")
        host.ask("AT+CMEE=1")
        assert failure(host, 'AT#LOGIN="anything at all"') == "+CME ERROR: 3"  # there is none to be right
        assert host.ask('AT#PASSWORD="","short"') == ["ERROR"]
        assert host.ask(f'AT#PASSWORD="","{PASSWORD}"') == ["OK"]
        assert failure(host, 'AT#PASSWORD="","another one"') == "+CME ERROR: 16"
        assert host.ask(f'AT#PASSWORD="{PASSWORD}","another one"') == ["OK"]
        console.emit(SettingsChanged(at_s=0, changes={"serial.lock": True}))
        wait_for(lambda: host.ask("AT#LOGIN?")[0] == "#LOGIN: 1,0")
        assert host.ask('AT#LOGIN="another one"') == ["OK"]
        host.close()
    file = tmp_path / PASSWORD_FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "another" not in file.read_text(encoding="ascii")
    assert json.loads(file.read_text(encoding="ascii"))["failures"] == 0


def test_the_unit_itself_sets_a_forgotten_password(
    locked: ServedConsole, guest: Host, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "thirdring_device.cli", "console-password", "--state", str(tmp_path)]
    done = subprocess.run(command, input="brand new one\n", text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert failure(guest, f'AT#LOGIN="{PASSWORD}"') == "+CME ERROR: 16"
    assert guest.ask('AT#LOGIN="brand new one"') == ["OK"]


def test_a_locked_console_without_a_password_stays_locked(tmp_path: Path) -> None:
    with served(tmp_path, lock=True) as console:
        host = Host(console.path)
        host.ask("ATE0+CMEE=1;#VERBOSE=1")
        host.write(b'AT#LOGIN=""\r')
        assert b"#ERROR: 6023" in host.until(b"ERROR: 3\r\n")
        host.close()
