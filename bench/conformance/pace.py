"""Pace: syllables counted against syllables spoken, next to the de Jong-Wempe method.

The network of the meter has heard none of it: of the English prompts and the recorded Mandarin it has
heard others, and neither the reader of the novel, nor these voices and speeds of espeak-ng, nor this
voice of flite.
"""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from scipy.signal import butter, find_peaks, sosfilt
from tests.dsp import signals
from tests.dsp.signals import Signal
from tests.dsp.spoken import said, said_by_flite, syllables

from bench.conformance import material
from bench.conformance.row import Row
from thirdring_dsp import SyllableRateMeter

COUNTED: dict[str, int] = json.loads(
    (Path(signals.__file__).with_name("prompt_syllables.json")).read_text(encoding="utf-8")
)
HELD_OUT_VOICES = ("m3", "m7", "f2", "f5")
HELD_OUT_WPM = (110, 165, 210, 265)
RAW = ["-t", "raw", "-r", "8000", "-e", "signed", "-b", "16", "-c", "1"]


class Spoken(NamedTuple):
    """Speech at 8 kHz and how many syllables it holds."""

    name: str
    signal: Signal
    syllables: int


def joined(pieces: list[Signal]) -> Signal:
    """The pieces at -26 dBov with 0.4 s between them."""
    pause = signals.silence(0.4)
    return np.concatenate([part for piece in pieces for part in (signals.at_rms(piece, -26), pause)])


def telephone(signal: Signal) -> Signal:
    """300 to 3400 Hz, A-law, white noise at -60 dBov."""
    band = sosfilt(butter(4, (300, 3400), "bandpass", fs=8000, output="sos"), signal)
    noise = signals.white(len(signal) / 8000, -60)
    return signals.through_codec(signals.mix(np.asarray(band), noise), "a-law")


def at_tempo(signal: Signal, tempo: float) -> Signal:
    """The same voice faster or slower (sox, made for speech)."""
    made = subprocess.run(
        ["sox", *RAW, "-", *RAW, "-", "tempo", "-s", str(tempo)],
        input=signals.to_int16(signal * 0.7).tobytes(),
        capture_output=True,
        check=True,
    )
    return signals.from_int16(np.frombuffer(made.stdout, np.int16)) / 0.7


def metered(signal: Signal) -> SyllableRateMeter:
    meter = SyllableRateMeter(8000)
    meter.update(signals.to_int16(np.concatenate([signal, signals.silence(1)])))
    return meter


def de_jong_wempe(signal: Signal) -> int:
    """Voiced peaks of intensity, 2 dB above the dip before them (Behavior Research Methods 41, 2009)."""
    hop, frame = 80, 512  # 64 ms, Praat's window for a pitch floor of 50 Hz
    frames = np.lib.stride_tricks.sliding_window_view(signal, frame)[::hop]
    window = np.hanning(frame)
    level = 10 * np.log10((frames**2) @ window / window.sum() + 1e-12)
    threshold = max(float(np.quantile(level, 0.99)) - 25, float(level.min()))
    count = last = 0
    for peak in map(int, find_peaks(level)[0]):
        valley = float(level[last : peak + 1].min())
        if level[peak] <= threshold or level[peak] - valley < 2:
            continue
        last = peak
        part = frames[peak] - frames[peak].mean()
        likeness = np.correlate(part, part, "full")[frame - 1 :]
        count += bool(likeness[16:107].max() > 0.45 * likeness[0])  # 75 to 500 Hz
    return count


def read_syllables(speaker: str) -> Spoken:
    """Recorded syllables of one of the two speakers of gcin-voice, which no training has seen, one by one."""
    files = [path for path in material.installed("gcin-voice") if path.stem == speaker][1::2]
    chosen = np.random.default_rng(5).permutation(len(files))[:300]
    sounds = [signals.at_rms(material.read(files[k]), -26) for k in chosen]
    return Spoken(
        f"Mandarin syllables one by one, speaker {speaker} of gcin-voice", joined(sounds), len(sounds)
    )


def reader() -> Spoken:
    """Sentences of a novel read aloud (pocketsphinx-testdata), counted from their transcript."""
    files = [path for path in material.installed("pocketsphinx-testdata") if "librivox" in path.parts]
    lines = (files[0].with_name("transcription")).read_text(encoding="utf-8").splitlines()
    texts = [re.sub(r"<[^>]*>|\([^)]*\)", "", line) for line in lines]
    count = sum(syllables(text, "en-us") for text in texts)
    return Spoken("English, a novel read aloud", joined([material.read(path) for path in files]), count)


def synthetic() -> Iterator[Spoken]:
    """Voices and speeds that no training has seen, with a text that it has not seen either."""
    texts = {"Mandarin": signals.MANDARIN, "Cantonese": signals.MANDARIN, "English": signals.ENGLISH}
    names = {"Mandarin": "cmn-latn-pinyin", "Cantonese": "yue", "English": "en-us"}
    chosen = [(language, "", pace) for language in ("Mandarin", "English") for pace in HELD_OUT_WPM]
    chosen += [(language, f"+{voice}", 165) for language in names for voice in HELD_OUT_VOICES]
    for language, voice, pace in chosen:
        name = "en" if language == "English" and not voice else names[language] + voice
        sound, count = said(texts[language], name, pace)
        yield Spoken(f"{language}, espeak-ng {name}, {pace} words/min", signals.at_rms(sound, -26), count)
    for stretch in (1.2, 0.9, 0.7):
        sound, count = said_by_flite(signals.ENGLISH, "awb", stretch)
        yield Spoken(f"English, flite awb, stretched {stretch}", signals.at_rms(sound, -26), count)


def materials() -> list[Spoken]:
    folder = next(signals.SOUNDS.glob("en_*"))
    english = joined([signals.load(folder / f"{name}.wav") for name in COUNTED])
    spoken = sum(COUNTED.values())
    found = [Spoken("English prompts", english, spoken)]
    found += [Spoken(f"English prompts, tempo {t}", at_tempo(english, t), spoken) for t in (0.8, 1.25, 1.5)]
    found.append(reader())
    words = signals.mandarin_words()[1::2]
    if words:
        # With their pauses: the recordings begin and end in silence.
        mandarin = joined([word for _, word in words])
        count = sum(len(name) for name, _ in words)
        found.append(Spoken("Mandarin words", mandarin, count))
        found += [Spoken(f"Mandarin words, tempo {t}", at_tempo(mandarin, t), count) for t in (1.35, 1.7)]
    return [*found, *(read_syllables(speaker) for speaker in ("3", "5")), *synthetic()]


def rows(pictures: Path) -> list[Row]:
    made = []
    biases: dict[str, tuple[float, float]] = {}
    for name, signal, spoken in materials():
        for band, heard in (("full band", signal), ("telephone", telephone(signal))):
            meter = metered(heard)
            bias = 100 * (meter.syllables / spoken - 1)
            peer = 100 * (de_jong_wempe(heard) / spoken - 1)
            biases[f"{name}, {band}"] = (bias, peer)
            made.append(
                Row(
                    "Pace",
                    f"{name}, {band}: {spoken} syllables at {meter.syllables_per_s:.1f} a second",
                    "+-10 %",
                    f"{bias:+.1f} %",
                    abs(bias) <= 10,
                    f"de Jong-Wempe {peer:+.1f} %",
                    "" if abs(bias) <= 10 else "a voice or a rate unlike those of the training",
                )
            )
    ours = np.array([bias for bias, _ in biases.values()])
    made.append(
        Row(
            "Pace",
            f"mean and spread (standard deviation) of these {ours.size}",
            "+-10 %",
            f"{ours.mean():+.1f} % and {ours.std():.1f} %",
            bool(abs(ours.mean()) <= 10),
            f"de Jong-Wempe {np.mean([peer for _, peer in biases.values()]):+.1f} %",
        )
    )
    figure = Figure(figsize=(7, 9), layout="constrained")
    axes = figure.subplots()
    places = np.arange(len(biases))
    axes.axvspan(-10, 10, color="0.9")
    axes.plot(ours, places, "o", label="ours")
    axes.plot([peer for _, peer in biases.values()], places, "x", label="de Jong-Wempe")
    axes.set_yticks(places, list(biases), fontsize=6)
    axes.set(xlabel="syllables counted too many / %", title="Pace")
    axes.legend(frameon=False)
    figure.savefig(pictures / "pace.svg")
    return made
