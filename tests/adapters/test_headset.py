"""The simulated headset and the frames, without a stack."""

import struct
import threading
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pjsua2 as pj
import pytest
import soundfile

from tests.peers import wait_until
from thirdring.protocol.errors import MediaError
from thirdring_device.adapters.headset.lateness import TickHistogram
from thirdring_device.adapters.headset.recorder import EarRecorder
from thirdring_device.adapters.headset.simulator import read_sound
from thirdring_device.adapters.sip.frames import give, take
from thirdring_device.adapters.sip.sound import FRAME_SAMPLES, FramePairer


class Frame:
    """A frame as pjsua2 has it; ``address`` is what callbacks get, valid as long as the test runs."""

    kept: ClassVar[list["Frame"]] = []

    def __init__(self, value: int = 0, samples: int = FRAME_SAMPLES) -> None:
        self.kept.append(self)
        self.buf = pj.ByteVector(struct.pack(f"<{samples}h", *([value] * samples)))
        self.address = int(self.buf.this)

    @property
    def values(self) -> set[int]:
        return set(struct.unpack(f"<{len(self.buf) // 2}h", bytes(self.buf)))


def test_frames_are_copied_both_ways() -> None:
    out = np.full(FRAME_SAMPLES, 99, dtype=np.int16)
    assert take(Frame(-1234).address, out) == FRAME_SAMPLES
    assert set(out) == {-1234}
    empty = Frame(samples=0)
    assert give(empty.address, out) == 2 * FRAME_SAMPLES
    assert empty.values == {-1234}


@pytest.mark.parametrize(("samples", "expected"), [(0, 0), (100, 100), (400, FRAME_SAMPLES)])
def test_frame_of_another_length_is_cut_or_filled_with_zeros(samples: int, expected: int) -> None:
    out = np.full(FRAME_SAMPLES, 99, dtype=np.int16)
    assert take(Frame(7, samples).address, out) == expected
    assert list(out) == [7] * expected + [0] * (FRAME_SAMPLES - expected)


class Recorded:
    """Media that notes what it was given and answers with 10 times as much."""

    def __init__(self) -> None:
        self.pairs: list[tuple[int, int]] = []
        self.finished = 0

    def process(self, mouth_in: Any, ear_in: Any, mouth_out: Any, ear_out: Any) -> None:
        assert len(mouth_in) == len(ear_in) == len(mouth_out) == len(ear_out) == FRAME_SAMPLES
        self.pairs.append((int(mouth_in[0]), int(ear_in[0])))
        mouth_out[:] = 10 * mouth_in
        ear_out[:] = 10 * ear_in

    def finish(self) -> None:
        self.finished += 1


def test_every_tick_is_processed_once_and_given_in_the_next() -> None:
    pairer, media = FramePairer(), Recorded()
    pairer.start(media)
    given = []
    for tick in range(1, 6):
        to_customer, to_ear = Frame(), Frame()
        pairer.mouth_requested(to_customer.address)
        pairer.ear_requested(to_ear.address)
        given.append((to_customer.values, to_ear.values))
        pairer.mouth_received(Frame(tick).address)
        pairer.ear_received(Frame(100 + tick).address)
    assert media.pairs == [(tick, 100 + tick) for tick in range(1, 6)]
    assert given == [({0}, {0})] + [({10 * tick}, {1000 + 10 * tick}) for tick in range(1, 5)]
    assert pairer.ticks == 5


def test_missing_frame_of_a_tick_is_zeros() -> None:
    pairer, media = FramePairer(), Recorded()
    pairer.start(media)
    pairer.mouth_received(Frame(1).address)
    pairer.mouth_received(Frame(2).address)
    pairer.ear_received(Frame(3).address)
    pairer.ear_received(Frame(4).address)
    pairer.mouth_requested(Frame().address)
    assert media.pairs == [(1, 0), (2, 3), (0, 4)]


def test_empty_frame_counts_as_silence() -> None:
    pairer, media = FramePairer(), Recorded()
    pairer.start(media)
    pairer.mouth_received(Frame(samples=0).address)
    pairer.ear_received(Frame(5).address)
    assert media.pairs == [(0, 5)]


def test_nothing_is_processed_after_stop() -> None:
    pairer, media = FramePairer(), Recorded()
    pairer.start(media)
    pairer.mouth_received(Frame(1).address)
    assert pairer.stop() is media
    pairer.ear_received(Frame(2).address)
    late = Frame(9)
    pairer.mouth_requested(late.address)
    assert media.pairs == []
    assert late.values == {0}
    assert pairer.stop() is None


def test_media_that_fails_leaves_the_sound_going(caplog: pytest.LogCaptureFixture) -> None:
    class Failing(Recorded):
        def process(self, mouth_in: Any, ear_in: Any, mouth_out: Any, ear_out: Any) -> None:
            raise ZeroDivisionError

    pairer, media = FramePairer(), Failing()
    pairer.start(media)
    for value in (1, 2, 3):
        pairer.mouth_received(Frame(value).address)
        pairer.ear_received(Frame(-value).address)
        to_customer, to_ear = Frame(), Frame()
        pairer.mouth_requested(to_customer.address)
        pairer.ear_requested(to_ear.address)
        assert (to_customer.values, to_ear.values) == ({value}, {-value})
    assert len(caplog.records) == 1
    assert pairer.stop() is media


def test_stop_waits_for_the_process_that_is_running() -> None:
    entered, leave = threading.Event(), threading.Event()

    class Slow(Recorded):
        def process(self, mouth_in: Any, ear_in: Any, mouth_out: Any, ear_out: Any) -> None:
            entered.set()
            assert leave.wait(5)
            super().process(mouth_in, ear_in, mouth_out, ear_out)

    pairer, media = FramePairer(), Slow()
    pairer.start(media)
    pairer.mouth_received(Frame(1).address)
    clock = threading.Thread(target=lambda: pairer.ear_received(Frame(2).address))
    clock.start()
    assert entered.wait(5)
    stopper = threading.Thread(target=pairer.stop)
    stopper.start()
    assert stopper.is_alive()
    leave.set()
    stopper.join(5)
    clock.join(5)
    assert media.pairs == [(1, 2)]


@pytest.mark.parametrize("rate_hz", [8000, 11025, 16000, 22050, 44100, 48000])
def test_sound_of_any_rate_is_read_at_16_khz(tmp_path: Path, rate_hz: int) -> None:
    time_s = np.arange(rate_hz) / rate_hz
    tone = 0.5 * np.sin(2 * np.pi * 1000 * time_s)
    soundfile.write(tmp_path / "x.wav", np.column_stack((tone, tone)), rate_hz)
    samples = read_sound(tmp_path / "x.wav")
    assert samples.dtype == np.int16
    assert abs(len(samples) - 16000) <= 1
    middle = samples[2000:14000].astype(float)
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(0.5 / np.sqrt(2) * 32768, rel=0.01)


@pytest.mark.parametrize("content", [b"", b"no sound at all", b"RIFF\x00\x00\x00\x00WAVE"])
def test_what_is_no_sound_is_error_4000(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.wav").write_bytes(content)
    with pytest.raises(MediaError) as caught:
        read_sound(tmp_path / "x.wav")
    assert caught.value.code == 4000


def test_sound_without_samples_is_error_4000(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "x.wav", np.zeros(0), 8000)
    with pytest.raises(MediaError, match="no samples"):
        read_sound(tmp_path / "x.wav")


def test_ear_can_be_read_while_it_is_written(tmp_path: Path) -> None:
    recorder = EarRecorder(tmp_path / "ear.wav", 16000)
    try:
        recorder.write(np.full(320, 5, dtype=np.int16).tobytes())

        def written() -> bool:
            path = tmp_path / "ear.wav"
            return path.exists() and path.stat().st_size > 44 and soundfile.info(path).frames == 320

        wait_until(written, "the header tells what is there")
    finally:
        recorder.write(np.full(320, 6, dtype=np.int16).tobytes())
        recorder.close()
    samples, rate_hz = soundfile.read(tmp_path / "ear.wav", dtype="int16")
    assert rate_hz == 16000
    assert list(samples) == [5] * 320 + [6] * 320


def test_ear_that_cannot_be_written_blocks_nobody(tmp_path: Path) -> None:
    recorder = EarRecorder(tmp_path / "missing" / "ear.wav", 16000)
    for _ in range(3000):
        recorder.write(bytes(640))
    recorder.close()


def test_histogram_of_ticks() -> None:
    histogram = TickHistogram()
    nothing = {"count": 0, "max_ms": 0, "p50_ms": 0, "p99_ms": 0, "p99_9_ms": 0, "bins_ms": []}
    assert histogram.read() == nothing
    now_s = 0.0
    for interval_ms in [20.05] * 990 + [30.05] * 9 + [250.0]:
        histogram.tick(now_s)
        now_s += interval_ms / 1000
    histogram.tick(now_s)
    result = histogram.read()
    assert result["count"] == 1000
    assert result["p50_ms"] == pytest.approx(20.1)
    assert result["p99_ms"] == pytest.approx(20.1)
    assert result["p99_9_ms"] == pytest.approx(30.1)
    assert result["max_ms"] == pytest.approx(250.0)
    assert result["bins_ms"] == [[20.1, 990], [30.1, 9], [200.0, 1]]
    histogram.reset()
    assert histogram.read()["count"] == 0
    histogram.tick(now_s + 5)
    histogram.tick(now_s + 5.02)
    assert histogram.read()["count"] == 1
