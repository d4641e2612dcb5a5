"""QEMU's own console (QMP, ``docs/interop/qmp-spec``): a JSON object a line over a Unix socket."""

import json
import socket
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

__all__ = ["Qmp", "QmpError"]

ANSWER_S: Final = 20.0
"""QEMU answers between two slices of emulation, on a busy machine."""


class QmpError(OSError):
    """QEMU refused a command, or is not there any more."""


class Qmp:
    """One connection. Events that come between are kept in ``events``."""

    def __init__(self, path: Path, answer_s: float = ANSWER_S) -> None:
        """Connect and shake hands; raises ``OSError``."""
        self.events: list[dict[str, Any]] = []
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(answer_s)
        try:
            self._socket.connect(str(path))
            self._file = self._socket.makefile("rb")
            if "QMP" not in self._read():
                raise QmpError("not QMP")
            self.ask("qmp_capabilities")
        except BaseException:
            self._socket.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        self._socket.close()

    def _read(self) -> dict[str, Any]:
        try:
            line = self._file.readline()
        except ConnectionError:
            line = b""
        if not line:
            raise QmpError("QEMU is gone")
        message: dict[str, Any] = json.loads(line)
        return message

    def hand_over(self, file: int, name: str) -> None:
        """Give QEMU an open file, known as ``name`` while this connection lasts; raises as ``ask`` does."""
        self._send("getfd", {"fdname": name}, [file])
        self._answer("getfd")

    def wait_for(self, event: str, timeout_s: float) -> None:
        """Wait until ``event`` has come; raises ``TimeoutError``, ``QmpError``."""
        self._socket.settimeout(timeout_s)
        while not any(seen["event"] == event for seen in self.events):
            message = self._read()
            if "event" in message:
                self.events.append(message)

    def word(self, address: int) -> int:
        """Return 32 bits of physical memory, where devices have their registers; raises as ``ask`` does."""
        said = self.ask("human-monitor-command", **{"command-line": f"xp /1xw {address:#x}"})
        return int(said.rpartition(":")[2], 16)

    def ask(self, command: str, **arguments: object) -> Any:
        """Execute a command and return what it returns; raises ``QmpError``, ``TimeoutError``."""
        self._send(command, arguments, [])
        return self._answer(command)

    def _send(self, command: str, arguments: Mapping[str, object], files: list[int]) -> None:
        request = json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n"
        try:
            socket.send_fds(self._socket, [request], files)
        except ConnectionError as reason:
            raise QmpError("QEMU is gone") from reason

    def _answer(self, command: str) -> Any:
        while True:
            message = self._read()
            if "event" in message:
                self.events.append(message)
            elif "error" in message:
                raise QmpError(f"{command}: {message['error']['desc']}")
            elif "return" in message:
                return message["return"]
