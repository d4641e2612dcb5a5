"""The headset in the bench's hand: the one that the unit simulates, or a USB headset over USB/IP."""

import contextlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, Protocol

import soundfile

from thirdring.appliance import Appliance
from thirdring_hil.ear import FILE
from thirdring_hil.poll import poll
from thirdring_hil.priority import put_first

__all__ = ["Headset", "SimulatedHeadset", "UsbHeadset", "usb_headset"]

BACK_S: Final = 30.0
"""A kernel in emulation takes seconds to find a new device."""

NICENESS: Final = -10
"""It is the clock of the unit's sound."""


class Headset(Protocol):
    """What a test does with a headset, whatever is behind it."""

    def speak(self, path: Path) -> float:
        """Say a sound file (16 kHz mono), after what is still to be said; return its seconds."""

    def press(self, button: str) -> None:
        """Press a button: hook, mute, flash, redial, drop or reject."""

    @property
    def lamps(self) -> tuple[str, ...]:
        """The lamps that are lit, by the names of ``AT#LED?``."""


class SimulatedHeadset:
    """The one of a unit on the simulator board, driven over its console."""

    def __init__(self, appliance: Appliance) -> None:
        self._appliance = appliance

    def speak(self, path: Path) -> float:
        """See ``Headset``."""
        return self._appliance.speak(str(path))

    def press(self, button: str) -> None:
        """See ``Headset``."""
        self._appliance.press(button)

    @property
    def lamps(self) -> tuple[str, ...]:
        """See ``Headset``."""
        return self._appliance.headset().leds


class UsbHeadset:
    """A virtual USB headset that a unit's kernel attaches over USB/IP; see ``thirdring_hil.usbip``."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.port: int = self._heard()["port"]
        """Where it is to be had, TCP on loopback."""
        self.cable: Callable[[], None] = lambda: None
        """Sees to it that a unit looks for it there."""

    def _heard(self) -> dict[str, Any]:
        assert self._process.stdout is not None  # noqa: S101 - a pipe
        line = self._process.stdout.readline()
        if not line:
            raise OSError(f"the virtual headset ended with {self._process.wait()}")
        heard: dict[str, Any] = json.loads(line)
        if "error" in heard:
            raise OSError(f"the virtual headset: {heard['error']}")
        return heard

    def _order(self, do: str, **more: str) -> dict[str, Any]:
        assert self._process.stdin is not None  # noqa: S101 - a pipe
        self._process.stdin.write(json.dumps({"do": do, **more}) + "\n")
        self._process.stdin.flush()
        return self._heard()

    def speak(self, path: Path) -> float:
        """See ``Headset``."""
        self._order("speak", path=str(path))
        return float(soundfile.info(path).duration)

    def fall_silent(self) -> None:
        """Forget what is still to be said."""
        self._order("fall_silent")

    def press(self, button: str) -> None:
        """See ``Headset``."""
        self._order("press", button=button)

    @property
    def lamps(self) -> tuple[str, ...]:
        """See ``Headset``."""
        return tuple(self._order("look")["lamps"])

    @property
    def in_use(self) -> bool:
        """Whether the unit has opened ear and mouth."""
        state = self._order("look")
        return bool(state["attached"] and state["ear_open"] and state["mouth_open"])

    def wait_until_in_use(self, timeout_s: float = BACK_S) -> None:
        """Wait until the unit has opened ear and mouth; raises ``TimeoutError``."""
        poll(lambda: self.in_use, "the unit has opened the USB headset", timeout_s)

    @contextlib.contextmanager
    def plugged(self) -> Iterator[None]:
        """Have it plugged in and in use, and silent afterwards; raises ``TimeoutError``.

        Not for longer than it is needed: an emulated board has enough to do with its packet a millisecond.
        """
        self.cable()
        self.plug()
        try:
            self.wait_until_in_use()
            yield
        finally:
            self.fall_silent()
            self.unplug()

    def unplug(self) -> None:
        """Pull the plug."""
        self._order("unplug")

    def plug(self) -> None:
        """Put the plug in again; the unit finds the headset a moment later."""
        self._order("plug")


@contextlib.contextmanager
def usb_headset(folder: Path) -> Iterator[UsbHeadset]:
    """Run a virtual USB headset; what its ear hears goes to ``ear.wav`` in ``folder``."""
    command = [sys.executable, "-m", "thirdring_hil.usbip.server", "--ear", str(folder / FILE)]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    put_first(process.pid, NICENESS)
    try:
        yield UsbHeadset(process)
    finally:
        assert process.stdin is not None  # noqa: S101 - a pipe
        assert process.stdout is not None  # noqa: S101 - a pipe
        process.stdin.close()  # it ends with its input
        process.wait()
        process.stdout.close()
