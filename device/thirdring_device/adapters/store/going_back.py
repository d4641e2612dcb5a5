"""So that an older version can be gone back to: the journal as it was before it was brought up to date.

A migration only goes forwards. Before it, the journal is copied beside itself (``journal.schema-2``); an
older version that meets a journal newer than it knows sets that aside (``journal.schema-4``) and goes on
with the copy. What the newer version had recorded meanwhile is in the file that was set aside.
"""

import logging
import shutil
import sqlite3
from pathlib import Path

from thirdring_device.adapters.store.schema import APPLICATION_ID, SCHEMA_VERSION

__all__ = ["go_back", "keep_before_migration"]

log = logging.getLogger(__name__)


def _kept(path: Path, version: int) -> Path:
    return path.with_suffix(f".schema-{version}")


def keep_before_migration(db: sqlite3.Connection, path: Path, known: int = SCHEMA_VERSION) -> None:
    """Copy the journal ``db``, which is the file ``path``, where it is about to be brought up to date.

    Copies of still older versions make room. Where there is none the migration goes on: calls go first.
    """
    (application,) = db.execute("PRAGMA application_id").fetchone()
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION_ID or not 0 < version < known:
        return
    for old in path.parent.glob(f"{path.stem}.schema-*"):
        old.unlink()
    new = path.with_suffix(".schema-new")
    try:
        db.execute("VACUUM INTO ?", (str(new),))
        new.replace(_kept(path, version))
    except (sqlite3.DatabaseError, OSError) as reason:
        new.unlink(missing_ok=True)
        log.error("no copy of the journal before it is brought up to date: %s", reason)


def go_back(path: Path, known: int = SCHEMA_VERSION) -> None:
    """Where the journal is newer than ``known`` and a copy of that version is there, go on with the copy."""
    kept, copy = _kept(path, known), path.with_suffix(".schema-copy")
    if copy.exists() and not path.exists():  # a power cut in the middle of the last lines
        copy.replace(path)
    if not (path.exists() and kept.exists()):
        return
    db = sqlite3.connect(path, isolation_level=None)
    try:
        (application,) = db.execute("PRAGMA application_id").fetchone()
        (version,) = db.execute("PRAGMA user_version").fetchone()
        if application != APPLICATION_ID or version <= known:
            return
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.DatabaseError:
        return  # whoever opens it says what is wrong
    finally:
        db.close()
    log.warning(
        "the journal is of a newer version (%d): going on with the copy of version %d", version, known
    )
    shutil.copyfile(kept, copy)
    path.replace(_kept(path, version))
    for more in ("-wal", "-shm"):
        path.with_name(path.name + more).unlink(missing_ok=True)
    copy.replace(path)
