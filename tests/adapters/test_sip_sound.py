"""Sound and digits between the desk and baresip."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tests.adapters.desk_process import DeskProcess
from tests.peers import LOOPBACK, BaresipPeer, free_port, wait_until

pytestmark = pytest.mark.sip

AGENT_HZ = 1900.0
CUSTOMER_HZ = 700.0
LEVEL_DBOV = -15.05
"""RMS of a sine of amplitude 0.25."""


def write_tone(path: Path, frequency_hz: float, rate_hz: int, duration_s: float) -> Path:
    time_s = np.arange(int(rate_hz * duration_s)) / rate_hz
    soundfile.write(path, 0.25 * np.sin(2 * np.pi * frequency_hz * time_s), rate_hz, subtype="PCM_16")
    return path


def tone_levels_dbov(samples: Any, rate_hz: int, frequency_hz: float) -> Any:
    """Return the tone's level in every block of 20 ms."""
    block = rate_hz // 50
    blocks = samples[: len(samples) // block * block].reshape(-1, block)
    reference = np.exp(-2j * np.pi * frequency_hz * np.arange(block) / rate_hz)
    amplitude = 2 * np.abs(blocks @ reference) / block
    return 20 * np.log10(np.maximum(amplitude / np.sqrt(2), 1e-5))


def voiced_s(samples: Any, rate_hz: int, frequency_hz: float) -> float:
    """Return how long the tone is there within 1 dB of its level."""
    levels = tone_levels_dbov(samples, rate_hz, frequency_hz)
    return float(np.sum(np.abs(levels - LEVEL_DBOV) < 1.0)) * 0.02


@pytest.mark.parametrize("codec", ["PCMA", "PCMU", "G722"])
def test_speech_arrives_in_both_directions(tmp_path: Path, codec: str) -> None:
    customer_rate_hz = 16000 if codec == "G722" else 8000
    customer_file = write_tone(tmp_path / "customer.wav", CUSTOMER_HZ, customer_rate_hz, 5.0)
    agent_file = write_tone(tmp_path / "agent.wav", AGENT_HZ, 16000, 1.5)
    with DeskProcess(tmp_path) as desk, BaresipPeer(tmp_path, speaks=customer_file, codec=codec) as baresip:
        baresip.dial(f"sip:100@{desk.target}")
        call_id = desk.incoming(answer=True)
        assert desk.all("media", call_id=call_id, codec=codec)
        baresip.wait_for("CALL_ESTABLISHED")
        assert desk.ask("speak", path=str(agent_file))["duration_s"] == pytest.approx(1.5)
        for digit in "5#":
            baresip.send_digits(digit)
            desk.expect("dtmf", digit=digit, method="event", side="customer")
        desk.ask("wait_silent")
        desk.do("EndCall", call_id=call_id)
        desk.expect("call_ended")
        baresip.wait_for("CALL_CLOSED")
        lateness = desk.ask("lateness")
        baresip.stop()
        heard, heard_rate_hz = soundfile.read(baresip.heard)
    inserted, _ = soundfile.read(tmp_path / f"{call_id}.wav", dtype="int16")
    spoken, _ = soundfile.read(agent_file, dtype="int16")
    mouth, ear = inserted[:, 0], inserted[:, 1]
    begin = int(np.flatnonzero(mouth)[0]) - 1  # the sine's first sample is 0
    assert np.array_equal(mouth[begin : begin + len(spoken)], spoken), "no sample lost, doubled or changed"
    assert begin % 320 == 0
    assert voiced_s(ear / 32768, 16000, CUSTOMER_HZ) > 1.0
    assert voiced_s(heard, heard_rate_hz, AGENT_HZ) > 1.2
    agent_heard, agent_rate_hz = soundfile.read(tmp_path / "ear.wav")
    assert agent_rate_hz == 16000
    assert voiced_s(agent_heard, 16000, CUSTOMER_HZ) > 1.0
    assert lateness["count"] > 50
    assert 15 < lateness["p50_ms"] < 25


def test_the_sound_thread_keeps_its_state_of_the_interpreter(tmp_path: Path) -> None:
    """What is local to the thread is there in the next tick."""
    customer_file = write_tone(tmp_path / "customer.wav", CUSTOMER_HZ, 8000, 30.0)  # baresip ends with it
    with DeskProcess(tmp_path) as desk, BaresipPeer(tmp_path, speaks=customer_file) as baresip:
        baresip.dial(f"sip:100@{desk.target}")
        call_id = desk.incoming(answer=True)
        baresip.wait_for("CALL_ESTABLISHED")
        begin = desk.ask("lateness")["count"]
        wait_until(lambda: desk.ask("lateness")["count"] > begin + 50, "a second of sound")
        desk.do("EndCall", call_id=call_id)
        finished = desk.expect("media_finished", call_id=call_id)
    assert finished["ticks"] > 10
    assert finished["ticks_of_a_state"] == finished["ticks"]


def test_digits_of_the_agent_arrive(tmp_path: Path) -> None:
    speech = write_tone(tmp_path / "customer.wav", CUSTOMER_HZ, 8000, 30.0)
    port = free_port()
    with (
        BaresipPeer(tmp_path, speaks=speech, port=port) as baresip,
        DeskProcess(tmp_path, {"trunk.server": f"{LOOPBACK}:{port}"}) as desk,
    ):
        desk.do("PlaceCall", call_id="out1", number="customer")
        desk.expect("call_answered", call_id="out1")
        baresip.wait_for("CALL_ESTABLISHED")
        desk.do("SendDigits", call_id="out1", digits="19#")
        for digit in "19#":
            baresip.wait_for("CALL_DTMF_START", param=digit)
        baresip.hang_up()
        desk.expect("call_ended", call_id="out1", by="customer", cause="hangup")


def test_file_that_is_no_sound_is_error_4000_and_silence_follows_stop(tmp_path: Path) -> None:
    (tmp_path / "no.wav").write_text("this is no sound")
    with DeskProcess(tmp_path) as desk:
        assert desk.ask("speak", path=str(tmp_path / "no.wav"))["code"] == 4000
        assert desk.ask("speak", path=str(tmp_path / "missing.wav"))["code"] == 4000


def test_second_desk_as_customer(tmp_path: Path) -> None:
    """Two desks call each other: both ends of the adapter at once."""
    port = free_port()
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    tone = write_tone(tmp_path / "tone.wav", AGENT_HZ, 44100, 1.0)
    with (
        DeskProcess(tmp_path / "a", {"sip.port": port}) as called,
        DeskProcess(tmp_path / "b", {"trunk.server": f"{LOOPBACK}:{port}"}) as calling,
    ):
        calling.do("PlaceCall", call_id="out1", number="100")
        call_id = called.incoming(answer=True)
        calling.expect("call_alerting", call_id="out1")
        calling.expect("call_answered", call_id="out1")
        calling.ask("speak", path=str(tone))
        calling.ask("wait_silent")
        calling.do("SendDigits", call_id="out1", digits="5")
        called.expect("dtmf", call_id=call_id, digit="5", method="event")
        called.do("EndCall", call_id=call_id)
        calling.expect("call_ended", call_id="out1", by="customer", cause="hangup")
    ear, _ = soundfile.read(tmp_path / "a" / f"{call_id}.wav")
    assert voiced_s(ear[:, 1], 16000, AGENT_HZ) > 0.8
