"""What web hooks still have to tell, kept over restarts: numbers only, the events stay in the journal."""

import contextlib
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from thirdring.protocol.errors import error
from thirdring.protocol.views import DeadLetterView, HookView

__all__ = ["DEAD_AT_MOST", "OUTBOX_FILE", "Letter", "Outbox"]

OUTBOX_FILE: Final = "hooks.sqlite3"
DEAD_AT_MOST: Final = 1000
"""Dead letters kept of one address; beyond, the oldest are forgotten."""

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS unit (name TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS targets (
    url TEXT PRIMARY KEY, position INTEGER NOT NULL, delivered INTEGER NOT NULL DEFAULT 0,
    delivered_s REAL NOT NULL DEFAULT 0, reason TEXT NOT NULL DEFAULT '');
CREATE TABLE IF NOT EXISTS letters (
    id INTEGER PRIMARY KEY AUTOINCREMENT, url TEXT NOT NULL, number INTEGER NOT NULL, kind TEXT NOT NULL,
    call_id TEXT NOT NULL, taken_s REAL NOT NULL, due_s REAL NOT NULL, tries INTEGER NOT NULL DEFAULT 0,
    reason TEXT NOT NULL DEFAULT '', dead INTEGER NOT NULL DEFAULT 0, UNIQUE (url, number));
CREATE INDEX IF NOT EXISTS open_letters ON letters (url, dead, call_id, number);
"""

_HEADS: Final = """
SELECT id, number, kind, call_id, taken_s, due_s, tries FROM letters AS head
WHERE url = ? AND dead = 0 AND number = (SELECT MIN(number) FROM letters
    WHERE url = head.url AND dead = 0 AND call_id = head.call_id)
"""
"""The next letter of each call: the others of the call wait for it."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One event for one address."""

    letter_id: int
    number: int
    kind: str
    call_id: str
    taken_s: float
    due_s: float
    tries: int


class Outbox:
    """``DIR/hooks.sqlite3``; every method commits. Times are the system's clock, which survives a restart."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        """Open or make the file; raises ``StorageError`` 5006."""
        self._clock = clock
        try:
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            path.chmod(0o600)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.executescript(SCHEMA)
            if self._db.execute("SELECT name FROM unit").fetchone() is None:
                self._db.execute("INSERT INTO unit VALUES (?)", (secrets.token_hex(6),))
            (self.unit,) = self._db.execute("SELECT name FROM unit").fetchone()
        except (sqlite3.Error, OSError) as reason:
            raise error(5006, f"{path}: {reason}") from reason

    @contextlib.contextmanager
    def _at_once(self) -> Iterator[None]:
        """Commit what is done within, or nothing of it: a full disk leaves no transaction open."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def close(self) -> None:
        """Close; may be called twice."""
        self._db.close()

    def position(self, url: str, default: int) -> int:
        """Return the number up to which events were taken; for a new address that is ``default``."""
        self._db.execute("INSERT OR IGNORE INTO targets (url, position) VALUES (?, ?)", (url, default))
        return int(self._db.execute("SELECT position FROM targets WHERE url = ?", (url,)).fetchone()[0])

    def known(self, url: str) -> bool:
        """Return whether events were taken for ``url`` before."""
        return self._db.execute("SELECT 1 FROM targets WHERE url = ?", (url,)).fetchone() is not None

    def take(self, url: str, number: int, kind: str = "", call_id: str = "") -> None:
        """Take the event ``number`` for ``url``, or without ``kind`` note that it is passed over."""
        now_s = self._clock()
        with self._at_once():
            if kind:
                self._db.execute(
                    "INSERT OR IGNORE INTO letters (url, number, kind, call_id, taken_s, due_s)"
                    " VALUES (?, ?, ?, ?, ?, ?)",
                    (url, number, kind, call_id, now_s, now_s),
                )
            self._db.execute("UPDATE targets SET position = ? WHERE url = ?", (number, url))

    def begin_anew(self, url: str, position: int) -> None:
        """Forget what was open of a journal that is no more."""
        with self._at_once():
            self._db.execute("DELETE FROM letters WHERE url = ?", (url,))
            self._db.execute("UPDATE targets SET position = ? WHERE url = ?", (position, url))

    def waiting(self, url: str) -> int:
        """Return how many letters wait."""
        return int(
            self._db.execute("SELECT COUNT(*) FROM letters WHERE url = ? AND dead = 0", (url,)).fetchone()[0]
        )

    def due(self, url: str) -> Letter | None:
        """Return the earliest event that may be sent now."""
        row = self._db.execute(
            _HEADS + "AND due_s <= ? ORDER BY number LIMIT 1", (url, self._clock())
        ).fetchone()
        return Letter(*row) if row else None

    def next_due_s(self, url: str) -> float | None:
        """Return in how many seconds there is one."""
        row = self._db.execute(_HEADS + "ORDER BY due_s LIMIT 1", (url,)).fetchone()
        return max(0.0, float(row[5]) - self._clock()) if row else None

    def delivered(self, url: str, letter: Letter) -> None:
        """Note that the letter was taken."""
        with self._at_once():
            self._db.execute("DELETE FROM letters WHERE id = ?", (letter.letter_id,))
            self._db.execute(
                "UPDATE targets SET delivered = delivered + 1, delivered_s = ?, reason = '' WHERE url = ?",
                (self._clock(), url),
            )

    def failed(self, url: str, letter: Letter, reason: str, again_in_s: float | None) -> None:
        """Note that the letter was not taken; without ``again_in_s`` it is dead."""
        now_s = self._clock()
        with self._at_once():
            self._db.execute(
                "UPDATE letters SET tries = tries + 1, due_s = ?, reason = ?, dead = ? WHERE id = ?",
                (now_s + (again_in_s or 0.0), reason, again_in_s is None, letter.letter_id),
            )
            self._db.execute("UPDATE targets SET reason = ? WHERE url = ?", (reason, url))
            self._forget(url)

    def expire(self, url: str, before_s: float, reason: str) -> None:
        """Give up every letter taken before ``before_s``."""
        self._db.execute(
            "UPDATE letters SET dead = 1, due_s = ?, reason = ? WHERE url = ? AND dead = 0 AND taken_s < ?",
            (self._clock(), reason, url, before_s),
        )
        self._forget(url)

    def _forget(self, url: str) -> None:
        self._db.execute(
            "DELETE FROM letters WHERE dead = 1 AND url = ? AND id NOT IN"
            " (SELECT id FROM letters WHERE dead = 1 AND url = ? ORDER BY number DESC LIMIT ?)",
            (url, url, DEAD_AT_MOST),
        )

    def keep_only(self, urls: Sequence[str]) -> None:
        """Forget the addresses that are no longer set."""
        for table in ("letters", "targets"):
            for (url,) in self._db.execute(f"SELECT DISTINCT url FROM {table}").fetchall():  # noqa: S608
                if url not in urls:
                    self._db.execute(f"DELETE FROM {table} WHERE url = ?", (url,))  # noqa: S608

    def retry(self, letter_id: int) -> int:
        """Let a dead letter, or every one (0), be sent again now; return how many."""
        chosen = self._db.execute(
            "UPDATE letters SET dead = 0, due_s = ?, taken_s = ?, tries = 0"
            " WHERE dead = 1 AND (id = ? OR ? = 0)",
            (self._clock(), self._clock(), letter_id, letter_id),
        )
        return chosen.rowcount

    def urge(self) -> None:
        """Let everything that waits be sent now."""
        self._db.execute("UPDATE letters SET due_s = ? WHERE dead = 0", (self._clock(),))

    def hooks(self, urls: Sequence[str], troubles: Mapping[str, str]) -> list[HookView]:
        """Return each address with what waits for it; ``troubles`` says why an address is not served."""
        query = """SELECT url, position, delivered, delivered_s, reason,
            (SELECT COUNT(*) FROM letters WHERE letters.url = targets.url AND dead = 0),
            (SELECT COUNT(*) FROM letters WHERE letters.url = targets.url AND dead = 1) FROM targets"""
        rows = {row[0]: row for row in self._db.execute(query)}
        views = []
        for url in urls:
            _, position, delivered, delivered_s, reason, waiting, dead = rows.get(
                url, (url, 0, 0, 0, "", 0, 0)
            )
            views.append(
                HookView(
                    url=url,
                    position=position,
                    waiting=waiting,
                    delivered=delivered,
                    delivered_utc=_utc(delivered_s),
                    dead=dead,
                    reason=troubles.get(url, reason),
                )
            )
        return views

    def dead_letters(self, limit: int) -> list[DeadLetterView]:
        """Return the newest letters that were given up."""
        query = """SELECT id, url, number, kind, call_id, tries, due_s, reason FROM letters
            WHERE dead = 1 ORDER BY due_s DESC, id DESC LIMIT ?"""
        return [
            DeadLetterView(
                letter_id=row[0],
                url=row[1],
                seq=row[2],
                kind=row[3],
                call_id=row[4],
                tries=row[5],
                given_up_utc=_utc(row[6]),
                reason=row[7],
            )
            for row in self._db.execute(query, (limit,))
        ]


def _utc(time_s: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time_s)) if time_s else ""
