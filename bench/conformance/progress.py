"""Call progress: every tone of every national plan, what must not be one, and the cost."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from tests.dsp import cadence_signals as cs

from bench.conformance.row import Row
from thirdring_dsp import CallProgressDetector, DspEvent
from thirdring_dsp.tone_plans import Tone, countries, plan, ringback_cycle_s

SECTION = "Call progress"
LEVEL_DBM0 = -13.0
SPEECH = (*(f"sounds/{name}" for name in cs.PROMPTS), f"sounds/{cs.PROMPTS_IT}")
SHIPPED = "shipped spandsp: 164 and 194 (its fixed threshold)"
SHORTEST_S = 0.05  # 40 ms bursts (Austria's call waiting) are one window long
COST = """
import sys, numpy as np
from thirdring_dsp import CallProgressDetector
from thirdring_dsp.tone_plans import plan, render
country, kind, times = sys.argv[1], sys.argv[2], int(sys.argv[3])
if kind == "noise":
    signal = np.random.default_rng(1).normal(0, 1000, 80000).astype(np.int16)
else:
    signal = render(plan(country).tone(kind), 8000, 10.0)
detector = CallProgressDetector(8000, plan(country))
for _ in range(times):
    detector.update(signal)
"""


def right(tone: Tone, events: list[DspEvent]) -> bool:
    kinds = [event.kind for event in events]
    if tone.kind != "ringback":
        return kinds == [cs.EVENT_OF[tone.kind]]
    rings = sum(s.is_silence and s.duration_s > 1.2 for s in tone.segments)
    return kinds == ["ringback"] * (cs.cycles_needed(tone) * rings)


def recognised(snr_db: float, trials: int) -> tuple[int, int, Counter[str]]:
    """How many of all tones of all plans are told right, and whose are not."""
    random = np.random.default_rng(2)
    good = total = 0
    wrong: Counter[str] = Counter()
    for country in countries():
        detector = CallProgressDetector(8000, plan(country))
        for tone in cs.all_tones(plan(country)):
            if min(s.duration_s for s in tone.segments if not s.is_silence) < SHORTEST_S:
                continue
            clean = cs.signal_of(tone, cs.cycles_needed(tone), LEVEL_DBM0)
            for _ in range(trials):
                detector.reset()
                power = cs.tone_power(tone, LEVEL_DBM0)
                events = detector.update(cs.with_noise(clean, power, snr_db, random))
                total += 1
                if right(tone, events):
                    good += 1
                else:
                    wrong[f"{country} {tone.kind}"] += 1
    return good, total, wrong


def false_tones(folders: tuple[str, ...], gains_db: tuple[int, ...]) -> Counter[str]:
    """Tones found where there are none, by country."""
    found: Counter[str] = Counter(dict.fromkeys(countries(), 0))
    for folder in folders:
        for path in cs.recordings(folder):
            samples = cs.samples_of(path).astype(float)
            for gain_db in gains_db:
                louder = np.clip(np.round(samples * 10 ** (gain_db / 20)), -32768, 32767).astype(np.int16)
                for country in countries():
                    events = CallProgressDetector(8000, plan(country)).update(louder)
                    found[country] += sum(event.kind != "unknown_ringback" for event in events)
    return found


def unknown(folders: tuple[str, ...]) -> tuple[int, int]:
    """Of 20 s stretches of recordings: how many are told as ``unknown_ringback``, and of how many."""
    told = total = 0
    for folder in folders:
        for path in cs.recordings(folder):
            samples = cs.samples_of(path)
            for start in range(0, len(samples) - 160000 + 1, 160000):
                part = samples[start : start + 160000]
                if path.stem != "tt-monkeys" and np.sqrt(np.mean(part.astype(float) ** 2)) > 100:
                    total += 1
                    events = CallProgressDetector(8000, plan("CN")).update(part)
                    told += "unknown_ringback" in {event.kind for event in events}
    return told, total


def tolerances(pictures: Path) -> list[Row]:
    """Ringback off its frequency: accepted inside the tolerance, refused 5 Hz outside."""
    inside = outside = tried = 0
    for country in countries():
        tolerance = plan(country).frequency_tolerance_hz
        tone = plan(country).tone("ringback")
        # Where two alternatives of a plan are neighbours, the outside of one is the inside of another.
        alone = len(plan(country).alternatives("ringback")) == 1
        for sign in (-1, 1):
            tried += 1
            near = cs.signal_of(cs.shifted(tone, sign * (tolerance - 0.5)), 2)
            far = cs.signal_of(cs.shifted(tone, sign * (tolerance + 5.0)), 2)
            detector = CallProgressDetector(8000, plan(country))
            inside += [event.kind for event in detector.update(near)].count("ringback") >= 2
            detector.reset()
            outside += alone and bool(detector.update(far))
    figure = Figure(figsize=(6, 2.4), layout="constrained")
    axes = figure.subplots()
    for country in ("CN", "GB", "JP", "US"):
        detector = CallProgressDetector(8000, plan(country))
        offsets = np.arange(-32.0, 32.5, 1.0)
        counts = []
        for offset in offsets:
            detector.reset()
            tone = cs.shifted(plan(country).tone("ringback"), float(offset))
            counts.append(len(detector.update(cs.signal_of(tone, 2))))
        axes.step(offsets, counts, where="mid", label=country)
    axes.set(xlabel="Hz off nominal", ylabel="rings counted of 2")
    axes.legend(frameon=False)
    figure.savefig(pictures / "progress_tolerance.svg", metadata={"Date": None})
    return [
        Row(
            SECTION,
            f"ringback 0.5 Hz inside the plan's frequency tolerance, {tried} trials",
            "100 %",
            f"{100 * inside / tried:.1f} %",
            inside == tried,
            "spandsp: +-6 % for every plan",
            "" if inside == tried else f"{tried - inside} refused",
        ),
        Row(
            SECTION,
            "ringback 5 Hz outside it, plans with one ringback",
            "0",
            str(outside),
            outside == 0,
            note="" if not outside else "accepted",
        ),
    ]


def first_ring() -> Row:
    """When the first ring is known, as a share of the cycle."""
    late, worst = 0, 0.0
    dial_first = 0
    for country in countries():
        detector = CallProgressDetector(8000, plan(country))
        signal = cs.signal_of(plan(country).tone("ringback"), 2)
        for at in range(0, len(signal), 80):
            if events := detector.update(signal[at : at + 80]):
                known_s = (at + 80) / 8000 - 0.5
                share = known_s / ringback_cycle_s(country)
                worst = max(worst, share)
                late += share > 1.0
                dial_first += events[0].kind != "ringback"
                break
        else:
            late += 1
    return Row(
        SECTION,
        f"first ring known by the end of its pause, and as nothing else first, {len(countries())} plans",
        "all",
        f"{len(countries()) - late} (latest at {worst:.2f} of the cycle), {dial_first} as another",
        late == 0 and dial_first == 0,
    )


def cost() -> list[Row]:
    """Instructions a sample, the difference of a long and a short run."""
    worst, where = 0.0, ""
    for country, kind in (
        ("CN", "noise"),
        ("CN", "ringback"),
        ("US", "ringback"),
        ("GB", "noise"),
        ("GB", "dial"),
        ("JP", "ringback"),
    ):
        counted = []
        for times in (1, 21):
            # Hashes that differ from run to run would make start-up differ by more than is measured.
            out = subprocess.run(
                [
                    "valgrind",
                    "--tool=callgrind",
                    "--callgrind-out-file=/dev/null",
                    sys.executable,
                    "-c",
                    COST,
                    country,
                    kind,
                    str(times),
                ],
                capture_output=True,
                text=True,
                check=True,
                env=os.environ | {"PYTHONHASHSEED": "0"},
            ).stderr
            counted.append(int(out.rpartition("Collected : ")[2].split()[0]))
        per_sample = (counted[1] - counted[0]) / (20 * 80000)
        if per_sample > worst:
            worst, where = per_sample, f"{country}, {kind}"
    return [
        Row(
            SECTION,
            "cost, the dearest of six plans and signals",
            "60 instructions/sample",
            f"{worst:.1f} ({where})",
            worst <= 60,
            "spandsp 99.5 (US), 61.4 (CN)",
            "" if worst <= 60 else "many tone pairs near each other",
        )
    ]


def rows(pictures: Path) -> list[Row]:
    clean, clean_total, clean_wrong = recognised(60.0, 1)
    good, total, wrong = recognised(2.0, 3)
    speech = false_tones(SPEECH, (0,))
    music = false_tones(("moh",), (0,))
    louder = false_tones(("moh",), (-12, 6))
    told, stretches = unknown(("moh",))
    told_speech, stretches_speech = unknown(SPEECH)
    most_music = max(music.values())
    return [
        Row(SECTION, "national plans", "60", str(len(countries())), len(countries()) >= 60),
        Row(
            SECTION,
            f"every tone of every plan told from its others, clean, {clean_total} trials",
            "100 %",
            f"{100 * clean / clean_total:.2f} %",
            clean == clean_total,
            note="" if clean == clean_total else str(clean_wrong.most_common(3)),
        ),
        Row(
            SECTION,
            f"the same at 2 dB S/N in white noise, bursts of 50 ms and more, {total} trials",
            "99.9 %",
            f"{100 * good / total:.2f} %",
            good >= 0.999 * total,
            note=str(wrong.most_common(3)) if wrong else "",
        ),
        *tolerances(pictures),
        first_ring(),
        Row(
            SECTION,
            "false tones on the prompts of five languages, sum over all plans",
            "0",
            str(sum(speech.values())),
            not sum(speech.values()),
            SHIPPED,
            "" if not sum(speech.values()) else str(speech.most_common(3)),
        ),
        Row(SECTION, "the same, CN plan", "0", str(speech["CN"]), speech["CN"] == 0, SHIPPED),
        Row(
            SECTION,
            "false tones on the music on hold, worst plan",
            "1",
            str(most_music),
            most_music <= 1,
            SHIPPED,
            "" if most_music <= 1 else str(music.most_common(3)),
        ),
        Row(SECTION, "the same, CN plan", "1", str(music["CN"]), music["CN"] <= 1, SHIPPED),
        Row(
            SECTION,
            "the same at -12 and +6 dB (clipped) together, CN plan",
            "2",
            str(louder["CN"]),
            louder["CN"] <= 2,
            note=f"worst plan {max(louder.values())}",
        ),
        Row(
            SECTION,
            f"melody in place of ringback: 20 s stretches of music told as unknown_ringback, {stretches}",
            "80 %",
            f"{100 * told / stretches:.0f} %",
            told >= 0.8 * stretches,
            note="" if told >= 0.8 * stretches else "sparse music pauses like speech",
        ),
        Row(
            SECTION,
            f"the same of speech, {stretches_speech}",
            "0",
            str(told_speech),
            told_speech == 0,
            note="" if not told_speech else "speech told as music",
        ),
        *cost(),
    ]
