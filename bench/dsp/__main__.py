"""What the detectors and meters cost beside their peers: ``nox -s bench_dsp -- [--rate 16000] [NAME ...]``.

Times are the best of several passes over the signal in blocks of 20 ms, ours and webrtcvad through Python
as in the appliance, the C peers within C. Instructions are callgrind's difference between a long and a
short run, per sample: they repeat, times do not.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from tests.dsp import signals, tone_signals

from bench.dsp.subjects import C_PEERS, OURS, PYTHON_PEERS, Samples, Subject

HERE = Path(__file__).resolve().parent
LONG, SHORT = 5, 1
# Gate: our time is below that of the peer in the same run.
BELOW = {"DtmfDetector": "spandsp dtmf_rx", "SpeechLevelMeter": "P.56 meter in C as in G.191"}
# Nothing that differs from run to run may count: hash seeds, the number of linear algebra threads.
STEADY = {**os.environ, "PYTHONHASHSEED": "0", "OPENBLAS_NUM_THREADS": "1"}


def make_signals(rate_hz: int) -> dict[str, Samples]:
    """Return 10 s of speech, of white noise, and of digits of 50 ms with pauses of 50 ms."""
    rng = np.random.default_rng(1)
    digits = tone_signals.dtmf_string(tone_signals.DTMF_KEYS * 7, rate_hz=rate_hz, rng=rng)
    return {
        "speech": signals.to_int16(signals.prompts(60, sample_rate_hz=rate_hz))[: 10 * rate_hz],
        "noise": tone_signals.to_int16(tone_signals.white_noise(10 * rate_hz, 1e6, rng)),
        "digits": tone_signals.to_int16(digits)[: 10 * rate_hz],
    }


def time_python(subject: Subject, samples: Samples, rate_hz: int) -> float:
    """Return microseconds per block of 20 ms."""
    length = rate_hz // 50
    blocks = [samples[at : at + length] for at in range(0, len(samples) - length + 1, length)]
    best = float("inf")
    for _ in range(7):
        run = subject.make(rate_hz)
        start = time.perf_counter()
        for block in blocks:
            run(block)
        best = min(best, (time.perf_counter() - start) / len(blocks))
    return best * 1e6


def time_peer(command: list[str]) -> float:
    """Return microseconds per block of 20 ms."""
    return (
        min(float(subprocess.check_output([*command, "4"], stderr=subprocess.DEVNULL)) for _ in range(7))
        / 1e3
    )


def instructions(command: list[str], samples: int) -> float | None:
    """Return instructions per sample; None without valgrind."""
    if shutil.which("valgrind") is None:
        return None
    counts = []
    for repetitions in (SHORT, LONG):
        line = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *command, str(repetitions)]
        report = subprocess.run(line, env=STEADY, capture_output=True, text=True, check=True).stderr
        found = re.search(r"Collected : (\d+)", report)
        assert found is not None, report
        counts.append(int(found[1]))
    return (counts[1] - counts[0]) / ((LONG - SHORT) * samples)


def line(name: str, signal: str, us: float, count: float | None, subject: Subject | None) -> bool:
    """Print a row; return whether its gates are met."""
    gates, met = [], True
    if subject is not None and subject.instructions_max is not None and count is not None:
        gates.append(f"<= {subject.instructions_max:g} instructions")
        met &= count <= subject.instructions_max
    if subject is not None and subject.us_max is not None:
        gates.append(f"<= {subject.us_max:g} us")
        met &= us <= subject.us_max
    counted = "-" if count is None else f"{count:.1f}"
    verdict = f"{', '.join(gates)}: {'met' if met else 'MISSED'}" if gates else ""
    print(f"{name:36} {signal:8} {us:9.2f} {counted:>12}   {verdict}", flush=True)
    return met


def main() -> int:
    """Measure the subjects whose names contain one of the given words; all without."""
    parser = argparse.ArgumentParser(prog="bench_dsp")
    parser.add_argument("words", nargs="*")
    parser.add_argument("--rate", type=int, default=8000, choices=(8000, 16000, 48000))
    options = parser.parse_args()

    def chosen(name: str) -> bool:
        return not options.words or any(word.lower() in name.lower() for word in options.words)

    met = True
    times_us: dict[tuple[str, str], float] = {}
    with tempfile.TemporaryDirectory() as folder:
        peers = Path(folder) / "peers"
        sources = [str(HERE / "peers.c"), str(HERE / "p56.c")]
        libraries = ["-lspandsp", "-lspeexdsp", "-lm"]
        subprocess.run(["gcc", "-O2", "-o", str(peers), *sources, *libraries], check=True)
        made = make_signals(options.rate)
        paths = {}
        for name, samples in made.items():
            paths[name] = Path(folder) / f"{name}.raw"
            samples.tofile(paths[name])
        print(f"{'at ' + str(options.rate) + ' Hz':36} {'signal':8} {'us/20 ms':>9} {'instr/sample':>12}")
        for subject in OURS + PYTHON_PEERS:
            for signal in subject.signals if chosen(subject.name) else ():
                drive = [sys.executable, "-m", "bench.dsp.drive", subject.name, str(options.rate)]
                count = instructions([*drive, str(paths[signal])], len(made[signal]))
                us = times_us[subject.name, signal] = time_python(subject, made[signal], options.rate)
                met &= line(subject.name, signal, us, count, subject)
        for name, (argument, of) in C_PEERS.items() if options.rate == 8000 else ():
            for signal in of if chosen(name) else ():
                command = [str(peers), argument, str(paths[signal])]
                count = instructions(command, len(made[signal]))
                us = times_us[name, signal] = time_peer(command)
                line(name, signal, us, count, None)
    for name, peer in BELOW.items():
        for signal in sorted(signal for ours, signal in times_us if ours == name):
            if (peer, signal) in times_us:
                below = times_us[name, signal] < times_us[peer, signal]
                met &= below
                verdict = "met" if below else "MISSED"
                print(f"{name} below {peer}, {signal}: {verdict}")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
