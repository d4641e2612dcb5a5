"""The forms of a recording's file behind one interface: WAV or Ogg Opus, open or sealed."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, Protocol

import numpy as np
import numpy.typing as npt

from thirdring_device.adapters.recording import ogg, wav
from thirdring_device.adapters.recording.facts import to_comment
from thirdring_device.adapters.recording.sealed import SealedWriter, SoundFormat, reseal

__all__ = ["SUFFIXES", "Plan", "Sink", "call_id_of", "create", "recordings_in", "repair"]

Samples = npt.NDArray[np.int16]
Form = Literal["wav", "opus"]

SUFFIXES: Final = {".wav": "wav", ".ogg": "ogg", ".sealed": "sealed"}


@dataclass(frozen=True, slots=True)
class Plan:
    """How a call is to be recorded. ``key`` is the unit's, empty for a recording that is not sealed.

    ``reserve_bytes`` of the disk stay free. ``opus_bit_s``: of both channels.
    """

    folder: Path
    call_id: str
    form: Form = "wav"
    sample_rate_hz: int = 16_000
    opus_bit_s: int = 64_000
    key: bytes = b""
    reserve_bytes: int = 0

    @property
    def path(self) -> Path:
        """The recording's file."""
        suffix = ".sealed" if self.key else {"wav": ".wav", "opus": ".ogg"}[self.form]
        return self.folder / f"{self.call_id}{suffix}"


class Sink(Protocol):
    """A recording being written. Its methods raise ``OSError``; after ``finish`` it is closed anyhow."""

    def write(self, samples: Samples) -> None:
        """Add samples of shape (n, 2)."""

    def finish(self, facts: bytes) -> None:
        """Add the packed facts and close."""


class _Wav:
    def __init__(self, plan: Plan) -> None:
        self._file = wav.WavFile(plan.path, plan.sample_rate_hz)

    def write(self, samples: Samples) -> None:
        self._file.write(samples)

    def finish(self, facts: bytes) -> None:
        self._file.finish(to_comment(facts))


class _Ogg:
    def __init__(self, plan: Plan) -> None:
        self._path = plan.path
        self._encoder = ogg.OggEncoder(plan.path, plan.sample_rate_hz, plan.opus_bit_s)

    def write(self, samples: Samples) -> None:
        self._encoder.write(samples)

    def finish(self, facts: bytes) -> None:
        self._encoder.close()
        ogg.write_comment(self._path, to_comment(facts))


class _SealedWav:
    def __init__(self, plan: Plan) -> None:
        self._file = SealedWriter(plan.path, plan.key, SoundFormat("wav", plan.sample_rate_hz))

    def write(self, samples: Samples) -> None:
        self._file.write(samples.astype("<i2", copy=False).tobytes())

    def finish(self, facts: bytes) -> None:
        self._file.finish(facts)


class _SealedOgg:
    def __init__(self, plan: Plan) -> None:
        self._file = SealedWriter(plan.path, plan.key, SoundFormat("ogg", plan.sample_rate_hz))
        self._encoder = ogg.OggEncoder(self._file.write, plan.sample_rate_hz, plan.opus_bit_s)

    def write(self, samples: Samples) -> None:
        self._encoder.write(samples)

    def finish(self, facts: bytes) -> None:
        self._encoder.close()
        self._file.finish(facts)


def create(plan: Plan) -> Sink:
    """Create the recording's file, and its folder if need be; raises ``OSError``."""
    plan.folder.mkdir(mode=0o700, exist_ok=True)
    if plan.form == "wav":
        return _SealedWav(plan) if plan.key else _Wav(plan)
    return _SealedOgg(plan) if plan.key else _Ogg(plan)


def repair(path: Path, key: bytes, facts: bytes) -> bool:
    """Finish a recording that a crash has cut short, with the facts that the journal has of its call.

    Returns False for one that has its end. Raises ``OSError`` and what ``sealed.reseal`` raises.
    """
    if path.suffix == ".sealed":
        return reseal(path, key, facts)
    if path.suffix == ".wav":
        return wav.repair(path, to_comment(facts))
    if ogg.read_comment(path):
        return False
    ogg.write_comment(path, to_comment(facts))
    return True


def recordings_in(folder: Path) -> Iterator[Path]:
    """Yield the recordings in a folder, none when it is not there."""
    if folder.is_dir():
        with os.scandir(folder) as entries:
            yield from (Path(entry.path) for entry in entries if Path(entry.name).suffix in SUFFIXES)


def call_id_of(path: Path) -> str:
    """Return the id of the call that a recording is of."""
    return path.stem
