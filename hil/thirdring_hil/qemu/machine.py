"""One virtual board: a disk over an image, a process of QEMU, its lines, and what a hand would do to it."""

import contextlib
import json
import logging
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from thirdring_hil.poll import poll
from thirdring_hil.priority import put_first
from thirdring_hil.qemu.boards import Board
from thirdring_hil.qemu.bridge import PtyBridge
from thirdring_hil.qemu.card import card_bytes, take_kernel
from thirdring_hil.qemu.kvm import kvm_runs
from thirdring_hil.qemu.network import Ports
from thirdring_hil.qemu.qmp import Qmp, QmpError
from thirdring_hil.qemu.shell import LOGIN_S, RootShell

__all__ = ["ATTACH", "BOARD_NICENESS", "SPARE_SLOT", "Machine", "arguments"]

logger = logging.getLogger(__name__)

START_S: Final = 30.0
"""Until QEMU has opened its sockets."""
POWER_DOWN_S: Final = 90.0
"""For Linux to stop its services, three times what it takes in emulation."""
KILLED_S: Final = 10.0
BOARD_NICENESS: Final = -10
"""Of the board among the jobs of this computer: processors that are kept waiting are no board."""
IO_NICENESS: Final = -10
"""Within it of QEMU's first thread, which moves what goes over lines and network; the others emulate."""
SPARE_SLOT: Final = "spare"
"""Of PCI Express, where a card can be plugged in while the board runs."""
LARGER_MB: Final = 512
"""How much larger than its image a disk is: so are those that images are written to."""
LOGIN: Final = b" login: "
ATTACH: Final = Path(__file__).with_name("attach.py")


def arguments(board: Board, folder: Path, ports: Ports, code: Path, log: Path, *, kvm: bool) -> list[str]:
    """Return the command that runs ``board``; its files and sockets are in ``folder``."""
    accelerator = ("kvm", "host") if kvm else ("tcg,thread=multi", board.emulated_cpu)
    command = [board.program, "-machine", ",".join(board.machine), "-accel", accelerator[0]]
    command += ["-cpu", accelerator[1], "-smp", str(board.cores), "-m", str(board.memory_mb)]
    command += ["-nodefaults", "-no-user-config", "-display", "none", "-rtc", "base=utc"]
    # A reset of the board ends QEMU, which is then started anew. One that goes on keeps what it has
    # translated of the memory before; where the firmware's stack then lies on it, every push looks through
    # all of that, and a tick of the firmware's timer takes longer than the time to the next (QEMU 7.2).
    command += ["-action", "watchdog=reset,reboot=shutdown"]
    command += _from_card(board, folder) if board.device_tree else _from_uefi(folder, code)
    command += ["-netdev", ports.option, "-device", board.network]
    for name, more in (("linux", f",logfile={log},logappend=on"), ("at", "")):
        command += ["-chardev", f"socket,id={name},path={folder / name}.sock,server=on,wait=off{more}"]
    command += board.lines
    command += ["-qmp", f"unix:{folder / 'qmp.sock'},server=on,wait=off"]
    return command + (handed_over(ATTACH) if board.takes_settings else [])


def _from_uefi(folder: Path, code: Path) -> list[str]:
    command = ["-drive", f"if=pflash,format=raw,readonly=on,file={code}"]
    command += ["-drive", f"if=pflash,format=raw,file={folder / 'vars.fd'}"]
    command += ["-drive", f"if=virtio,format=qcow2,file={folder / 'disk.qcow2'}"]
    command += ["-device", f"pcie-root-port,id={SPARE_SLOT}"]
    return [*command, "-device", "i6300esb", "-device", "virtio-rng-pci"]


def _from_card(board: Board, folder: Path) -> list[str]:
    line = (folder / "cmdline.txt").read_text(encoding="ascii").strip()
    command = ["-kernel", str(folder / "vmlinuz"), "-initrd", str(folder / "initrd.img")]
    command += ["-dtb", str(folder / board.device_tree), "-append", line]
    return [*command, "-drive", f"if=sd,format=qcow2,file={folder / 'disk.qcow2'}"]


def handed_over(file: Path) -> list[str]:
    """Return the arguments that let the board read ``file`` below ``/sys/firmware/qemu_fw_cfg``."""
    return ["-fw_cfg", f"name=opt/thirdring/{file.name},file={file}"]


class Machine:
    """A board with a disk of its own over ``image``, which stays as it is."""

    def __init__(self, board: Board, image: Path, folder: Path, ports: Ports, log: Path) -> None:
        """``log``: where what Linux says is kept.

        Raises ``FileNotFoundError`` where image, firmware or QEMU is missing.
        """
        if not image.exists():
            raise FileNotFoundError(f"no {image}: scripts/build-image makes it")
        if shutil.which(board.program) is None:
            raise FileNotFoundError(f"no {board.program}: install {board.packages}")
        self.board = board
        self.folder = folder
        self.image = image
        self._shell = threading.Lock()
        self._log_begins = 0
        self.log = log
        log.unlink(missing_ok=True)
        code = Path()
        if board.device_tree:
            take_kernel(image, board.device_tree, folder)
            size = [str(card_bytes(image))]
            (folder / "vars.fd").touch()
        else:
            code, variables = board.uefi()
            shutil.copyfile(variables, folder / "vars.fd")
            size = [str(image.stat().st_size + (LARGER_MB << 20))]
        self.kvm = board.may_have_kvm and kvm_runs(board.program, board.machine[0], code)
        self._command = arguments(board, folder, ports, code, log, kvm=self.kvm)
        self._power = threading.RLock()
        self._process: subprocess.Popen[bytes] | None = None
        command = ["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw"]
        subprocess.run([*command, "-b", str(image.resolve()), str(folder / "disk.qcow2"), *size], check=True)
        self._bridge = PtyBridge(folder / "at.sock", folder / "console")

    @property
    def console(self) -> str:
        """The serial port of the AT console."""
        return str(self.folder / "console")

    def configure(self, settings: Mapping[str, Any]) -> None:
        """Hand over settings by dotted name; the unit takes them at the next start, and only then."""
        self._settings.write_text(json.dumps(dict(settings)), encoding="utf-8")

    @property
    def _settings(self) -> Path:
        return self.folder / "settings.json"

    # --- power ------------------------------------------------------------------------------------

    def start(self) -> None:
        """Switch on; raises ``OSError`` with QEMU's words, ``TimeoutError``."""
        with self._power:
            process = self._begin()
        threading.Thread(target=self._go_on, args=(process,), name="board", daemon=True).start()

    def _go_on(self, process: subprocess.Popen[bytes]) -> None:
        """Start QEMU anew when the board has reset itself: nobody has pulled the plug."""
        process.wait()
        with self._power:
            if self._process is process:
                try:
                    self.start()
                except OSError:  # TimeoutError is one
                    logger.exception("the board does not start again")

    def _begin(self) -> subprocess.Popen[bytes]:
        for name in ("qmp.sock", "at.sock", "linux.sock"):
            (self.folder / name).unlink(missing_ok=True)
        self._log_begins = self.log.stat().st_size if self.log.exists() else 0
        with (self.folder / "qemu.log").open("ab") as said:
            settings = handed_over(self._settings) if self._settings.exists() else []
            self._process = process = subprocess.Popen(
                [*self._command, *settings],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        poll(self._started, "QEMU has begun", START_S, not_yet=(FileNotFoundError, ConnectionRefusedError))
        self._settings.unlink(missing_ok=True)  # QEMU has read it
        put_first(process.pid, BOARD_NICENESS)
        with contextlib.suppress(OSError):  # where the system allows it
            os.setpriority(os.PRIO_PROCESS, process.pid, IO_NICENESS)
        return process

    def _started(self) -> bool:
        assert self._process is not None  # noqa: S101 - start has made it
        if self._process.poll() is not None:
            said = (self.folder / "qemu.log").read_text(encoding="utf-8", errors="replace")
            raise OSError(f"QEMU ended with {self._process.returncode}: {said[-500:].strip()}")
        with self.qmp() as qmp:
            return bool(qmp.ask("query-status")["running"])

    def qmp(self) -> Qmp:
        """Return a connection to QEMU's own console."""
        return Qmp(self.folder / "qmp.sock")

    @contextlib.contextmanager
    def shell(self, login_s: float = LOGIN_S) -> Iterator[RootShell]:
        """Open root's shell on the first serial line, one at a time; raises ``TimeoutError``, ``OSError``."""
        with self._shell:
            # Nothing is typed before: the boot loader would take it.
            poll(self._asks_for_a_name, "a login", login_s)
            with RootShell(self.folder / "linux.sock") as shell:
                yield shell

    def _asks_for_a_name(self) -> bool:
        with self.log.open("rb") as said:
            said.seek(self._log_begins)
            return LOGIN in said.read()

    def restarted(self) -> None:
        """Say that Linux has restarted by itself: a login that was asked for before is none any more."""
        self._log_begins = self.log.stat().st_size

    @property
    def running(self) -> bool:
        """Whether it is switched on."""
        return self._process is not None and self._process.poll() is None

    def power_cut(self) -> None:
        """Pull the plug: what the unit had not handed to its disk is lost."""
        process = self._unplugged()
        if process is not None:
            process.send_signal(signal.SIGKILL)
            process.wait(KILLED_S)

    def _unplugged(self) -> subprocess.Popen[bytes] | None:
        """Return the process of a board that does not start again by itself any more."""
        with self._power:
            process, self._process = self._process, None
        return process

    def power_cycle(self) -> None:
        """Pull the plug and put it in again."""
        self.power_cut()
        self.start()

    def reset(self) -> None:
        """Press the reset button."""
        self._log_begins = self.log.stat().st_size
        with self.qmp() as qmp:
            qmp.ask("system_reset")

    def power_down(self, timeout_s: float = POWER_DOWN_S) -> None:
        """Press the power button and wait until Linux has stopped; raises ``TimeoutError``."""
        process = self._unplugged()
        if process is None:
            return
        with self.qmp() as qmp:
            qmp.ask("system_powerdown")
        try:
            process.wait(timeout_s)
        except subprocess.TimeoutExpired as late:
            self._process = process
            raise TimeoutError(f"Linux has not stopped within {timeout_s:g} s") from late

    def close(self) -> None:
        """End QEMU and the serial port, whatever the board is doing."""
        process = self._unplugged()
        if process is not None and process.poll() is None:
            with contextlib.suppress(OSError), self.qmp() as qmp:
                qmp.ask("quit")
            try:
                process.wait(KILLED_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(KILLED_S)
        self._bridge.close()

    # --- its disk ---------------------------------------------------------------------------------

    def save(self, name: str) -> None:
        """Keep the disk as it is now, to go back to; only while switched off."""
        self._copy("disk.qcow2", f"{name}.saved")
        self._copy("vars.fd", f"{name}.vars")

    def restore(self, name: str) -> None:
        """Go back to a disk that was kept; only while switched off."""
        self._copy(f"{name}.saved", "disk.qcow2")
        self._copy(f"{name}.vars", "vars.fd")

    def _copy(self, source: str, to: str) -> None:
        if self.running:
            raise QmpError("the board is switched on")
        shutil.copyfile(self.folder / source, self.folder / to)
