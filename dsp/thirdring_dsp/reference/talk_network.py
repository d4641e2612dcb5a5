"""The networks of ``vad.pyx`` and ``syllable_rate.pyx`` written out with numpy, whole signals at a time.

The training in ``bench/training`` computes its inputs here, so what the detectors see is what
they were trained on.
"""

import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

HOP = 128
"""Samples at 8 kHz from one frame to the next: 16 ms."""
FRAME = 256
EDGES = np.array([3, 6, 9, 12, 16, 20, 25, 31, 38, 47, 58, 71, 88, 108])
"""Edges of the 13 bands, in bins of 31.25 Hz."""
RANGES = ((6, 26), (26, 58), (58, 108))
BANDS = 13
INPUTS = 37

_BINS = 112
_WINDOW = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME) / FRAME)
_FLOOR_POWER = 10**-8.5 / 64

Floats = NDArray[np.float32]


class Network(NamedTuple):
    """A gated recurrent unit and a linear output; gates in the order reset, update, candidate."""

    input: Floats
    """(inputs, 3 * units)"""
    recurrent: Floats
    """(units, 3 * units)"""
    bias: Floats
    candidate_bias: Floats
    output: Floats
    output_bias: Floats
    scale: Floats = np.ones((), np.float32)
    """What the result is multiplied by; of the syllables only."""


def load(name: str) -> Network:
    """Read the weights the detectors are compiled with: ``vad`` or ``syllable``."""
    text = (Path(__file__).parents[1] / f"{name}_weights.h").read_text(encoding="utf-8")
    arrays = []
    for shape, body in re.findall(r"static const float \w+((?:\[\d+\])*) = ([^;]+);", text):
        numbers = [float(number) for number in re.findall(r"-?\d[\d.]*(?:e[-+]?\d+)?", body)]
        sizes = [int(size) for size in re.findall(r"\d+", shape)]
        arrays.append(np.array(numbers, np.float32).reshape(sizes))
    return Network(arrays[0][:INPUTS], *arrays[1:])


def features(signals: NDArray[np.float64]) -> Floats:
    """Return the inputs, shape (signals, frames, 37), of signals at 8 kHz where 1.0 is overload.

    Frame ``k`` is samples ``128 k`` to ``128 k + 255``.
    """
    count = signals.shape[1] // HOP - 1
    frames = np.lib.stride_tricks.sliding_window_view(signals, FRAME, axis=1)[:, ::HOP][:, :count]
    spectrum = np.fft.rfft(frames * _WINDOW, axis=2)[:, :, :_BINS]
    power = np.abs(spectrum) ** 2 * (2 / (FRAME * np.sum(_WINDOW**2))) + _FLOOR_POWER
    logs = np.log(power)
    level = np.log(np.add.reduceat(power, EDGES, axis=2)[:, :, :BANDS] / np.diff(EDGES))
    total = np.log(power[:, :, RANGES[0][0] : RANGES[2][1]].mean(2))
    made = np.zeros((*level.shape[:2], INPUTS), np.float32)
    floor, floor_total = level[:, 0].copy(), total[:, 0].copy()
    loudest = np.full(len(signals), -12.0)
    for k in range(count):
        floor = _follow(floor, level[:, k])
        floor_total = _follow(floor_total, total[:, k])
        loudest = np.maximum(np.maximum(total[:, k], loudest - 0.004), -16)
        made[:, k, :BANDS] = np.minimum((level[:, k] - floor) / 4, 3)
        made[:, k, 2 * BANDS] = np.minimum((total[:, k] - floor_total) / 4, 3)
        made[:, k, 2 * BANDS + 1] = (total[:, k] - loudest) / 4
    made[:, :, BANDS : 2 * BANDS] = (level - level.mean(2, keepdims=True)) / 4
    smooth = np.lib.stride_tricks.sliding_window_view(logs, 7, axis=2).mean(3)
    fine = logs[:, :, 3:-3] - smooth  # fine[..., k - 3] belongs to bin k
    for place, (first, end) in enumerate(RANGES):
        flat = np.log(power[:, :, first:end].mean(2)) - logs[:, :, first:end].mean(2)
        made[:, :, 2 * BANDS + 2 + place] = flat - 0.56
        part = fine[:, :, first - 3 : end - 3]
        for lag in (1, 2):
            now, then = part[:, lag:], part[:, :-lag]
            likeness = (now * then).sum(2) / np.sqrt((now**2).sum(2) * (then**2).sum(2) + 1e-3)
            made[:, lag:, 2 * BANDS + 2 + 3 * lag + place] = likeness
    return made


def run(network: Network, inputs: Floats) -> NDArray[np.float64]:
    """Return the output before its nonlinearity, shape (signals, frames)."""
    units = network.output.shape[0]
    driven = inputs.astype(np.float64) @ network.input + network.bias
    hidden = np.zeros((inputs.shape[0], units))
    made = np.zeros(inputs.shape[:2])
    for k in range(inputs.shape[1]):
        fed = hidden @ network.recurrent
        reset = _sigmoid(driven[:, k, :units] + fed[:, :units])
        update = _sigmoid(driven[:, k, units : 2 * units] + fed[:, units : 2 * units])
        candidate = np.tanh(
            driven[:, k, 2 * units :] + reset * (fed[:, 2 * units :] + network.candidate_bias)
        )
        hidden = hidden + update * (candidate - hidden)
        made[:, k] = hidden @ network.output + network.output_bias
    return made


def speech_probability(signal: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return, for each frame, the probability of speech four frames earlier."""
    return np.asarray(_sigmoid(run(load("vad"), features(signal[np.newaxis])))[0])


def syllable_density(signal: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the syllables of each frame, pauses and noise included."""
    network = load("syllable")
    return np.asarray(network.scale * np.log1p(np.exp(run(network, features(signal[np.newaxis]))))[0])


def _follow(floor: NDArray[np.float64], level: NDArray[np.float64]) -> NDArray[np.float64]:
    falling = floor + 0.3 * (level - floor)
    return np.where(level < floor, falling, np.minimum(floor + 0.015, level))


def _sigmoid(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-x)))
