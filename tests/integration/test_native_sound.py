"""The whole appliance at a real sound device: unplugged in a call, and ringing on a second device."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tests.adapters.test_sip_sound import tone_levels_dbov, write_tone
from tests.integration.conftest import Unit
from tests.integration.test_api_errors import Requests
from tests.peers import BaresipPeer, wait_until
from tests.virtual_headset import ALSA_NAME, BELL, VirtualHeadset
from thirdring import CallEnded, HeadsetChanged, Record
from thirdring_device.engine.headset_check import LISTEN_S

pytestmark = pytest.mark.sip

UNPLUGGED_S = 5.0
BACK_WITHIN_S = 2.0
GAP_S = 0.3
"""Once sound is back it stays; PulseAudio has no real-time priority here and may come late."""
RING_DBOV, NOISE_DBOV = -20.0, -60.0
AGENT_HZ, CUSTOMER_HZ, TONE_DBOV = 1900.0, 700.0, -15.05
SETTINGS = f"""\
[headset]
device = "{ALSA_NAME}"
ring_device = "{BELL}"
ring_dbov = {RING_DBOV}
comfort_noise_dbov = {NOISE_DBOV}
[audio]
agc = false
noise_gate = false
ear_ceiling_dbov = 0.0
"""


@pytest.fixture(scope="module")
def headset() -> Iterator[VirtualHeadset]:
    with VirtualHeadset() as virtual:
        yield virtual


@pytest.fixture(scope="module")
def unit(headset: VirtualHeadset, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Unit]:
    running = Unit(tmp_path_factory.mktemp("unit"), extra=SETTINGS)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in headset.environment.items():
            patch.setenv(name, value)
        running.start()
    yield running
    running.stop()


def is_headset(state: str) -> Callable[[Record], bool]:
    return lambda record: isinstance(record.event, HeadsetChanged) and record.event.state == state


def lamp(unit: Unit) -> object:
    return json.loads((unit.state_dir / "board.json").read_text(encoding="utf-8"))["headset"]


@pytest.mark.interop("ringer on a second sound device, as loud as set", peer="baresip")
def test_second_device_rings_and_the_ear_stays_silent(
    unit: Unit, headset: VirtualHeadset, tmp_path: Path
) -> None:
    silence = write_tone(tmp_path / "customer.wav", CUSTOMER_HZ, 8000, 0.1)
    after = unit.desk.state().last_event
    with (
        headset.bell(),
        BaresipPeer(tmp_path, speaks=silence) as peer,
        headset.listening(BELL) as bell,
        headset.listening() as ear,
    ):
        peer.dial(f"sip:desk@{unit.target}")
        unit.desk.wait_for("ring_burst", 10.0, after=after)
        begin_s = bell.duration_s
        wait_until(lambda: bell.duration_s > begin_s + 2.0, "a ring is heard")
        peer.hang_up()
    unit.free()
    blocks = bell.samples[: len(bell.samples) // 320 * 320].reshape(-1, 320) / 32768
    levels = 20 * np.log10(np.maximum(1e-5, np.sqrt(np.mean(blocks**2, axis=1))))
    sounding = levels[levels > RING_DBOV - 20]
    assert 0.9 < len(sounding) * 0.02 < 1.2
    assert np.median(sounding) == pytest.approx(RING_DBOV, abs=1.0)
    assert not np.any(ear.samples)


def test_headset_test_is_heard_in_the_ear(unit: Unit, headset: VirtualHeadset, tmp_path: Path) -> None:
    agent = write_tone(tmp_path / "agent.wav", AGENT_HZ, 48000, 30.0)
    ask = Requests(unit)

    def state() -> str:
        return str(ask.http.get("/v1/headset/test").json()["state"])

    with headset.listening() as ear:
        speaker = headset.say(agent)
        assert ask.post("headset/test").is_success
        begin_s = ear.duration_s
        wait_until(lambda: ear.duration_s > begin_s + LISTEN_S + 1.0, "it has listened", 20.0)
        played_s = begin_s + LISTEN_S
        assert state() == "playing"
        wait_until(lambda: ear.duration_s > played_s + LISTEN_S, "the ear has heard it")
    speaker.terminate()
    speaker.wait()
    ask.http.close()
    heard = _is_heard(ear.samples / 32768, 16000, AGENT_HZ)
    before = int((played_s - 1.0) * 50)
    assert not np.any(heard[:before]), "nothing is heard while it listens"
    assert np.sum(heard[before:]) * 0.02 > GAP_S, "then what was said is, as loud as it was"


@pytest.mark.interop("headset unplugged for 5 s in a call: call kept, sound back within 2 s", peer="baresip")
def test_call_survives_the_headset_being_unplugged(
    unit: Unit, headset: VirtualHeadset, tmp_path: Path
) -> None:
    customer = write_tone(tmp_path / "customer.wav", CUSTOMER_HZ, 8000, 30.0)
    agent = write_tone(tmp_path / "agent.wav", AGENT_HZ, 48000, 30.0)
    after = unit.desk.state().last_event
    with BaresipPeer(tmp_path, speaks=customer) as peer:
        peer.dial(f"sip:desk@{unit.target}")
        unit.desk.wait_for("ring_burst", 10.0, after=after)
        call_id = unit.desk.answer()
        unit.desk.wait_for("media_started", 10.0, after=after)
        with headset.listening() as ear:
            speaker = headset.say(agent)
            wait_until(lambda: ear.duration_s > 2.0, "sound goes both ways")
        unplugged_s = time.monotonic()
        headset.unplug()
        speaker.terminate()
        speaker.wait()
        lost = unit.desk.wait_for(is_headset("lost"), 3.0, after=after)
        wait_until(lambda: lamp(unit) == "lost", "the lamp is lit")
        wait_until(lambda: time.monotonic() - unplugged_s >= UNPLUGGED_S, "5 s are over")
        headset.plug()
        gone_s = time.monotonic() - unplugged_s
        speaker = headset.say(agent)
        with headset.listening() as ear_again:
            back = unit.desk.wait_for(is_headset("present"), BACK_WITHIN_S, after=lost.number)
            wait_until(lambda: ear_again.duration_s > BACK_WITHIN_S + 1.0, "sound goes both ways again")
        wait_until(lambda: lamp(unit) == "ok", "the lamp is out")
        assert [call.call_id for call in unit.desk.state().calls] == [call_id]
        unit.desk.hangup()
        ended = unit.desk.wait_for("call_ended", 10.0, after=back.number)
        peer.wait_for("CALL_CLOSED")
        speaker.terminate()
        speaker.wait()
        peer.stop()
        heard, rate_hz = soundfile.read(peer.heard)
    assert isinstance(ended.event, CallEnded)
    assert ended.event.by == "agent"
    customer_heard = _is_heard(ear_again.samples / 32768, 16000, CUSTOMER_HZ)
    assert np.flatnonzero(customer_heard)[0] * 0.02 < BACK_WITHIN_S
    assert _longest_gap_s(customer_heard[int(BACK_WITHIN_S * 50) :]) < GAP_S
    agent_heard = np.flatnonzero(_is_heard(heard, rate_hz, AGENT_HZ))
    longest = int(np.argmax(np.diff(agent_heard)))
    begin, end = agent_heard[longest] + 1, agent_heard[longest + 1]
    assert gone_s - 0.5 < (end - begin) * 0.02 < gone_s + BACK_WITHIN_S
    assert _longest_gap_s(_is_heard(heard, rate_hz, AGENT_HZ)[end:]) < GAP_S
    gap = heard[begin * rate_hz // 50 : end * rate_hz // 50]
    noise = gap[rate_hz // 2 : -rate_hz // 2].reshape(-1)
    assert 10 * np.log10(np.mean(noise**2)) == pytest.approx(NOISE_DBOV, abs=3.0)
    blocks = noise[: len(noise) // 160 * 160].reshape(-1, 160)
    assert np.all(np.any(blocks != 0, axis=1)), "the customer never hears a dead line"


def _longest_gap_s(is_heard: Any) -> float:
    there = np.concatenate(([-1], np.flatnonzero(is_heard), [len(is_heard)]))
    return float(np.max(np.diff(there)) - 1) * 0.02


def _is_heard(samples: Any, rate_hz: int, frequency_hz: float) -> Any:
    """Return for every 20 ms whether the tone is there within 1 dB of its level."""
    return np.abs(tone_levels_dbov(samples, rate_hz, frequency_hz) - TONE_DBOV) < 1.0
