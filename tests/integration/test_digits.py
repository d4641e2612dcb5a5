"""Digits that come in by several ways, through the whole appliance."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from tests.integration.conftest import Unit
from tests.peers import SippPeer
from tests.rtp import RtpPeer
from thirdring import Dtmf, Levels, Record, RingBurst

pytestmark = pytest.mark.sip

RATE_HZ = 8000
PAIRS_HZ = {"5": (770, 1336), "7": (852, 1209)}
"""ITU-T Q.23."""


@pytest.fixture(scope="module")
def unit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Unit]:
    running = Unit(tmp_path_factory.mktemp("unit"))
    running.start()
    yield running
    running.stop()


def tone(digit: str) -> npt.NDArray[np.int16]:
    t_s = np.arange(RATE_HZ // 10) / RATE_HZ
    pressed = sum(5000 * np.sin(2 * np.pi * hz * t_s) for hz in PAIRS_HZ[digit])
    return np.concatenate([np.asarray(pressed), np.zeros(RATE_HZ // 5)]).astype(np.int16)


def first_ring(record: Record) -> bool:
    return isinstance(record.event, RingBurst) and record.event.ring == 1


@pytest.mark.interop(
    "DTMF in: event and tone of one press told once, a tone alone told, too", peer="RTP socket"
)
def test_press_is_told_once_and_a_tone_alone_is_a_press(unit: Unit, tmp_path: Path) -> None:
    desk = unit.desk
    after = desk.state().last_event
    with (
        RtpPeer() as rtp,
        SippPeer(
            "call_with_media_elsewhere",
            tmp_path,
            target=unit.target,
            keys={"caller": "1380", **rtp.ports},
        ) as peer,
    ):
        desk.wait_for(first_ring, 10.0, after=after)
        call_id = desk.answer()
        desk.wait_for("levels", 10.0, after=after)
        rtp.press("5")
        rtp.play(tone("5"))
        mark = desk.wait_for("dtmf", 10.0, after=after).number
        for _ in range(4):
            mark = desk.wait_for(Levels, 10.0, after=mark).number
        rtp.play(tone("7"))
        desk.wait_for(lambda r: isinstance(r.event, Dtmf) and r.event.digit == "7", 10.0, after=mark)
        desk.hangup()
        peer.wait()
    unit.free()
    digits = [r.event for r in desk.call_events(call_id) if isinstance(r.event, Dtmf)]
    assert [(event.digit, event.method) for event in digits] == [("5", "event"), ("7", "tone")]
