"""An older version goes on with the journal as it was before a newer one brought it up to date."""

import sqlite3
from pathlib import Path

import pytest

from thirdring.protocol.errors import StorageError
from thirdring.protocol.events import AgentRequested
from thirdring_device.adapters.store.going_back import go_back, keep_before_migration
from thirdring_device.adapters.store.journal import Journal
from thirdring_device.adapters.store.schema import MIGRATIONS, SCHEMA_VERSION

NEWER = SCHEMA_VERSION + 1


def version_of(path: Path) -> int:
    with sqlite3.connect(path) as db:
        (version,) = db.execute("PRAGMA user_version").fetchone()
    db.close()
    return int(version)


def update(path: Path) -> None:
    """Do to a journal what a newer version does at its first start."""
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    keep_before_migration(db, path, NEWER)
    db.executescript(f"BEGIN; CREATE TABLE newer (x TEXT) STRICT; PRAGMA user_version = {NEWER}; COMMIT;")
    db.close()


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    path = tmp_path / "journal.db"
    written = Journal(path)
    written.append([AgentRequested(at_s=1.0, call_id="c", action="dial", argument="10010")])
    written.close()
    return path


def test_a_journal_is_copied_before_it_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    db = sqlite3.connect(path, isolation_level=None)
    db.executescript(
        f"BEGIN; {MIGRATIONS[0]} PRAGMA application_id = 1414681159; PRAGMA user_version = 1; COMMIT;"
    )
    db.close()
    Journal(path).close()
    assert version_of(path) == SCHEMA_VERSION
    assert version_of(tmp_path / "journal.schema-1") == 1


def test_a_journal_that_is_up_to_date_or_new_is_not_copied(journal: Path) -> None:
    Journal(journal).close()
    assert not list(journal.parent.glob("*.schema-*"))


def test_an_older_version_goes_on_with_the_copy_and_keeps_the_newer_one_aside(journal: Path) -> None:
    update(journal)
    old = Journal(journal)
    assert old.last_number == 1
    assert [
        record.number
        for record in old.append([AgentRequested(at_s=2.0, call_id="c", action="hangup", argument="")])
    ] == [2]
    old.close()
    assert version_of(journal) == SCHEMA_VERSION
    assert version_of(journal.with_suffix(f".schema-{NEWER}")) == NEWER


def test_a_newer_journal_without_a_copy_is_refused(journal: Path) -> None:
    update(journal)
    journal.with_suffix(f".schema-{SCHEMA_VERSION}").unlink()
    with pytest.raises(StorageError, match="5002"):
        Journal(journal)


def test_a_power_cut_while_going_back_leaves_a_journal(journal: Path) -> None:
    update(journal)
    journal.replace(journal.with_suffix(f".schema-{NEWER}"))
    journal.with_suffix(".schema-copy").write_bytes(
        journal.with_suffix(f".schema-{SCHEMA_VERSION}").read_bytes()
    )
    go_back(journal)
    assert version_of(journal) == SCHEMA_VERSION
