"""Reading a stereo recording (left agent, right customer) as the engine's frames of 16 kHz int16."""

import math
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import numpy as np
import numpy.typing as npt
from scipy.signal import firwin, upfirdn

from thirdring.protocol.errors import ThirdringError, error
from thirdring_device.adapters.recording.reading import RecordingFile
from thirdring_device.engine.media import FRAME_SAMPLES, SAMPLE_RATE_HZ

__all__ = ["Resampler", "StereoFile"]

Floats = npt.NDArray[np.float64]
Frame = npt.NDArray[np.int16]

LOWEST_HZ, HIGHEST_HZ = 8_000, 192_000
BLOCK_SAMPLES: Final = 65_536
FULL_SCALE: Final = 32768.0
ZERO_CROSSINGS: Final = 10
"""Length of the anti-aliasing filter on each side, in periods of the lower rate."""
KAISER_BETA: Final = 5.0
"""Stop band 53 dB down (F. J. Harris, "On the use of windows for harmonic analysis", 1978, section V.H)."""


class Resampler:
    """Raises or lowers the sampling rate by a polyphase filter; the result does not depend on the cuts.

    Sample ``n`` of the output is the input at time ``n / to_hz``: the filter's delay is taken out. The
    whole output is ``ceil(samples * to_hz / from_hz)`` long.
    """

    def __init__(self, from_hz: int, to_hz: int) -> None:
        common = math.gcd(from_hz, to_hz)
        self._up, self._down = to_hz // common, from_hz // common
        widest = max(self._up, self._down)
        reach = ZERO_CROSSINGS * widest
        taps = firwin(2 * reach + 1, 1.0 / widest, window=("kaiser", KAISER_BETA))
        # Zeros in front make the delay a whole number of output samples.
        self._delay = -(-reach // self._down)
        self._taps = np.concatenate((np.zeros(self._delay * self._down - reach), taps * self._up))
        span = -(-len(self._taps) // self._up)
        self._history = -(-span // self._down) * self._down
        self._kept = np.zeros(self._history)
        """Input from ``_origin`` on, ``_history`` samples of it already used."""
        self._skip = self._delay
        self._taken = self._given = 0

    def update(self, samples: Floats) -> Floats:
        """Return the output that ``samples`` complete; both of any length, one channel."""
        self._taken += len(samples)
        self._kept = np.concatenate((self._kept, samples))
        ready = (len(self._kept) - self._history) // self._down * self._down
        if ready == 0:
            return np.zeros(0)
        first = self._history // self._down * self._up
        count = ready // self._down * self._up
        whole = upfirdn(self._taps, self._kept[: self._history + ready], self._up, self._down)
        fresh = whole[first : first + count]
        self._kept = self._kept[ready:]
        dropped = min(self._skip, len(fresh))
        self._skip -= dropped
        self._given += len(fresh) - dropped
        return np.asarray(fresh[dropped:], dtype=np.float64)

    def finish(self) -> Floats:
        """Return what is still in the filter."""
        missing = -(-self._taken * self._up // self._down) - self._given
        taken, given = self._taken, self._given
        rest = self.update(np.zeros(self._history + 2 * self._down))
        while len(rest) < missing:
            rest = np.concatenate((rest, self.update(np.zeros(self._history + self._down))))
        self._taken, self._given = taken, given + missing
        return rest[:missing]


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
