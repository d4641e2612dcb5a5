"""Make the weights of ``SyllableRateMeter``: ``python -m bench.training.syllables FOLDER``.

``FOLDER`` is where ``asterisk-core-sounds-{en,es,fr,it,ru}`` (the transcripts) are unpacked; the sound
comes from installed packages. Learned is only how many syllables each utterance holds, never where.
The scenes are kept in ``FOLDER/scenes.npz``: delete it after a change of how they are made.
"""

import sys
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, fftconvolve, firwin2, sosfilt
from tests.dsp import signals
from tests.dsp.signals import Signal

from bench.training.network import header, train
from bench.training.utterances import Utterance, groups
from thirdring_dsp.reference.talk_network import HOP, Floats, Network, features, run

UNITS, SECONDS, UTTERANCES, LAG = 24, 7, 8, 6
COUNT = SECONDS * 8000
FRAMES = COUNT // HOP - 1
SEED = 4
MARGIN = 6  # hops beside a talk-spurt that the meter counts, one of which the truth has already
CALIBRATED = 1500


def noise(rng: np.random.Generator, others: list[Utterance]) -> Signal:
    """White, pink, hum, or a babble of other utterances."""
    kind = rng.integers(4)
    if kind == 1:
        return signals.pink(SECONDS, 0, seed=int(rng.integers(1 << 30)))
    if kind == 2:
        return signals.hum(SECONDS, 0) + 0.3 * rng.standard_normal(COUNT)
    if kind == 3:
        voices = [np.resize(others[rng.integers(len(others))].signal, COUNT) for _ in range(8)]
        return np.asarray(
            np.sum([signals.at_rms(np.roll(v, rng.integers(COUNT)), 0) for v in voices], axis=0)
        )
    return np.asarray(rng.standard_normal(COUNT))


def coloured(signal: Signal, rng: np.random.Generator) -> Signal:
    """Through a microphone with a response of its own: a tilt and bumps of some decibels."""
    places = np.linspace(0, 1, 9)
    gain_db = rng.uniform(-9, 9) * (places - 0.5) + rng.normal(0, 3, 9)
    return np.asarray(fftconvolve(signal, firwin2(129, places, 10 ** (gain_db / 20)), "same"))


def mu_law(signal: Signal) -> Signal:
    """Through G.711 mu-law, near enough."""
    code = np.rint(np.sign(signal) * np.log1p(255 * np.abs(np.clip(signal, -1, 1))) / np.log(256) * 127) / 127
    return np.asarray(np.sign(code) * (256 ** np.abs(code) - 1) / 255)


def scene(
    rng: np.random.Generator, sources: list[list[Utterance]], often: NDArray[np.float64]
) -> tuple[Signal, NDArray[np.float16]]:
    """Utterances with pauses, and for each of them its frames and, in the last column, its syllables."""
    signal, truth = np.zeros(COUNT), np.zeros((UTTERANCES, FRAMES + 1), np.float16)
    at, level_dbov = int(rng.integers(0, 6000)), rng.uniform(-45, -10)
    group = sources[rng.choice(len(sources), p=often)]
    for row in truth:
        fitting = [part for part in (group[rng.integers(len(group))] for _ in range(4)) if part.signal.size]
        part = next((one for one in fitting if at + one.signal.size <= COUNT - 1600), None)
        if part is None:
            break
        end = at + part.signal.size
        signal[at:end] = signals.at_rms(part.signal, level_dbov + rng.uniform(-3, 3))
        row[at // HOP + LAG - 1 : end // HOP + LAG + 1] = 1
        row[-1] = part.syllables
        at = end + int(rng.integers(1600, 6000))
    if rng.random() < 0.25:
        tail = rng.standard_normal(1600) * np.exp(-np.arange(1600) / rng.uniform(60, 400))
        signal = fftconvolve(signal, np.concatenate([[1], tail * rng.uniform(0.02, 0.1)]))[:COUNT]
    if rng.random() < 0.7:
        signal = coloured(signal, rng)
    if rng.random() < 0.65:
        band, order = (rng.uniform(200, 350), rng.uniform(3000, 3700)), int(rng.integers(2, 6))
        signal = np.asarray(sosfilt(butter(order, band, "bandpass", fs=8000, output="sos"), signal))
    if rng.random() < 0.7:
        others = sources[rng.integers(len(sources))]
        signal = signal + signals.at_rms(noise(rng, others), level_dbov - rng.uniform(12, 45))
    if rng.random() < 0.3:
        signal = mu_law(signal)
    return signals.to_int16(signal) / 32768, truth


def loss(logits: Any, truth: Any) -> Any:
    """Squared error of each utterance's count over the count, and that of the whole scene.

    With it the squared logarithm of the scene's ratio, which counts as much at any pace.
    """
    density = jax.nn.softplus(logits)
    wanted = truth[:, :, -1].astype(jnp.float32)
    found = jnp.einsum("st,sut->su", density, truth[:, :, :-1].astype(jnp.float32))
    one = jnp.where(wanted > 0, (found - wanted) ** 2 / jnp.maximum(wanted, 1), 0).sum() / (wanted > 0).sum()
    total, counted = wanted.sum(1), density.sum(1)
    ratio = jnp.log((counted + 1) / (total + 1))
    return one + ((counted - total) ** 2 / (total + 1)).mean() + 5 * (ratio**2).mean()


def scale(weights: dict[str, Floats], inputs: Floats, truth: NDArray[np.float16]) -> Floats:
    """Return what makes the syllables of all utterances right when those of the pauses are not counted.

    The meter counts to six hops beside a talk-spurt; a little is left in the pauses.
    """
    density = np.log1p(np.exp(run(Network(**weights), inputs)))
    beside = np.ones(2 * MARGIN - 1)
    near = [np.convolve(rows[:, :-1].max(0), beside, "same") > 0 for rows in truth.astype(np.float32)]
    wanted = truth[:, :, -1].astype(np.float64).sum()
    return np.asarray(wanted / (density * np.stack(near)).sum(), np.float32)


def scenes(root: Path, number: int) -> tuple[NDArray[np.float32], NDArray[np.float16]]:
    """Return the inputs of ``number`` scenes and their truth."""
    kept = root / "scenes.npz"
    if not kept.exists():
        rng = np.random.default_rng(SEED)
        made_of = groups(rng, root)
        print("utterances:", [len(some) for _, some in made_of], file=sys.stderr, flush=True)
        often = np.array([share for share, _ in made_of])
        made = [scene(rng, [some for _, some in made_of], often / often.sum()) for _ in range(number)]
        inputs = [
            features(np.stack([sound for sound, _ in made[k : k + 200]])) for k in range(0, number, 200)
        ]
        np.savez(kept, inputs=np.concatenate(inputs), truth=np.stack([wanted for _, wanted in made]))
    with np.load(kept) as found:
        return found["inputs"], found["truth"]


def main(root: Path, number: int = 8000, steps: int = 5000) -> None:
    inputs, truth = scenes(root, number)
    print("training", file=sys.stderr, flush=True)
    weights = train(inputs, jnp.asarray(truth), loss, UNITS, steps)
    weights["scale"] = scale(weights, inputs[:CALIBRATED], truth[:CALIBRATED])
    print(header(weights, "SYLLABLE"), end="")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *(int(number) for number in sys.argv[2:]))
