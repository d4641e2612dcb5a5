"""The test's side of ``tests.adapters.harness``."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from tests.peers import LOOPBACK, free_port

ROOT = Path(__file__).parents[2]


class DeskProcess:
    """A SIP adapter in a child process; its lines are collected in ``lines``."""

    def __init__(self, directory: Path, settings: Mapping[str, Any] | None = None) -> None:
        self.port = free_port()
        self.target = f"{LOOPBACK}:{self.port}"
        self.directory = directory
        self.lines: list[dict[str, Any]] = []
        self._settings = {
            "sip.port": self.port,
            "sip.bind": LOOPBACK,
            "sip.rtp_port": free_port(),
            "sip.invites_per_s": 1000.0,
            "sip.invites_in_all_per_s": 1000.0,
            **(settings or {}),
        }
        self._cursor = 0
        self._news = threading.Condition()

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.adapters.harness", str(self.directory), json.dumps(self._settings)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            self.expect("ready", timeout_s=30)
        except BaseException:
            self._kill()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.stop()
        finally:
            self._kill()
        assert self.process.returncode == 0, f"the desk ended with {self.process.returncode}"
        assert not self.all("violation")
        log = (self.directory / "harness.log").read_text(encoding="utf-8")
        assert "Traceback" not in log, log
        assert "EINVAL" not in log, log

    def _kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._reader.join()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()

    def stop(self) -> None:
        """Stop the adapter and wait until the process is gone."""
        if self.process.poll() is None and not self.all("stopped"):
            self.do("stop")
            self.expect("stopped", timeout_s=30)
            self.process.wait(10)

    def do(self, what: str, **fields: Any) -> None:
        """Send a command, named as in ``core.commands``, or one of the harness's own."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"do": what, **fields}) + "\n")
        self.process.stdin.flush()

    def expect(self, kind: str, timeout_s: float = 10.0, **fields: Any) -> dict[str, Any]:
        """Return the next line of ``kind`` with ``fields``, after the one returned last."""
        deadline_s = time.monotonic() + timeout_s
        with self._news:
            while True:
                for index in range(self._cursor, len(self.lines)):
                    line = self.lines[index]
                    if line["kind"] == kind and all(line.get(k) == v for k, v in fields.items()):
                        self._cursor = index + 1
                        return line
                left_s = deadline_s - time.monotonic()
                if left_s <= 0 or self.process.poll() not in (None, 0):
                    seen = [json.dumps(line) for line in self.lines[self._cursor :]]
                    raise AssertionError(f"no {kind} {fields} within {timeout_s} s; since: {seen}")
                self._news.wait(min(left_s, 0.5))

    def all(self, kind: str, **fields: Any) -> list[dict[str, Any]]:
        """Return every line of ``kind`` with ``fields`` so far."""
        with self._news:
            return [
                line
                for line in self.lines
                if line["kind"] == kind and all(line.get(k) == v for k, v in fields.items())
            ]

    def ask(self, what: str, **fields: Any) -> dict[str, Any]:
        """Send one of the harness's own requests; return its answer."""
        self.do(what, **fields)
        return self.expect({"speak": "spoken"}.get(what, what))

    def incoming(self, *, ring: bool = False, answer: bool = False) -> str:
        """Wait for an incoming call, let it ring or answer it as told; return its id."""
        call_id = str(self.expect("call_incoming")["call_id"])
        if ring or answer:
            self.do("RingCaller", call_id=call_id)
            self.expect("call_alerting", call_id=call_id)
        if answer:
            self.do("AnswerCall", call_id=call_id)
            self.expect("call_answered", call_id=call_id)
        return call_id

    def kinds(self, call_id: str) -> list[str]:
        """Return the kinds of a call's facts in their order."""
        with self._news:
            return [line["kind"] for line in self.lines if line.get("call_id") == call_id]

    def _read(self) -> None:
        assert self.process.stdout is not None
        for text in self.process.stdout:
            if text.startswith("{"):
                with self._news:
                    self.lines.append(json.loads(text))
                    self._news.notify_all()
