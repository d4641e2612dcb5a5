"""The recorder: what it is handed is in the file, at its own time, whatever the disk does."""

import errno
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from tests.peers import wait_until
from thirdring.protocol.events import (
    CallEnded,
    CallIncoming,
    Event,
    Record,
    RecordingEnded,
    RecordingPaused,
    RecordingResumed,
    RecordingStarted,
    Verdict,
)
from thirdring_device.adapters.recording import recorder as recorder_module
from thirdring_device.adapters.recording.facts import pack
from thirdring_device.adapters.recording.key import KEY_FILE, read_or_make_key
from thirdring_device.adapters.recording.reading import RecordingFile
from thirdring_device.adapters.recording.recorder import Recorder
from thirdring_device.adapters.recording.sinks import Plan, Sink, create, recordings_in, repair

Samples = npt.NDArray[np.int16]

CALL_ID = "20260302T081504-abc123"
RATE_HZ = 16_000
FRAME = 320
FACTS = [
    Record(1, "2026-03-02T08:15:04Z", CallIncoming(at_s=1.0, call_id=CALL_ID, number="13800138000")),
    Record(2, "2026-03-02T08:15:09Z", CallEnded(at_s=6.0, call_id=CALL_ID, by="customer", cause="hangup")),
    Record(
        3,
        "2026-03-02T08:15:09Z",
        Verdict(
            at_s=6.0,
            call_id=CALL_ID,
            rule="voice.level",
            verdict="met",
            value=0.0,
            unit="%",
            threshold=5.0,
            evidence=(1,),
        ),
    ),
]
FORMS = [("wav", False), ("wav", True), ("opus", False), ("opus", True)]


def plan_of(folder: Path, form: str = "wav", *, sealed: bool = False, reserve_bytes: int = 0) -> Plan:
    key = read_or_make_key(folder / KEY_FILE) if sealed else b""
    return Plan(
        folder / "recordings",
        CALL_ID,
        "opus" if form == "opus" else "wav",
        RATE_HZ,
        key=key,
        reserve_bytes=reserve_bytes,
    )


def talk(length_s: float) -> tuple[Samples, Samples]:
    """Return a different steady tone for each side."""
    time_s = np.arange(round(length_s * RATE_HZ)) / RATE_HZ
    agent, customer = (
        np.rint(level * np.sin(2 * np.pi * f_hz * time_s)).astype(np.int16)
        for f_hz, level in ((300, 3000), (700, 2000))
    )
    return agent, customer


def give(recorder: Recorder, agent: Samples, customer: Samples) -> None:
    for at in range(0, len(agent), FRAME):
        recorder.write(agent[at : at + FRAME], customer[at : at + FRAME])


def heard(path: Path) -> tuple[Samples, list[Record]]:
    file = RecordingFile(path)
    try:
        with file.open_sound() as sound:
            assert sound.samplerate == RATE_HZ
            return sound.read(dtype="int16"), file.facts()
    finally:
        file.close()


def rms(samples: Samples) -> float:
    return float(np.sqrt(np.mean(np.square(samples.astype(np.float64)))))


@pytest.mark.parametrize(("form", "sealed"), FORMS)
def test_a_recording_holds_both_directions_and_the_facts(tmp_path: Path, form: str, sealed: bool) -> None:
    told: list[Event] = []
    plan = plan_of(tmp_path, form, sealed=sealed)
    recorder = Recorder(plan, told.append, lambda: 7.0)
    agent, customer = talk(3.0)
    give(recorder, agent, customer)
    recorder.close(FACTS)
    sound, facts = heard(plan.path)
    assert facts == FACTS[:2]
    if form == "wav":
        assert (sound == np.stack((agent, customer), axis=1)).all()
    else:
        assert len(sound) == len(agent)
        assert rms(sound[1600:, 0]) == pytest.approx(rms(agent), rel=0.02)
        assert rms(sound[1600:, 1]) == pytest.approx(rms(customer), rel=0.02)
    assert told == [
        RecordingStarted(at_s=7.0, call_id=CALL_ID, file=plan.path.name, form=form, encrypted=sealed),  # type: ignore[arg-type]
        RecordingEnded(at_s=7.0, call_id=CALL_ID, file=plan.path.name, reason="call_ended", duration_s=3.0),
    ]
    assert plan.path.stat().st_mode & 0o077 == 0
    assert list(recordings_in(plan.folder)) == [plan.path]


def test_opus_keeps_every_moment_where_it_was(tmp_path: Path) -> None:
    chance = np.random.default_rng(3)
    noise = np.zeros(RATE_HZ * 3, np.int16)
    noise[RATE_HZ : RATE_HZ + 800] = chance.normal(0.0, 4000.0, 800).astype(np.int16)
    plan = plan_of(tmp_path, "opus")
    recorder = Recorder(plan, lambda event: None, lambda: 0.0)
    give(recorder, noise, np.zeros_like(noise))
    recorder.close(FACTS)
    sound, _ = heard(plan.path)
    match = np.correlate(sound[:, 0].astype(float), noise[RATE_HZ : RATE_HZ + 800].astype(float), "valid")
    assert abs(int(np.argmax(match)) - RATE_HZ) <= 1


@pytest.mark.parametrize(("form", "sealed"), FORMS)
def test_a_pause_is_silence_of_its_length(tmp_path: Path, form: str, sealed: bool) -> None:
    told: list[Event] = []
    plan = plan_of(tmp_path, form, sealed=sealed)
    recorder = Recorder(plan, told.append, lambda: 7.0)
    agent, customer = talk(1.0)
    give(recorder, agent, customer)
    recorder.mask(True)
    recorder.mask(True)
    give(recorder, agent, customer)
    recorder.mask(False)
    give(recorder, agent, customer)
    recorder.mask(True)
    give(recorder, agent, customer)
    assert not recorder.is_whole
    recorder.close(FACTS)
    sound, facts = heard(plan.path)
    assert len(sound) == 4 * RATE_HZ
    margin = 0 if form == "wav" else 1600  # what is left in the encoder dies away
    for start_s, paused in ((0, False), (1, True), (2, False), (3, True)):
        part = sound[start_s * RATE_HZ + margin : (start_s + 1) * RATE_HZ - margin]
        assert (rms(part) < (1e-9 if form == "wav" else 3.0)) == paused
    told = [event for event in told if not isinstance(event, RecordingStarted)]
    assert told == [
        RecordingPaused(at_s=7.0, call_id=CALL_ID, start_s=1.0),
        RecordingResumed(at_s=7.0, call_id=CALL_ID, start_s=2.0),
        RecordingPaused(at_s=7.0, call_id=CALL_ID, start_s=3.0),
        RecordingEnded(
            at_s=7.0,
            call_id=CALL_ID,
            file=plan.path.name,
            reason="call_ended",
            duration_s=4.0,
            paused_s=2.0,
        ),
    ]
    verdict = facts[2].event
    assert isinstance(verdict, Verdict)
    assert (verdict.rule, verdict.verdict, verdict.evidence) == ("voice.level", "met", ())


def test_a_call_without_sound_leaves_no_file(tmp_path: Path) -> None:
    told: list[Event] = []
    Recorder(plan_of(tmp_path), told.append, lambda: 0.0).close(FACTS)
    assert told == []
    assert not (tmp_path / "recordings").exists()


class SlowSink:
    """A disk that stands still until it is let go."""

    def __init__(self, plan: Plan, go: Callable[[], None]) -> None:
        self._sink, self._go = create(plan), go

    def write(self, samples: Samples) -> None:
        self._go()
        self._sink.write(samples)

    def finish(self, facts: bytes) -> None:
        self._sink.finish(facts)


def test_what_a_slow_disk_does_not_take_is_silence_and_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder_module, "MOST_FRAMES", 50)
    go, inside = threading.Event(), threading.Event()

    def stand_still() -> None:
        inside.set()
        assert go.wait(30.0)

    told: list[Event] = []
    recorder = Recorder(plan_of(tmp_path), told.append, lambda: 0.0, lambda plan: SlowSink(plan, stand_still))
    agent, customer = talk(1.0)
    give(recorder, agent[:FRAME], customer[:FRAME])
    assert inside.wait(10.0)
    began_s = time.monotonic()
    give(recorder, agent, customer)
    give(recorder, agent[: 10 * FRAME], customer[: 10 * FRAME])
    assert time.monotonic() - began_s < 5.0
    go.set()
    recorder.close(FACTS)
    sound, _ = heard(plan_of(tmp_path).path)
    whole = np.concatenate((agent[:FRAME], agent, np.zeros(10 * FRAME, np.int16)))
    assert (sound[:, 0] == whole).all()
    ended = told[-1]
    assert isinstance(ended, RecordingEnded)
    assert (ended.reason, ended.lost_s) == ("call_ended", 0.2)


def test_a_recording_ends_where_the_reserve_begins(tmp_path: Path) -> None:
    told: list[Event] = []
    recorder = Recorder(plan_of(tmp_path, reserve_bytes=1 << 60), told.append, lambda: 0.0)
    agent, customer = talk(0.1)
    give(recorder, agent, customer)
    wait_until(lambda: told, "the recording ends")
    give(recorder, agent, customer)
    recorder.close(FACTS)
    (ended,) = told
    assert isinstance(ended, RecordingEnded)
    assert (ended.reason, ended.code) == ("disk_full", 5020)
    assert not (tmp_path / "recordings").exists()


class FullDisk:
    """Takes so many writes and then has no room left."""

    def __init__(self, plan: Plan, writes: int, number: int) -> None:
        self._sink, self._left, self._number = create(plan), writes, number

    def write(self, samples: Samples) -> None:
        if not self._left:
            raise OSError(self._number, os.strerror(self._number))
        self._left -= 1
        self._sink.write(samples)

    def finish(self, facts: bytes) -> None:
        self._sink.finish(facts)


@pytest.mark.parametrize(
    ("number", "reason", "code"), [(errno.ENOSPC, "disk_full", 5020), (errno.EIO, "failed", 5008)]
)
def test_a_disk_that_fails_ends_the_recording_and_keeps_what_was_written(
    tmp_path: Path, number: int, reason: str, code: int
) -> None:
    told: list[Event] = []
    sinks: list[Sink] = []

    def failing(plan: Plan) -> Sink:
        sinks.append(FullDisk(plan, 1, number))
        return sinks[0]

    recorder = Recorder(plan_of(tmp_path), told.append, lambda: 0.0, failing)
    agent, customer = talk(1.0)
    give(recorder, agent, customer)
    wait_until(
        lambda: plan_of(tmp_path).path.exists() and plan_of(tmp_path).path.stat().st_size > 44, "a write"
    )
    give(recorder, agent, customer)
    wait_until(lambda: isinstance(told[-1], RecordingEnded), "the recording ends")
    give(recorder, agent, customer)
    recorder.close(FACTS)
    ended = told[-1]
    assert isinstance(ended, RecordingEnded)
    assert (len(told), ended.reason, ended.code) == (2, reason, code)
    sound, facts = heard(plan_of(tmp_path).path)
    assert (sound[: len(agent), 0] == agent[: len(sound)]).all()
    assert len(facts) == 3  # the live verdicts, too: the sound does not give them again


def test_a_folder_that_cannot_be_made_ends_the_recording(tmp_path: Path) -> None:
    (tmp_path / "recordings").write_text("in the way")
    told: list[Event] = []
    recorder = Recorder(plan_of(tmp_path), told.append, lambda: 0.0)
    give(recorder, *talk(0.1))
    wait_until(lambda: told, "the recording ends")
    recorder.close(FACTS)
    assert [(event.kind, getattr(event, "code", 0)) for event in told] == [("recording_ended", 5008)]


KILLED = """
import sys, time
from pathlib import Path
from tests.recording.test_recorder import give, plan_of, talk
from thirdring_device.adapters.recording.recorder import Recorder
recorder = Recorder(plan_of(Path(sys.argv[1]), sys.argv[2], sealed=sys.argv[3] == "True"), print, lambda: 0.0)
while True:
    give(recorder, *talk(1.0))
    time.sleep(0.1)
"""


@pytest.mark.parametrize(("form", "sealed"), FORMS)
def test_what_was_written_before_kill_9_is_read_after_the_repair(
    tmp_path: Path, form: str, sealed: bool
) -> None:
    plan = plan_of(tmp_path, form, sealed=sealed)
    arguments = [sys.executable, "-c", KILLED, str(tmp_path), form, str(sealed)]
    with subprocess.Popen(arguments, stdout=subprocess.DEVNULL) as process:
        try:
            enough = 400_000 if form == "wav" else 40_000
            wait_until(lambda: plan.path.exists() and plan.path.stat().st_size > enough, "it records", 60.0)
        finally:
            process.kill()
    size = plan.path.stat().st_size
    if form == "wav" and not sealed:  # readable as it is
        assert soundfile.info(plan.path).frames * 4 > size - 44 - 2 * RATE_HZ * 4 * 10
    repair(plan.path, plan.key, pack(FACTS, whole=False))
    sound, facts = heard(plan.path)
    assert [record.event.kind for record in facts] == ["call_incoming", "call_ended", "verdict"]
    assert len(sound) > 2 * RATE_HZ
    if form == "wav":
        agent, customer = talk(1.0)
        expected = np.tile(np.stack((agent, customer), axis=1), (len(sound) // RATE_HZ + 1, 1))
        assert (sound == expected[: len(sound)]).all()
    else:
        assert rms(sound[1600:, 0]) == pytest.approx(rms(talk(1.0)[0]), rel=0.05)
    content = plan.path.read_bytes()
    repair(plan.path, plan.key, pack(FACTS, whole=False))
    assert plan.path.read_bytes() == content


@pytest.mark.parametrize(("form", "sealed"), FORMS)
def test_the_plain_file_of_a_recording_holds_the_same(tmp_path: Path, form: str, sealed: bool) -> None:
    plan = plan_of(tmp_path, form, sealed=sealed)
    recorder = Recorder(plan, lambda event: None, lambda: 0.0)
    give(recorder, *talk(2.0))
    recorder.close(FACTS)
    file = RecordingFile(plan.path)
    plain = tmp_path / f"plain.{file.form}"
    plain.write_bytes(b"".join(file.plain()))
    file.close()
    sound, facts = heard(plan.path)
    plain_sound, plain_facts = heard(plain)
    assert (plain_sound == sound).all()
    assert plain_facts == facts == FACTS[:2]
    assert soundfile.info(plain).channels == 2


def test_facts_of_any_number_are_carried(tmp_path: Path) -> None:
    """A comment of libsndfile's ends after 2 kB."""
    many = [
        Record(n, "2026-03-02T08:15:04Z", RecordingPaused(at_s=n * 1.37, call_id=CALL_ID, start_s=n * 1.21))
        for n in range(600)
    ]
    for form, sealed in FORMS:
        plan = plan_of(tmp_path, form, sealed=sealed)
        recorder = Recorder(plan, lambda event: None, lambda: 0.0)
        give(recorder, *talk(1.0))
        recorder.close(many)
        sound, facts = heard(plan.path)
        assert facts == many
        assert len(sound) == RATE_HZ
