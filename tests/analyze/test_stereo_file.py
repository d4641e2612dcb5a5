"""Reading recordings: any rate, cut anyhow, and refusals by number."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import resample_poly

from thirdring.protocol.errors import MediaError
from thirdring_device.adapters.resample import Resampler
from thirdring_device.engine.media import FRAME_SAMPLES
from thirdring_device.stereo_file import StereoFile

RATES_HZ = [8000, 11025, 12345, 22050, 44100, 48000, 96000]


def noise(count: int, seed: int = 1) -> npt.NDArray[np.float64]:
    return np.random.default_rng(seed).uniform(-0.5, 0.5, count)


def resampled(samples: npt.NDArray[np.float64], from_hz: int, cuts: list[int]) -> npt.NDArray[np.float64]:
    resampler = Resampler(from_hz, 16000)
    pieces, start = [], 0
    for cut in [*cuts, len(samples)]:
        pieces.append(resampler.update(samples[start:cut]))
        start = cut
    return np.concatenate([*pieces, resampler.finish()])


@pytest.mark.parametrize("from_hz", RATES_HZ)
@pytest.mark.parametrize("count", [1, 7, 441, 30_011])
def test_it_agrees_with_scipy_on_the_whole_signal(from_hz: int, count: int) -> None:
    samples = noise(count)
    up, down = 16000, from_hz
    expected = resample_poly(samples, up, down)
    np.testing.assert_allclose(resampled(samples, from_hz, []), expected, atol=1e-12)


@settings(max_examples=40, deadline=None)
@given(
    from_hz=st.sampled_from([8000, 11025, 44100, 48000]),
    cuts=st.lists(st.integers(0, 5000), max_size=12).map(sorted),
)
def test_cuts_change_nothing(from_hz: int, cuts: list[int]) -> None:
    samples = noise(5000)
    assert np.array_equal(resampled(samples, from_hz, cuts), resampled(samples, from_hz, []))


def frames_of(path: Path) -> npt.NDArray[np.int16]:
    with StereoFile(path) as file:
        frames = [np.stack(frame, axis=1) for frame in file.frames()]
    assert all(len(frame) == FRAME_SAMPLES for frame in frames)
    return np.concatenate(frames)


def test_sixteen_bits_at_sixteen_kilohertz_come_out_as_they_are(tmp_path: Path) -> None:
    samples = np.random.default_rng(2).integers(-32768, 32768, (70_000, 2)).astype(np.int16)
    samples[:2] = [[-32768, 32767], [32767, -32768]]
    soundfile.write(tmp_path / "call.wav", samples, 16000)
    read = frames_of(tmp_path / "call.wav")
    assert np.array_equal(read[:70_000], samples)
    assert not read[70_000:].any()


@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE", "PCM_24", "PCM_32"])
def test_other_sample_formats_are_scaled_alike(tmp_path: Path, subtype: str) -> None:
    samples = np.stack((noise(3200), noise(3200, 2)), axis=1)
    soundfile.write(tmp_path / "call.wav", samples, 16000, subtype=subtype)
    expected = np.rint(samples * 32768)
    assert np.abs(frames_of(tmp_path / "call.wav") - expected).max() <= 1


def test_what_is_no_number_is_silence(tmp_path: Path) -> None:
    samples = np.full((640, 2), 0.25)
    samples[10] = [np.nan, np.inf]
    soundfile.write(tmp_path / "call.wav", samples, 16000, subtype="FLOAT")
    assert list(frames_of(tmp_path / "call.wav")[10]) == [0, 32767]


@pytest.mark.parametrize(
    ("channels", "rate_hz", "count", "code", "detail"),
    [
        (1, 16000, 100, 4000, "needs two channels, has 1"),
        (6, 16000, 100, 4000, "needs two channels, has 6"),
        (2, 4000, 100, 4000, "sampled at 4000 Hz; 8000 to 192000 Hz are read"),
        (2, 16000, 0, 4003, ""),
    ],
)
def test_refusals(tmp_path: Path, channels: int, rate_hz: int, count: int, code: int, detail: str) -> None:
    soundfile.write(tmp_path / "call.wav", np.zeros((count, channels)), rate_hz)
    with pytest.raises(MediaError) as refused:
        StereoFile(tmp_path / "call.wav")
    assert refused.value.code == code
    assert detail in refused.value.detail


@pytest.mark.parametrize("name", ["call.wav", "call.raw", "call.txt"])
@pytest.mark.parametrize("content", [b"", b"RIFF", b"not a sound file at all"])
def test_what_is_not_a_sound_file(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(MediaError) as refused:
        StereoFile(tmp_path / name)
    assert refused.value.code == 4000


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(MediaError):
        StereoFile(tmp_path / "nowhere.wav")
