"""Early media of outgoing calls: heard by the agent, judged by what it is."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from tests.dsp import signals
from tests.integration.conftest import Unit
from tests.integration.test_incoming_calls import TrunkUnit
from tests.peers import SippPeer, free_port
from tests.rtp import RtpPeer
from thirdring import CallAlerting, CallAnswered, CallProgress, Levels
from thirdring_device.adapters.store.reader import JournalReader
from thirdring_device.engine.replay import desk_settings, replay
from thirdring_device.settings import load_settings

pytestmark = pytest.mark.sip

RATE_HZ = 8000


@pytest.fixture(scope="module")
def unit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrunkUnit]:
    port = free_port()
    running = TrunkUnit(tmp_path_factory.mktemp("unit"), extra=f'[trunk]\nserver = "127.0.0.1:{port}"\n')
    running.trunk_port = port
    running.start()
    yield running
    running.stop()


def ringback() -> npt.NDArray[np.int16]:
    """China's: 450 Hz, 1 s on, 4 s off (ITU-T E.180 supplement)."""
    on = 0.1 * np.sin(2 * np.pi * 450 * np.arange(RATE_HZ) / RATE_HZ)
    return signals.to_int16(np.tile(np.concatenate([on, np.zeros(4 * RATE_HZ)]), 3))


def announcement() -> npt.NDArray[np.int16]:
    return signals.to_int16(
        signals.at_active_level(signals.prompts(4, sample_rate_hz=RATE_HZ), -20.0, RATE_HZ)
    )


@pytest.mark.interop("early media (183): ringback and announcement heard and told", peer="SIPp, RTP socket")
@pytest.mark.parametrize(("sound", "heard"), [("ringback", "ringback"), ("announcement", "announcement")])
def test_agent_hears_what_comes_before_the_answer_and_it_is_judged(
    unit: TrunkUnit, tmp_path: Path, sound: str, heard: str
) -> None:
    after = unit.desk.state().last_event
    with (
        RtpPeer() as rtp,
        SippPeer(
            "early_media_then_answer",
            tmp_path,
            port=unit.trunk_port,
            hold_ms=13_000,
            keys={"media": str(rtp.port), "caller": "02155501"},
        ) as peer,
    ):
        rtp.play(ringback() if sound == "ringback" else announcement())
        call_id = unit.desk.dial("13800138000")
        progress = unit.desk.wait_for("call_progress", 13.0, after=after)
        unit.desk.wait_for("call_answered", 20.0, after=after)
        unit.desk.hangup()
        peer.wait()
    unit.free()
    records = unit.desk.call_events(call_id)
    events = [record.event for record in records]
    assert isinstance(progress.event, CallProgress)
    assert {event.heard for event in events if isinstance(event, CallProgress)} == {heard}
    (answered,) = (event for event in events if isinstance(event, CallAnswered))
    (alerting,) = (event for event in events if isinstance(event, CallAlerting))
    assert alerting.early_media
    assert progress.event.at_s < answered.at_s
    loudest = max(
        level
        for event in events
        if isinstance(event, Levels) and event.at_s < answered.at_s
        for level in event.customer_rms_dbov
    )
    assert loudest > -30
    assert derived_again(unit, call_id) == [event for event in events if event.derived]


def derived_again(unit: Unit, call_id: str) -> list[object]:
    reader = JournalReader(unit.state_dir / "journal.sqlite3")
    records = reader.call_events(call_id)
    reader.close()
    # What is judged a minute after the call has not been judged live either.
    settings = desk_settings(load_settings(unit.settings, unit.state_dir))
    return list(replay(records, settings, finish=False))
