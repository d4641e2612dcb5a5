"""The headset without its cable: answers control requests, speaks, hears, is pressed, lights up. Sans-io."""

import struct
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from thirdring_hil.usbip import descriptors as d

__all__ = ["Headset"]

Samples = npt.NDArray[np.int16]

_GET_STATUS, _SET_ADDRESS, _GET_DESCRIPTOR, _GET_CONFIGURATION = 0, 5, 6, 8
_GET_INTERFACE, _SET_INTERFACE = 10, 11
_GET_CUR, _GET_MIN, _GET_MAX, _GET_RES = 0x81, 0x82, 0x83, 0x84
_MUTE, _VOLUME = 1, 2
_SET_REPORT: Final = 9
_REPORT: Final = 0x22
_TO_HOST, _KIND, _STANDARD, _CLASS = 0x80, 0x60, 0x00, 0x20


@dataclass(slots=True)
class _State:
    """What is lost with the power."""

    settings: dict[int, int] = field(default_factory=lambda: {d.EAR_INTERFACE: 0, d.MOUTH_INTERFACE: 0})
    volume: int = 0
    """In 1/256 dB."""
    muted: bool = False
    off_hook: bool = False
    lamps: int = 0


class Headset:
    """``hear`` is given what the ear plays, shape (n,), 16 kHz, behind volume and mute.

    ``reported`` is called when a report waits in ``reports``.
    """

    def __init__(self, hear: Callable[[Samples], None], reported: Callable[[], None]) -> None:
        self._hear = hear
        self._reported = reported
        self._speech: deque[Samples] = deque()
        self._state = _State()
        self.reports: deque[bytes] = deque()

    def unplug(self) -> None:
        """Forget what the host told: a headset without power is on-hook and dark. Its person speaks on."""
        self._state = _State()
        self.reports.clear()

    # --- its person -------------------------------------------------------------------------------

    def speak(self, samples: Samples) -> None:
        """Say ``samples``, shape (n,), 16 kHz, after what is still to be said."""
        self._speech.append(samples)

    def fall_silent(self) -> None:
        """Forget what is still to be said."""
        self._speech.clear()

    def press(self, button: str) -> None:
        """Press and let go; raises ``ValueError`` for a button that it has not."""
        if button not in d.BUTTONS:
            raise ValueError(f"no button {button!r}; there are {', '.join(d.BUTTONS)}")
        bit = 1 << d.BUTTONS.index(button)
        if button == "hook":
            self._state.off_hook = not self._state.off_hook
            self._report(0)
        else:
            self._report(bit)
            self._report(0)

    @property
    def lamps(self) -> tuple[str, ...]:
        """The lamps that are lit."""
        return tuple(name for bit, name in enumerate(d.LAMPS) if self._state.lamps >> bit & 1)

    @property
    def open(self) -> tuple[bool, bool]:
        """Whether the host has opened ear and mouth."""
        return bool(self._state.settings[d.EAR_INTERFACE]), bool(self._state.settings[d.MOUTH_INTERFACE])

    def _report(self, bits: int) -> None:
        self.reports.append(bytes([d.BUTTONS_REPORT, bits | self._state.off_hook]))
        self._reported()

    # --- its host ---------------------------------------------------------------------------------

    def mouth(self, count: int) -> bytes:
        """Return the next ``count`` samples of the microphone, 16 bit; silence where nothing is said."""
        taken, left = [np.zeros(0, np.int16)], count
        while left and self._speech:
            first = self._speech.popleft()
            taken.append(first[:left])
            if len(first) > left:
                self._speech.appendleft(first[left:])
            left -= len(taken[-1])
        return np.concatenate([*taken, np.zeros(left, np.int16)]).astype("<i2").tobytes()

    def ear(self, data: bytes) -> None:
        """Play 16 bit samples."""
        samples = np.frombuffer(data[: len(data) // 2 * 2], "<i2")
        gain = 0.0 if self._state.muted else 10 ** (self._state.volume / 256 / 20)
        self._hear(samples.astype(np.int16) if gain == 1.0 else np.rint(samples * gain).astype(np.int16))

    def control(self, setup: bytes, data: bytes) -> bytes | None:
        """Answer a control transfer; None stalls it (USB 2.0 clause 9.4, UAC1 clause 5.2, HID clause 7.2)."""
        kind, request, value, index, length = struct.unpack("<BBHHH", setup)
        answer = self._asked(kind, request, value, index) if kind & _TO_HOST else None
        if kind & _TO_HOST:
            return None if answer is None else answer[:length]
        return b"" if self._told(kind, request, value, index, data) else None

    def _asked(self, kind: int, request: int, value: int, index: int) -> bytes | None:
        if kind & _KIND == _CLASS:
            return self._class_value(request, value, index)
        if kind & _KIND != _STANDARD:
            return None
        if request == _GET_DESCRIPTOR:
            return self._descriptor(value >> 8, value & 0xFF)
        if request == _GET_INTERFACE:
            return bytes([self._state.settings.get(index, 0)])
        return {_GET_STATUS: b"\0\0", _GET_CONFIGURATION: b"\1"}.get(request)

    @staticmethod
    def _descriptor(kind: int, number: int) -> bytes | None:
        if kind == 3:
            return d.STRINGS.get(number)
        return {1: d.DEVICE, 2: d.CONFIGURATION, 0x21: d.HID_DESCRIPTOR, _REPORT: d.REPORT_DESCRIPTOR}.get(
            kind
        )

    def _class_value(self, request: int, value: int, index: int) -> bytes | None:
        if index & 0xFF == d.HID_INTERFACE:  # GET_REPORT
            held = {d.BUTTONS_REPORT: int(self._state.off_hook), d.LAMPS_REPORT: self._state.lamps}.get(
                value & 0xFF
            )
            return None if held is None or request != 1 else bytes([value & 0xFF, held])
        if index != d.EAR_UNIT << 8 | d.AUDIO_CONTROL:
            return None
        if value >> 8 == _MUTE and request == _GET_CUR:
            return bytes([self._state.muted])
        if value >> 8 != _VOLUME:
            return None
        found = {
            _GET_CUR: self._state.volume,
            _GET_MIN: d.VOLUME_LOWEST,
            _GET_MAX: 0,
            _GET_RES: d.VOLUME_STEP,
        }
        return struct.pack("<h", found[request]) if request in found else None

    def _told(self, kind: int, request: int, value: int, index: int, data: bytes) -> bool:
        if kind & _KIND == _STANDARD:
            if request == _SET_INTERFACE and index in self._state.settings:
                self._state.settings[index] = value
            return True
        if index & 0xFF == d.HID_INTERFACE:
            if request == _SET_REPORT and data[:1] == bytes([d.LAMPS_REPORT]) and len(data) > 1:
                self._show(data[1])
            return True  # SET_IDLE and the like
        if index == d.EAR_UNIT << 8 | d.AUDIO_CONTROL and value >> 8 == _MUTE and data:
            self._state.muted = bool(data[0])
            return True
        if index == d.EAR_UNIT << 8 | d.AUDIO_CONTROL and value >> 8 == _VOLUME and len(data) == 2:
            self._state.volume = max(d.VOLUME_LOWEST, min(0, struct.unpack("<h", data)[0]))
            return True
        return False

    def _show(self, lamps: int) -> None:
        """Light the lamps; the hook switch follows its own, and says so, as those of headsets do."""
        self._state.lamps = lamps
        off_hook = bool(lamps >> d.LAMPS.index("off_hook") & 1)
        if off_hook != self._state.off_hook:
            self._state.off_hook = off_hook
            self._report(0)
