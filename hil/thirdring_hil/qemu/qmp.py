"""QEMU's own console (QMP, ``docs/interop/qmp-spec``): a JSON object a line over a Unix socket."""

import json
import socket
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

    def ask(self, command: str, **arguments: object) -> Any:
        """Execute a command and return what it returns; raises ``QmpError``, ``TimeoutError``."""
        request = {"execute": command, "arguments": arguments}
        try:
            self._socket.sendall(json.dumps(request).encode() + b"\n")
        except ConnectionError as reason:
            raise QmpError("QEMU is gone") from reason
        while True:
            message = self._read()
            if "event" in message:
                self.events.append(message)
            elif "error" in message:
                raise QmpError(f"{command}: {message['error']['desc']}")
            elif "return" in message:
                return message["return"]
