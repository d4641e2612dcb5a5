"""RAUC, the installer of bundles: its program asks its D-Bus service for everything that needs root."""

import json
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from thirdring.protocol.errors import ThirdringError, error

__all__ = ["Bundle", "Rauc", "Version"]

ASK_S: Final = 60.0
"""D-Bus starts the service first."""
PERCENT: Final = re.compile(r"^\s*(\d{1,3})% ")
STRANGER: Final = "Verify error"
"""OpenSSL's words for a signature that is right, by somebody who is not believed."""
DAMAGED: Final = ("signature verification failed", "Invalid bundle format", "Input/output error")
WRONG_BOARD: Final = "Compatible mismatch"
LAST_WORDS: Final = 200


@dataclass(frozen=True, order=True, slots=True)
class Version:
    """Of an image or a bundle; ordered by number, then by the time of its newest commit, in s since 1970."""

    number: tuple[int, ...]
    build: int
    text: str = field(compare=False)

    @classmethod
    def of(cls, text: str, build: str) -> "Version":
        """Read ``0.1.0+1a2b3c4`` and its time; raises ``ApplianceError`` 7034."""
        try:
            return cls(tuple(int(part) for part in text.partition("+")[0].split(".")), int(build), text)
        except ValueError as reason:
            raise error(7034, f"version {text!r}, build {build!r}") from reason


@dataclass(frozen=True, slots=True)
class Bundle:
    """What a signed bundle says of itself."""

    board: str
    version: Version


@dataclass(frozen=True, slots=True)
class Rauc:
    """The installer of this machine, if it has one."""

    config: Path = Path("/etc/rauc/system.conf")
    about: Path = Path("/usr/share/thirdring")
    command_line: Path = Path("/proc/cmdline")
    program: tuple[str, ...] = ("rauc",)

    @property
    def supported(self) -> bool:
        """Whether this board installs updates itself."""
        return self.config.exists() and bool(self.slot)

    def require(self) -> None:
        """Raise ``ApplianceError`` 7030 on a board that cannot update itself."""
        if not self.supported:
            raise error(7030)

    @property
    def slot(self) -> str:
        """The slot that was started, A or B; empty where the boot loader named none."""
        try:
            words = self.command_line.read_text(encoding="ascii", errors="replace").split()
        except OSError:
            return ""
        return next((word.partition("=")[2] for word in words if word.startswith("rauc.slot=")), "")

    @property
    def running(self) -> Version:
        """The version of the image that runs."""
        text, build = (
            (self.about / name).read_text(encoding="ascii").strip() for name in ("version", "build")
        )
        return Version.of(text, build)

    @property
    def board(self) -> str:
        """The board that bundles have to be made for."""
        found = re.search(r"^compatible=(.+)$", self.config.read_text(encoding="utf-8"), re.MULTILINE)
        return found[1].strip() if found else ""

    def inspect(self, path: Path) -> Bundle:
        """Check who signed a bundle and read what it says; raises ``ApplianceError`` 7032, 7034."""
        done = self._run("info", "--output-format=json", str(path))
        if done.returncode:
            raise _refusal(done.stdout + done.stderr, 7034)
        try:
            said = json.loads(done.stdout)
            return Bundle(said["compatible"], Version.of(said["version"], said["build"] or ""))
        except (ValueError, KeyError) as reason:
            raise error(7034, f"it says nothing that is understood: {reason}") from reason

    def install(self, path: Path, percent: Callable[[int], None]) -> None:
        """Write a bundle into the slot that does not run, which the next start then takes.

        Raises ``ApplianceError`` 7032, 7033, 7034, 7039.
        """
        lines: list[str] = []
        with subprocess.Popen(
            [*self.program, "install", str(path)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process:
            assert process.stdout is not None  # noqa: S101 - a pipe
            for line in process.stdout:
                lines.append(line)
                if found := PERCENT.match(line):
                    percent(int(found[1]))
        if process.returncode:
            raise _refusal("".join(lines), 7039)

    def mark(self, state: str) -> None:
        """Say of the slot that runs that it is ``good`` or ``bad``; raises ``ApplianceError`` 7039."""
        done = self._run("status", f"mark-{state}", "booted")
        if done.returncode:
            raise error(7039, (done.stdout + done.stderr).strip()[-LAST_WORDS:])

    def _run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        try:
            return subprocess.run(
                [*self.program, f"--conf={self.config}", *words],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=ASK_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as reason:
            raise error(7039, str(reason)) from reason


def _refusal(said: str, otherwise: int) -> ThirdringError:
    """Return the numbered error for what RAUC said."""
    last = next((line.strip() for line in reversed(said.splitlines()) if line.strip()), "")[-LAST_WORDS:]
    if STRANGER in said:
        return error(7032, last)
    if WRONG_BOARD in said:
        return error(7033, last)
    if any(words in said for words in DAMAGED):
        return error(7034, last)
    return error(otherwise, last)
