"""ModemManager on a bus of its own, with the console of an appliance as its only modem.

A pty is no device that ModemManager would look at, so its own ``Test`` interface gives it the port: an
abstract socket, whose bytes go to and fro between it and the console unchanged.
"""

import os
import select
import socket
import subprocess
import threading
import tty
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.peers import wait_until

SERVICE = "org.freedesktop.ModemManager1"
MODEM_WAIT_S = 60.0
"""It asks some fifty questions before it offers a modem."""


class Bridge:
    """Joins an abstract socket and a console; what passed is kept."""

    def __init__(self, console: Path) -> None:
        self._console = console
        self._server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._server.bind("")  # the kernel gives a free abstract name
        name = self._server.getsockname()[1:].decode()
        self._server.close()
        self.port = f"abstract:{name}"
        self._server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._server.bind(f"\0{self.port}")
        self._server.listen()
        self._closing, self._closed = os.pipe()
        self.traffic = bytearray()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while self._server.fileno() in select.select([self._server.fileno(), self._closing], [], [])[0]:
            connection, _ = self._server.accept()
            with connection:
                console = os.open(self._console, os.O_RDWR | os.O_NOCTTY)
                tty.setraw(console)
                try:
                    if not self._join(connection, console):
                        return
                finally:
                    os.close(console)

    def _join(self, connection: socket.socket, console: int) -> bool:
        """Carry bytes until ModemManager closes the port; return False when the bridge is to close."""
        while True:
            ready = select.select([connection.fileno(), console, self._closing], [], [])[0]
            if self._closing in ready:
                return False
            if console in ready:
                data = os.read(console, 4096)
                self.traffic += data
                connection.sendall(data)
            if connection.fileno() in ready:
                data = connection.recv(4096)
                if not data:
                    return True
                self.traffic += data
                os.write(console, data)

    def close(self) -> None:
        os.write(self._closed, b"x")
        self._thread.join()
        self._server.close()
        os.close(self._closing)
        os.close(self._closed)


class ModemManager:
    """The daemon, and its command ``mmcli``."""

    def __init__(self, console: Path, folder: Path) -> None:
        self._console, self._folder = console, folder

    def __enter__(self) -> Self:
        self.bridge = Bridge(self._console)
        self._log = (self._folder / "modemmanager.log").open("wb")
        self._bus = subprocess.Popen(
            ["dbus-daemon", "--session", "--print-address", "--nofork"],
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        assert self._bus.stdout is not None
        address = self._bus.stdout.readline().strip()
        self._environment = dict(
            os.environ, DBUS_SESSION_BUS_ADDRESS=address, DBUS_SYSTEM_BUS_ADDRESS=address, LC_ALL="C"
        )
        switches = ("session", "enable", "no-udev", "no-suspend-resume", "no-qrtr")
        self._daemon = subprocess.Popen(
            ["ModemManager", *(f"--test-{name}" for name in switches), "--no-auto-scan", "--debug"],
            env=self._environment,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        wait_until(self._profile_is_set, "ModemManager takes the port", 20.0)
        wait_until(lambda: "/Modem/0" in self.says("-L"), "ModemManager offers the modem", MODEM_WAIT_S)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in (self._daemon, self._bus):
            process.terminate()
            process.wait()
        assert self._bus.stdout is not None
        self._bus.stdout.close()
        self._log.close()
        self.bridge.close()

    def _profile_is_set(self) -> bool:
        command = [
            "gdbus",
            "call",
            "--session",
            "--dest",
            SERVICE,
            "--object-path",
            "/" + SERVICE.replace(".", "/"),
        ]
        command += [
            "--method",
            f"{SERVICE}.Test.SetProfile",
            "appliance",
            "generic",
            f"['{self.bridge.port}']",
        ]
        return subprocess.run(command, env=self._environment, capture_output=True).returncode == 0

    def says(self, *words: str) -> str:
        """Return what ``mmcli`` answers, its complaint when it fails."""
        done = subprocess.run(["mmcli", *words], env=self._environment, capture_output=True, text=True)
        return done.stdout + done.stderr

    def does(self, *words: str) -> str:
        """Return what ``mmcli`` answers; AssertionError when it fails."""
        done = subprocess.run(["mmcli", *words], env=self._environment, capture_output=True, text=True)
        assert done.returncode == 0, (done.stderr, bytes(self.bridge.traffic[-1500:]))
        return done.stdout

    def call_state(self, call: str) -> str:
        """Return the state of a call, such as ``ringing-in``."""
        line = next(line for line in self.does("-o", call).splitlines() if " state: " in line)
        return line.split(" state: ")[1].strip()

    def await_call_state(self, call: str, state: str) -> None:
        wait_until(lambda: self.call_state(call) == state, f"{call} is {state}", 20.0)
