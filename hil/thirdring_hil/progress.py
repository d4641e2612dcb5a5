"""What a technician sees while the suites run: a line a test, and of long ones how far they are."""

import logging
from typing import Final, TextIO

import pytest

from thirdring_hil.certificate import title

__all__ = ["LONG_WORK", "Progress"]

LONG_WORK: Final = logging.getLogger("thirdring_hil.long_work")
"""Whom a test tells how far it is."""

WORDS = {"passed": "ok", "failed": "FAILED", "skipped": "skipped"}


class Progress:
    """A pytest plugin; ``out`` is the terminal itself, not what pytest has put in its place."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._tests = 0
        self._done = 0
        self._took_s = 0.0
        handler = logging.StreamHandler(out)
        handler.setFormatter(logging.Formatter("\n    %(asctime)s %(message)s", "%H:%M:%S"))
        handler.terminator = ""
        LONG_WORK.addHandler(handler)
        LONG_WORK.setLevel(logging.INFO)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Count what is to be done."""
        self._tests = len(session.items)

    def pytest_runtest_logstart(self, nodeid: str, location: tuple[str, int | None, str]) -> None:
        """Say what begins."""
        self._done += 1
        self._took_s = 0.0
        file, _, test = nodeid.partition("::")
        suite = file.rpartition("/")[2].removesuffix(".py").removeprefix("test_").replace("_", " ")
        print(
            f"{self._done:3d}/{self._tests} {suite:16} {title(test)} ... ",
            end="",
            file=self._out,
            flush=True,
        )

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Say how it ended, and why when it is not well."""
        self._took_s += report.duration
        if report.when == "setup" and report.passed:
            return
        if report.when == "teardown" and report.passed:
            print(f"({self._took_s:.1f} s)", file=self._out, flush=True)
            return
        print(WORDS[report.outcome], end=" ", file=self._out, flush=True)
        crash = getattr(report.longrepr, "reprcrash", None)
        if report.failed and crash is not None:
            print(f"\n    {crash.message.splitlines()[0]}", file=self._out, flush=True)
