"""What is tested: an appliance on the simulator board, a virtual one in QEMU, or a real one on a cable."""

import base64
import contextlib
import gzip
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from thirdring.appliance import Appliance
from thirdring.protocol.errors import ThirdringError
from thirdring_hil.codecs import PCMA, Codec
from thirdring_hil.environment import QEMU, SIMULATOR, Environment
from thirdring_hil.headset import UsbHeadset, usb_headset
from thirdring_hil.line import RawLine
from thirdring_hil.peer import Callee, Caller, Translation
from thirdring_hil.poll import poll
from thirdring_hil.priority import bench_first
from thirdring_hil.qemu.boards import BOARDS
from thirdring_hil.qemu.headset import attach_headset
from thirdring_hil.qemu.machine import BOARD_NICENESS, Machine
from thirdring_hil.qemu.network import LOOPBACK, free_ports
from thirdring_hil.usbip.descriptors import USB_ID

__all__ = [
    "FEATURES_OF",
    "READY_S",
    "SIMULATOR",
    "WITH_USB_HEADSET",
    "Target",
    "Unit",
    "open_target",
    "wait_until_ready",
]

READY_S: Final = 90.0
"""From power on: a board boots in less; numpy and pjsua2 take seconds on a busy machine."""
STOP_S: Final = 15.0
EMULATED_READY_S: Final = 360.0
"""A board in emulation boots in 40 s where nothing else runs, in three times that beside other jobs."""
FEATURES_OF: Final = {
    SIMULATOR: frozenset(
        {
            SIMULATOR,
            "sip",
            "trunk",
            "headset",
            "simulated_headset",
            "shared_files",
            "restart",
            "engine_process",
        }
    ),
    QEMU: frozenset(
        {
            *(QEMU, "sip", "trunk", "headset", "shared_files", "restart", "engine_process", "unplug"),
            *("power_cut", "root_shell"),
        }
    ),
}
"""What the bench can do on targets that it makes itself."""
WITH_BUNDLES: Final = frozenset({"update"})
"""What a virtual board has besides where bundles lie beside its image."""
FROM_OUTSIDE: Final = frozenset({"outside"})
"""And where root makes it a network of strangers; not on a board without a PCI network."""
WITH_LAMPS: Final = frozenset({"lamp_pins"})
"""And where QEMU has the pins that the board's lamps hang on."""
WITH_USB_HEADSET: Final = frozenset({"headset", "shared_files", "unplug"})
"""What a virtual board lacks that is too slow for the bench's USB headset."""
JOURNAL_S: Final = 60.0
HEALTH: Final = "systemctl is-active thirdring-health.service || true"
ENGINE_UNIT: Final = "thirdring-engine.service"


@dataclass(frozen=True)
class Unit:
    """Which appliance this is, as it says itself."""

    serial_number: str
    firmware: str
    board: str
    sip_stack: str


@dataclass(frozen=True)
class Target:
    """One appliance under test. ``sip`` is where it takes calls, None where the bench cannot place any.

    ``trunk_peer``: where it places its own calls to. ``features`` are names that ``@pytest.mark.needs`` asks
    for; ``device_log`` what the device itself says; ``restart`` switches it off and on, ``kill_engine`` lets
    one of its two processes die; both return at once. ``headset`` is a USB headset in the bench's hand,
    ``machine`` the virtual board; ``ready_s`` how long to wait for the console after power on; ``slowness``:
    what limits of durations are multiplied by (see ``Board``).
    """

    name: str
    console: str
    unit: Unit
    sip: tuple[str, int] | None
    trunk_peer: tuple[str, int] | None
    features: frozenset[str]
    device_log: Path | None = None
    state_dir: Path | None = None
    switch: Callable[[], None] | None = None
    kill: Callable[[], None] | None = None
    translation: Translation | None = None
    headset: UsbHeadset | None = None
    machine: Machine | None = None
    ready_s: float = READY_S
    slowness: int = 1

    @property
    def url(self) -> str:
        """The SDK's URL of the console."""
        return f"serial:{self.console}"

    def lacking(self, *features: str) -> str:
        """Return which of ``features`` it does not have, in words; empty when it has all."""
        missing = set(features) - self.features
        return f"{self.name} has no {', '.join(sorted(missing))}" if missing else ""

    def restart(self) -> float:
        """Switch off and on; return the seconds until the console answers."""
        assert self.switch is not None, "asked for by needs('restart')"  # noqa: S101
        self.switch()
        began_s = time.monotonic()
        wait_until_ready(self.console, self.ready_s)
        return time.monotonic() - began_s

    def settle(self) -> None:
        """Wait until what belongs to the start is over, on a board that the bench can look into."""
        if self.machine is not None:
            with self.machine.shell(self.ready_s) as shell:
                poll(lambda: "inactive" in shell.run(HEALTH), "the start is judged", self.ready_s)

    def caller(self, number: str = "2155512345", codec: Codec = PCMA) -> Caller:
        """Return a telephone that calls the unit."""
        assert self.sip is not None, "asked for by needs('sip')"  # noqa: S101
        return Caller(self.sip, number, codec, self.translation)

    def callee(self, codec: Codec = PCMA) -> Callee:
        """Return a telephone that the unit calls, whatever number it dials."""
        assert self.trunk_peer is not None, "asked for by needs('trunk')"  # noqa: S101
        return Callee(self.trunk_peer, codec=codec, translation=self.translation)

    def kill_engine(self) -> None:
        """Let the engine die as in a crash."""
        assert self.kill is not None, "asked for by needs('engine_process')"  # noqa: S101
        self.kill()


def wait_until_ready(console: str, ready_s: float = READY_S) -> Unit:
    """Poll ``AT`` until ``OK``, then the engine until it answers; what is written before boot is lost."""
    deadline_s = time.monotonic() + ready_s
    while True:
        try:
            with contextlib.closing(RawLine(console)) as line:
                line.ask("AT", timeout_s=1.0)
                line.synchronize(timeout_s=5.0)
                serial_number = line.ask("AT+CGSN", timeout_s=5.0)[0]
                line.ask("ATZ", timeout_s=1.0)
            with Appliance(f"serial:{console}", timeout_s=5.0) as appliance:
                state = appliance.state()
            return Unit(serial_number, state.version, state.board, state.sip_stack)
        except (OSError, TimeoutError, ThirdringError):
            if time.monotonic() > deadline_s:
                raise
            time.sleep(0.2)


@contextlib.contextmanager
def open_target(environment: Environment, output: Path) -> Iterator[Target]:
    """Open what the environment declares; logs of a simulator go to the folder ``output``."""
    if environment.kind == SIMULATOR:
        with _simulator(environment, output) as target:
            yield target
    elif environment.kind == QEMU:
        with _virtual_board(environment, output) as target:
            yield target
    else:
        yield _cable(environment)


def _cable(environment: Environment) -> Target:
    unit = wait_until_ready(environment.console)
    found = environment.features | {unit.board}
    for feature, there in (
        ("sip", environment.sip),
        ("trunk", environment.trunk_peer),
        ("restart", environment.restart),
        ("headset", unit.board == SIMULATOR),
        ("simulated_headset", unit.board == SIMULATOR),
        ("shared_files", environment.state_dir),
    ):
        found |= {feature} if there else set()

    def switch() -> None:
        subprocess.run(environment.restart, check=True)

    return Target(
        environment.name,
        environment.console,
        unit,
        environment.sip,
        environment.trunk_peer,
        frozenset(found),
        state_dir=environment.state_dir,
        switch=switch if environment.restart else None,
    )


class _Simulator:
    """The process of an appliance on the simulator board."""

    def __init__(self, device: tuple[str, ...], folder: Path, settings: Path, log: Path) -> None:
        self.state_dir = folder / "state"
        program = device or (sys.executable, "-m", "thirdring_device.cli")
        self._command = [*program, "--log", "info", "run", "--board", SIMULATOR]
        self._command += ["--state", str(self.state_dir), "--settings", str(settings)]
        self._log = log.open("w", encoding="utf-8")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def console(self) -> Path:
        return self.state_dir / "console"

    def start(self) -> None:
        self.console.unlink(missing_ok=True)  # that of one which was killed would look like the new one's
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        deadline_s = time.monotonic() + READY_S
        while not self.console.exists():
            if self._process.poll() is not None:
                raise OSError(f"the simulator ended with {self._process.returncode}; see {self._log.name}")
            if time.monotonic() > deadline_s:
                raise TimeoutError(f"no {self.console.name} within {READY_S:g} s")
            time.sleep(0.05)

    def stop(self) -> None:
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)  # the supervisor's children, too
            self._process.wait()
        self._process = None

    def close(self) -> None:
        self.stop()
        self._log.close()

    def restart(self) -> None:
        self.stop()
        self.start()

    def kill_engine(self) -> None:
        assert self._process is not None  # noqa: S101 - only a running one is handed out
        supervisor = self._process.pid
        children = Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text(encoding="ascii").split()
        for child in children:
            if b"engine" in Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0"):
                os.kill(int(child), signal.SIGKILL)
                return
        raise OSError("no engine runs")


@contextlib.contextmanager
def _simulator(environment: Environment, output: Path) -> Iterator[Target]:
    """Run an appliance on the simulator board, in a folder and on ports of its own."""
    with tempfile.TemporaryDirectory(prefix="thirdring-hil-") as folder:
        settings = Path(folder) / "settings.toml"
        port = _free_ports()
        settings.write_text(
            f'[sip]\nbind = "127.0.0.1"\nport = {port}\nrtp_port = {port + 4}\n'
            f'[trunk]\nserver = "127.0.0.1:{port + 2}"\n'
            f"[gateway]\nport = {port + 1}\n",
            encoding="utf-8",
        )
        output.mkdir(parents=True, exist_ok=True)
        device_log = output / "simulator-device.log"
        simulator = _Simulator(environment.device, Path(folder), settings, device_log)
        try:
            simulator.start()
            console = str(simulator.console)
            unit = wait_until_ready(console)
            yield Target(
                environment.name,
                console,
                unit,
                ("127.0.0.1", port),
                ("127.0.0.1", port + 2),
                environment.features | FEATURES_OF[SIMULATOR],
                device_log,
                simulator.state_dir,
                simulator.restart,
                simulator.kill_engine,
            )
        finally:
            simulator.close()


@contextlib.contextmanager
def _virtual_board(environment: Environment, output: Path) -> Iterator[Target]:
    """Run a board in QEMU with a USB headset that the bench holds, on a disk of its own over the image."""
    output.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="thirdring-qemu-")))
        stack.enter_context(bench_first(BOARD_NICENESS))
        headset = stack.enter_context(usb_headset(folder))
        ports = free_ports()
        board = BOARDS[environment.machine]
        machine = Machine(board, environment.image, folder, ports, output / "linux.log")
        stack.callback(machine.close)
        settings = {"trunk.server": ports.trunk_server}
        if board.usb_headset:
            settings["headset.device"] = f"usb:{USB_ID.vendor:04x}:{USB_ID.product:04x}"
            headset.cable = partial(attach_headset, machine, ports.seen_from_board(headset.port))
        if board.takes_settings:
            machine.configure(settings)

        def kill() -> None:
            with machine.shell() as shell:
                shell.run(f"systemctl kill --signal=KILL {ENGINE_UNIT}")

        machine.start()
        stack.callback(_keep_journal, machine, output / "journal.log")
        ready_s = READY_S if machine.kvm else EMULATED_READY_S * board.slowness
        unit = wait_until_ready(machine.console, ready_s)
        if not board.takes_settings:
            unit = _set_over_serial(machine, settings, ready_s)
        features = FEATURES_OF[QEMU] if board.usb_headset else FEATURES_OF[QEMU] - WITH_USB_HEADSET
        if environment.image.with_suffix(".raucb").exists():
            features |= WITH_BUNDLES
        if not board.device_tree and os.geteuid() == 0:
            features |= FROM_OUTSIDE
        if board.lamps:
            features |= WITH_LAMPS
        yield Target(
            environment.name,
            machine.console,
            unit,
            (LOOPBACK, ports.sip),
            (LOOPBACK, ports.trunk),
            environment.features | features,
            machine.log,
            folder,
            machine.power_cycle,
            kill,
            ports.translation,
            headset if board.usb_headset else None,
            machine,
            ready_s,
            1 if machine.kvm else board.slowness,
        )


def _set_over_serial(machine: Machine, settings: Mapping[str, Any], ready_s: float) -> Unit:
    """Set what a board without a way for files needs; return the unit as it runs with it."""
    with Appliance(f"serial:{machine.console}") as appliance:
        restart = appliance.set_settings(settings)
    if restart:
        with machine.shell() as shell:
            shell.run(f"systemctl restart {ENGINE_UNIT}", ready_s)
    return wait_until_ready(machine.console, ready_s)


def _keep_journal(machine: Machine, path: Path) -> None:
    """Write the unit's journal of this boot to ``path``; nothing where nobody can log in any more."""
    with contextlib.suppress(OSError), machine.shell() as shell:
        # A serial line in emulation is slow: a call's worth of log takes a minute as it is.
        said = shell.run("journalctl --no-pager --boot --unit 'thirdring-*' | gzip | base64", JOURNAL_S)
        path.write_bytes(gzip.decompress(base64.b64decode(said)))


def _free_ports() -> int:
    """Return a port p with p, p + 2 and p + 4 (UDP; RTP begins there) and p + 1 (TCP) free on loopback."""
    kinds = ((0, socket.SOCK_DGRAM), (1, socket.SOCK_STREAM), (2, socket.SOCK_DGRAM), (4, socket.SOCK_DGRAM))
    for port in range(31000 + os.getpid() % 100 * 110, 60000, 110):
        with contextlib.ExitStack() as stack:
            try:
                for offset, kind in kinds:
                    probe = stack.enter_context(socket.socket(socket.AF_INET, kind))
                    probe.bind(("127.0.0.1", port + offset))
            except OSError:
                continue
            return port
    raise OSError("no free ports")
