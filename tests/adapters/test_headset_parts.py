"""The parts of the driver of real headsets, without a device: buffer, names, ringer, its own frames."""

import ctypes
import errno
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.adapters.test_headset import Frame, Recorded
from tests.peers import wait_until
from thirdring.protocol.errors import MediaError, StorageError
from thirdring_device.adapters.headset import alsa
from thirdring_device.adapters.headset.alsa import AlsaError, Pcm
from thirdring_device.adapters.headset.choose import check_opens, devices
from thirdring_device.adapters.headset.ear_sound import EARCON_OFF_DBOV, Earcon
from thirdring_device.adapters.headset.elastic import MOST_GROWN, ElasticBuffer
from thirdring_device.adapters.headset.names import alsa_name, check_device
from thirdring_device.adapters.headset.ring_sound import RingSound
from thirdring_device.adapters.headset.sides import DeviceSide
from thirdring_device.adapters.sip.sound import FramePairer
from thirdring_device.sound_settings import HeadsetSettings

RATE_HZ, FRAME, MARGIN, LIMIT = 16000, 320, 80, 1600
WAITING = 8
"""Samples that come out only when more has come: half of what the interpolation looks at."""


def tone(samples: int, frequency_hz: float = 440.0) -> Any:
    phase = 2 * np.pi * frequency_hz * np.arange(samples) / RATE_HZ
    return np.rint(8000 * np.sin(phase)).astype(np.int16)


def pumped(
    put_samples: int, takes: int, drift_ppm: float = 0.0, wave: Callable[[int], Any] = tone
) -> tuple[ElasticBuffer, Any, list[int]]:
    """Put blocks by a clock that drifts, take frames; return the buffer, what came and what was left."""
    buffer = ElasticBuffer(RATE_HZ, MARGIN, LIMIT)
    source = wave(int(takes * FRAME * 1.01) + 4 * FRAME)
    out, left, given, due = np.zeros(FRAME, dtype=np.int16), [], 0, 0.0
    frames = []
    for _ in range(takes):
        due += FRAME * (1 + drift_ppm * 1e-6)
        while given + put_samples <= due:
            buffer.put(source[given : given + put_samples])
            given += put_samples
        if buffer.take(out) == FRAME:
            frames.append(out.copy())
        left.append(buffer.count)
    return buffer, np.concatenate(frames), left


def test_samples_pass_unchanged_where_the_clocks_agree() -> None:
    buffer, heard, left = pumped(80, 500)
    assert buffer.missing == 0
    begin = FRAME - MARGIN - WAITING  # what was more than the margin at the first frame
    assert np.array_equal(heard, tone(begin + len(heard))[begin:])
    assert max(left[10:]) <= 2 * MARGIN


@pytest.mark.parametrize("drift_ppm", [-300.0, 300.0])
def test_drift_of_the_device_is_made_up_for_without_a_gap(drift_ppm: float) -> None:
    buffer, heard, left = pumped(80, 3000, drift_ppm)
    assert buffer.missing <= FRAME  # while the margin is still being found
    assert max(left[100:]) < 3 * MARGIN
    steps = np.abs(np.diff(heard[FRAME * 100 :].astype(int)))
    assert steps.max() < 1.1 * 8000 * 2 * np.pi * 440 / RATE_HZ, "no jump in the wave"


@pytest.mark.parametrize("frequency_hz", [300.0, 1020.0, 3400.0])
@pytest.mark.parametrize("drift_ppm", [-300.0, 300.0])
def test_drift_changes_no_frequency_by_what_a_telephone_circuit_may(
    drift_ppm: float, frequency_hz: float
) -> None:
    """ITU-T G.135: 2 Hz; and the level stays, as ITU-T G.712 has it, within half a decibel."""
    _, heard, _ = pumped(80, 3000, drift_ppm, lambda samples: tone(samples, frequency_hz))
    window = RATE_HZ // 2
    steady = heard[FRAME * 100 :].astype(float)
    windows = steady[: len(steady) // window * window].reshape(-1, window) * np.hanning(window)
    spectra = np.abs(np.fft.rfft(windows, 16 * window))
    found_hz = np.argmax(spectra, axis=1) * RATE_HZ / (16 * window)
    assert np.abs(found_hz - frequency_hz).max() <= 2.0
    levels_db = 20 * np.log10(spectra.max(axis=1) / (8000 * np.hanning(window).sum() / 2))
    assert np.abs(levels_db).max() < 0.5
    within = np.abs(np.fft.rfftfreq(16 * window, 1 / RATE_HZ) - frequency_hz) < 20.0
    rest = (spectra[:, ~within] ** 2).sum(axis=1) / (spectra[:, within] ** 2).sum(axis=1)
    assert 10 * np.log10(rest).max() < -50.0


@pytest.mark.parametrize("drift_ppm", [-300.0, 300.0])
def test_drift_makes_nothing_louder_than_it_was(drift_ppm: float) -> None:
    """The limiter for the agent's ear comes before; a wave that it has cut off would swing over its edges."""
    limit = 4000
    _, heard, _ = pumped(80, 3000, drift_ppm, lambda samples: np.clip(tone(samples, 990.0), -limit, limit))
    assert np.abs(heard.astype(int)).max() == limit


def test_buffer_grows_when_a_thread_comes_late_and_shrinks_when_it_no_longer_does() -> None:
    buffer, out = ElasticBuffer(RATE_HZ, MARGIN, LIMIT), np.zeros(FRAME, dtype=np.int16)
    buffer.put(tone(MARGIN))

    def pump(seconds: float) -> None:
        for _ in range(int(seconds * RATE_HZ / FRAME)):
            buffer.put(tone(FRAME))
            assert buffer.take(out) == FRAME

    def come_late(by: int) -> int:
        """Put a frame as much too late as that; return what was missing."""
        buffer.put(tone(FRAME - by))
        missing = FRAME - buffer.take(out)
        buffer.put(tone(by))
        return missing

    pump(2.0)
    assert buffer.count == MARGIN
    assert come_late(2 * MARGIN) == MARGIN
    for _ in range(3):
        pump(4.0)
        assert come_late(2 * MARGIN) == 0, "it remembers"
    longest = buffer.count
    assert longest <= 3.5 * MARGIN
    pump(8.0)
    assert buffer.count >= longest - MARGIN, "it does not hunt"
    pump(20.0)
    assert buffer.count < 2 * MARGIN


def test_a_standstill_does_not_leave_a_long_delay() -> None:
    buffer, out = ElasticBuffer(RATE_HZ, MARGIN, LIMIT), np.zeros(FRAME, dtype=np.int16)
    buffer.put(tone(MARGIN))
    for _ in range(100):
        buffer.put(tone(FRAME))
        buffer.take(out)
    buffer.put(tone(20))
    assert buffer.take(out) < FRAME
    buffer.put(tone(4 * FRAME))
    for _ in range(150):
        buffer.put(tone(FRAME))
        assert buffer.take(out) == FRAME
    assert buffer.count <= MARGIN + MOST_GROWN * LIMIT + MARGIN


def test_what_is_older_than_the_limit_is_dropped() -> None:
    buffer, out = ElasticBuffer(RATE_HZ, MARGIN, LIMIT), np.zeros(FRAME, dtype=np.int16)
    for start in range(10):
        buffer.put(np.full(FRAME, start, dtype=np.int16))
    assert buffer.take(out) == FRAME
    assert out[-1] == 9 or out[-1] == 8


def card(proc: Path, number: int, name: str, usb_id: str | None) -> None:
    folder = proc / f"card{number}"
    folder.mkdir(parents=True)
    (folder / "id").write_text(f"{name}\n")
    if usb_id is not None:
        (folder / "usbid").write_text(f"{usb_id}\n")


def test_usb_id_is_found_among_the_cards(tmp_path: Path) -> None:
    card(tmp_path, 0, "PCH", None)
    card(tmp_path, 1, "Headset", "0b0e:0300")
    assert alsa_name("usb:0B0E:0300", tmp_path) == "plughw:CARD=Headset,DEV=0"
    with pytest.raises(MediaError) as caught:
        alsa_name("usb:1111:2222", tmp_path)
    assert caught.value.code == 4001


def test_hardware_is_opened_through_the_plug_layer_and_other_names_as_they_are() -> None:
    assert alsa_name("hw:CARD=Headset") == "plughw:CARD=Headset"
    assert alsa_name("default") == "default"


@pytest.mark.parametrize("device", ["", "usb:12:34", "usb:0b0e", "usb:zzzz:0000"])
def test_name_that_can_be_no_device_is_error_5005(device: str) -> None:
    with pytest.raises(StorageError) as caught:
        check_device(device)
    assert caught.value.code == 5005


def test_device_that_is_not_there_is_error_4001_in_alsas_words() -> None:
    with pytest.raises(AlsaError, match="no-such-device"):
        Pcm("no-such-device", "capture", RATE_HZ, 40)
    with pytest.raises(MediaError) as caught:
        check_opens("no-such-device")
    assert caught.value.code == 4001


def test_devices_of_the_settings() -> None:
    assert devices(HeadsetSettings()) == []
    assert devices(HeadsetSettings(device="a")) == ["a"]
    assert devices(HeadsetSettings(device="a", ring_device="b")) == ["a", "b"]


def test_ring_is_as_loud_as_set_grows_with_urgency_and_stops_at_once() -> None:
    def level_dbov(urgency: Any) -> float:
        ringer, frame = RingSound(RATE_HZ), np.zeros(FRAME, dtype=np.int16)
        ringer.ring(urgency, -30.0)
        assert ringer.add_to(frame)
        frame[:] = 0
        assert ringer.add_to(frame)
        ringer.ring(None, -30.0)
        assert not ringer.add_to(np.zeros(FRAME, dtype=np.int16))
        return float(20 * np.log10(np.sqrt(np.mean((frame / 32768) ** 2))))

    assert level_dbov("normal") == pytest.approx(-30.0, abs=0.2)
    assert level_dbov("warn") == pytest.approx(-24.0, abs=0.2)
    assert level_dbov("waiting") == pytest.approx(-50.0, abs=0.2)


@pytest.mark.parametrize(("urgency", "tones"), [("warn", 2), ("urgent", 4)])
def test_earcon_is_short_and_as_loud_as_set_and_none_when_it_is_off(urgency: Any, tones: int) -> None:
    earcon, frames = Earcon(RATE_HZ), [np.zeros(FRAME, dtype=np.int16)]
    earcon.sound(urgency, -34.0)
    while earcon.add_to(frames[-1]):
        frames.append(np.zeros(FRAME, dtype=np.int16))
    played = np.concatenate(frames) / 32768
    sounding = played[np.abs(played) > 0.001]
    assert len(played) / RATE_HZ < 0.5
    energy = np.sum(played**2) / (tones * 0.09 * RATE_HZ)
    assert 10 * np.log10(energy) == pytest.approx(-34.0, abs=0.5)
    assert len(sounding) > 0.8 * tones * 0.09 * RATE_HZ
    earcon.sound(urgency, EARCON_OFF_DBOV)
    assert not earcon.add_to(np.zeros(FRAME, dtype=np.int16))


def test_frame_of_a_headset_with_its_own_microphone_goes_out_in_the_same_tick() -> None:
    pairer, media, spoken = FramePairer(), Recorded(), iter(range(1, 10))

    def speak(out: Any) -> None:
        out[:] = next(spoken)

    pairer.start(media)
    pairer.spoken = speak
    given = []
    for tick in range(1, 4):
        to_customer, to_ear = Frame(), Frame()
        pairer.mouth_requested(to_customer.address)
        pairer.ear_requested(to_ear.address)
        given.append((to_customer.values, to_ear.values))
        pairer.mouth_received(Frame(samples=0).address)
        pairer.ear_received(Frame(100 + tick).address)
    assert media.pairs == [(1, 0), (2, 101), (3, 102)]
    assert given == [({10}, {0}), ({20}, {1010}), ({30}, {1020})]
    pairer.spoken = None
    pairer.mouth_requested(Frame().address)
    assert media.pairs[3:] == [(0, 103)]


class LateLibrary:
    """A libasound whose device is overrun ``late`` times before it gives samples, and only when started."""

    def __init__(self, late: int) -> None:
        self.late = late
        self.prepared = self.started = 0
        function = ctypes.CFUNCTYPE(ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_ulong)
        self.snd_pcm_readi = function(self._read)

    def _read(self, handle: object, data: object, count: int) -> int:
        if self.started <= self.prepared:
            return -errno.EIO
        self.late -= 1
        if self.late >= 0:
            return -errno.EPIPE
        time.sleep(count / RATE_HZ)
        return count

    def snd_pcm_prepare(self, handle: object) -> int:
        self.prepared += 1
        return 0

    def snd_pcm_start(self, handle: object) -> int:
        self.started += 1
        return 0

    def snd_strerror(self, number: int) -> bytes:
        return b"Broken pipe"

    def __getattr__(self, name: str) -> Callable[..., int]:
        return lambda *_: 0


def side_of(library: LateLibrary, monkeypatch: pytest.MonkeyPatch) -> DeviceSide:
    monkeypatch.setattr(alsa, "_library", lambda: library)
    buffer = ElasticBuffer(RATE_HZ, MARGIN, LIMIT)
    return DeviceSide("late", "capture", buffer, rate_hz=RATE_HZ, block_ms=5)


@pytest.mark.parametrize("late", [1, 2, 15])
def test_late_reader_does_not_lose_the_device(late: int, monkeypatch: pytest.MonkeyPatch) -> None:
    library = LateLibrary(late)
    side = side_of(library, monkeypatch)
    side.start()
    wait_until(lambda: side.buffer.count >= FRAME, "samples come")
    assert side.alive(time.monotonic())
    assert library.prepared == late
    assert side.reason == ""
    side.close()


def test_device_that_is_overrun_for_ever_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    side = side_of(LateLibrary(1_000_000), monkeypatch)
    side.start()
    wait_until(lambda: "Broken pipe" in side.reason, "it is told")
    assert not side.alive(time.monotonic())
    side.close()


@pytest.mark.parametrize("loud_dbov", [-6.0, -30.0])
def test_a_sound_for_the_agent_does_not_pass_the_limit_of_what_is_heard(loud_dbov: float) -> None:
    earcon = Earcon(RATE_HZ)
    earcon.sound("warn", -34.0)
    peak = round(32768 * 10 ** (loud_dbov / 20))
    frame = np.where(np.arange(FRAME) % 2, peak, -peak).astype(np.int16)
    before = frame.copy()
    assert earcon.add_to(frame)
    assert not np.array_equal(frame, before), "it is heard"
    assert np.abs(frame.astype(int)).max() <= peak
