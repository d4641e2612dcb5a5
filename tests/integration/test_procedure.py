"""Survey, notes, call-backs, dropped calls, breaks and hours as real SIP calls with real peers."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
from scipy.signal import correlate, resample_poly

from tests.integration.conftest import Unit
from tests.peers import BaresipPeer, SippPeer, free_port
from thirdring import (
    AgentStateChanged,
    CallBackListed,
    CallEnded,
    CallError,
    Levels,
    Record,
    RingBurst,
    SurveyEnded,
    TalkSpurt,
    Verdict,
)

pytestmark = pytest.mark.sip

RATE_HZ = 16_000
SETTINGS = """\
[trunk]
server = "127.0.0.1:{port}"
[firm]
name = "海天公司"
[norms.survey]
enabled = true
answer_s = 20.0
[norms.returns]
caller_s = 5.0
call_back_s = 6.0
[norms.notes]
within_s = 20.0
"""


@pytest.fixture(scope="module")
def unit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Unit]:
    running = Unit(tmp_path_factory.mktemp("unit"), extra=SETTINGS.format(port=free_port()))
    text = running.settings.read_text(encoding="utf-8")
    running.settings.write_text(text.replace("[sip]\n", "[sip]\nno_rtp_end_s = 2.0\n"), encoding="utf-8")
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


def customer_spoke(record: Record) -> bool:
    return isinstance(record.event, TalkSpurt) and record.event.side == "customer"


def judged(rule: str, call_id: str) -> object:
    def test(record: Record) -> bool:
        event = record.event
        return isinstance(event, Verdict) and event.rule == rule and event.call_id == call_id

    return test


def noise() -> npt.NDArray[np.float64]:
    return np.random.default_rng(5).normal(0.0, 0.05, 2 * RATE_HZ)


def likeness(heard: npt.NDArray[np.float64], said: npt.NDArray[np.float64]) -> float:
    """The largest normalised correlation of ``said`` with any stretch of ``heard``."""
    product = np.abs(correlate(heard, said, mode="valid"))
    energy = correlate(heard**2, np.ones(len(said)), mode="valid")
    return float(np.max(product / np.sqrt(np.maximum(energy, 1e-9) * np.sum(said**2))))


@pytest.mark.interop("survey after the agent's release: announcement and digit", peer="baresip")
def test_a_released_caller_hears_the_survey_and_gives_a_digit(
    unit: Unit, tmp_path: Path, speech: Path
) -> None:
    desk = unit.desk
    own = unit.state_dir / "announcements"
    own.mkdir(exist_ok=True)
    soundfile.write(own / "survey-zh.wav", noise(), RATE_HZ)
    after = desk.state().last_event
    peer = BaresipPeer(tmp_path, speaks=speech, answers=False)
    with peer:
        peer.dial(f"sip:desk@{unit.target}")
        desk.wait_for(first_ring, 15.0, after=after)
        call_id = desk.answer()
        desk.speak(str(speech))
        mark = desk.wait_for(customer_spoke, 20.0, after=after).number
        desk.hangup()
        mark = desk.wait_for("survey_started", 10.0, after=mark).number
        for _ in range(8):  # four seconds of sound: the announcement lasts two
            mark = desk.wait_for(Levels, 10.0, after=mark).number
        peer.send_digits("4")
        ended = desk.wait_for(SurveyEnded, 15.0, after=mark)
        desk.wait_for(CallEnded, 10.0, after=mark)
    assert isinstance(ended.event, SurveyEnded)
    assert ended.event.score == 4
    verdicts = {verdict.rule: verdict for verdict in desk.norms(call_id)}
    assert (verdicts["customer.survey"].verdict, verdicts["customer.survey"].value) == ("met", 4.0)
    heard, rate_hz = soundfile.read(peer.heard)
    said = resample_poly(noise(), rate_hz, RATE_HZ)
    assert likeness(heard, said[: rate_hz // 2]) > 0.8
    assert desk.call(call_id).call.ended_by == "agent"


def test_notes_are_judged_after_the_call_and_promise_a_call_back(
    unit: Unit, tmp_path: Path, speech: Path
) -> None:
    desk = unit.desk
    desk.set_settings({"norms.survey.enabled": False})
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


@pytest.mark.interop("dropped call (no RTP): call-back list", peer="SIPp")
def test_a_caller_who_is_cut_off_comes_to_the_call_back_list(unit: Unit, tmp_path: Path) -> None:
    desk = unit.desk
    after = desk.state().last_event
    with SippPeer("call_until_bye", tmp_path, target=unit.target, keys={"caller": "13900139000"}) as peer:
        desk.wait_for(first_ring, 15.0, after=after)
        call_id = desk.answer()
        ended = desk.wait_for(CallEnded, 20.0, after=after).event
        peer.wait()
    assert isinstance(ended, CallEnded)
    assert (ended.by, ended.cause) == ("network", "lost")
    listed = desk.wait_for(CallBackListed, 20.0, after=after).event
    assert listed.at_s - ended.at_s == pytest.approx(5.0, abs=0.001)
    assert [view.number for view in desk.call_backs()] == ["13900139000"]
    verdict = desk.wait_for(judged("call.dropped", call_id), 20.0, after=after).event  # type: ignore[arg-type]
    assert isinstance(verdict, Verdict)
    assert (verdict.verdict, verdict.value) == ("breached", 11.0)
    desk.finish_call_back(call_id)


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


def test_the_appliance_asks_before_it_calls_at_a_bad_hour(unit: Unit) -> None:
    desk = unit.desk
    hours: dict[str, object] = {"norms.outbound.weekday_hours": [], "norms.outbound.weekend_hours": []}
    desk.set_settings({**hours, "norms.outbound.ask_hours": True})
    with pytest.raises(CallError, match="2013"):
        desk.dial("10086")
    after = desk.state().last_event
    call_id = desk.dial("10086", "asked for")
    desk.wait_for(CallEnded, 60.0, after=after)
    verdicts = {verdict.rule: verdict for verdict in desk.norms(call_id)}
    assert verdicts["outbound.hours"].verdict == "warned"
    assert verdicts["outbound.prepared"].verdict == "met"
