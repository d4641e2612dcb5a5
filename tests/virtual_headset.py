"""A headset without hardware, behind ALSA's own interface: null sinks of a PulseAudio that is ours alone.

The sink ``mouth`` is what the agent says (its monitor is the microphone), ``ear`` what the agent hears,
``bell`` a second device. ``unplug`` takes the headset's sinks away as a USB headset goes.
"""

import os
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tests.peers import Peer, wait_until

ALSA_NAME = "virtual"
BELL = "bell"
ALSA_CONFIG = """\
</usr/share/alsa/alsa.conf>
pcm.virtual {{
    type asym
    capture.pcm {{ type pulse server "{server}" device "mouth.monitor" }}
    playback.pcm {{ type pulse server "{server}" device "ear" }}
}}
pcm.bell {{ type pulse server "{server}" device "bell" }}
"""


class Recording:
    """What a sink played, 16 bit mono, as far as it has come."""

    def __init__(self, command: list[str], rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._chunks: list[bytes] = []
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        while chunk := os.read(self._process.stdout.fileno(), 65536):
            self._chunks.append(chunk)

    @property
    def samples(self) -> npt.NDArray[np.int16]:
        return np.frombuffer(b"".join(self._chunks), dtype=np.int16)

    @property
    def duration_s(self) -> float:
        return sum(map(len, self._chunks)) / 2 / self._rate_hz

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()
        self._thread.join()
        assert self._process.stdout is not None
        self._process.stdout.close()


class VirtualHeadset(Peer):
    """A PulseAudio daemon with the headset's sinks at ``rate_hz``."""

    def __init__(self, rate_hz: int = 48000) -> None:
        self._rate_hz = rate_hz
        self._folder = Path(tempfile.mkdtemp(prefix="pa"))  # the path of a unix socket must be short
        self._socket = self._folder / "native"
        self._orders = self._folder / "orders"
        self._modules: list[str] = []

    @property
    def environment(self) -> Mapping[str, str]:
        """What a process needs in its environment to see the headset as ALSA's ``virtual``."""
        return {"ALSA_CONFIG_PATH": str(self._folder / "asoundrc")}

    def start(self) -> None:
        server = f"unix:{self._socket}"
        (self._folder / "asoundrc").write_text(ALSA_CONFIG.format(server=server), encoding="ascii")
        own = ("HOME", "XDG_RUNTIME_DIR", "PULSE_RUNTIME_PATH", "PULSE_STATE_PATH")
        environment = {**os.environ, **{name: str(self._folder) for name in own}}
        with (self._folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [
                    *("pulseaudio", "--daemonize=no", "--exit-idle-time=-1", "-n", "--use-pid-file=no"),
                    *("--disable-shm=yes", "--high-priority=no", "--realtime=no", "--log-target=stderr"),
                    *("-L", f"module-native-protocol-unix auth-anonymous=1 socket={self._socket}"),
                    *("-L", f"module-cli-protocol-unix socket={self._orders}"),
                ],
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        wait_until(lambda: self._socket.exists() and self._orders.exists(), "PulseAudio answers")
        self.plug()

    def stop(self) -> None:
        super().stop()
        shutil.rmtree(self._folder)

    def plug(self) -> None:
        """Put the headset in."""
        self._modules = [self._load("mouth"), self._load("ear")]

    def unplug(self) -> None:
        """Take the headset away, whoever may be using it."""
        # Both at once: PulseAudio moves what uses the first one to the other, as long as that is there.
        lines = "".join(f"unload-module {module}\n" for module in self._modules)
        self._modules = []
        with socket.socket(socket.AF_UNIX) as orders:
            orders.connect(str(self._orders))
            orders.sendall(lines.encode("ascii"))
            wait_until(lambda: not self._control("list", "short", "sinks"), "the sinks are gone")

    @contextmanager
    def bell(self) -> Iterator[None]:
        """Have the second device there, until the context is left, and wait until somebody has opened it.

        Not longer: PulseAudio moves what plays on a sink that goes to another one that is there.
        """
        module = self._load(BELL)
        try:
            wait_until(
                lambda: self._control("list", "short", "sink-inputs").count("\n") == 2,
                "ear and bell are open",
            )
            yield
        finally:
            self._control("unload-module", module)

    def say(self, path: Path) -> subprocess.Popen[bytes]:
        """Begin to speak a sound file into the microphone; wait for the process to have it all said."""
        return subprocess.Popen(
            [
                *("paplay", f"--server=unix:{self._socket}", "--device=mouth", "--latency-msec=20"),
                str(path),
            ],
            stderr=subprocess.DEVNULL,
        )

    @contextmanager
    def listening(self, sink: str = "ear", rate_hz: int = 16000, latency_ms: int = 5) -> Iterator[Recording]:
        """Record what ``sink`` plays; while somebody does, the sink moves sound at least so often."""
        recording = Recording(
            [
                *("parec", f"--server=unix:{self._socket}", f"--device={sink}.monitor", "--raw"),
                *("--format=s16le", f"--rate={rate_hz}", "--channels=1", f"--latency-msec={latency_ms}"),
            ],
            rate_hz,
        )
        try:
            wait_until(lambda: recording.duration_s > 0, f"{sink} is heard")
            yield recording
        finally:
            recording.stop()

    def _load(self, sink: str) -> str:
        # A null sink plays 2 s ahead, and takes them back when something comes, unless it may not.
        options = (f"sink_name={sink}", f"rate={self._rate_hz}", "channels=1", "norewinds=1")
        return self._control("load-module", "module-null-sink", *options).strip()

    def _control(self, *words: str) -> str:
        command = ["pactl", f"--server=unix:{self._socket}", *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout
