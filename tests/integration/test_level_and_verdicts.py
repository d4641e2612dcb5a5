"""What the journal says of sound, against the files that were spoken; one call judged three times."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.dsp import signals
from tests.integration.conftest import Unit
from tests.peers import BaresipPeer, wait_until
from thirdring.protocol.events import MediaEnded, RingBurst, Verdict
from thirdring_device.adapters.store.reader import JournalReader
from thirdring_device.engine.replay import desk_settings, replay
from thirdring_device.recorded import analyze
from thirdring_device.settings import load_settings
from thirdring_dsp.reference.p56 import speech_level

pytestmark = pytest.mark.sip


def speech_file(path: Path, level_dbov: float, sample_rate_hz: int = 8000) -> tuple[Path, float]:
    """Write recorded prompts at an exact P.56 level; return the file and its length in seconds."""
    speech = signals.at_active_level(
        signals.prompts(5, sample_rate_hz=sample_rate_hz), level_dbov, sample_rate_hz
    )
    soundfile.write(path, signals.to_int16(speech), sample_rate_hz, "PCM_16")
    return path, speech.size / sample_rate_hz


def call_of(
    unit: Unit, peer: BaresipPeer, duration_s: float, agent_speech: Path | None, ring: int = 1
) -> str:
    """Have ``peer`` call, answer at a ring, let it speak its whole file, at whose end it hangs up."""
    after = unit.desk.state().last_event
    peer.dial(f"sip:desk@{unit.target}")
    unit.desk.wait_for(
        lambda r: isinstance(r.event, RingBurst) and r.event.ring == ring, timeout_s=30.0, after=after
    )
    call_id = unit.desk.answer()
    unit.desk.wait_for("media_started", timeout_s=10.0, after=after)
    if agent_speech is not None:
        unit.desk.speak(str(agent_speech))
    unit.desk.wait_for(
        lambda r: isinstance(r.event, Verdict) and r.event.rule == "voice.level",
        timeout_s=duration_s + 20.0,
        after=after,
    )
    return call_id


@pytest.mark.parametrize("level_dbov", [-30.0, -26.0, -20.0])
def test_journal_reports_the_level_that_was_sent_over_pcmu(
    unit: Unit, tmp_path: Path, level_dbov: float
) -> None:
    path, duration_s = speech_file(tmp_path / "speech.wav", level_dbov)
    with BaresipPeer(tmp_path, speaks=path, codec="PCMU") as peer:
        call_id = call_of(unit, peer, duration_s, None)
    (ended,) = (r.event for r in unit.desk.call_events(call_id) if isinstance(r.event, MediaEnded))
    samples, rate_hz = soundfile.read(path, dtype="int16")
    sent = speech_level(np.asarray(samples), rate_hz).active_dbov
    assert sent == pytest.approx(level_dbov, abs=0.05)
    assert ended.customer.active_speech_level_dbov == pytest.approx(sent, abs=0.5)


def outline(verdict: Verdict) -> tuple[object, ...]:
    return (
        verdict.rule,
        verdict.verdict,
        verdict.value,
        verdict.unit,
        verdict.threshold,
        verdict.reason,
        dict(verdict.measures),
    )


def test_live_replay_and_recording_give_the_same_verdicts(unit: Unit, tmp_path: Path) -> None:
    customer, _ = speech_file(tmp_path / "customer.wav", -24.0)
    agent, duration_s = speech_file(tmp_path / "agent.wav", -38.0, 16000)
    with BaresipPeer(tmp_path, speaks=customer) as peer:
        call_id = call_of(unit, peer, duration_s, agent, ring=2)
    live = {verdict.rule: outline(verdict) for verdict in unit.desk.norms(call_id)}
    assert {rule: verdict[1] for rule, verdict in live.items()}["answer.rings"] == "met"

    settings = load_settings(unit.settings, unit.state_dir)
    reader = JournalReader(unit.state_dir / "journal.sqlite3")
    records = reader.call_events(call_id)
    reader.close()
    derived = replay(records, desk_settings(settings), finish=False)
    assert {e.rule: outline(e) for e in derived if isinstance(e, Verdict)} == live
    assert derived == [record.event for record in records if record.event.derived]

    recording = unit.state_dir / "recordings" / f"{call_id}.wav"
    wait_until(
        lambda: soundfile.info(recording).extra_info and _is_complete(recording), "the recording is closed"
    )
    report = analyze(recording, settings)
    assert {verdict.rule: outline(verdict) for verdict in report.verdicts} == live
    assert report.signalled


def _is_complete(recording: Path) -> bool:
    with soundfile.SoundFile(recording) as file:
        return bool(file.comment)
