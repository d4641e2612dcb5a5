"""The engine's recordings: begun and closed with the calls, listed, deleted when their time has come."""

import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from tests.peers import wait_until
from tests.recording.test_recorder import CALL_ID, FACTS, heard, talk
from thirdring.protocol.errors import MediaError
from thirdring.protocol.events import (
    AgentRequested,
    Dtmf,
    Event,
    Overlap,
    Record,
    RecordingDeleted,
    RecordingEnded,
    Verdict,
)
from thirdring_device.adapters.recording.key import KEY_FILE, read_or_make_key
from thirdring_device.adapters.recording.sealed import SealedWriter, SoundFormat
from thirdring_device.engine import recordings as recordings_module
from thirdring_device.engine.recordings import FOLDER, Recordings
from thirdring_device.sound_settings import RecordingSettings

DAY_S = 86_400.0


class Bench:
    """Recordings in a folder, with what they tell."""

    def __init__(self, folder: Path, workers: ThreadPoolExecutor) -> None:
        self.folder = folder
        self.told: list[Event] = []
        self.settings = RecordingSettings(enabled=True, reserve_mb=1)
        self.recordings = Recordings(folder, lambda: self.settings, self.told.append, lambda: 5.0, workers)

    def kept(self, call_id: str, age_days: float, size: int = 1000, suffix: str = ".sealed") -> Path:
        path = self.folder / FOLDER / f"{call_id}{suffix}"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(bytes(size))
        at_s = time.time() - age_days * DAY_S
        os.utime(path, (at_s, at_s))
        return path

    def deleted(self) -> list[tuple[str, str]]:
        return [(event.call_id, event.reason) for event in self.told if isinstance(event, RecordingDeleted)]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with ThreadPoolExecutor(1) as workers:
        yield Bench(tmp_path, workers)


def test_a_call_is_recorded_by_the_settings_of_its_beginning(bench: Bench) -> None:
    bench.settings = replace(bench.settings, format="opus", encrypted=False)
    tap = bench.recordings.begin(CALL_ID)
    assert tap is not None
    bench.settings = RecordingSettings()
    assert bench.recordings.begin("another") is None
    agent, customer = talk(1.0)
    for at in range(0, len(agent), 320):
        tap(agent[at : at + 320], customer[at : at + 320])
    with pytest.raises(MediaError) as refused:
        bench.recordings.named(CALL_ID)
    assert refused.value.code == 4025
    bench.recordings.note(FACTS)
    wait_until(lambda: any(isinstance(event, RecordingEnded) for event in bench.told), "it is closed")
    wait_until(lambda: bench.recordings.listed(10), "it is listed")
    (view,) = bench.recordings.listed(10)
    path = bench.recordings.named(CALL_ID)
    assert (view.call_id, view.file, view.encrypted) == (CALL_ID, f"{CALL_ID}.ogg", False)
    assert view.size_bytes == path.stat().st_size
    assert heard(path)[1] == FACTS[:2]


def test_a_key_that_cannot_be_read_costs_the_recording_and_not_the_call(bench: Bench) -> None:
    (bench.folder / KEY_FILE).write_text("no key")
    assert bench.recordings.begin(CALL_ID) is None
    (ended,) = bench.told
    assert isinstance(ended, RecordingEnded)
    assert (ended.reason, ended.code) == ("failed", 4020)


def test_what_was_kept_long_enough_is_deleted_and_told(bench: Bench) -> None:
    bench.settings = replace(bench.settings, keep_days=30)
    old = [bench.kept("a", 40.0), bench.kept("b", 31.0, suffix=".wav")]
    young = bench.kept("c", 29.0, suffix=".ogg")
    other = bench.kept("notes", 90.0, suffix=".txt")
    bench.recordings.sweep()
    assert bench.deleted() == [("a", "age"), ("b", "age")]
    assert [path.exists() for path in (*old, young, other)] == [False, False, True, True]
    bench.recordings.sweep()
    assert len(bench.deleted()) == 2


def test_the_oldest_make_room(bench: Bench) -> None:
    bench.settings = replace(bench.settings, max_gb=2500e-9)
    for number in range(4):
        bench.kept(f"call{number}", 10.0 - number)
    bench.recordings.sweep()
    assert bench.deleted() == [("call0", "space"), ("call1", "space")]


@pytest.mark.parametrize(("when_full", "gone"), [("stop", 0), ("delete_oldest", 2)])
def test_a_full_disk_deletes_the_oldest_only_where_that_is_set(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, when_full: str, gone: int
) -> None:
    headroom_bytes = recordings_module.HEADROOM_BYTES
    free = 1_000_000 + headroom_bytes - 1500
    monkeypatch.setattr(recordings_module, "free_bytes", lambda folder: free)
    bench.settings = replace(bench.settings, when_full=when_full)
    for number in range(4):
        bench.kept(f"call{number}", 10.0 - number)
    bench.recordings.sweep()
    assert len(bench.deleted()) == gone


def test_a_recording_that_is_being_written_is_never_deleted(bench: Bench) -> None:
    bench.settings = replace(bench.settings, keep_days=1)
    tap = bench.recordings.begin(CALL_ID)
    assert tap is not None
    path = bench.folder / FOLDER / f"{CALL_ID}.sealed"
    tap(*(side[:320] for side in talk(1.0)))
    wait_until(path.exists, "it is recorded")
    os.utime(path, (0.0, 0.0))
    bench.recordings.sweep()
    assert path.exists()
    assert bench.recordings.listed(10) == []
    bench.recordings.close_all()
    wait_until(lambda: any(isinstance(event, RecordingEnded) for event in bench.told), "it is closed")


def cut_short(bench: Bench) -> Path:
    """Leave a sealed recording without its end."""
    path = bench.folder / FOLDER / f"{CALL_ID}.sealed"
    path.parent.mkdir()
    writer = SealedWriter(path, read_or_make_key(bench.folder / KEY_FILE), SoundFormat("wav", 16_000))
    writer.write(np.stack(talk(1.0), axis=1).tobytes())
    writer.close()
    return path


def ended(reason: Literal["call_ended", "disk_full"], file: str) -> Record:
    return Record(9, "", RecordingEnded(at_s=5.0, call_id=CALL_ID, file=file, reason=reason))


@pytest.mark.parametrize("disk_was_full", [False, True])
def test_what_an_earlier_engine_died_on_is_finished(bench: Bench, disk_was_full: bool) -> None:
    path = cut_short(bench)
    known = [*FACTS, *([ended("disk_full", path.name)] if disk_was_full else [])]
    (told,) = bench.recordings.repaired(lambda call_id: known if call_id == CALL_ID else [])
    assert told == RecordingEnded(at_s=5.0, call_id=CALL_ID, file=path.name, reason="interrupted")
    sound, facts = heard(path)
    assert len(sound) == 16_000
    assert len(facts) == 3
    assert bench.recordings.repaired(lambda call_id: [*known, Record(10, "", told)]) == []
    assert bench.recordings.repaired(lambda call_id: known) == []  # it has its end


def test_what_somebody_has_cut_is_not_finished(bench: Bench) -> None:
    path = cut_short(bench)
    content = path.read_bytes()
    assert bench.recordings.repaired(lambda call_id: [*FACTS, ended("call_ended", path.name)]) == []
    assert bench.recordings.repaired(lambda call_id: []) == []
    assert path.read_bytes() == content


def test_what_cannot_be_finished_is_told_by_number(bench: Bench) -> None:
    path = cut_short(bench)
    (bench.folder / KEY_FILE).unlink()
    (told,) = bench.recordings.repaired(lambda call_id: FACTS)
    assert isinstance(told, RecordingEnded)
    assert (told.reason, told.code, told.file) == ("interrupted", 4020, path.name)


def test_a_long_call_keeps_its_first_facts(bench: Bench) -> None:
    bench.settings = replace(bench.settings, encrypted=False)
    tap = bench.recordings.begin(CALL_ID)
    assert tap is not None
    bench.recordings.note(FACTS[:1])
    heard_meanwhile = Overlap(at_s=2.0, call_id=CALL_ID, side="agent", start_s=1.0, end_s=2.0)
    for number in range(2000):
        bench.recordings.note([Record(number, "", heard_meanwhile)])
    tap(*(side[:320] for side in talk(1.0)))
    bench.recordings.note(FACTS[1:])
    wait_until(lambda: any(isinstance(event, RecordingEnded) for event in bench.told), "it is closed")
    assert heard(bench.recordings.named(CALL_ID))[1] == FACTS[:2]


def test_what_is_judged_after_the_end_of_a_call_is_let_go(bench: Bench) -> None:
    bench.recordings.note(FACTS)
    late = Record(
        99,
        "",
        Verdict(
            at_s=70.0, call_id=CALL_ID, rule="call.notes", verdict="met", value=2.0, unit="s", threshold=60.0
        ),
    )
    holders = sys.getrefcount(late)
    bench.recordings.note([late])
    assert sys.getrefcount(late) == holders


def test_digits_of_a_pause_are_not_kept(bench: Bench) -> None:
    pressed = Dtmf(at_s=3.0, call_id=CALL_ID, side="customer", digit="4", method="event")
    sent = AgentRequested(at_s=3.0, call_id=CALL_ID, action="dtmf", argument="411#")
    hold = AgentRequested(at_s=3.0, call_id=CALL_ID, action="hold", argument="")
    assert bench.recordings.shown(pressed) == pressed
    assert bench.recordings.begin(CALL_ID) is not None
    assert [bench.recordings.shown(event) for event in (pressed, sent, hold)] == [pressed, sent, hold]
    bench.recordings.mask(CALL_ID, True)
    assert bench.recordings.shown(pressed) == replace(pressed, digit="x")
    assert bench.recordings.shown(sent) == replace(sent, argument="xxxx")
    assert bench.recordings.shown(hold) == hold
    assert bench.recordings.shown(replace(pressed, call_id="another")).call_id == "another"
    bench.recordings.mask(CALL_ID, False)
    assert bench.recordings.shown(pressed) == pressed
    bench.recordings.close_all()


def test_the_newest_are_listed_first(bench: Bench) -> None:
    for number in range(5):
        bench.kept(f"call{number}", 10.0 - number)
    assert [view.call_id for view in bench.recordings.listed(3)] == ["call4", "call3", "call2"]
    assert len(bench.recordings.listed(1000)) == 5
    assert [view.call_id for view in bench.recordings.listed(1, "call1")] == ["call1"]
    assert bench.recordings.listed(1000, "another") == []
    with pytest.raises(MediaError) as refused:
        bench.recordings.named("none")
    assert refused.value.code == 4024
