"""Reading a stereo recording (left agent, right customer) as the engine's frames of 16 kHz int16."""

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from thirdring.protocol.errors import ThirdringError, error
from thirdring_device.adapters.recording.reading import RecordingFile
from thirdring_device.adapters.resample import Resampler
from thirdring_device.engine.media import FRAME_SAMPLES, SAMPLE_RATE_HZ

__all__ = ["StereoFile"]

Floats = npt.NDArray[np.float64]
Frame = npt.NDArray[np.int16]

LOWEST_HZ, HIGHEST_HZ = 8_000, 192_000
BLOCK_SAMPLES: Final = 65_536
FULL_SCALE: Final = 32768.0


class StereoFile:
    """A recording of a call, open for reading; a context manager."""

    def __init__(self, path: Path, key_file: Path | None = None) -> None:
        """Open; ``key_file`` is for a sealed recording (see ``RecordingFile``).

        Raises ``MediaError`` 4000 (not such a sound file), 4003 (empty), 4020 to 4023 (sealed).
        """
        self.recording = RecordingFile(path, key_file)
        try:
            self._file = self.recording.open_sound()
        except ThirdringError:
            self.recording.close()
            raise
        try:
            self._check(path)
        except Exception:
            self.close()
            raise
        self.sample_rate_hz = int(self._file.samplerate)
        self.format = f"{self._file.format} {self._file.subtype}, {self._file.samplerate} Hz"
        self.duration_s = self._file.frames / self._file.samplerate

    def _check(self, path: Path) -> None:
        if self._file.channels != 2:
            raise error(4000, f"{path}: needs two channels, has {self._file.channels}")
        if not LOWEST_HZ <= self._file.samplerate <= HIGHEST_HZ:
            rate = f"{self._file.samplerate} Hz; {LOWEST_HZ} to {HIGHEST_HZ} Hz are read"
            raise error(4000, f"{path}: sampled at {rate}")
        if self._file.frames == 0:
            raise error(4003, str(path))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close; may be called twice."""
        self._file.close()
        self.recording.close()

    def frames(self) -> Iterator[tuple[Frame, Frame]]:
        """Yield agent and customer, ``FRAME_SAMPLES`` int16 each; the last frame is filled with zeros."""
        left = np.zeros((0, 2), np.int16)
        for block in self._blocks():
            left = np.concatenate((left, block))
            whole = len(left) // FRAME_SAMPLES * FRAME_SAMPLES
            for start in range(0, whole, FRAME_SAMPLES):
                yield self._frame(left[start : start + FRAME_SAMPLES])
            left = left[whole:]
        if len(left):
            yield self._frame(np.concatenate((left, np.zeros((FRAME_SAMPLES - len(left), 2), np.int16))))

    @staticmethod
    def _frame(samples: npt.NDArray[np.int16]) -> tuple[Frame, Frame]:
        return np.ascontiguousarray(samples[:, 0]), np.ascontiguousarray(samples[:, 1])

    def _blocks(self) -> Iterator[npt.NDArray[np.int16]]:
        """Yield int16 at 16 kHz; 16-bit files at 16 kHz come out as they are."""
        resamplers = (
            [Resampler(self.sample_rate_hz, SAMPLE_RATE_HZ) for _ in range(2)]
            if self.sample_rate_hz != SAMPLE_RATE_HZ
            else []
        )
        for block in self._file.blocks(BLOCK_SAMPLES, dtype="float64", always_2d=True):
            block = np.nan_to_num(block, nan=0.0, posinf=1.0, neginf=-1.0)
            if resamplers:
                block = np.stack([r.update(block[:, i]) for i, r in enumerate(resamplers)], axis=1)
            yield _int16(block)
        if resamplers:
            yield _int16(np.stack([resampler.finish() for resampler in resamplers], axis=1))


def _int16(samples: Floats) -> npt.NDArray[np.int16]:
    return np.clip(np.rint(samples * FULL_SCALE), -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)
