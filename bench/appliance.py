"""Starts and stops an appliance for the benchmarks."""

import contextlib
import http.client
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Running:
    """An appliance that runs: where, and its processes by name."""

    state_dir: Path
    sip_port: int
    http_port: int
    pids: dict[str, int]

    @property
    def token(self) -> str:
        return (self.state_dir / "api-token").read_text(encoding="utf-8").strip()


def free_port() -> int:
    """Return an even port with room above it that nobody uses now."""
    for port in range(21000, 29000, 40):
        with contextlib.ExitStack() as stack:
            try:
                for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                    stack.enter_context(socket.socket(socket.AF_INET, kind)).bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError("no free port")


@contextlib.contextmanager
def appliance(extra: str = "") -> Iterator[Running]:
    """Run the appliance on the simulator board in a folder of its own until the block ends."""
    with tempfile.TemporaryDirectory() as folder:
        state_dir, port = Path(folder) / "state", free_port()
        settings = Path(folder) / "settings.toml"
        settings.write_text(
            f"[sip]\nport = {port}\nrtp_port = {port + 2000}\n"
            # The callers are quick and may be silent.
            "invites_per_s = 1000\ninvites_in_all_per_s = 1000\nno_rtp_end_s = 600\n"
            # The hosts ask as fast as they are answered.
            f"[gateway]\nport = {port + 1}\nrequests_per_s = 100000.0\n{extra}",
            encoding="utf-8",
        )
        command = [
            sys.executable,
            "-m",
            "thirdring_device.cli",
            "--log",
            "error",
            "run",
            "--board",
            "simulator",
        ]
        command += ["--state", str(state_dir), "--settings", str(settings)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            _wait_until_ready(state_dir, port + 1)
            yield Running(state_dir, port, port + 1, _children(process.pid))
        finally:
            process.terminate()
            process.wait()


def _wait_until_ready(state_dir: Path, http_port: int) -> None:
    deadline_s = time.monotonic() + 60.0
    while time.monotonic() < deadline_s:
        if (state_dir / "engine.sock").exists() and (state_dir / "console").exists():
            connection = http.client.HTTPConnection("127.0.0.1", http_port, timeout=5)
            with contextlib.suppress(OSError), contextlib.closing(connection):
                connection.request("GET", "/healthz")
                if connection.getresponse().status == 200:
                    return
        time.sleep(0.1)
    raise TimeoutError("the appliance did not start")


def _children(pid: int) -> dict[str, int]:
    """Return the engine's and the gateway's process numbers."""
    found = {"supervisor": pid}
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split():
        arguments = Path(f"/proc/{child}/cmdline").read_text(encoding="utf-8").split("\0")
        found |= {name: int(child) for name in ("engine", "gateway") if name in arguments}
    return found


def resident_mb(pid: int) -> float:
    """Return the proportional resident memory of a process in MB (its share of shared pages)."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    raise OSError("no Pss")


def resident_kb(pid: int) -> int:
    """Return the resident memory of a process in kB."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))


def cpu_s(pid: int) -> float:
    """Return the processor time a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100
