"""What is for the agent alone is in the agent's ear, and not in what the customer receives."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy.signal import resample_poly

from tests.dsp import signals
from tests.integration.conftest import Unit
from tests.integration.likeness import deviations, likeness
from tests.integration.story import Story, sound_file, told
from tests.peers import SCENARIOS, SippPeer, free_port, wait_until
from tests.rtp import RtpPeer
from thirdring import CallAnswered, CallEnded, HoldEnded, RingBurst
from thirdring_device.adapters.headset.ear_sound import Earcon, EarSound
from thirdring_device.adapters.headset.ring_sound import RingSound
from thirdring_device.adapters.sip.loops import ringback
from thirdring_device.core.rings import RING_GAINS_DB

pytestmark = pytest.mark.sip

EAR_RATE_HZ, LINE_RATE_HZ = 16_000, 8_000
RING_DBOV, EARCON_DBOV, ROOM_DBOV = -20.0, -34.0, -65.0
LEAK_DB = -40.0
"""A leak that would be found."""
LIMIT = 6.5
"""Standard deviations. Of half a minute of noise at 8 kHz one lag in 6,000 such calls lies above it."""
SETTINGS = f"""\
[trunk]
server = "127.0.0.1:{{port}}"
country = "CN"
[headset]
ring_dbov = {RING_DBOV}
earcon_dbov = {EARCON_DBOV}
[audio]
agc = false
noise_gate = false
[norms.voice]
mute_limit_s = 1.0
[norms.hold]
warn_s = 1.0
[norms.prompt]
gap_s = 0.0
"""


@pytest.fixture(scope="module")
def trunk_port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def unit(trunk_port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Unit]:
    running = Unit(tmp_path_factory.mktemp("unit"), extra=SETTINGS.format(port=trunk_port))
    running.start()
    yield running
    running.stop()


def played(sound: EarSound) -> signals.Signal:
    """A sound from its beginning to its end, at 16 kHz."""
    frames = [np.zeros(320, dtype=np.int16)]
    while sound.add_to(frames[-1]):
        frames.append(np.zeros(320, dtype=np.int16))
    whole = signals.from_int16(np.concatenate(frames))
    return np.asarray(whole[: np.flatnonzero(whole)[-1] + 1])


def customer_at(line: RtpPeer, folder: Path, target: str) -> SippPeer:
    """A customer whose sound is ``line``'s: all that is sent there is kept, on hold, too."""
    scenario = (SCENARIOS / "be_held_and_taken_back.xml").read_text(encoding="utf-8")
    path = folder / "customer.xml"
    path.write_text(scenario.replace("[media_port]", str(line.port)), encoding="utf-8")
    return SippPeer(path, folder, target=target, keys={"caller": "1380"})


def agents_sounds() -> dict[str, signals.Signal]:
    """Everything that the agent alone is to hear."""
    ring, warn, urgent = RingSound(EAR_RATE_HZ), Earcon(EAR_RATE_HZ), Earcon(EAR_RATE_HZ)
    ring.ring("waiting", RING_DBOV)
    warn.sound("warn", EARCON_DBOV)
    urgent.sound("urgent", EARCON_DBOV)
    return {
        "a waiting call's ring": played(ring),
        "earcon of a prompt": played(warn),
        "earcon of an urgent prompt": played(urgent),
        "ringback": signals.from_int16(ringback("CN"))[:EAR_RATE_HZ],
    }


def test_levels_of_the_agents_sounds() -> None:
    sounds = agents_sounds()
    waiting = sounds["a waiting call's ring"]
    assert signals.rms_dbov(waiting) == pytest.approx(RING_DBOV + RING_GAINS_DB["waiting"], abs=0.2)
    assert signals.rms_dbov(sounds["earcon of a prompt"]) == pytest.approx(EARCON_DBOV, abs=0.5)


@pytest.mark.interop(
    "rings, ringback and earcons of the agent never reach the customer", peer="baresip, SIPp"
)
def test_nothing_that_is_for_the_agent_reaches_the_customer(
    unit: Unit, trunk_port: int, tmp_path: Path
) -> None:
    desk, story = unit.desk, Story(unit)
    room = signals.white(60.0, ROOM_DBOV, EAR_RATE_HZ)
    with RtpPeer() as line:
        with customer_at(line, tmp_path, unit.target) as customer:
            story.answer()
            call_id = story.call_id
            desk.speak(str(sound_file(tmp_path / "room.wav", room, EAR_RATE_HZ)))
            story.prompted("greet_now", urgency="urgent")
            story.sound(1.0)
            desk.mute()
            story.prompted("mute_end", urgency="urgent")
            desk.unmute()
            story.sound(1.0)
            with SippPeer("call_until_bye", tmp_path, target=unit.target, keys={"caller": "1381"}) as second:
                story.until(lambda r: isinstance(r.event, RingBurst) and r.event.call_id != call_id)
                story.sound(1.5)
                waiting = desk.answer()
                story.until(told(CallAnswered, call_id=waiting))
                story.prompted("hold_return", urgency="warn")
                desk.hangup(waiting)
                story.until(told(CallEnded, call_id=waiting))
                second.wait()
            with SippPeer("ring_then_answer_until_bye", tmp_path, port=trunk_port, hold_ms=2500) as colleague:
                dialled = desk.dial("02155501234", "to consult")
                story.until(told(CallAnswered, call_id=dialled))
                desk.hangup(dialled)
                story.until(told(CallEnded, call_id=dialled))
                colleague.wait()
            desk.resume(call_id)
            story.until(told(HoldEnded, call_id=call_id))
            story.sound(2.0)
            desk.hangup(call_id)
            story.until(told(CallEnded, call_id=call_id))
            customer.wait()
        heard = signals.from_int16(line.heard)
    unit.free()
    events = [record.event for record in desk.call_events(call_id)]
    (began, ended) = (
        next(e.at_s for e in events if isinstance(e, kind)) for kind in (CallAnswered, CallEnded)
    )
    assert len(heard) / LINE_RATE_HZ == pytest.approx(ended - began, abs=0.5), "all of the call is looked at"

    sounds = agents_sounds()
    ear_file = unit.state_dir / "ear.wav"
    wait_until(lambda: likeness(soundfile.read(ear_file)[0], sounds["ringback"]) > 0.9, "the ear is written")
    ear, _ = soundfile.read(ear_file)
    for name, sound in sounds.items():
        assert likeness(ear, sound) > 0.9, f"the agent heard {name}"

    said = resample_poly(room[EAR_RATE_HZ : 2 * EAR_RATE_HZ], 1, 2)
    assert deviations(heard, said).max() > 5 * LIMIT, "the customer heard the agent's room"
    for name, sound in sounds.items():
        at_line_rate = resample_poly(sound, 1, 2)
        assert deviations(heard, at_line_rate).max() < LIMIT, f"the customer heard {name}"
        leaked, at = heard.copy(), LINE_RATE_HZ * 3 // 2
        leaked[at : at + len(at_line_rate)] += 10 ** (LEAK_DB / 20) * at_line_rate
        # There, and not a period of its tone beside it: noise may lift a neighbour above it.
        found = deviations(leaked, at_line_rate)[at]
        assert found > LIMIT, f"{name} would be found {LEAK_DB} dB down"
