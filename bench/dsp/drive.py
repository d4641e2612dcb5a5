"""Run one of the Python subjects again and again, for callgrind to count."""

import sys

import numpy as np

from bench.dsp.subjects import OURS, PYTHON_PEERS


def main(name: str, rate_hz: str, path: str, repetitions: str) -> None:
    """Give the whole file as one block, so that the interpreter hardly counts."""
    (subject,) = (subject for subject in OURS + PYTHON_PEERS if subject.name == name)
    samples = np.fromfile(path, np.int16)
    run = subject.make(int(rate_hz))
    for _ in range(int(repetitions)):
        run(samples)


if __name__ == "__main__":
    main(*sys.argv[1:])
