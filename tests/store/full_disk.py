"""A journal on a disk that fills up; run on a small file system of its own. Exits 0 when all held."""

import sys
from collections.abc import Iterator
from pathlib import Path

from thirdring.protocol.events import CallEnded, CallIncoming, Event, TalkSpurtStarted
from thirdring_device.adapters.store.journal import Journal


def spurts(count: int) -> Iterator[Event]:
    return (
        TalkSpurtStarted(at_s=1.0, call_id="a", side="agent", start_s=i / 7 + 0.123456789)
        for i in range(count)
    )


def main() -> None:
    folder = Path(sys.argv[1])
    journal = Journal(folder / "journal.sqlite3")
    journal.append([CallIncoming(at_s=0.0, call_id="a", number="1")])
    blocker = (folder / "blocker").open("wb", buffering=0)
    try:
        while True:
            blocker.write(bytes(4096))
    except OSError:
        pass
    rounds = 0
    while not journal.full:
        journal.append(spurts(200))
        rounds += 1
        assert rounds < 1000, "the disk never filled"
    assert rounds > 5, "the reserve was not given up first"
    journal.append([CallEnded(at_s=9.0, call_id="a", by="customer", cause="hangup")])
    assert journal.full
    last = journal.last_number
    assert [r.number for r in journal.events(last - 100, 200)] == list(range(last - 99, last + 1))
    blocker.truncate(0)
    journal.write([])
    assert not journal.full
    assert journal.lost == 0
    journal.close()
    again = Journal(folder / "journal.sqlite3")
    assert again.last_number == last
    assert [r.number for r in again.events(0, last)] == list(range(1, last + 1))
    assert again.unfinished() == {}


main()
