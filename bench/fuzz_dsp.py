"""Fuzz one class of the DSP core, or all in turn: ``nox -s fuzz -- --seconds 120 DtmfDetector``.

libFuzzer (through atheris) makes the bytes; the first say the sample rate and how the stream is cut, the
rest are steps, tones, noise and raw samples. Runs on the build with address and undefined-behaviour
sanitizer and coverage counters, so it looks for paths inside the compiled code. Every class runs in a
process of its own, so that several commands may run side by side. What breaks is left below
``out/fuzz/CLASS`` and is tried first by the next run, as is what widened the coverage.
"""

import argparse
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
from tests.dsp.subjects import RATES_HZ, SUBJECTS, Samples, Subject, assert_sound, run

from thirdring_dsp.call_progress import CallProgressDetector
from thirdring_dsp.tone_plans import plan


def _call_progress(country: str, rate_hz: int) -> CallProgressDetector:
    return CallProgressDetector(rate_hz, plan(country))


# Plans that differ most in their tones beside that of China: pairs, three tones, modulated ringback.
PLANS = ("DE", "GB", "JP", "US")
FUZZED = SUBJECTS | {
    f"CallProgressDetector-{country}": Subject(partial(_call_progress, country)) for country in PLANS
}
LONGEST_S = 4.0
MOST_BLOCKS = 20_000
"""Of the larger of the two sizes: a stream in single samples is cut short, or it would take a minute."""
TONES_HZ = (15, 25, 50, 350, 440, 450, 697, 770, 852, 941, 950, 1100, 1209, 1336, 1477, 1633, 1800, 2100)


def stream(data: bytes, rate_hz: int) -> Samples:
    """Read the bytes as a list of pieces of signal, four bytes a piece and raw samples where asked for."""
    pieces: list[Samples] = [np.empty(0, np.int16)]
    room = int(LONGEST_S * rate_hz)
    at = 0
    while at + 4 <= len(data) and room > 0:
        kind, length, loud, detail = data[at : at + 4]
        at += 4
        count = min((length + 1) * (rate_hz // 200 if kind & 8 else 3), room)
        n = np.arange(count)
        peak = 32767.0 * 2.0 ** (-loud / 16.0)
        wave = kind & 7
        if wave == 0:
            made = np.full(count, peak if detail & 1 else -peak)
        elif wave == 1:
            made = np.where(n // (detail + 1) % 2, peak, -peak - 1)
        elif wave in (2, 3):
            made = peak * np.sin(2 * np.pi * TONES_HZ[detail % len(TONES_HZ)] / rate_hz * n)
            if wave == 3:
                other_hz = TONES_HZ[detail // len(TONES_HZ) % len(TONES_HZ)]
                made = 0.5 * (made + peak * np.sin(2 * np.pi * other_hz / rate_hz * n))
        elif wave == 4:
            made = np.random.default_rng(detail).normal(0.0, peak, count)
        elif wave == 5:
            made = np.zeros(count)
        else:
            made = np.frombuffer(data[at : at + 2 * length], np.int16, min(length, (len(data) - at) // 2))
            at += 2 * length
        pieces.append(np.clip(np.rint(made), -32768, 32767).astype(np.int16)[:room])
        room -= pieces[-1].size
    return np.concatenate(pieces)


def try_bytes(subject: Subject, data: bytes) -> None:
    """Run one stream, in blocks of two sizes, and look at all that comes out."""
    if len(data) < 5:
        return
    rate_hz = RATES_HZ[data[0] % 3]
    sizes = [1 + data[1] + 8 * data[2], data[3]]
    half = len(data) // 2
    one = stream(data[4:], rate_hz)[: MOST_BLOCKS * max(sizes)]
    other = np.resize(stream(data[half:], rate_hz), one.size) if subject.inputs == 2 else one
    assert_sound(subject, run(subject, subject.make(rate_hz), (one, other), sizes), one.size / rate_hz)


def fuzz(name: str, seconds: int, seed: int) -> None:
    """Fuzz one class in this process; libFuzzer ends it."""
    import atheris

    folder = Path("out", "fuzz", name)
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    subject = FUZZED[name]
    options = [
        f"-max_total_time={seconds}",
        f"-seed={seed}",
        "-max_len=600",
        "-len_control=0",
        "-timeout=60",
        "-print_final_stats=1",
    ]
    arguments = [sys.argv[0], *options, f"-artifact_prefix={folder}/", str(corpus)]
    atheris.Setup(arguments, lambda data: try_bytes(subject, data))
    atheris.Fuzz()


def main() -> int:
    """Return 0 when no class broke."""
    formatter = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=formatter)
    parser.add_argument("--seconds", type=int, default=120, help="for each class")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("classes", nargs="*", metavar="CLASS", help=f"of {', '.join(FUZZED)}; all without")
    arguments = parser.parse_args()
    if unknown := set(arguments.classes) - set(FUZZED):
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    if arguments.here:
        fuzz(arguments.classes[0], arguments.seconds, arguments.seed)
    broken = []
    for name in arguments.classes or FUZZED:
        command = [sys.executable, "-m", "bench.fuzz_dsp", "--here", "--seconds", str(arguments.seconds)]
        done = subprocess.run(
            [*command, "--seed", str(arguments.seed), name], capture_output=True, text=True, env=os.environ
        )
        Path("out", "fuzz", f"{name}.log").write_text(done.stdout + done.stderr, encoding="utf-8")
        runs = [line.split()[-1] for line in done.stderr.splitlines() if "number_of_executed_units" in line]
        cover = [line.split() for line in done.stderr.splitlines() if " cov: " in line]
        reached = cover[-1][cover[-1].index("cov:") + 1] if cover else "?"
        print(
            f"{name}: {runs[-1] if runs else '?'} streams, {reached} edges, exit {done.returncode}",
            flush=True,
        )
        if done.returncode:
            broken.append(name)
    if broken:
        print(f"broken: {', '.join(broken)}; see out/fuzz/CLASS.log")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
