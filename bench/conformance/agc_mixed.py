"""Gain control where everything comes together: talk with pauses, babble under it, and level steps."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from tests.dsp import signals
from tests.dsp.signals import Samples, Signal
from tests.dsp.test_agc import active_mask, after_active, wide

from bench.conformance.row import Row
from thirdring_dsp import SpeechLevelMeter

STEPS_DBOV = (-40.0, -14.0, -30.0, -46.0, -22.0, -8.0, -36.0)
STEP_S = 25.0
BABBLE_DBOV = -62.0
SNR_DB = 20.0
TRIALS = 3
TARGET_DBOV, BLOCK = -26.0, 80
HANGOVER = 1600  # samples: P.56


class Scene(NamedTuple):
    clean: Signal
    samples: Samples
    starts: list[int]
    """The sample at which each step begins."""


def sentences(signal: Signal) -> list[Signal]:
    """Cut where it is silent for 0.1 s."""
    loud = np.convolve(np.abs(signal) > 0.001, np.ones(800), "same") > 0
    edges = np.flatnonzero(np.diff(np.concatenate([[0], loud.astype(np.int8), [0]])))
    return [signal[a:b] for a, b in zip(edges[::2], edges[1::2], strict=True) if b - a > 4000]


def materials() -> dict[str, list[Signal]]:
    """Utterances by what they are; what espeak-ng says in one go is cut at its pauses."""
    english = [signals.load(path) for path in signals.prompt_files() if path.stat().st_size > 16000]
    made = {
        "recorded English": english,
        "synthetic English": sentences(signals.synthetic_english()),
        "synthetic Mandarin": sentences(signals.synthetic_mandarin()),
    }
    words = [word for _, word in signals.mandarin_words()]
    return made | ({"recorded Mandarin": words} if words else {})


def talk(pieces: list[Signal], level_dbov: float, rng: np.random.Generator) -> Signal:
    """Utterances at the level in random order, 0.1 to 0.6 s between them and 1.5 s after every fourth."""
    parts: list[Signal] = []
    length = 0
    while length < STEP_S * 8000:
        piece = pieces[rng.integers(len(pieces))]
        pause_s = 1.5 if len(parts) % 8 == 6 else float(rng.uniform(0.1, 0.6))
        parts += [signals.at_active_level(piece, level_dbov), signals.silence(pause_s)]
        length += piece.size + parts[-1].size
    return np.concatenate(parts)


def scene(pieces: list[Signal], seed: int, line: bool) -> Scene:
    """Talk that steps in level: before babble of one level, or with the babble 20 dB below it."""
    rng = np.random.default_rng(seed)
    order = np.array(STEPS_DBOV) if seed == 0 else rng.permutation(STEPS_DBOV)
    clean, mixed, starts = [], [], [0]
    for level_dbov in order:
        speech = talk(pieces, float(level_dbov), rng)
        babble_dbov = float(level_dbov) - SNR_DB if line else BABBLE_DBOV
        babble = signals.babble(speech.size / 8000, babble_dbov)[: speech.size]
        clean.append(speech)
        mixed.append(speech + babble)
        starts.append(starts[-1] + speech.size)
    return Scene(np.concatenate(clean), signals.to_int16(np.concatenate(mixed)), starts)


def controlled(samples: Samples) -> tuple[Samples, NDArray[np.float64]]:
    """Return the output and the gain after every 10 ms."""
    control, out, gains_db = wide(), np.empty_like(samples), []
    for start in range(0, samples.size, BLOCK):
        control.process(samples[start : start + BLOCK], out[start : start + BLOCK])
        gains_db.append(control.gain_db)
    return out, np.array(gains_db)


def pauses(clean: Signal) -> list[slice]:
    """0.2 s and more that are 0.4 s from any speech: P.56 holds on for 0.2 s, and gains fade."""
    quiet = np.convolve(np.abs(clean) > 1e-9, np.ones(6400), "same") < 0.5
    edges = np.flatnonzero(np.diff(np.concatenate([[0], quiet.astype(np.int8), [0]])))
    return [slice(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if b - a >= 1600]


class Worst:
    """The largest of each figure over all trials of a material."""

    def __init__(self) -> None:
        self.off_db: list[float] = []
        self.move_db: list[float] = []
        self.raise_db: list[float] = []

    def take(self, made: Scene) -> None:
        out, gains_db = controlled(made.samples)
        for first, end in zip(made.starts, made.starts[1:], strict=False):
            clean = signals.to_int16(made.clean[first:end])
            at = after_active(clean, 2.0, 8000)
            # Where the clean speech is active by P.56 with its hangover: babble between words is not speech.
            places = np.arange(clean.size)
            last = np.maximum.accumulate(np.where(active_mask(clean, 8000), places, -HANGOVER - 1))
            spoken = (places - last <= HANGOVER) & (places >= at)
            self.off_db.append(signals.rms_dbov(signals.from_int16(out[first:end][spoken])) - TARGET_DBOV)
        for pause in pauses(made.clean):
            before = signals.rms_dbov(signals.from_int16(made.samples[pause]))
            after = signals.rms_dbov(signals.from_int16(out[pause]))
            self.move_db.append(float(np.ptp(gains_db[pause.start // BLOCK : pause.stop // BLOCK])))
            self.raise_db.append(after - before)


def rows_of(name: str, line: bool, worst: Worst) -> list[Row]:
    babble = f"babble {SNR_DB:.0f} dB down that steps too" if line else f"babble at {BABBLE_DBOV:.0f} dBov"
    what = f"{name}, level steps from -46 to -8 dBov, pauses, {babble}"
    reason = "a few words before babble 20 dB below them" if line else "level steps"
    off_db = float(np.max(np.abs(worst.off_db)))
    figures = (
        (f"level 2 s of speech after each of {len(worst.off_db)} steps", "-26 +-1 dB", off_db, 1.0, " off"),
        (f"gain moves in {len(worst.move_db)} pauses", "1 dB", max(worst.move_db), 1.0, ""),
        ("noise raised in these pauses", "3 dB", max(worst.raise_db), 3.0, ""),
    )
    return [
        Row("AGC", f"{what}: {gate}, worst", limit, f"{value:.2f} dB{unit}", value <= most, note=reason)
        for gate, limit, value, most, unit in figures
    ]


def draw(pictures: Path, scenes: dict[str, Scene]) -> None:
    figure = Figure(figsize=(8, 2.6 * len(scenes)), layout="constrained")
    for axes, (name, made) in zip(
        np.atleast_1d(figure.subplots(len(scenes), 1)), scenes.items(), strict=True
    ):
        control = wide()
        before, after = SpeechLevelMeter(8000), SpeechLevelMeter(8000)
        shown = []
        for start in range(0, made.samples.size - 1599, 1600):
            block = made.samples[start : start + 1600]
            before.update(block)
            after.update(control.process(block))
            levels = before.sliding_active_speech_level_dbov, after.sliding_active_speech_level_dbov
            shown.append((*levels, control.gain_db))
        time_s = np.arange(len(shown)) / 5
        for values, label in zip(np.array(shown).T, ("level before", "level after", "gain"), strict=True):
            axes.plot(time_s, values, label=label, linewidth=1)
        axes.axhspan(TARGET_DBOV - 1, TARGET_DBOV + 1, alpha=0.2)
        axes.set(xlabel="time in s", ylabel="dBov, dB", ylim=(-60, 30), title=name)
        axes.legend(loc="lower right", fontsize=6, ncol=3)
    figure.savefig(pictures / "agc_mixed.svg")


def rows(pictures: Path) -> list[Row]:
    made: list[Row] = []
    shown: dict[str, Scene] = {}
    for name, pieces in materials().items():
        for line in (False, True):
            worst = Worst()
            for seed in range(TRIALS):
                mixed = scene(pieces, seed, line)
                worst.take(mixed)
                shown.setdefault(name, mixed)
            made += rows_of(name, line, worst)
    draw(pictures, shown)
    return made
