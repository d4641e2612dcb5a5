import os
import random
import signal
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.core.script import Script, answered, ended, ringing
from thirdring.protocol.errors import CallError, StorageError
from thirdring.protocol.events import AgentRequested, CallEnded, CallIncoming, CallOutgoing, Event, Verdict
from thirdring_device.adapters.store.journal import Journal
from thirdring_device.adapters.store.reader import JournalReader

HERE = Path(__file__).parent


def one_call() -> list[Event]:
    script = Script()
    script.feed(*ringing(10.0), *answered(17.0), *ended(30.0))
    return [record.event for record in script.records] + script.derived


def test_events_are_numbered_without_gap_and_read_back_equal(tmp_path: Path) -> None:
    events = one_call()
    journal = Journal(tmp_path / "j.sqlite3")
    records = journal.append(events[:4]) + journal.append(events[4:])
    assert [record.number for record in records] == list(range(1, len(events) + 1))
    assert journal.events(0) == records
    assert journal.events(3, limit=2) == records[3:5]
    journal.close()
    again = Journal(tmp_path / "j.sqlite3")
    assert again.append(events[1:2])[0].number == len(events) + 1
    again.close()


def test_ended_calls_are_found_until_their_last_norm_is_judged(tmp_path: Path) -> None:
    rules = ("call.dropped", "call.notes")
    journal = Journal(tmp_path / "j.sqlite3")
    assert journal.unjudged(rules) == []
    events = one_call()
    journal.append(events[:-1])
    journal.append([CallOutgoing(at_s=40.0, call_id="b", number="1")])
    assert journal.unjudged(("answer.rings",)) == []
    (records,) = journal.unjudged(rules)
    assert [record.event for record in records] == events[:-1]
    judged = Verdict(
        at_s=90.0, call_id="a", rule="call.notes", verdict="met", value=1.0, unit="s", threshold=60.0
    )
    journal.append([judged])
    assert len(journal.unjudged(rules)) == 1, "call.dropped is missing"
    journal.append([replace(judged, rule="call.dropped")])
    assert journal.unjudged(rules) == []
    journal.close()


def test_the_clock_goes_on_by_what_the_wall_clock_says_has_passed(tmp_path: Path) -> None:
    now = "2026-01-01T08:00:00.000Z"
    journal = Journal(tmp_path / "j.sqlite3", now=lambda: now)
    assert journal.clock_s() == 0.0
    journal.append([CallOutgoing(at_s=40.0, call_id="b", number="1")])
    journal.append([CallOutgoing(at_s=35.0, call_id="c", number="1")])
    assert journal.clock_s() == 40.0
    now = "2026-01-01T08:01:30.500Z"
    assert journal.clock_s() == 130.5
    now = "2025-12-31T08:00:00.000Z"
    assert journal.clock_s() == 40.0
    journal.close()


def test_reader_lists_calls_and_verdicts_while_the_writer_is_open(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.sqlite3")
    journal.append(one_call())
    reader = JournalReader(tmp_path / "j.sqlite3")
    (call,) = reader.calls()
    assert (call.call_id, call.state, call.wait_s, call.talk_s) == ("a", "ended", 7.0, 13.0)
    assert (call.rings_heard, call.ended_by, call.cause) == (2, "customer", "hangup")
    detail = reader.call("a")
    assert detail.verdicts == tuple(e for e in one_call() if isinstance(e, Verdict))
    assert [r.event for r in reader.call_events("a")] == one_call()
    with pytest.raises(CallError, match="2000"):
        reader.call("b")
    assert reader.calls(before="a") == []
    reader.close()
    journal.close()


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.sqlite3")
    with pytest.raises(StorageError, match="5007"):
        Journal(tmp_path / "j.sqlite3")
    journal.close()
    Journal(tmp_path / "j.sqlite3").close()


@pytest.mark.parametrize("content", [b"this is not a database, far from it" * 100, None])
def test_what_is_no_journal_is_refused_and_left_alone(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "j.sqlite3"
    if content is None:
        with sqlite3.connect(path) as db:
            db.execute("CREATE TABLE theirs (x)")
        db.close()
    else:
        path.write_bytes(content)
    with pytest.raises(StorageError, match="5001"):
        Journal(path)
    if content is not None:
        assert path.read_bytes() == content


def test_a_newer_journal_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite3"
    Journal(path).close()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 999")
    db.close()
    for opened in (Journal, JournalReader):
        with pytest.raises(StorageError, match="5002"):
            opened(path)


def test_acknowledged_records_survive_kill_9(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite3"
    rng = random.Random(3)
    for _ in range(10):
        writer = subprocess.Popen(
            [sys.executable, HERE / "writer.py", path], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        acknowledged = [writer.stdout.readline() for _ in range(rng.randrange(1, 60))]
        os.kill(writer.pid, signal.SIGKILL)
        acknowledged += writer.stdout.readlines()
        writer.stdout.close()
        writer.wait()
        newest = max(int(line) for line in acknowledged if line.endswith("\n"))
        journal = Journal(path)
        assert journal.last_number >= newest
        assert [r.number for r in journal.events(0, 10**6)] == list(range(1, journal.last_number + 1))
        journal.close()
    journal = Journal(path)
    assert len(journal.unfinished()) == 10
    journal.close()


def test_full_disk_loses_no_record(tmp_path: Path) -> None:
    namespace = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-rm"]
    script = (
        f"mount -t tmpfs -o size=6m tmpfs {tmp_path} && exec {sys.executable} {HERE}/full_disk.py {tmp_path}"
    )
    done = subprocess.run([*namespace, "sh", "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_journal_knows_the_last_number_dialled_and_the_calls_of_the_last_hour(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.sqlite3")
    assert (journal.last_dialled(), journal.dialled_within(3600.0)) == (("", False), [])
    journal.append(one_call())
    journal.append([CallOutgoing(at_s=40.0, call_id="b", number="10086")])
    assert journal.last_dialled() == ("10086", False)
    asked = AgentRequested(at_s=50.0, call_id="c", action="dial", argument="10010", withheld=True)
    journal.append([asked, CallOutgoing(at_s=50.0, call_id="c", number="10010")])
    assert journal.last_dialled() == ("10010", True)
    _, ago_s = journal.dialled_within(3600.0)
    assert 0.0 <= ago_s < 60.0
    for sip_code in (480, 302):
        call_id = f"in{sip_code}"
        journal.append(
            [
                CallIncoming(at_s=60.0, call_id=call_id, number="10010"),
                CallEnded(at_s=61.0, call_id=call_id, by="appliance", cause="overflow", sip_code=sip_code),
            ]
        )
    assert len(journal.dialled_within(3600.0)) == 3  # what was refused cost nothing
    journal.close()
