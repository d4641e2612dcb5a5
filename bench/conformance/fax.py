"""CNG, CED and ANSam in noise, beside spandsp on the same samples, and false tones in speech and music."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile
from matplotlib.figure import Figure
from tests.dsp.tone_signals import Samples, Signal, amplitude, answer_tone, cng, to_int16, white_noise

from bench.conformance.row import Row
from bench.dsp import spandsp
from thirdring_dsp import FaxToneDetector

SECTION = "Fax"
TRIALS = 40
ANSWERS = {
    "ANS": (False, False, spandsp.ANS),
    "/ANS": (False, True, spandsp.ANS_PR),
    "ANSam": (True, False, spandsp.ANSAM),
    "/ANSam": (True, True, spandsp.ANSAM_PR),
}


def ours_cng(samples: Samples) -> bool:
    return [event.kind for event in FaxToneDetector().update(samples)] == ["cng"]


def ours_answer(name: str) -> Callable[[Samples], bool]:
    def hears(samples: Samples) -> bool:
        events = FaxToneDetector().update(samples)
        return [event.value for event in events if event.kind == "ced_end"] == [name]

    return hears


def share(signal: Signal, snr_db: float, hears: Callable[[Samples], bool]) -> float:
    """Return the share of trials heard, white noise that far below a tone of -15 dBm0."""
    power = amplitude(-15) ** 2 / 2 * 10 ** (-snr_db / 10)
    rng = np.random.default_rng(7)
    return sum(hears(to_int16(signal + white_noise(len(signal), power, rng))) for _ in range(TRIALS)) / TRIALS


def false_tones(folder: Path) -> tuple[int, int, float]:
    """Return what ours and spandsp report in the wave files at three gains, and their minutes."""
    false, seconds = [0, 0], 0.0
    for path in sorted(folder.rglob("*.wav")):
        samples, rate_hz = soundfile.read(path, dtype="int16")
        if rate_hz != 8000:
            continue
        seconds += len(samples) / 8000
        for gain_db in (-12, 0, 12):
            scaled = to_int16(samples * 10 ** (gain_db / 20))
            false[0] += len(FaxToneDetector().update(scaled))
            false[1] += sum(
                spandsp.connect_tone(scaled, tone) != 0 for tone in (spandsp.CNG, spandsp.ANSAM_PR)
            )
    return false[0], false[1], seconds / 60


def rows(pictures: Path) -> list[Row]:
    found = []
    curves: dict[str, tuple[list[float], list[float]]] = {}
    points = range(0, 21, 2)
    for name in ("CNG", *ANSWERS):
        if name == "CNG":
            signal = cng(1)
            our_ears: Callable[[Samples], bool] = ours_cng
            tone = spandsp.CNG
        else:
            modulated, reversed_phase, tone = ANSWERS[name]
            signal = answer_tone(modulated=modulated, reversed_phase=reversed_phase)
            our_ears = ours_answer(name)

        def peer_ears(samples: Samples, tone: int = tone) -> bool:
            return spandsp.connect_tone(samples, tone) == tone

        curves[name] = (
            [share(signal, snr, our_ears) for snr in points],
            [share(signal, snr, peer_ears) for snr in points],
        )
        at_10 = points.index(10)
        ours, peer = (100 * curve[at_10] for curve in curves[name])
        found.append(
            Row(
                SECTION,
                f"{name} at S/N 10 dB, named right",
                "100 %",
                f"{ours:.3g} %",
                ours == 100,
                f"spandsp {peer:.3g} %",
            )
        )
    for name, folder in (("prompts", "sounds"), ("music on hold", "moh")):
        our_count, peer_count, minutes = false_tones(Path("/usr/share/asterisk") / folder)
        gate = f"false tones, {name}, {minutes:.0f} min at 3 gains"
        found.append(
            Row(SECTION, gate, "0", str(our_count), our_count == 0 and minutes > 0, f"spandsp {peer_count}")
        )
    figure = Figure(figsize=(6, 3.5), layout="constrained")
    axes = figure.subplots()
    for index, (name, (ours_curve, peer_curve)) in enumerate(curves.items()):
        axes.plot(list(points), np.multiply(ours_curve, 100), f"C{index}", label=name)
        axes.plot(list(points), np.multiply(peer_curve, 100), f"C{index}--")
    axes.set(title="Fax tones in white noise (dashed: spandsp)", xlabel="S/N / dB", ylabel="heard / %")
    axes.legend(frameon=False, fontsize=7)
    figure.savefig(pictures / "fax.svg")
    return found
