"""Both sides are told that they are recorded: before it begins, and every 15 s."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from tests.peers import wait_until
from tests.recording.test_recorder import CALL_ID, FACTS, heard, talk
from tests.recording.test_recordings import Bench
from thirdring.protocol.errors import MediaError
from thirdring.protocol.events import CallAnswered, Record, RecordingEnded, RecordingStarted, Verdict
from thirdring_device.adapters.media import CallMedia
from thirdring_device.engine.announcement import Announced, announcement, warning_tone

Samples = npt.NDArray[np.int16]

RATE_HZ = 16_000
FRAME = 320
ANSWERED = Record(2, "2026-03-02T08:15:05Z", CallAnswered(at_s=2.0, call_id=CALL_ID))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with ThreadPoolExecutor(1) as workers:
        yield Bench(tmp_path, workers)


class Through:
    """A call's sound that lets everything through."""

    def __init__(self, tap: object) -> None:
        self.tap = tap

    def process(self, mouth_in: Samples, ear_in: Samples, mouth_out: Samples, ear_out: Samples) -> None:
        mouth_out[:], ear_out[:] = mouth_in, ear_in
        if callable(self.tap):
            self.tap(mouth_in, ear_in)

    def finish(self) -> None:
        """Nothing is left."""


def run(media: CallMedia, agent: Samples, customer: Samples) -> tuple[Samples, Samples]:
    """Return what the customer and what the agent hear."""
    outs: list[tuple[Samples, Samples]] = []
    for at in range(0, len(agent), FRAME):
        mouth, ear = np.zeros(FRAME, np.int16), np.zeros(FRAME, np.int16)
        media.process(agent[at : at + FRAME], customer[at : at + FRAME], mouth, ear)
        outs.append((mouth, ear))
    return np.concatenate([mouth for mouth, _ in outs]), np.concatenate([ear for _, ear in outs])


def power_db(samples: Samples, f_hz: float) -> float:
    """Return the level of one frequency, dBov."""
    time_s = np.arange(len(samples)) / RATE_HZ
    amplitude = 2 * abs(np.mean(samples * np.exp(-2j * np.pi * f_hz * time_s)))
    return float(20 * np.log10(max(amplitude / np.sqrt(2.0), 1e-9) / 32768.0))


def test_both_hear_the_announcement_and_recording_begins_behind_it(bench: Bench, tmp_path: Path) -> None:
    said = np.rint(5000 * np.sin(2 * np.pi * 500 * np.arange(24_000) / 48_000)).astype(np.int16)
    soundfile.write(tmp_path / "said.wav", said, 48_000)
    bench.settings = replace(bench.settings, announce=str(tmp_path / "said.wav"), encrypted=False)
    media = bench.recordings.media(CALL_ID, Through)
    assert isinstance(media, Announced)
    agent, customer = talk(1.0)
    before = run(media, agent, customer)
    assert (before[0] == agent).all()  # not answered yet
    bench.recordings.note([FACTS[0], ANSWERED])
    mouth, ear = run(media, agent, customer)
    told = announcement(str(tmp_path / "said.wav"))
    assert len(told) == 8000
    assert (mouth[:8000] == told).all()
    assert (ear[:8000] == told).all()
    assert (mouth[8000:] == agent[8000:]).all()
    assert (ear[8000:] == customer[8000:]).all()
    media.finish()
    bench.recordings.note(FACTS[1:])
    wait_until(lambda: any(isinstance(event, RecordingEnded) for event in bench.told), "it is closed")
    (started,) = (event for event in bench.told if isinstance(event, RecordingStarted))
    assert started.start_s == 1.5
    sound, facts = heard(bench.recordings.named(CALL_ID))
    assert not sound[:24_000].any()
    assert (sound[24_000:, 0] == agent[8000:]).all()
    assert (sound[24_000:, 1] == customer[8000:]).all()
    assert isinstance(facts[-1].event, Verdict)  # its sound is not all of the call's


def test_the_tone_sounds_every_15_s_while_the_call_is_recorded(bench: Bench) -> None:
    bench.settings = replace(bench.settings, warning_tone=True)
    bench.recordings.note([FACTS[0], ANSWERED])  # before its sound is there
    media = bench.recordings.media(CALL_ID, Through)
    agent, customer = (np.zeros(32 * RATE_HZ, np.int16) for _ in range(2))
    mouth, ear = run(media, agent, customer)
    assert (mouth == ear).all()
    for start_s in (0, 15, 30):
        tone = mouth[start_s * RATE_HZ : start_s * RATE_HZ + RATE_HZ // 2]
        assert power_db(tone, 1400.0) == pytest.approx(-26.0, abs=0.2)
        mouth[start_s * RATE_HZ : start_s * RATE_HZ + RATE_HZ // 2] = 0
    assert not mouth.any()
    bench.recordings.mask(CALL_ID, True)
    mouth, _ = run(media, agent, customer)
    assert not mouth.any()
    bench.recordings.close_all()


def test_the_tone_is_added_to_what_is_said_without_wrapping(bench: Bench) -> None:
    bench.settings = replace(bench.settings, announce="beep", warning_tone=True)
    media = bench.recordings.media(CALL_ID, Through)
    bench.recordings.note([ANSWERED])
    loud = np.full(RATE_HZ, 32_000, np.int16)
    mouth, ear = run(media, loud, -loud)
    tone = warning_tone()
    assert (mouth[:8000] == tone).all()  # the announcement
    assert (mouth[8000:16_000] == np.clip(tone.astype(np.int32) + 32_000, -32_768, 32_767)).all()
    assert (ear[8000:16_000] == np.clip(tone.astype(np.int32) - 32_000, -32_768, 32_767)).all()
    bench.recordings.close_all()


def test_without_its_announcement_a_call_is_not_recorded(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "no sound.wav").write_text("none")
    for name in ("missing.wav", "no sound.wav"):
        bench.settings = replace(bench.settings, announce=str(tmp_path / name))
        assert isinstance(bench.recordings.media(CALL_ID, Through), Through)
    assert [(event.kind, getattr(event, "code", 0)) for event in bench.told] == [
        ("recording_ended", 4026),
        ("recording_ended", 4026),
    ]
    assert not (tmp_path / "recordings").exists()


def test_a_long_announcement_is_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "long.wav", np.zeros(8000 * 61, np.int16), 8000)
    with pytest.raises(MediaError) as refused:
        announcement(str(tmp_path / "long.wav"))
    assert refused.value.code == 4026
    assert len(announcement("")) == 0
