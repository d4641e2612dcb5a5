"""A headset without a hand: replays the reports of real families and understands its lamps."""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from thirdring.protocol.errors import error
from thirdring_device.adapters.hid.interface import ButtonListener
from thirdring_device.adapters.hid.telephony import Telephony
from thirdring_device.core.headset_leds import DARK, Leds

__all__ = ["Family", "SimulatedButtons", "families"]

FAMILIES_FILE: Final = Path(__file__).with_name("families.json")


@dataclass(frozen=True, slots=True)
class Family:
    """What is known of a family of headsets; ``families.json`` says from where.

    ``streams[hook][button]`` are the input reports of one press, with the hook switch ``on_hook`` or
    ``off_hook`` before it. ``follows``: the switches that follow their lamp and report it.
    """

    name: str
    maker: str
    usb_id: str
    descriptor: bytes
    descriptor_source: str
    stream_source: str
    follows: tuple[str, ...]
    streams: Mapping[str, Mapping[str, tuple[bytes, ...]]]


@cache
def families() -> Mapping[str, Family]:
    """Return the families by name."""
    data = json.loads(FAMILIES_FILE.read_text(encoding="utf-8"))
    return {name: _family(name, fields) for name, fields in data["families"].items()}


def _family(name: str, fields: Mapping[str, Any]) -> Family:
    streams = {
        hook: {button: tuple(bytes.fromhex(report) for report in reports) for button, reports in by.items()}
        for hook, by in fields["streams"].items()
    }
    descriptor = bytes.fromhex("".join(fields["descriptor"]))
    rest = {key: fields[key] for key in ("maker", "usb_id", "descriptor_source", "stream_source")}
    return Family(name=name, descriptor=descriptor, streams=streams, follows=tuple(fields["follows"]), **rest)


class SimulatedButtons:
    """See ``PressableButtons``. Both directions pass as the bytes of reports."""

    def __init__(self, family: str) -> None:
        """Become a headset of ``family``; raises ``StorageError`` 5005 for one that is not known."""
        if family not in families():
            raise error(5005, f"headset.button_family is {family!r:.60}, not one of {', '.join(families())}")
        self.family = family
        self._family = families()[family]
        self._telephony = Telephony(self._family.descriptor)
        self._lock = threading.RLock()
        self._listener: ButtonListener | None = None
        self._shown: Leds | None = None
        self._lit = DARK
        self._off_hook = self._muted = False

    @property
    def lit(self) -> Leds:
        """See ``PressableButtons``."""
        return self._lit

    @property
    def names(self) -> tuple[str, ...]:
        """See ``PressableButtons``."""
        return tuple(sorted({button for by in self._family.streams.values() for button in by}))

    def start(self, listener: ButtonListener) -> None:
        """See ``HeadsetButtons``."""
        self._listener = listener
        self.plug()

    def stop(self) -> None:
        """See ``HeadsetButtons``."""
        self.show(DARK)
        self._listener = None

    def plug(self) -> None:
        """Attach the headset, on-hook and dark."""
        with self._lock:
            self._shown, self._lit, self._off_hook, self._muted = None, DARK, False, False
            self._told("attached")

    def unplug(self) -> None:
        """Take the headset away."""
        with self._lock:
            self._told("detached")

    def _told(self, what: str) -> None:
        if self._listener is not None:
            getattr(self._listener, what)(f"simulated {self._family.maker}")

    def show(self, leds: Leds, *, again: bool = False) -> None:
        """See ``HeadsetButtons``; what the headset reports to it comes before the return."""
        with self._lock:
            reports = list(self._telephony.reports(leds, None if again else self._shown))
            self._shown = leds
            for report in reports:
                self._lit = self._telephony.shown(report, self._lit)
            self._follow()

    def _follow(self) -> None:
        if "hook" in self._family.follows and self._off_hook != self._lit.off_hook:
            self._send(self._stream("hook"))
            self._off_hook = self._lit.off_hook
        if "mute" in self._family.follows and self._muted != self._lit.mute:
            self._send(self._stream("unmute" if self._muted else "mute"))
            self._muted = self._lit.mute

    def press(self, button: str) -> None:
        """See ``PressableButtons``."""
        with self._lock:
            if button not in self.names:
                raise error(
                    1004, f"{self.family} has no button {button!r:.40}; it has {', '.join(self.names)}"
                )
            switch = button == "mute" and "mute" in self._family.follows
            stream = self._stream("unmute" if switch and self._muted else button)
            if button == "hook" and "hook" in self._family.follows:
                self._off_hook = not self._off_hook
            if switch:
                self._muted = not self._muted
        self._send(stream)

    def _stream(self, button: str) -> tuple[bytes, ...]:
        """Return the reports of a press as the headset stands; none where it has no use for the button."""
        return self._family.streams["off_hook" if self._off_hook else "on_hook"].get(button, ())

    def _send(self, reports: tuple[bytes, ...]) -> None:
        for report in reports:
            self.send(report)

    def send(self, report: bytes) -> None:
        """Let any input report come."""
        if self._listener is not None:
            self._listener.changed(self._telephony.changes(report))
