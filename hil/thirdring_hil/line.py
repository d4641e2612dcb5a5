"""The raw serial line, as a terminal program sees it."""

import logging
import re
import secrets
import time
from typing import Final

import serial

__all__ = ["RawLine"]

_FINAL: Final = re.compile(
    r"(?:^|\r\n)((?:OK|ERROR|NO CARRIER|BUSY|NO ANSWER|NO DIALTONE|CONNECT)|\+CM[ES] ERROR: [^\r\n]*)\r\n"
)

logger = logging.getLogger(__name__)


class RawLine:
    """A console opened byte by byte. Every wait has an end and says what came instead."""

    def __init__(self, console: str, baud: int = 115200) -> None:
        """Open; raises ``OSError``."""
        self._port = serial.Serial(console, baud, timeout=0.05, exclusive=True)
        self._seen = ""

    def close(self) -> None:
        """Close."""
        self._port.close()

    def send(self, data: bytes) -> None:
        """Write bytes as they are."""
        logger.debug("> %r", data)
        self._port.write(data)

    def expect(self, pattern: str | re.Pattern[str], timeout_s: float = 10.0) -> re.Match[str]:
        """Read until ``pattern`` is found and return the match; what stands before it is consumed.

        Raises ``TimeoutError`` with what came instead.
        """
        deadline_s = time.monotonic() + timeout_s
        compiled = re.compile(pattern)
        while True:
            match = compiled.search(self._seen)
            if match:
                self._seen = self._seen[match.end() :]
                return match
            if time.monotonic() > deadline_s:
                raise TimeoutError(f"{compiled.pattern!r} within {timeout_s:g} s, but {self._seen[-300:]!r}")
            data = self._port.read(self._port.in_waiting or 1)
            if data:
                logger.debug("< %r", data)
                self._seen += data.decode("utf-8", "replace")

    def synchronize(self, timeout_s: float = 10.0) -> None:
        """Leave behind what was written before, and its answers; no echo from here on.

        A unit that boots may answer late what was typed long ago. Raises ``TimeoutError``.
        """
        word = secrets.token_hex(4)
        self.send(f'\x1bATE0#SYNC="{word}"\r'.encode())
        self.expect(rf'#SYNC: "{word}"\r\n\r\nOK\r\n', timeout_s)

    def ask(self, command: str, timeout_s: float = 10.0) -> list[str]:
        """Send a command and return the lines of its answer, the final code last."""
        self._seen = ""
        self.send(command.encode() + b"\r")
        deadline_s = time.monotonic() + timeout_s
        text = ""
        while True:
            match = self.expect(r"[^\r\n]+\r+\n?", max(0.0, deadline_s - time.monotonic()))
            text += "\r\n" + match[0].strip() + "\r\n"
            if _FINAL.search("\r\n" + match[0].strip() + "\r\n"):
                lines = [line for line in text.split("\r\n") if line]
                return lines[1:] if lines[0] == command else lines
