"""Pace: syllables counted against syllables spoken, next to the de Jong-Wempe method.

The network of the meter has seen neither these English prompts nor these Mandarin words.
"""

import json
import subprocess
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from scipy.signal import butter, find_peaks, sosfilt
from tests.dsp import signals
from tests.dsp.signals import Signal

from bench.conformance import material
from bench.conformance.row import Row
from thirdring_dsp import SyllableRateMeter

COUNTED: dict[str, int] = json.loads(
    (Path(signals.__file__).with_name("prompt_syllables.json")).read_text(encoding="utf-8")
)
RAW = ["-t", "raw", "-r", "8000", "-e", "signed", "-b", "16", "-c", "1"]


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


def read_syllables(speaker: str) -> tuple[str, Signal, int]:
    """Recorded syllables of one of the two speakers of gcin-voice, which no training has seen, one by one."""
    files = [path for path in material.installed("gcin-voice") if path.stem == speaker][1::2]
    chosen = np.random.default_rng(5).permutation(len(files))[:300]
    sounds = [signals.at_rms(material.read(files[k]), -26) for k in chosen]
    return f"Mandarin syllables one by one, speaker {speaker} of gcin-voice", joined(sounds), len(sounds)


def materials() -> list[tuple[str, Signal, int]]:
    folder = next(signals.SOUNDS.glob("en_*"))
    english = joined([signals.load(folder / f"{name}.wav") for name in COUNTED])
    spoken = sum(COUNTED.values())
    found = [
        ("English prompts", english, spoken),
        ("English prompts, tempo 1.25", at_tempo(english, 1.25), spoken),
    ]
    words = signals.mandarin_words()[1::2]
    if words:
        # With their pauses: the recordings begin and end in silence.
        mandarin = joined([word for _, word in words])
        count = sum(len(name) for name, _ in words)
        found.append(("Mandarin words", mandarin, count))
        found += [(f"Mandarin words, tempo {t}", at_tempo(mandarin, t), count) for t in (1.35, 1.7)]
    for speaker in ("3", "5"):
        found.append(read_syllables(speaker))
    syllables = sum("一" <= sign <= "鿿" for sign in signals.MANDARIN)
    for pace in (130, 160, 200):
        made = signals.load(signals.espeak(signals.MANDARIN, "cmn", pace))
        found.append((f"Mandarin, synthetic, {pace} words/min", signals.at_rms(made, -26), syllables))
    for voice in ("m3", "m7", "f2", "f5"):
        made = signals.load(signals.espeak(signals.MANDARIN, f"cmn+{voice}", 160))
        found.append((f"Mandarin, synthetic, voice {voice}", signals.at_rms(made, -26), syllables))
    return found


def rows(pictures: Path) -> list[Row]:
    made = []
    biases: dict[str, tuple[float, float]] = {}
    for name, signal, syllables in materials():
        for band, heard in (("full band", signal), ("telephone", telephone(signal))):
            meter = metered(heard)
            bias = 100 * (meter.syllables / syllables - 1)
            peer = 100 * (de_jong_wempe(heard) / syllables - 1)
            biases[f"{name}, {band}"] = (bias, peer)
            made.append(
                Row(
                    "Pace",
                    f"{name}, {band}: {syllables} syllables at {meter.syllables_per_s:.1f} a second",
                    "+-10 %",
                    f"{bias:+.1f} %",
                    abs(bias) <= 10,
                    f"de Jong-Wempe {peer:+.1f} %",
                    "" if abs(bias) <= 10 else "a voice or a rate unlike those of the training",
                )
            )
    figure = Figure(figsize=(7, 6), layout="constrained")
    axes = figure.subplots()
    places = np.arange(len(biases))
    axes.axvspan(-10, 10, color="0.9")
    axes.plot([ours for ours, _ in biases.values()], places, "o", label="ours")
    axes.plot([peer for _, peer in biases.values()], places, "x", label="de Jong-Wempe")
    axes.set_yticks(places, list(biases), fontsize=6)
    axes.set(xlabel="syllables counted too many / %", title="Pace")
    axes.legend(frameon=False)
    figure.savefig(pictures / "pace.svg")
    return made
