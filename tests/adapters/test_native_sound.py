"""The driver of real headsets, through ALSA: levels, sidetone, and the headset that is not there."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.adapters.desk_process import DeskProcess
from tests.adapters.test_sip_sound import tone_levels_dbov, write_tone
from tests.peers import BaresipPeer, SippPeer
from tests.virtual_headset import ALSA_NAME, VirtualHeadset
from thirdring_dsp.reference.p56 import speech_level
from thirdring_hil.speech import make_speech

pytestmark = pytest.mark.sip

CUSTOMER_DBOV, AGENT_DBOV, EAR_DB, SIDETONE_DB = -20.0, -26.0, -10.0, -12.0
TONE_DBOV = -15.05
"""RMS of ``write_tone``."""


@pytest.fixture(params=[16000, 48000])
def headset(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[VirtualHeadset]:
    with VirtualHeadset(request.param) as virtual:
        for name, value in virtual.environment.items():
            monkeypatch.setenv(name, value)
        yield virtual


@pytest.mark.interop("sound device through ALSA at 16 and 48 kHz: levels as set, both ways", peer="baresip")
def test_speech_is_heard_both_ways_at_the_levels_set(headset: VirtualHeadset, tmp_path: Path) -> None:
    customer, agent = tmp_path / "customer.wav", tmp_path / "agent.wav"
    speech = make_speech(customer, CUSTOMER_DBOV, 8000)
    duration_s = len(speech) / 8000
    soundfile.write(customer, np.pad(speech, (0, 30 * 8000)), 8000, "PCM_16")  # baresip hangs up with its end
    make_speech(agent, AGENT_DBOV, 48000)
    settings = {"headset.device": ALSA_NAME, "headset.ear_db": EAR_DB}
    with DeskProcess(tmp_path, settings) as desk, BaresipPeer(tmp_path, speaks=customer) as baresip:
        desk.expect("headset", present=True)
        with headset.listening() as ear:
            baresip.dial(f"sip:100@{desk.target}")
            call_id = desk.incoming(answer=True)
            baresip.wait_for("CALL_ESTABLISHED")
            assert headset.say(agent).wait(duration_s + 10) == 0
            desk.ask("wait_ticks", call_id=call_id, ticks=int((duration_s + 0.5) * 50))
        desk.do("EndCall", call_id=call_id)
        desk.expect("call_ended")
        baresip.wait_for("CALL_CLOSED")
        baresip.stop()
        heard, heard_rate_hz = soundfile.read(baresip.heard, dtype="int16")
    in_the_ear = speech_level(ear.samples, 16000).active_dbov
    assert in_the_ear == pytest.approx(CUSTOMER_DBOV + EAR_DB, abs=1.0)
    assert speech_level(heard, heard_rate_hz).active_dbov == pytest.approx(AGENT_DBOV, abs=1.0)


@pytest.mark.parametrize("headset", [48000], indirect=True)
def test_sidetone_is_as_loud_as_set(headset: VirtualHeadset, tmp_path: Path) -> None:
    tone = write_tone(tmp_path / "tone.wav", 1000.0, 48000, 2.0)
    settings = {"headset.device": ALSA_NAME, "headset.sidetone_db": SIDETONE_DB}
    with DeskProcess(tmp_path, settings) as desk:
        desk.expect("headset", present=True)
        with SippPeer("call_until_bye", tmp_path, target=desk.target, keys={"caller": "1"}) as peer:
            call_id = desk.incoming(answer=True)
            with headset.listening() as ear:
                headset.say(tone).wait(10)
            desk.do("EndCall", call_id=call_id)
            peer.wait()
    levels = tone_levels_dbov(ear.samples / 32768, 16000, 1000.0)
    assert np.sum(np.abs(levels - TONE_DBOV - SIDETONE_DB) < 1.0) > 50  # of the 100 frames


def test_desk_without_its_headset_says_so_and_takes_it_when_it_comes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with VirtualHeadset() as headset:
        for name, value in headset.environment.items():
            monkeypatch.setenv(name, value)
        headset.unplug()
        with DeskProcess(tmp_path, {"headset.device": ALSA_NAME}) as desk:
            lost = desk.expect("headset", present=False)
            assert ALSA_NAME in lost["reason"]
            headset.plug()
            desk.expect("headset", present=True, timeout_s=2.0)
