"""What the settings of jitter buffer and loss concealment do to sound that comes over a bad wire."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tests.adapters.desk_process import DeskProcess
from tests.peers import LOOPBACK, SippPeer
from tests.relay import UdpRelay
from tests.rtp import RtpPeer

pytestmark = pytest.mark.sip

TONE_HZ = 700.0
AMPLITUDE = 0.25
RATE_HZ = 8000


@dataclass(frozen=True)
class Heard:
    """``missing``: share of the tone that is silence, in steps of 5 ms; ``quality``: the call's figures."""

    missing: float
    quality: dict[str, Any]


def call_over(wire: UdpRelay, folder: Path, settings: dict[str, Any], seconds: int = 8) -> Heard:
    """Send a tone over ``wire`` to a desk with ``settings``; return what its agent hears."""
    folder.mkdir(exist_ok=True)
    t_s = np.arange(RATE_HZ * seconds) / RATE_HZ
    tone = (32767 * AMPLITUDE * np.sin(2 * np.pi * TONE_HZ * t_s)).astype(np.int16)
    with wire, RtpPeer(remote=(LOOPBACK, wire.far_port)) as rtp, DeskProcess(folder, settings) as desk:
        keys = {"caller": "1380", **rtp.ports, "media": str(wire.near_port)}
        with SippPeer("call_with_media_elsewhere", folder, target=desk.target, keys=keys) as sipp:
            call_id = desk.incoming(answer=True)
            desk.ask("wait_ticks", call_id=call_id, ticks=100)  # the buffer has learned the wire
            rtp.play(tone)
            desk.do("wait_ticks", call_id=call_id, ticks=100 + 50 * seconds + 50)
            desk.expect("wait_ticks", timeout_s=40)
            desk.do("EndCall", call_id=call_id)
            quality = desk.expect("call_quality", call_id=call_id)
            sipp.wait()
    sound, rate_hz = soundfile.read(folder / f"{call_id}.wav")
    block = rate_hz // 200
    blocks = sound[: len(sound) // block * block, 1].reshape(-1, block)
    rms = np.sqrt(np.mean(blocks**2, axis=1))
    there = np.flatnonzero(rms > AMPLITUDE / 2)
    return Heard(float(np.mean(rms[there[0] : there[-1] + 1] < AMPLITUDE / 20)), quality)


@pytest.mark.interop("loss concealment on and off, 8 % of the packets lost", peer="SIPp, lossy relay")
def test_gaps_of_lost_packets_are_filled_as_set(tmp_path: Path) -> None:
    heard = {
        plc: call_over(UdpRelay(loss=0.08, seed=7), tmp_path / str(plc), {"sip.plc": plc})
        for plc in (False, True)
    }
    assert 5.0 <= heard[True].quality["lost_percent"] <= 11.0
    assert heard[False].missing >= 0.05, "what is lost is silence"
    assert heard[True].missing <= heard[False].missing / 4


@pytest.mark.interop(
    "jitter buffer small and large, packets late by up to 120 ms", peer="SIPp, jittery relay"
)
def test_late_packets_are_waited_for_as_set(tmp_path: Path) -> None:
    buffers = {
        "small": {"sip.jitter_max_ms": 60},
        "large": {"sip.jitter_min_ms": 160, "sip.jitter_start_ms": 160},
    }
    heard = {
        name: call_over(
            UdpRelay(loss=0.0, seed=7, delay_ms=(0.0, 120.0)), tmp_path / name, {"sip.plc": False, **settings}
        )
        for name, settings in buffers.items()
    }
    assert heard["small"].quality["buffer_ms"] <= 60
    assert heard["large"].quality["buffer_ms"] >= 2 * heard["small"].quality["buffer_ms"]
    assert heard["large"].missing <= heard["small"].missing / 4
