"""What gateway, console, the process that installs and the health check tell each other: small files.

Whoever wants an update writes ``request.json`` in the folder ``update`` of the state folder (``submit``),
which starts the process that installs (``thirdring-update.path``); that one writes ``state.json``.
``trial.json`` is there from before a new version is written until it was found good or given up: whatever
cuts the power in between, a start of the new version is looked at.
"""

import contextlib
import dataclasses
import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, get_args

from thirdring.protocol.errors import error
from thirdring.protocol.views import UpdatePhase
from thirdring_device.durable import replace_file

__all__ = [
    "ENDED",
    "Progress",
    "Request",
    "Trial",
    "UpdateFolder",
]

FOLDER: Final = "update"
SPARE_BYTES: Final = 32 << 20
"""Left for journal and log whatever is fetched."""

ENDED: Final[frozenset[UpdatePhase]] = frozenset({"idle", "done", "failed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """``url`` empty: a file has arrived. ``force``: also an older version. ``wait``: for a call to end."""

    url: str = ""
    force: bool = False
    wait: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where an update is. ``version`` is the new one, ``code`` why it failed, 0 while it did not."""

    phase: UpdatePhase = "idle"
    percent: int = 0
    version: str = ""
    code: int = 0
    detail: str = ""
    utc: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What the health check holds a new version against: the slot it left, and how the unit was there.

    ``written``: the new version lies in the other slot, whole.
    """

    left_slot: str
    version: str
    trunk: str = ""
    headset: bool = False
    written: bool = False


class UpdateFolder:
    """The files of one state folder; every write survives a power cut."""

    def __init__(self, state_dir: Path) -> None:
        self.path = state_dir / FOLDER
        self.arriving = self.path / "arriving.raucb"
        self.incoming = self.path / "incoming.raucb"
        self._request = self.path / "request.json"
        self._state = self.path / "state.json"
        self._trial = self.path / "trial.json"
        self._lock = self.path / "lock"

    def make(self) -> None:
        """Make the folder, its owner that of the state folder; raises ``StorageError`` 5006."""
        try:
            self.path.mkdir(mode=0o700, exist_ok=True)
            self.give(self.path)
        except OSError as reason:
            raise error(5006, f"{self.path}: {reason}") from reason

    def give(self, path: Path) -> None:
        """Let root's files belong to who the state folder belongs to."""
        owner = self._owner()
        if owner is not None:
            os.chown(path, *owner)

    def _owner(self) -> tuple[int, int] | None:
        """Return user and group of the state folder; None for who cannot give files away."""
        folder = self.path.parent.stat()
        return (folder.st_uid, folder.st_gid) if os.geteuid() == 0 else None

    # --- what is asked for ------------------------------------------------------------------------

    def submit(self, request: Request) -> None:
        """Ask for an update; without a URL it is the file ``arriving``, which is taken.

        Raises ``ApplianceError`` 7031 while there is an update, 7038 without a file, ``StorageError`` 5006.
        """
        self.make()
        self.refuse_second()
        if not request.url:
            try:
                self.arriving.replace(self.incoming)
            except OSError as reason:
                raise error(7038, str(reason)) from reason
        self.tell(Progress(phase="waiting"))
        self._write(self._request, request)

    def take(self) -> Request | None:
        """Return what is asked for, once."""
        found = self._read(self._request)
        self._request.unlink(missing_ok=True)
        return None if found is None else Request(**found)

    def refuse_second(self) -> None:
        """Raise ``ApplianceError`` 7031 while an update is under way."""
        if self._at_work():
            raise error(7031)

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Be the one that installs; raises ``ApplianceError`` 7031."""
        self.make()
        with self._lock.open("w", encoding="ascii") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as reason:
                raise error(7031) from reason
            yield

    def is_running(self) -> bool:
        """Tell whether somebody installs."""
        try:
            with self._lock.open("r", encoding="ascii") as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except OSError:
            return True
        return False

    # --- where it is ------------------------------------------------------------------------------

    def progress(self) -> Progress:
        """Return where the update is; one that nobody works at any more has failed (7039)."""
        found = self._read(self._state)
        if found is None or found.get("phase") not in get_args(UpdatePhase):
            return Progress()
        told = Progress(**found)
        if told.phase not in ENDED and not self._at_work():
            again = self._read(self._state)  # it may have ended between the two looks
            told = told if again is None else Progress(**again)
            if told.phase not in ENDED:
                return dataclasses.replace(told, phase="failed", code=7039, detail="it was cut off")
        return told

    def tell(self, progress: Progress) -> None:
        """Write where the update is."""
        self._write(self._state, dataclasses.replace(progress, utc=_now()))

    def trial(self) -> Trial | None:
        """Return what the running version is held against; None: nothing is on trial."""
        found = self._read(self._trial)
        known = {field.name for field in dataclasses.fields(Trial)}  # a newer version may write more
        return None if found is None else Trial(**{name: found[name] for name in known & found.keys()})

    def begin_trial(self, trial: Trial) -> None:
        """Have the next start looked at."""
        self._write(self._trial, trial)

    def forget_trial(self) -> None:
        """Have it not looked at: there is no new version."""
        self._trial.unlink(missing_ok=True)

    def _at_work(self) -> bool:
        trial = self.trial()
        return self._request.exists() or self.is_running() or (trial is not None and trial.written)

    def end_trial(self, progress: Progress) -> None:
        """Say how it went."""
        self.tell(progress)
        self.forget_trial()

    def sweep(self) -> None:
        """Give back the room of a bundle that nobody installs any more: a power cut ended it half-way."""
        if not self._request.exists() and not self.is_running():
            self.incoming.unlink(missing_ok=True)

    # --- room -------------------------------------------------------------------------------------

    def check_room(self, size_bytes: int) -> None:
        """Raise ``ApplianceError`` 7035 where a bundle of that size does not fit beside everything else."""
        free = shutil.disk_usage(self.path).free
        if free < size_bytes + SPARE_BYTES:
            lacking_mb = (size_bytes + SPARE_BYTES - free) / 1e6
            raise error(7035, f"{lacking_mb:.0f} MB more are needed")

    # --- files ------------------------------------------------------------------------------------

    def _write(self, path: Path, value: Any) -> None:
        try:
            # A request may be taken as soon as it has its name: nothing is done to it afterwards.
            replace_file(path, json.dumps(dataclasses.asdict(value)) + "\n", self._owner())
        except OSError as reason:
            raise error(5006, f"{path}: {reason}") from reason

    def _read(self, path: Path) -> dict[str, Any] | None:
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return found if isinstance(found, dict) else None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
