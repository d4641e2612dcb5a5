"""A whole appliance as a user runs it: ``thirdring-device run`` in a process, driven through the SDK."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.peers import free_port, wait_until
from thirdring import Appliance


class Unit:
    """A running appliance and the SDK's connection to it."""

    def __init__(self, folder: Path, extra: str = "", disk_mb: int = 0) -> None:
        """With ``disk_mb`` the state folder is a file system of its own of that size."""
        self._mounted = folder / "state"
        self._disk_mb = disk_mb
        self.sip_port, self.http_port, self.rtp_port = free_port(), free_port(), free_port()
        self.settings = folder / "settings.toml"
        self._log = folder / "appliance.log"
        self.settings.write_text(
            f"[sip]\nport = {self.sip_port}\nrtp_port = {self.rtp_port}\n"
            f"[gateway]\nport = {self.http_port}\n{extra}",
            encoding="utf-8",
        )
        self.process: subprocess.Popen[bytes]
        self.desk: Appliance

    @property
    def state_dir(self) -> Path:
        if self._disk_mb:  # mounted in the appliance's own mount namespace
            return Path(f"/proc/{self.process.pid}/root{self._mounted}")
        return self._mounted

    @property
    def target(self) -> str:
        return f"127.0.0.1:{self.sip_port}"

    def start(self) -> None:
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *self._on_a_disk_of_its_own(),
                    *(sys.executable, "-m", "thirdring_device.cli", "run", "--board", "simulator"),
                    *("--state", str(self._mounted), "--settings", str(self.settings)),
                ],
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            wait_until(self.connects, f"the appliance starts ({self._log})", 60.0)
        except BaseException:
            self.process.terminate()
            self.process.wait()
            raise

    def _on_a_disk_of_its_own(self) -> list[str]:
        if not self._disk_mb:
            return []
        self._mounted.mkdir()
        mount = f'mount -t tmpfs -o size={self._disk_mb}m tmpfs "$0" && exec "$@"'
        unshare = "-m" if os.geteuid() == 0 else "-rm"
        return ["unshare", unshare, "sh", "-c", mount, str(self._mounted)]

    def connects(self) -> bool:
        assert self.process.poll() is None, self._log.read_text(encoding="utf-8")
        token_file = self.state_dir / "api-token"
        if not token_file.exists():
            return False
        desk = Appliance(f"http://127.0.0.1:{self.http_port}", token_file=token_file)
        try:
            desk.open()
            desk.state()
        except Exception:
            desk.close()
            return False
        self.desk = desk
        return True

    def stop(self) -> None:
        with contextlib.suppress(Exception):
            self.desk.close()
        self.process.terminate()
        assert self.process.wait(30) == 0, self._log.read_text(encoding="utf-8")

    def engine_pid(self) -> int:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        for child in children.read_text(encoding="ascii").split():
            with contextlib.suppress(OSError):
                if "engine" in Path(f"/proc/{child}/cmdline").read_text(encoding="utf-8").split("\0"):
                    return int(child)
        raise AssertionError("the engine does not run")

    def kill_engine(self) -> None:
        os.kill(self.engine_pid(), 9)

    def free(self) -> None:
        """Wait until no call is there."""
        wait_until(lambda: not self.desk.state().calls, "the desk is free", 20.0)


@pytest.fixture(scope="module")
def unit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Unit]:
    running = Unit(
        tmp_path_factory.mktemp("unit"),
        extra="[recording]\nenabled = true\nencrypted = false\nreserve_mb = 1\n",
    )
    running.start()
    yield running
    running.stop()


@pytest.fixture
def tone(tmp_path: Path) -> Path:
    """A minute of a 440 Hz tone for a customer to send."""
    path = tmp_path / "tone.wav"
    soundfile.write(path, 0.2 * np.sin(2 * np.pi * 440 * np.arange(8000 * 60) / 8000), 8000)
    return path
