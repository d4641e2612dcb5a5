"""Make the weights of ``VoiceActivityDetector``: ``python -m bench.training.vad FOLDER``."""

import sys
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import optax
from numpy.typing import NDArray
from scipy.signal import butter, fftconvolve, lfilter, resample_poly
from tests.dsp import signals
from tests.dsp.signals import Signal

from bench.conformance.talk import talk_cells
from bench.training.network import header, train
from thirdring_dsp.reference.talk_network import HOP, features

SECONDS = 10
COUNT = SECONDS * 8000
LOOK_AHEAD = 4
Flags = NDArray[np.bool_]


def sounds(root: Path, *patterns: str, seconds: float = 60) -> list[Signal]:
    paths = (path for pattern in patterns for path in sorted(root.glob(pattern)))
    found = (signals.load(path)[: round(8000 * seconds)] for path in paths if "silence" not in path.parts)
    return [sound for sound in found if len(sound) > 1600 and np.abs(sound).max() > 0.01]


def tones(rng: np.random.Generator) -> Signal:
    """Digits, tones of the network with a cadence, fax tones, warbles and melodies."""
    t = np.arange(COUNT) / 8000
    on_s, off_s = rng.choice([0.1, 0.2, 0.35, 0.5, 1, 2, 100]), rng.choice([0, 0.1, 0.2, 0.35, 0.5, 2, 4])
    turn = (t / (on_s + off_s)).astype(int)
    kind = rng.integers(4)
    if kind == 0:
        pitches = [
            rng.choice([697, 770, 852, 941], COUNT)[turn],
            rng.choice([1209, 1336, 1477, 1633], COUNT)[turn],
        ]
    elif kind == 1:
        pitches = list(
            rng.choice([330, 350, 400, 425, 440, 450, 480, 620, 1100, 1400, 2100], rng.integers(1, 3))
        )
    elif kind == 2:
        pitches = list(rng.uniform(200, 3000, rng.integers(1, 4)))
    else:
        note = 330 * 2 ** (rng.integers(0, 24, COUNT) / 12)[turn]
        pitches = [note * harmonic for harmonic in range(1, rng.integers(2, 6))]
    wave = sum(np.sin(2 * np.pi * np.asarray(pitch) * t + rng.uniform(0, 6)) for pitch in pitches)
    warble = 1 + 0.85 * (rng.random() < 0.15) * np.sin(2 * np.pi * rng.choice([16, 20, 25]) * t)
    return np.asarray(wave * warble * (t % (on_s + off_s) < on_s))


def noise(rng: np.random.Generator, speech: list[Signal]) -> Signal:
    white = rng.standard_normal(COUNT)
    kind = rng.integers(6)
    if kind == 1:
        return signals.pink(SECONDS, 0, seed=int(rng.integers(1 << 30)))
    if kind == 2:
        return np.asarray(lfilter([1], [1, -0.97], white))
    if kind == 3:
        return signals.hum(SECONDS, 0) + 0.3 * white
    if kind == 4:
        voices = [np.resize(speech[rng.integers(len(speech))], COUNT) for _ in range(rng.integers(4, 9))]
        return np.asarray(np.sum([signals.at_rms(voice, 0) for voice in voices], axis=0))
    if kind == 5:
        low, high = np.sort(rng.uniform(100, 3700, 2))
        return np.asarray(lfilter(*butter(2, (low, high + 80), "bandpass", fs=8000), white))
    return white


def scene(rng: np.random.Generator, speech: list[list[Signal]], music: list[Signal]) -> tuple[Signal, Flags]:
    """One scene and, every 10 ms, whether somebody talks in it."""
    signal, truth = np.zeros(COUNT), np.zeros(COUNT // 80, bool)
    level_dbov = rng.uniform(-50, -8)
    kind = rng.choice(["speech", "mix", "music", "tones", "noise"], p=[0.5, 0.12, 0.2, 0.11, 0.07])
    voices = speech[rng.integers(len(speech))]
    if kind in ("speech", "mix"):
        cell = int(rng.exponential(80))
        while cell < len(truth) - 10:
            piece = resample_poly(voices[rng.integers(len(voices))], 100 + int(rng.integers(-12, 13)), 100)
            flags = talk_cells(piece)[: len(truth) - cell]
            piece = piece[: len(flags) * 80]
            gain = 10 ** (rng.uniform(-3, 3) / 20) / np.sqrt(
                np.mean(piece**2) / max(flags.mean(), 0.1) + 1e-12
            )
            signal[cell * 80 : (cell + len(flags)) * 80] += gain * piece
            truth[cell : cell + len(flags)] = flags
            cell += len(flags) + int(rng.exponential(50) * (rng.random() < 0.6))
        if rng.random() < 0.3:
            tail = (
                rng.standard_normal(3200)
                * np.exp(-np.arange(3200) / rng.uniform(60, 460))
                * rng.uniform(0.02, 0.12)
            )
            tail[0] = 1
            signal = fftconvolve(signal, tail)[:COUNT]
    if kind in ("music", "mix"):
        tune = np.resize(np.roll(music[rng.integers(len(music))], -rng.integers(1 << 20)), COUNT)
        loud_db = 0.0 if kind == "music" else -rng.uniform(12, 30)
        signal = signal + signals.at_rms(tune + 1e-6, loud_db)
    if kind == "tones":
        signal = signals.at_rms(tones(rng), 0)
    if kind == "noise":
        signal = signals.at_rms(noise(rng, voices), 0)
    if rng.random() < 0.6:
        signal = signal + signals.at_rms(noise(rng, voices), -rng.uniform(8, 40))
    signal = signal * 10 ** (level_dbov / 20)
    if rng.random() < 0.35:
        band = (rng.uniform(200, 330), rng.uniform(3100, 3600))
        signal = np.asarray(lfilter(*butter(3, band, "bandpass", fs=8000), signal))
    elif rng.random() < 0.3:
        signal = np.asarray(lfilter([1, -rng.uniform(-0.6, 0.8)], [1], signal))
    return signals.to_int16(signal) / 32768, truth


def loss(logits: Any, truth: Any) -> Any:
    wanted = truth[:, 2:-LOOK_AHEAD] * 0.98 + 0.01
    return optax.sigmoid_binary_cross_entropy(logits[:, LOOK_AHEAD + 2 :], wanted).mean()


def main(root: Path, scenes: int = 8000, steps: int = 4000) -> None:
    prompts = "usr/share/asterisk/sounds"
    dialogues = "usr/share/games/fillets-ng/sound/*"
    speech = [sounds(root, f"{prompts}/{language}_*/**/*.wav") for language in ("es", "fr", "it", "ru")]
    speech += [sounds(root, f"{dialogues}/{language}/*.ogg") for language in ("cs", "nl")]
    speech += [[word for _, word in signals.mandarin_words()][::2]]
    games = "usr/share/games"
    folders = ("fillets-ng/music", "frozen-bubble/snd", "wesnoth/1.16/data/core/music")
    music = sounds(root, *(f"{games}/{folder}/*.ogg" for folder in folders))
    speech = [voices for voices in speech if voices]
    rng = np.random.default_rng(1)
    inputs, truths = [], []
    for _ in range(scenes):
        signal, truth = scene(rng, speech, music)
        made = features(signal[np.newaxis])[0]
        middles = np.minimum((np.arange(len(made)) + 1) * HOP // 80, len(truth) - 1)
        inputs.append(made)
        truths.append(truth[middles].astype(np.float32))
    weights = train(np.stack(inputs), jnp.asarray(np.stack(truths)), loss, 20, steps)
    print(header(weights, "VAD"), end="")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *(int(number) for number in sys.argv[2:]))
