"""The system's units and rules, checked by the programs that will read them."""

import fcntl
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections import deque
from pathlib import Path

import pytest
from firmware_ports.recipe.ports import PORTS_DIR

from tests.peers import free_port
from thirdring_device.adapters.board.choose import make_board
from thirdring_device.adapters.board.leds import LedBoard
from thirdring_device.board_file import Lamps
from thirdring_device.notify import notify

OVERLAYS = sorted(PORTS_DIR.glob("*/overlay"))
UNITS = sorted(
    unit for folder in OVERLAYS for unit in folder.glob("usr/lib/systemd/system/*.*") if unit.is_file()
)
RUN = [unit for unit in UNITS if unit.suffix == ".service"]
SERVICES = [unit for unit in RUN if unit.stem in ("thirdring-engine", "thirdring-gateway")]
MOST_EXPOSED = 2.5
DELAYS = ("delay_on", "delay_off")
"""Of the kernel's timer trigger: how long a lamp is on and off, in ms."""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root with all overlays and stand-ins for what their services start."""
    for folder in OVERLAYS:
        shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    programs = ("thirdring-device", "install", "systemctl")
    for program in (*(f"usr/bin/{name}" for name in programs), "sbin/agetty", "bin/sh"):
        path = tmp_path / program
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("", encoding="ascii")
        path.chmod(0o755)
    for target in ("network", "sound", "time-set", "multi-user", "basic", "sysinit", "shutdown", "reboot"):
        path = tmp_path / f"usr/lib/systemd/system/{target}.target"
        path.write_text(f"[Unit]\nDescription={target}\n", encoding="ascii")
    return tmp_path


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_finds_nothing_wrong_with_a_unit(root: Path, unit: Path) -> None:
    command = ["systemd-analyze", "verify", f"--root={root}", "--man=no", "--recursive-errors=no", unit.name]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("unit", RUN, ids=lambda unit: unit.name)
def test_a_service_is_exposed_as_little_as_promised(root: Path, unit: Path) -> None:
    command = ["systemd-analyze", "security", "--offline=true", f"--root={root}", unit.name]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert found, done.stderr
    assert float(found[1]) <= MOST_EXPOSED


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_a_service_that_stands_still_is_replaced_in_15_s(unit: Path) -> None:
    text = unit.read_text(encoding="utf-8")
    values = dict(re.findall(r"^(WatchdogSec|TimeoutAbortSec|RestartSec)=(\d+)", text, re.MULTILINE))
    assert "Type=notify" in text
    assert "Restart=always" in text
    if "engine" in unit.name:
        assert int(values["WatchdogSec"]) + int(values["TimeoutAbortSec"]) + 1 <= 15


def test_the_first_process_is_a_script_that_a_shell_understands() -> None:
    script = PORTS_DIR / "common/overlay/usr/lib/thirdring/init"
    assert os.access(script, os.X_OK)
    subprocess.run(["sh", "-n", script], check=True)


def test_readiness_is_told_to_the_service_manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(5.0)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        notify("READY=1")
        assert manager.recv(64) == b"READY=1"
    notify("READY=1")  # the manager has gone: nothing happens
    monkeypatch.delenv("NOTIFY_SOCKET")
    notify("READY=1")


def test_the_gateway_tells_that_it_is_ready_and_alive(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager, socket.socket() as probe:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(60.0)
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        settings = tmp_path / "settings.toml"
        settings.write_text(f"[gateway]\nport = {port}\n", encoding="ascii")
        probe.close()
        command = [
            sys.executable,
            "-m",
            "thirdring_device.cli",
            "gateway",
            "--state",
            str(tmp_path / "state"),
        ]
        told = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "300000"}
        process = subprocess.Popen(
            [*command, "--settings", str(settings)], env={**os.environ, **told}, stdout=subprocess.DEVNULL
        )
        try:
            heard: set[bytes] = set()
            while heard != {b"READY=1", b"WATCHDOG=1"}:
                heard.add(manager.recv(64))
            process.send_signal(signal.SIGTERM)
            while b"STOPPING=1" not in heard:
                heard.add(manager.recv(64))
            assert process.wait(20) == 0
        finally:
            process.kill()
            process.wait()


ENGINE_THAT_CAN_BE_STOPPED = """
import fcntl, sys
from thirdring_device import cli
from thirdring_device.adapters.sip.adapter import SipAdapter

lock, turn = open(sys.argv.pop(1)), SipAdapter._turn

def turn_unless_stopped(self):
    fcntl.flock(lock, fcntl.LOCK_SH)  # waits while the test has it
    fcntl.flock(lock, fcntl.LOCK_UN)
    turn(self)

SipAdapter._turn = turn_unless_stopped
sys.exit(cli.main(sys.argv[1:]))
"""


def test_an_engine_whose_telephone_stands_still_is_not_called_alive(tmp_path: Path) -> None:
    """Its loop goes on: calls come and nobody is rung, what only the telephone's thread can tell."""
    lock, settings = tmp_path / "lock", tmp_path / "settings.toml"
    settings.write_text(f'[sip]\nbind = "127.0.0.1"\nport = {free_port()}\n', encoding="ascii")
    command = [sys.executable, "-c", ENGINE_THAT_CAN_BE_STOPPED, str(lock), "engine", "--board", "simulator"]
    command += ["--state", str(tmp_path / "state"), "--settings", str(settings)]
    told = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "300000"}
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager, lock.open("w") as held:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(60.0)
        process = subprocess.Popen(command, env={**os.environ, **told}, stdout=subprocess.DEVNULL)
        try:
            while manager.recv(64) != b"WATCHDOG=1":
                pass
            fcntl.flock(held, fcntl.LOCK_EX)
            manager.settimeout(2.0)  # twenty times as long as it is apart from the one before
            with pytest.raises(TimeoutError):
                deque(manager.recv(64) for _ in range(100))
            assert process.poll() is None
            fcntl.flock(held, fcntl.LOCK_UN)
            manager.settimeout(60.0)
            assert manager.recv(64) == b"WATCHDOG=1"
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
        finally:
            process.kill()
            process.wait()


def test_lamps_blink_with_the_ring_and_show_a_lost_headset(tmp_path: Path) -> None:
    for lamp in ("ring", "headset"):
        (tmp_path / lamp).mkdir()
    board = LedBoard(Lamps(ring="ring", headset="headset"), tmp_path)

    def on_off_ms(lamp: str) -> tuple[int, ...]:
        return tuple(int((tmp_path / lamp / name).read_text(encoding="ascii")) for name in DELAYS)

    dark, steady = (0, 500), (500, 0)
    assert (on_off_ms("ring"), on_off_ms("headset")) == (dark, dark)
    board.set_ringer("normal")
    assert on_off_ms("ring") == (500, 500)
    board.set_ringer("urgent")
    assert on_off_ms("ring") == (125, 125)
    board.set_ringer("breach")
    assert on_off_ms("ring") == steady
    board.set_headset_lamp(lost=True)
    assert on_off_ms("headset") == steady
    board.set_headset_lamp(lost=False)
    board.set_ringer(None)
    assert (on_off_ms("ring"), on_off_ms("headset")) == (dark, dark)


def test_a_lamp_that_is_not_there_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    board = LedBoard(Lamps(ring="ring"), tmp_path)
    board.set_ringer("normal")
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == ["lamp ring"]
    (tmp_path / "ring").mkdir()
    board.set_ringer("normal")
    assert (tmp_path / "ring/delay_on").read_text(encoding="ascii") == "500\n"
    (tmp_path / "ring").rename(tmp_path / "unplugged")
    board.set_ringer(None)
    assert len(caplog.records) == 2


def test_a_board_is_known_by_its_file(tmp_path: Path) -> None:
    board = make_board(str(PORTS_DIR / "qemu/amd64/board.toml"), tmp_path)
    assert board.name == "qemu-amd64"
    board.set_ringer("normal")
    assert (tmp_path / "board.json").exists()
