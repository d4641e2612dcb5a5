"""Root's shell on the first serial line of a virtual board, the only port that has one without a password."""

import contextlib
import re
import secrets
import socket
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self

__all__ = ["LOGIN_S", "RootShell", "ShellError"]

LOGIN_S: Final = 60.0
PROMPT_S: Final = 4.0
"""How long a prompt may take in emulation before it is asked for again."""
CHUNK: Final = 4096


class ShellError(OSError):
    """A command on the board failed."""


class RootShell:
    """Logged in as root; one program at a time may have it."""

    def __init__(self, path: Path, login_s: float = LOGIN_S) -> None:
        """Log in if need be; raises ``OSError``, ``TimeoutError``."""
        self._line = socket.socket(socket.AF_UNIX)
        self._seen = ""
        try:
            self._line.connect(str(path))
            self._log_in(time.monotonic() + login_s)
        except BaseException:
            self._line.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._line.close()

    def _expect(self, pattern: str, until_s: float) -> re.Match[str]:
        while not (found := re.search(pattern, self._seen)):
            left_s = until_s - time.monotonic()
            if left_s <= 0:
                raise TimeoutError(f"{pattern!r} not on the Linux console, but {self._seen[-300:]!r}")
            self._line.settimeout(left_s)
            data = self._line.recv(CHUNK)
            if not data:
                raise ShellError("the board is gone")
            self._seen += data.decode("utf-8", "replace")
        self._seen = self._seen[found.end() :]
        return found

    def _log_in(self, until_s: float) -> None:
        """Give the name where it is asked for; a shell that is open already answers the word."""
        word = secrets.token_hex(4)
        ask = f"\x15stty -echo; PS1='# ' PS2= TERM=dumb; echo in''{word}\r".encode()
        while True:
            self._line.sendall(b"\r")
            with contextlib.suppress(TimeoutError):
                if self._expect(r"login: |[#$] ?$", min(until_s, time.monotonic() + PROMPT_S))[0][0] == "l":
                    self._line.sendall(b"root\r")
                    continue
            self._line.sendall(ask)
            with contextlib.suppress(TimeoutError):
                self._expect(f"in{word}\r?\n", min(until_s, time.monotonic() + PROMPT_S))
                return
            if time.monotonic() > until_s:
                raise TimeoutError(f"no shell on the Linux console, but {self._seen[-300:]!r}")

    def run(self, command: str, timeout_s: float = 30.0) -> str:
        """Run a command and return what it wrote; raises ``ShellError`` when it failed."""
        word = secrets.token_hex(4)
        self._line.sendall(f"echo be''{word}; {{ {command}\r}}; echo en''{word} $?\r".encode())
        until_s = time.monotonic() + timeout_s
        self._expect(f"be{word}\r?\n", until_s)
        said = self._expect(rf"(?s)(.*?)en{word} (\d+)\r?\n", until_s)
        if said[2] != "0":
            raise ShellError(f"{command}: exit code {said[2]}: {said[1][-500:]}")
        return said[1].replace("\r\n", "\n")
