"""Runs the tools of the recipe: a line a step with its time, everything else in a log."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

__all__ = ["BuildFault", "Log", "say"]

LAST_LINES: Final = 25


class BuildFault(Exception):  # noqa: N818 - named for what must be mended
    """The image cannot be made; the text says what to do."""


def say(text: str) -> None:
    """Tell the user."""
    print(f"build-image: {text}", file=sys.stderr, flush=True)


class Log:
    """One log file a build."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.times_s: dict[str, float] = {}
        path.write_text("", encoding="utf-8")

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Say what begins and how long it took."""
        began_s = time.monotonic()
        say(f"{name} ...")
        yield
        self.times_s[name] = time.monotonic() - began_s
        say(f"{name}: {self.times_s[name]:.1f} s")

    def run(
        self, command: Sequence[str | Path], *, cwd: Path | None = None, env: Mapping[str, str] | None = None
    ) -> None:
        """Run a tool, its words in the log; raises ``BuildFault`` with the last of them."""
        self._run(command, cwd=cwd, env=env, stdout=None)

    def output(self, command: Sequence[str | Path], *, cwd: Path | None = None) -> str:
        """Run a tool and return what it writes to standard output."""
        return self._run(command, cwd=cwd, env=None, stdout=subprocess.PIPE)

    def _run(
        self,
        command: Sequence[str | Path],
        *,
        cwd: Path | None,
        env: Mapping[str, str] | None,
        stdout: int | None,
    ) -> str:
        with self.path.open("a", encoding="utf-8") as log:
            log.write(f"$ {' '.join(map(str, command))}\n")
            log.flush()
            try:
                done = subprocess.run(
                    command,
                    cwd=cwd,
                    env={**os.environ, **(env or {})},
                    stdin=subprocess.DEVNULL,
                    stdout=stdout if stdout is not None else log,
                    stderr=log,
                    text=True,
                    check=False,
                )
            except FileNotFoundError as reason:
                raise BuildFault(f"{command[0]} is not installed ({reason.strerror})") from reason
        if done.returncode:
            last = self.path.read_text(encoding="utf-8", errors="replace").splitlines()[-LAST_LINES:]
            raise BuildFault("\n".join([f"{command[0]} failed; the end of {self.path}:", *last]))
        return done.stdout or ""
