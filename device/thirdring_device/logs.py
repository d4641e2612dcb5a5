"""The newest log lines of each process, kept in the state folder; what is read out of them is masked."""

import logging
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Final, Literal

__all__ = ["LEVELS", "PROCESSES", "Level", "LogLine", "Process", "keep_log", "mask", "read_logs"]

Level = Literal["debug", "info", "warning", "error", "critical"]
Process = Literal["engine", "gateway"]
LEVELS: Final[tuple[Level, ...]] = ("debug", "info", "warning", "error", "critical")
PROCESSES: Final[tuple[Process, ...]] = ("engine", "gateway")
FOLDER: Final = "logs"
MOST_BYTES: Final = 128 * 1024
"""Of each of two files a process; a busy day has a few kB."""
QUIET: Final = ("httpx", "httpcore", "asyncio", "zeroconf")
"""Libraries that tell of every request; their warnings are kept."""
MASK: Final = "***"
SHORTEST_SECRET: Final = 4
"""Shorter ones would blot out half of every line."""

_LINE: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) ([A-Z]+) ([\w.]+): (.*)")
_SECRETS: Final = (
    re.compile(r"(?i)((?:proxy-)?authorization\s*[:=]\s*).*"),
    re.compile(r"(?i)(\b(?:bearer|basic)\s+)[\w.~+/=-]{8,}"),
    re.compile(
        r"""(?i)((?:password|passwd|secret|token|x-csrf-token|cookie)["']?\s*[=:,]\s*)"""
        r"""(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\S+)"""
    ),
    re.compile(r"(whsec_)[\w+/=-]+"),
    re.compile(r"(://[^/\s:@]+:)[^/\s@]+(?=@)"),
)


@dataclass(frozen=True, slots=True)
class LogLine:
    """One message; its ``text`` has several lines where an exception is told."""

    utc: str
    process: Process
    level: Level
    logger: str
    text: str


class _Keeper(RotatingFileHandler):
    """Writes what it can: a full disk costs log lines, nothing else."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the base's name
        """Do without; the message has gone to the standard error output."""


class _Utc(logging.Formatter):
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    @staticmethod
    def converter(timestamp: float | None) -> time.struct_time:
        """See ``logging.Formatter``."""
        return time.gmtime(timestamp)


def keep_log(state_dir: Path, process: Process) -> None:
    """Keep what this process logs, from ``info`` on; nothing where the folder cannot be written."""
    folder = state_dir / FOLDER
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        keeper = _Keeper(
            folder / f"{process}.log", maxBytes=MOST_BYTES, backupCount=1, encoding="utf-8", errors="replace"
        )
    except OSError as reason:
        logging.getLogger(__name__).warning("the log is not kept: %s", reason)
        return
    keeper.setLevel(logging.INFO)
    keeper.setFormatter(_Utc("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    for handler in root.handlers:
        if handler.level == logging.NOTSET:
            handler.setLevel(root.level)
    root.setLevel(min(root.level, logging.INFO))
    root.addHandler(keeper)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def mask(text: str, secrets: Iterable[str] = ()) -> str:
    """Return ``text`` without ``secrets`` and without what looks like one."""
    for secret in secrets:
        if len(secret) >= SHORTEST_SECRET:
            text = text.replace(secret, MASK)
    for pattern in _SECRETS:
        text = pattern.sub(rf"\1{MASK}", text)
    return text


def read_logs(state_dir: Path, secrets: Iterable[str] = ()) -> list[LogLine]:
    """Return the kept lines of all processes in order of time, masked."""
    found = [line for process in PROCESSES for line in _lines(state_dir / FOLDER, process, tuple(secrets))]
    return sorted(found, key=lambda line: line.utc)


def _lines(folder: Path, process: Process, secrets: tuple[str, ...]) -> Iterator[LogLine]:
    begun: LogLine | None = None
    for raw in _raw(folder, process):
        match = _LINE.fullmatch(raw)
        text = mask(match[4] if match else raw, secrets)
        if match is not None:
            if begun is not None:
                yield begun
            level: Level = next((known for known in LEVELS if known == match[2].lower()), "info")
            begun = LogLine(match[1], process, level, match[3], text)
        elif begun is not None:
            begun = LogLine(begun.utc, process, begun.level, begun.logger, f"{begun.text}\n{text}")
    if begun is not None:
        yield begun


def _raw(folder: Path, process: Process) -> Iterator[str]:
    for name in (f"{process}.log.1", f"{process}.log"):
        try:
            yield from (folder / name).read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            continue
