"""What is tested: an appliance on the simulator board, or a real one on a serial cable."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

from thirdring.appliance import Appliance
from thirdring.protocol.errors import ThirdringError
from thirdring_hil.line import RawLine

__all__ = ["SIMULATOR", "Target", "cable", "simulator", "wait_until_ready"]

SIMULATOR: Final = "simulator"
READY_S: Final = 90.0
"""From power on: a board boots in less; numpy and pjsua2 take seconds on a busy machine."""
STOP_S: Final = 15.0


@dataclass(frozen=True)
class Target:
    """One appliance under test. ``sip`` is where it takes calls, None where the bench cannot place any.

    ``features`` are names that ``@pytest.mark.needs`` asks for; ``device_log`` what the device itself says.
    """

    name: str
    console: str
    sip: tuple[str, int] | None
    features: frozenset[str]
    device_log: Path | None = None
    state_dir: Path | None = None

    @property
    def url(self) -> str:
        """The SDK's URL of the console."""
        return f"serial:{self.console}"


def wait_until_ready(console: str, ready_s: float = READY_S) -> None:
    """Poll ``AT`` until ``OK``, then the engine until it answers; what is written before boot is lost."""
    deadline_s = time.monotonic() + ready_s
    while True:
        try:
            with contextlib.closing(RawLine(console)) as line:
                line.ask("AT", timeout_s=1.0)
            with Appliance(f"serial:{console}", timeout_s=5.0) as appliance:
                appliance.state()
            return
        except (OSError, TimeoutError, ThirdringError):
            if time.monotonic() > deadline_s:
                raise
            time.sleep(0.2)


@contextlib.contextmanager
def cable(console: str, sip: tuple[str, int] | None, features: frozenset[str]) -> Iterator[Target]:
    """Use the appliance on the serial port ``console``."""
    wait_until_ready(console)
    with Appliance(f"serial:{console}") as appliance:
        board = appliance.state().board
    found = features | {board} | ({"sip"} if sip else set())
    found |= {"simulated_headset"} if board == SIMULATOR else set()
    yield Target(console, console, sip, frozenset(found))


@contextlib.contextmanager
def simulator(output: Path) -> Iterator[Target]:
    """Run an appliance on the simulator board, in a folder and on ports of its own."""
    with tempfile.TemporaryDirectory(prefix="thirdring-hil-") as folder:
        state_dir, settings = Path(folder) / "state", Path(folder) / "settings.toml"
        port = _free_ports()
        settings.write_text(
            f'[sip]\nbind = "127.0.0.1"\nport = {port}\nrtp_port = {port + 2}\n'
            f"[gateway]\nport = {port + 1}\n",
            encoding="utf-8",
        )
        output.mkdir(parents=True, exist_ok=True)
        device_log = output / "simulator-device.log"
        with device_log.open("w", encoding="utf-8") as log:
            process = _start(state_dir, settings, log)
            try:
                console = str(state_dir / "console")
                _wait_for_file(Path(console), process)
                wait_until_ready(console)
                features = frozenset((SIMULATOR, "sip", "simulated_headset", "restart"))
                yield Target(SIMULATOR, console, ("127.0.0.1", port), features, device_log, state_dir)
            finally:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(STOP_S)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


def _start(state_dir: Path, settings: Path, log: TextIO) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "thirdring_device.cli", "--log", "info", "run", "--board", SIMULATOR]
    command += ["--state", str(state_dir), "--settings", str(settings)]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)


def _wait_for_file(path: Path, process: subprocess.Popen[bytes]) -> None:
    deadline_s = time.monotonic() + READY_S
    while not path.exists():
        if process.poll() is not None:
            raise OSError(f"the simulator ended with {process.returncode}; see its log")
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"no {path.name} within {READY_S:g} s")
        time.sleep(0.05)


def _free_ports() -> int:
    """Return a port p with p (UDP), p + 1 (TCP) and p + 2 (UDP, the first for RTP) free on loopback."""
    for port in range(31000 + os.getpid() % 100 * 110, 60000, 110):
        with contextlib.ExitStack() as stack:
            try:
                for offset, kind in ((0, socket.SOCK_DGRAM), (1, socket.SOCK_STREAM), (2, socket.SOCK_DGRAM)):
                    probe = stack.enter_context(socket.socket(socket.AF_INET, kind))
                    probe.bind(("127.0.0.1", port + offset))
            except OSError:
                continue
            return port
    raise OSError("no free ports")
