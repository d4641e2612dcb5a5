"""The telephony of a report descriptor: reports to changes of controls, lamps to reports.

Usages are of HID Usage Tables 1.4: Telephony Device page 0x0B, Button page 0x09, LED page 0x08. What a
headset is comes from its descriptor alone, never from its maker.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from thirdring_device.adapters.hid.descriptor import Descriptor, Field, parse
from thirdring_device.core.headset_buttons import Change, Control
from thirdring_device.core.headset_leds import DARK, Leds

__all__ = ["Telephony"]

TELEPHONY: Final = 0x0B
_BUTTON: Final = 0x09 << 16
_LED: Final = 0x08 << 16
_PHONE: Final = TELEPHONY << 16

CONTROL_OF_USAGE: Final[Mapping[int, Control]] = {
    _PHONE | 0x20: "hook",
    _PHONE | 0x21: "flash",
    _PHONE | 0x23: "hold",
    _PHONE | 0x24: "redial",
    _PHONE | 0x26: "drop",
    _PHONE | 0x2F: "mute",
    # The Programmable Button of headsets stands on the Button page, where makers number it 1 or, by the usage
    # "programmable button" before it, 7: it rejects the ringing call.
    _PHONE | 0x07: "reject",
    _BUTTON | 0x07: "reject",
    _BUTTON | 0x01: "reject",
}
KEY_OF_USAGE: Final[Mapping[int, str]] = {
    _PHONE | (0xB0 + i): key for i, key in enumerate("0123456789*#ABCD")
}
LED_OF_USAGE: Final[Mapping[int, str]] = {
    _LED | 0x09: "mute",
    _LED | 0x17: "off_hook",
    _LED | 0x18: "ring",
    _LED | 0x1E: "speaker",
    _LED | 0x20: "hold",
    _LED | 0x21: "microphone",
    _LED | 0x2A: "on_line",
    _PHONE | 0x9E: "ringer",
}


class Telephony:
    """How one headset speaks."""

    def __init__(self, descriptor: bytes) -> None:
        """Read the report descriptor; raises ``DescriptorError``."""
        parsed: Descriptor = parse(descriptor)
        self.numbered = parsed.numbered
        self._input_bits, self._output_bits = parsed.input_bits, parsed.output_bits
        # The Button page means a headset's button only beside telephony usages in the same report.
        reports = {f.report_id for f in parsed.inputs if any(usage >> 16 == TELEPHONY for usage in f.usages)}
        self._inputs = [f for f in parsed.inputs if f.report_id in reports and _wanted(f)]
        declared = {CONTROL_OF_USAGE[u] for f in self._inputs for u in f.usages if u in CONTROL_OF_USAGE}
        self._one_button = declared == {"flash"}
        """A remote with a single button, such as Apple's: it answers and hangs up."""
        self._outputs = [f for f in parsed.outputs if any(usage in LED_OF_USAGE for usage in f.usages)]

    @property
    def controls(self) -> frozenset[Control]:
        """The controls that the headset declares."""
        usages = {usage for f in self._inputs for usage in f.usages}
        keys: set[Control] = {"key"} if usages & set(KEY_OF_USAGE) else set()
        if self._one_button:
            return frozenset({*keys, "hook"})
        return frozenset({CONTROL_OF_USAGE[usage] for usage in usages if usage in CONTROL_OF_USAGE} | keys)

    @property
    def leds(self) -> frozenset[str]:
        """The lamps that the headset declares."""
        return frozenset(LED_OF_USAGE[u] for f in self._outputs for u in f.usages if u in LED_OF_USAGE)

    @property
    def relative(self) -> frozenset[Control]:
        """The controls that pulse instead of telling their position."""
        if self._one_button:
            return frozenset({"hook"})
        return frozenset(
            CONTROL_OF_USAGE[u] for f in self._inputs if f.relative for u in f.usages if u in CONTROL_OF_USAGE
        )

    @property
    def buttons(self) -> bool:
        """Whether there is anything here for a desk."""
        return bool(self.controls & {"hook", "mute", "flash"})

    def changes(self, report: bytes) -> list[Change]:
        """Return what a report says; nothing when it is too short or of another kind."""
        if not report:
            return []
        report_id, body = (report[0], report[1:]) if self.numbered else (0, report)
        if report_id not in self._input_bits or len(body) * 8 < self._input_bits[report_id]:
            return []
        bits = int.from_bytes(body, "little")
        found = [change for f in self._inputs if f.report_id == report_id for change in _changes(f, bits)]
        if self._one_button:
            return [Change("hook", c.on, relative=True) if c.control == "flash" else c for c in found]
        return found

    def reports(self, leds: Leds, before: Leds | None = None) -> Iterator[bytes]:
        """Yield the output reports that show ``leds``; with ``before`` only those that differ."""
        for report_id, bits in self._output_bits.items():
            fields = [f for f in self._outputs if f.report_id == report_id]
            if not fields:
                continue
            values = [_lit(f, leds) for f in fields]
            if before is not None and values == [_lit(f, before) for f in fields]:
                continue
            body = sum(value << f.offset for f, value in zip(fields, values, strict=True))
            yield bytes([report_id]) + body.to_bytes((bits + 7) // 8, "little")

    def shown(self, report: bytes, before: Leds = DARK) -> Leds:
        """Return the lamps after an output report: the headset's side, for the simulator."""
        report_id, bits = report[0], int.from_bytes(report[1:], "little")
        lit = {name: getattr(before, name) for name in Leds.__slots__}
        for f in self._outputs:
            if f.report_id == report_id:
                lit[LED_OF_USAGE[f.usages[0]]] = bool(_value(f, bits))
        return Leds(**lit)


def _wanted(f: Field) -> bool:
    return any(usage in CONTROL_OF_USAGE or usage in KEY_OF_USAGE for usage in f.usages)


def _value(f: Field, bits: int) -> int:
    return bits >> f.offset & ((1 << f.size) - 1)


def _lit(f: Field, leds: Leds) -> int:
    return int(not f.array and bool(getattr(leds, LED_OF_USAGE[f.usages[0]])))


def _changes(f: Field, bits: int) -> Iterator[Change]:
    value = _value(f, bits)
    if not f.array:
        yield from _change(f.usages[0], bool(value), f.relative)
        return
    first = f.logical_min + (f.logical_max - f.logical_min == len(f.usages))  # a value of its own for "none"
    for index, usage in enumerate(f.usages):
        yield from _change(usage, value - first == index, f.relative)


def _change(usage: int, on: bool, relative: bool) -> Iterator[Change]:
    if usage in CONTROL_OF_USAGE:
        yield Change(CONTROL_OF_USAGE[usage], on, relative)
    elif usage in KEY_OF_USAGE:
        yield Change("key", on, False, KEY_OF_USAGE[usage])
