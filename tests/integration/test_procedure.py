"""Notes, promised call-backs and breaks as real SIP calls with real peers."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy.signal import resample_poly

from tests.integration.conftest import Unit
from tests.integration.story import Story, told
from tests.peers import BaresipPeer, SippPeer, free_port
from thirdring import (
    AgentStateChanged,
    CallEnded,
    EngineStarted,
    Levels,
    NotesTaken,
    Record,
    RingBurst,
    Verdict,
)
from thirdring_device.engine.replay import desk_settings, replay
from thirdring_device.settings import load_settings

pytestmark = pytest.mark.sip

SETTINGS = """\
[trunk]
server = "127.0.0.1:{port}"
[firm]
name = "海天公司"
[norms.notes]
within_s = 20.0
"""


@pytest.fixture(scope="module")
def unit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Unit]:
    running = Unit(tmp_path_factory.mktemp("unit"), extra=SETTINGS.format(port=free_port()))
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def speech(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("speech") / "customer.wav"
    words = "Good morning, I have a question about my last bill, which I do not understand at all."
    subprocess.run(["espeak-ng", "-w", str(path), words], check=True)
    samples, rate_hz = soundfile.read(path)
    said = resample_poly(samples, 8000, rate_hz)
    quiet = np.random.default_rng(6).normal(0.0, 1e-4, 60 * 8000)  # packets go on behind the words
    soundfile.write(path, np.concatenate([said, quiet]), 8000, subtype="PCM_16")
    return path


def first_ring(record: Record) -> bool:
    return isinstance(record.event, RingBurst) and record.event.ring == 1


def judged(rule: str, call_id: str) -> object:
    def test(record: Record) -> bool:
        event = record.event
        return isinstance(event, Verdict) and event.rule == rule and event.call_id == call_id

    return test


def test_notes_are_judged_after_the_call_and_promise_a_call_back(
    unit: Unit, tmp_path: Path, speech: Path
) -> None:
    desk = unit.desk
    after = desk.state().last_event
    with BaresipPeer(tmp_path, speaks=speech, user="13800138000", answers=False) as peer:
        peer.dial(f"sip:desk@{unit.target}")
        desk.wait_for(first_ring, 15.0, after=after)
        call_id = desk.answer()
        desk.wait_for(Levels, 15.0, after=after)
        peer.hang_up()
        desk.wait_for(CallEnded, 10.0, after=after)
    desk.take_notes(call_id, name="Wang", matter="a bill", call_back="2030-01-02T10:00")
    verdict = desk.wait_for(judged("call.notes", call_id), 30.0, after=after).event  # type: ignore[arg-type]
    assert isinstance(verdict, Verdict)
    assert (verdict.verdict, verdict.reason) == ("breached", "missing: read_back")
    (listed,) = desk.call_backs()
    assert (listed.number, listed.due_utc) == ("13800138000", "2030-01-02T02:00:00Z")
    desk.save_contact("13800138000", "王女士")
    assert desk.contacts("13800138000")[0].calls == 1
    desk.finish_call_back(call_id)
    assert desk.call_backs() == []
    openers = [prompt.text for prompt in desk.prompts(call_id) if prompt.key == "opener"]
    assert len(openers) == 1
    assert "海天公司" in openers[0]
    states = [r.event.state for r in _records(unit, after) if isinstance(r.event, AgentStateChanged)]
    assert states[:2] == ["talking", "wrap_up"]
    total = desk.figures(by="all").total
    assert total.offered >= 1
    assert total.talking_s > 0.0


def _records(unit: Unit, after: int) -> list[Record]:
    last = unit.desk.state().last_event
    found = []
    for record in unit.desk.events(after):
        found.append(record)
        if record.number >= last:
            break
    return found


def test_a_call_is_judged_though_the_engine_dies_before_its_notes(
    unit: Unit, tmp_path: Path, speech: Path
) -> None:
    story = Story(unit)
    with story.answered(BaresipPeer(tmp_path, speaks=speech, answers=False)):
        story.until(told(Levels))
        story.desk.hangup()
        ended = story.until(told(CallEnded))
    unit.kill_engine()
    started = story.until(told(EngineStarted), 60.0)
    assert ended.at_s < started.at_s < ended.at_s + 20.0, "the clock goes on"
    story.desk.take_notes(story.call_id, name="Wang", matter="a bill")
    taken = story.until(told(NotesTaken))
    verdict = story.judged("call.notes")
    assert (verdict.verdict, verdict.value) == ("met", round(taken.at_s - ended.at_s, 3))
    assert story.judged("agent.break", 30.0).at_s == ended.at_s + 20.0
    records = story.desk.call_events(story.call_id)
    settings = desk_settings(load_settings(unit.settings, unit.state_dir))
    assert replay(records, settings) == [record.event for record in records if record.event.derived]


@pytest.mark.interop("agent on break: 480", peer="SIPp")
def test_on_break_calls_are_refused(unit: Unit, tmp_path: Path) -> None:
    desk = unit.desk
    assert desk.set_agent_state("break", "Li Lei") == "break"
    with SippPeer(
        "call_answered_with", tmp_path, target=unit.target, keys={"caller": "1380", "code": "480"}
    ) as peer:
        peer.wait()
    unit.free()
    assert desk.calls(1)[0].cause == "do_not_disturb"
    assert desk.set_agent_state("ready") == "ready"
    assert (desk.state().agent, desk.state().agent_state) == ("Li Lei", "ready")
