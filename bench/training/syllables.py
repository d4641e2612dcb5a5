"""Make the weights of ``SyllableRateMeter``: ``python -m bench.training.syllables FOLDER``.

``FOLDER`` is where ``asterisk-core-sounds-{en,es,fr,it,ru}`` (the transcripts) are unpacked; the sound
comes from installed packages. Learned is only how many syllables each utterance holds, never where.
"""

import gzip
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, lfilter, resample_poly
from tests.dsp import signals
from tests.dsp.signals import Signal

from bench.conformance import material
from bench.conformance.pace import COUNTED, at_tempo
from bench.training.network import header, train
from thirdring_dsp.reference.talk_network import HOP, features

SECONDS, UTTERANCES, LAG = 10, 12, 6
COUNT = SECONDS * 8000
FRAMES = COUNT // HOP - 1
VOWELS = frozenset("aeiouyøœɐɑɒɔəɚɛɜɝɞɘɤɨɪɯɵʉʊʌʏæɶ\u0329")
# The default voice of espeak-ng and the variants of the conformance run are not among them.
VARIANTS = ("m1", "m2", "m4", "m5", "m6", "m8", "f1", "f3", "f4", "Andy", "linda", "Annie", "Alex", "belinda")
# Frequent characters with one reading each.
CHARACTERS = "我们你他她今天明后上下中国家人民学生老师工作电话号码服务问题时间开始大小多少高低水火山石田"


class Utterance(NamedTuple):
    signal: Signal
    syllables: int


def nuclei(text: str, voice: str) -> int:
    """Syllables of a text as espeak-ng would speak it: phonemes with a vowel or a syllabic consonant."""
    line = ["espeak-ng", "-q", "-v", voice, "--ipa", "--sep=_", text]
    spoken = subprocess.run(line, capture_output=True, text=True, check=True).stdout
    return sum(bool(VOWELS & set(phoneme)) for phoneme in spoken.replace(" ", "_").split("_"))


def trimmed(signal: Signal) -> Signal:
    """Without what is 30 dB below the loudest 20 ms at both ends."""
    power = np.convolve(signal**2, np.ones(160) / 160, "same")
    loud = np.flatnonzero(power > 1e-3 * power.max())
    return signal[loud[0] : loud[-1] + 1]


def prompts(root: Path) -> Iterator[Utterance]:
    """Prompts with their transcripts; what the conformance run counts in is left out."""
    for language in material.FIVE:
        files = {path: path for path in material.installed(f"asterisk-core-sounds-{language}-wav")}
        text = root / f"usr/share/doc/asterisk-core-sounds-{language}/core-sounds-{language}.txt.gz"
        for line in gzip.decompress(text.read_bytes()).decode().splitlines():
            name, _, said = (part.strip() for part in line.partition(":"))
            path = next((path for path in files if path.as_posix().endswith(f"/{name}.wav")), None)
            if path is None or line.startswith(";") or "[" in said or not said:
                continue
            if language == "en" and name in COUNTED:
                continue
            count = nuclei(said, "en-us" if language == "en" else language)
            sound = trimmed(material.read(path))
            if 0 < count < 40 and 1.5 < count / (sound.size / 8000) < 9:
                yield Utterance(sound, count)


def recorded_mandarin(rng: np.random.Generator) -> Iterator[Utterance]:
    """Words, and one to four recorded syllables joined; every second of each is left out."""
    for name, sound in signals.mandarin_words()[::2]:
        yield Utterance(trimmed(sound), len(name))
    files = material.installed("gcin-voice")
    for speaker in ("3", "5"):
        mine = [trimmed(material.read(path)) for path in files if path.stem == speaker][::2]
        for _ in range(500):
            count = int(rng.integers(1, 5))
            chosen = [signals.at_rms(mine[k], -26) for k in rng.integers(0, len(mine), count)]
            yield Utterance(np.concatenate(chosen), count)


def synthetic(rng: np.random.Generator) -> Iterator[Utterance]:
    for variant in VARIANTS:
        for _ in range(40):
            count = int(rng.integers(2, 14))
            text = "".join(rng.choice(list(CHARACTERS), count))
            path = signals.espeak(text, f"cmn+{variant}", int(rng.choice([130, 160, 200, 250])))
            yield Utterance(trimmed(signals.load(path)), count)


def varied(utterance: Utterance, rng: np.random.Generator) -> Utterance:
    """At another tempo and with a higher or a lower voice."""
    shift = int(rng.integers(85, 116))
    sound = resample_poly(utterance.signal, 100, shift)
    return Utterance(
        at_tempo(np.asarray(sound), float(rng.uniform(0.8, 2.1) * 100 / shift)), utterance.syllables
    )


def scene(rng: np.random.Generator, groups: list[list[Utterance]]) -> tuple[Signal, NDArray[np.float16]]:
    """Utterances with pauses, and for each of them its frames and, in the last column, its syllables."""
    signal, truth = np.zeros(COUNT), np.zeros((UTTERANCES, FRAMES + 1), np.float16)
    at, level_dbov = int(rng.integers(0, 8000)), rng.uniform(-45, -10)
    group = groups[rng.integers(len(groups))]
    for row in truth:
        part = group[rng.integers(len(group))]
        end = at + part.signal.size
        if end > COUNT - 3200:
            break
        signal[at:end] = signals.at_rms(part.signal, level_dbov + rng.uniform(-3, 3))
        row[at // HOP + LAG - 1 : end // HOP + LAG + 1] = 1
        row[-1] = part.syllables
        at = end + int(rng.integers(1600, 8000))
    if rng.random() < 0.5:
        band = (rng.uniform(200, 330), rng.uniform(3100, 3600))
        signal = np.asarray(lfilter(*butter(3, band, "bandpass", fs=8000), signal))
    noise = rng.standard_normal(COUNT) * 10 ** ((level_dbov - rng.uniform(18, 45)) / 20)
    return signals.to_int16(signal + noise * (rng.random() < 0.7)) / 32768, truth


def loss(logits: Any, truth: Any) -> Any:
    """Squared error of each utterance's count over the count, and that of the whole scene."""
    density = jax.nn.softplus(logits)
    wanted = truth[:, :, -1].astype(jnp.float32)
    found = jnp.einsum("st,sut->su", density, truth[:, :, :-1].astype(jnp.float32))
    one = jnp.where(wanted > 0, (found - wanted) ** 2 / jnp.maximum(wanted, 1), 0).sum() / (wanted > 0).sum()
    total = wanted.sum(1)
    return one + ((density.sum(1) - total) ** 2 / (total + 1)).mean()


def main(root: Path, scenes: int = 4000, steps: int = 4000) -> None:
    rng = np.random.default_rng(2)
    sources = [list(prompts(root)), list(recorded_mandarin(rng)), list(synthetic(rng))]
    print(f"utterances: {[len(source) for source in sources]}", file=sys.stderr, flush=True)
    groups = [[varied(one, rng) for one in source for _ in range(2)] + source for source in sources if source]
    made = [scene(rng, groups) for _ in range(scenes)]
    inputs = [features(np.stack([sound for sound, _ in made[at : at + 200]])) for at in range(0, scenes, 200)]
    print("training", file=sys.stderr, flush=True)
    truth = jnp.asarray(np.stack([wanted for _, wanted in made]))
    weights = train(np.concatenate(inputs), truth, loss, 16, steps)
    print(header(weights, "SYLLABLE"), end="")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *(int(number) for number in sys.argv[2:]))
