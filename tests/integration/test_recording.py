"""Recordings of real calls: paused, and cut short by the engine's death."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.integration.conftest import Unit
from tests.integration.test_level_and_verdicts import outline, speech_file
from tests.peers import BaresipPeer, wait_until
from thirdring.protocol.errors import CallError, MediaError
from thirdring.protocol.events import (
    RecordingEnded,
    RecordingPaused,
    RecordingRead,
    RecordingResumed,
    RecordingStarted,
    RingBurst,
)
from thirdring_device.adapters.recording.reading import RecordingFile
from thirdring_device.recorded import analyze
from thirdring_device.settings import load_settings

pytestmark = pytest.mark.sip


@pytest.fixture(scope="module")
def recording_unit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Unit]:
    running = Unit(tmp_path_factory.mktemp("unit"), extra="[recording]\nenabled = true\nreserve_mb = 1\n")
    running.start()
    yield running
    running.stop()


def answered(unit: Unit, peer: BaresipPeer, agent: Path) -> tuple[str, int]:
    """Have ``peer`` call and answer; return the call and the last event before it."""
    after = unit.desk.state().last_event
    peer.dial(f"sip:desk@{unit.target}")
    unit.desk.wait_for(lambda r: isinstance(r.event, RingBurst), timeout_s=30.0, after=after)
    call_id = unit.desk.answer()
    unit.desk.wait_for("recording_started", timeout_s=10.0, after=after)
    unit.desk.speak(str(agent))
    return call_id, after


def test_a_paused_call_is_judged_from_its_recording_as_it_was_live(
    recording_unit: Unit, tmp_path: Path
) -> None:
    unit = recording_unit
    customer, _ = speech_file(tmp_path / "customer.wav", -24.0)
    agent, duration_s = speech_file(tmp_path / "agent.wav", -30.0, 16000)
    with BaresipPeer(tmp_path, speaks=customer) as peer:
        call_id, after = answered(unit, peer, agent)
        assert unit.desk.pause_recording() == call_id
        unit.desk.wait_for("recording_paused", timeout_s=5.0, after=after)
        assert [call.recording for call in unit.desk.state().calls] == ["paused"]
        unit.desk.wait_for("levels", timeout_s=5.0, after=unit.desk.state().last_event)
        unit.desk.wait_for("levels", timeout_s=5.0, after=unit.desk.state().last_event)
        assert unit.desk.resume_recording(call_id) == call_id
        unit.desk.wait_for("recording_resumed", timeout_s=5.0, after=after)
        unit.desk.wait_for("recording_ended", timeout_s=duration_s + 20.0, after=after)
    with pytest.raises(CallError) as refused:
        unit.desk.pause_recording(call_id)
    assert refused.value.code == 2000

    events = [record.event for record in unit.desk.call_events(call_id)]
    (paused,) = (event for event in events if isinstance(event, RecordingPaused))
    (resumed,) = (event for event in events if isinstance(event, RecordingResumed))
    (ended,) = (event for event in events if isinstance(event, RecordingEnded))
    assert ended.reason == "call_ended"
    assert ended.paused_s == pytest.approx(resumed.start_s - paused.start_s, abs=0.001)
    path = unit.state_dir / "recordings" / ended.file
    assert path.suffix == ".sealed"
    file = RecordingFile(path)
    with file.open_sound() as sound:
        samples = sound.read(dtype="int16")
    file.close()
    assert len(samples) == pytest.approx(ended.duration_s * 16000, abs=1)
    inside = slice(round(paused.start_s * 16000), round(resumed.start_s * 16000))
    assert len(samples[inside]) > 8000
    assert not samples[inside].any()
    assert samples[: inside.start, 1].any()
    assert np.abs(samples[inside.stop :]).max() > 1000

    assert call_id in [view.call_id for view in unit.desk.recordings()]
    fetched = tmp_path / "fetched.wav"
    unit.desk.save_recording(call_id, fetched)
    assert (soundfile.read(fetched, dtype="int16")[0] == samples).all()
    newest = unit.desk.call_events(call_id)[-1].event
    assert isinstance(newest, RecordingRead)
    assert (newest.source, newest.file) == ("http", path.name)

    live = {verdict.rule: outline(verdict) for verdict in unit.desk.norms(call_id)}
    report = analyze(path, load_settings(unit.settings, unit.state_dir))
    assert {verdict.rule: outline(verdict) for verdict in report.verdicts} == live


def test_the_recording_of_a_call_that_the_engine_died_on_is_finished_at_the_next_start(
    recording_unit: Unit, tmp_path: Path
) -> None:
    unit = recording_unit
    customer, _ = speech_file(tmp_path / "customer.wav", -24.0)
    agent, _ = speech_file(tmp_path / "agent.wav", -30.0, 16000)
    with BaresipPeer(tmp_path, speaks=customer) as peer:
        call_id, after = answered(unit, peer, agent)
        path = unit.state_dir / "recordings" / f"{call_id}.sealed"
        wait_until(lambda: path.exists() and path.stat().st_size > 3 * 64_000, "it records", 30.0)
        unit.kill_engine()
        unit.desk.wait_for("recording_ended", timeout_s=60.0, after=after)
    (ended,) = (r.event for r in unit.desk.call_events(call_id) if isinstance(r.event, RecordingEnded))
    assert (ended.reason, ended.code, ended.file) == ("interrupted", 0, path.name)
    live = {verdict.rule: outline(verdict) for verdict in unit.desk.norms(call_id)}
    report = analyze(path, load_settings(unit.settings, unit.state_dir))
    assert report.call.cause == "interrupted"
    assert {verdict.rule: outline(verdict) for verdict in report.verdicts} == live
    unit.free()


def test_the_customer_is_told_before_recording_begins(recording_unit: Unit, tmp_path: Path) -> None:
    unit = recording_unit
    customer, duration_s = speech_file(tmp_path / "customer.wav", -24.0)
    silence = tmp_path / "silence.wav"
    soundfile.write(silence, np.zeros(1600, np.int16), 16000)
    unit.desk.set_settings({"recording.announce": "beep", "recording.format": "opus"})
    try:
        with BaresipPeer(tmp_path, speaks=customer) as peer:
            call_id, after = answered(unit, peer, silence)
            unit.desk.wait_for("recording_ended", timeout_s=duration_s + 20.0, after=after)
            heard_file = peer.heard
    finally:
        unit.desk.set_settings({"recording.announce": "", "recording.format": "wav"})
    heard, rate_hz = soundfile.read(heard_file)
    tone = np.abs(heard) > 0.03
    assert 0.4 < tone.sum() / rate_hz * 1.2 < 0.8  # half a second of a sine: 4/5 of it above that
    spectrum = np.abs(np.fft.rfft(heard))
    assert np.argmax(spectrum) * rate_hz / len(heard) == pytest.approx(1400.0, abs=5.0)
    (started,) = (r.event for r in unit.desk.call_events(call_id) if isinstance(r.event, RecordingStarted))
    assert started.start_s >= 0.5
    file = RecordingFile(unit.state_dir / "recordings" / started.file)
    with file.open_sound() as sound:
        assert sound.subtype == "OPUS"
        samples = sound.read(dtype="int16")
    file.close()
    begun = round(started.start_s * 16000)
    assert np.abs(samples[: begun - 800]).max() < 3
    assert np.abs(samples[begun:, 1]).max() > 1000
    unit.free()


def test_a_disk_that_fills_up_ends_the_recording_and_not_the_call(tmp_path: Path) -> None:
    unit = Unit(
        tmp_path,
        "[headset]\near_record = false\n[recording]\nenabled = true\nreserve_mb = 6\n",
        disk_mb=16,
    )
    unit.start()
    try:
        customer, duration_s = speech_file(tmp_path / "customer.wav", -24.0)
        agent, _ = speech_file(tmp_path / "agent.wav", -30.0, 16000)
        with BaresipPeer(tmp_path, speaks=customer) as peer:
            call_id, after = answered(unit, peer, agent)
            blocker = unit.state_dir / "blocker"
            room = os.statvfs(unit.state_dir)
            blocker.write_bytes(bytes(room.f_bavail * room.f_frsize - 6_000_000 + 100_000))
            ended = unit.desk.wait_for("recording_ended", timeout_s=10.0, after=after).event
            assert isinstance(ended, RecordingEnded)
            assert (ended.reason, ended.code) == ("disk_full", 5020)
            room = os.statvfs(unit.state_dir)
            assert room.f_bavail * room.f_frsize > 5_000_000
            (call,) = unit.desk.state().calls
            assert (call.state, call.recording) == ("active", "off")
            with pytest.raises(CallError) as refused:
                unit.desk.pause_recording()
            assert refused.value.code == 2020
            unit.desk.wait_for("call_ended", timeout_s=duration_s + 20.0, after=after)
            unit.desk.wait_for("verdict", timeout_s=10.0, after=after)
        path = unit.state_dir / "recordings" / ended.file
        settings = load_settings(unit.settings, unit.state_dir)
        unit.free()
        live = {verdict.rule: outline(verdict) for verdict in unit.desk.norms(call_id)}
        wait_until(lambda: _is_finished(path), "the recording is closed")
        report = analyze(path, settings)
        assert {verdict.rule: outline(verdict) for verdict in report.verdicts} == live
    finally:
        unit.stop()


def _is_finished(path: Path) -> bool:
    try:
        RecordingFile(path).close()
    except MediaError as reason:
        if reason.code != 4023:
            raise
        return False
    return True
