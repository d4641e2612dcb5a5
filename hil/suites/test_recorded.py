"""A recorded call is judged on the unit as it is on the bench, whatever processor either has."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from thirdring_hil.measurements import Measure
from thirdring_hil.qemu.network import HOST_SEEN_AS, LOOPBACK
from thirdring_hil.speech import make_speech
from thirdring_hil.target import Target

RATE_HZ = 16000
AGENT = "Good morning, this is the service desk, my name is Wang. How may I help you today?"
CUSTOMER = "Hello. My order has not come, and nobody could tell me where it is. Can you find it, please?"
AGENT_AGAIN = "Certainly. One moment, please."
LEVELS_DBOV = (-24.0, -31.0)
SILENCE_S = 6.0
ANALYZED_S = 600.0
"""The recording lasts half a minute; an emulated processor needs ten times its length."""
FETCH = "import sys, urllib.request as u; u.urlretrieve(*sys.argv[1:])"
COMMAND = "thirdring-device analyze --json --settings"
SETTINGS = "/etc/thirdring/settings.toml"
NAME = "call.wav"


class Quiet(SimpleHTTPRequestHandler):
    """Says nothing of what is fetched."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """See the base class."""


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """A call of two channels: the agent, the customer, both at once, and a long silence."""
    said = [
        make_speech(tmp_path / "said.wav", level_dbov, RATE_HZ, text)
        for text, level_dbov in (
            (AGENT, LEVELS_DBOV[0]),
            (CUSTOMER, LEVELS_DBOV[1]),
            (AGENT_AGAIN, LEVELS_DBOV[0]),
        )
    ]
    starts_s = (1.0, 1.0 + len(said[0]) / RATE_HZ + 0.7, 1.0 + (len(said[0]) + len(said[1])) / RATE_HZ - 0.5)
    length = int((starts_s[2] + SILENCE_S) * RATE_HZ) + len(said[2])
    sound = np.zeros((length, 2), dtype=np.int16)
    sound[:] = np.random.default_rng(8).integers(-3, 4, sound.shape)  # a line is never quite still
    for samples, start_s, channel in zip(said, starts_s, (0, 1, 0), strict=True):
        begin = int(start_s * RATE_HZ)
        sound[begin : begin + len(samples), channel] += samples
    path = tmp_path / NAME
    soundfile.write(path, sound, RATE_HZ, "PCM_16")
    return path


@pytest.fixture
def served(tmp_path: Path) -> Iterator[int]:
    """Serve the folder on the host's loopback; the port."""
    with ThreadingHTTPServer((LOOPBACK, 0), partial(Quiet, directory=str(tmp_path))) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def here(recording: Path, settings: Path) -> dict[str, Any]:
    command = [
        sys.executable,
        "-m",
        "thirdring_device.cli",
        *COMMAND.split()[1:],
        str(settings),
        str(recording),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    report: dict[str, Any] = json.loads(done.stdout)
    return report


@pytest.mark.needs("root_shell")
def test_the_verdicts_of_a_recording_are_those_of_the_bench(
    target: Target, measure: Measure, recording: Path, served: int, tmp_path: Path
) -> None:
    assert target.machine is not None
    with target.machine.shell() as shell:
        url = f"http://{HOST_SEEN_AS}:{served}/{NAME}"
        shell.run(f"python3 -c '{FETCH}' {url} /tmp/{NAME}", 60.0)
        settings = tmp_path / "settings.toml"
        settings.write_text(shell.run(f"cat {SETTINGS}"), encoding="utf-8")
        # Behind the engine, which has its watchdog to feed; standard error is a terminal and shows progress.
        judge = f"nice -n 19 {COMMAND} {SETTINGS} /tmp/{NAME} 2> /tmp/said || {{ cat /tmp/said; false; }}"
        said = shell.run(judge, ANALYZED_S)
    there = json.loads(said)
    expected = here(recording, settings)
    assert there["verdicts"] == expected["verdicts"]
    judged = sum(verdict["verdict"] != "not_applicable" for verdict in there["verdicts"])
    measure("verdicts_as_on_the_bench", judged, "norms", 5, None, "enough that something is told")
