"""What the virtual headset says of itself: USB 2.0 chapter 9, UAC 1.0, HID 1.11, HID Usage Tables 1.4."""

from typing import Final

from thirdring_hil.usbip.wire import UsbId

__all__ = [
    "AUDIO_CONTROL",
    "BUTTONS",
    "BUTTONS_ENDPOINT",
    "BUTTONS_REPORT",
    "CONFIGURATION",
    "DEVICE",
    "EAR_ENDPOINT",
    "EAR_INTERFACE",
    "EAR_UNIT",
    "FULL_SPEED",
    "HID_DESCRIPTOR",
    "HID_INTERFACE",
    "LAMPS",
    "LAMPS_REPORT",
    "MOUTH_ENDPOINT",
    "MOUTH_INTERFACE",
    "MOUTH_PACKET_SAMPLES",
    "PACKET_BYTES",
    "PACKET_SAMPLES",
    "RATE_HZ",
    "REPORT_DESCRIPTOR",
    "STRINGS",
    "USB_ID",
    "VOLUME_LOWEST",
    "VOLUME_STEP",
]

RATE_HZ: Final = 16000
FULL_SPEED: Final = 2
"""As USB/IP numbers speeds: a packet each millisecond."""
PACKET_SAMPLES: Final = RATE_HZ // 1000
MOUTH_PACKET_SAMPLES: Final = 3 * PACKET_SAMPLES // 2
"""As many as ``snd-usb-audio`` has room for. One of three packets is empty: no host is troubled with it."""
PACKET_BYTES: Final = 2 * MOUTH_PACKET_SAMPLES

AUDIO_CONTROL, EAR_INTERFACE, MOUTH_INTERFACE, HID_INTERFACE = 0, 1, 2, 3
EAR_ENDPOINT, MOUTH_ENDPOINT, BUTTONS_ENDPOINT = 0x01, 0x02, 0x03
"""Numbers; the mouth's and the buttons' go to the host."""
EAR_UNIT: Final = 2
"""The feature unit with the ear's mute and volume."""
VOLUME_LOWEST, VOLUME_STEP = -64 * 256, 256
"""UAC1 table 5-20, in 1/256 dB: from -64 dB to 0 dB in steps of 1 dB."""

BUTTONS_REPORT, LAMPS_REPORT = 1, 2
BUTTONS: Final = ("hook", "mute", "flash", "redial", "drop", "reject")
"""By bit of the buttons' report. The hook is a switch, the others pulse."""
LAMPS: Final = ("off_hook", "ring", "mute", "hold", "microphone", "speaker", "on_line")
"""By bit of the lamps' report."""

REPORT_DESCRIPTOR: Final = bytes.fromhex(
    "05 0b 09 05 a1 01 85 01"  # Telephony page, Headset, application collection, report 1
    "15 00 25 01 75 01"  # bits
    "09 20 95 01 81 22"  # Hook Switch: absolute, no preferred state
    "09 2f 09 21 09 24 09 26 95 04 81 06"  # Phone Mute, Flash, Redial, Drop: relative
    "05 09 09 07 95 01 81 06"  # the programmable button, as headsets number it
    "95 02 81 03"  # padding
    "05 08 85 02"  # LED page, report 2
    "09 17 09 18 09 09 09 20 09 21 09 1e 09 2a 95 07 91 02"
    "95 01 91 03 c0"
)


def _le(value: int, size: int = 2) -> bytes:
    return value.to_bytes(size, "little")


def _sized(kind: int, body: bytes) -> bytes:
    return bytes([len(body) + 2, kind]) + body


_INTERFACE, _ENDPOINT, _CS_INTERFACE, _CS_ENDPOINT, _HID = 0x04, 0x05, 0x24, 0x25, 0x21
_AUDIO, _HID_CLASS = 1, 3
_CONTROL, _STREAMING = 1, 2


def _interface(number: int, setting: int, endpoints: int, kind: int, subclass: int) -> bytes:
    return _sized(_INTERFACE, bytes([number, setting, endpoints, kind, subclass, 0, 0]))


def _endpoint(address: int, attributes: int, size: int, interval: int, *audio: int) -> bytes:
    return _sized(_ENDPOINT, bytes([address, attributes]) + _le(size) + bytes([interval, *audio]))


def _topology() -> bytes:
    """UAC1 clause 4.3.2: stream -> volume -> ear, microphone -> stream."""
    usb, headset = 0x0101, 0x0402
    units = _sized(_CS_INTERFACE, bytes([2, 1]) + _le(usb) + bytes([0, 1, 0, 0, 0, 0]))
    # Feature unit: mute and volume on the master channel.
    units += _sized(_CS_INTERFACE, bytes([6, EAR_UNIT, 1, 1, 0x03, 0x00, 0]))
    units += _sized(_CS_INTERFACE, bytes([3, 3]) + _le(headset) + bytes([0, EAR_UNIT, 0]))
    units += _sized(_CS_INTERFACE, bytes([2, 4]) + _le(headset) + bytes([0, 1, 0, 0, 0, 0]))
    units += _sized(_CS_INTERFACE, bytes([3, 5]) + _le(usb) + bytes([0, 4, 0]))
    header = bytes([1]) + _le(0x0100) + _le(10 + len(units)) + bytes([2, EAR_INTERFACE, MOUTH_INTERFACE])
    return _sized(_CS_INTERFACE, header) + units


def _stream(number: int, address: int, terminal: int, attributes: int) -> bytes:
    """One direction: silent in setting 0, 16 bit mono at one rate in setting 1 (UAC1 clause 4.5)."""
    return (
        _interface(number, 0, 0, _AUDIO, _STREAMING)
        + _interface(number, 1, 1, _AUDIO, _STREAMING)
        + _sized(_CS_INTERFACE, bytes([1, terminal, 1]) + _le(1))
        + _sized(_CS_INTERFACE, bytes([2, 1, 1, 2, 16, 1]) + _le(RATE_HZ, 3))
        + _endpoint(address, attributes, PACKET_BYTES, 1, 0, 0)
        + _sized(_CS_ENDPOINT, bytes([1, 0, 0, 0, 0]))
    )


HID_DESCRIPTOR: Final = _sized(_HID, _le(0x0111) + bytes([0, 1, 0x22]) + _le(len(REPORT_DESCRIPTOR)))
_ADAPTIVE, _ASYNCHRONOUS, _INTERRUPT = 0x09, 0x05, 0x03
_TO_HOST = 0x80
_BODY: Final = (
    _interface(AUDIO_CONTROL, 0, 0, _AUDIO, _CONTROL)
    + _topology()
    + _stream(EAR_INTERFACE, EAR_ENDPOINT, 1, _ADAPTIVE)
    + _stream(MOUTH_INTERFACE, _TO_HOST | MOUTH_ENDPOINT, 5, _ASYNCHRONOUS)
    + _interface(HID_INTERFACE, 0, 1, _HID_CLASS, 0)
    + HID_DESCRIPTOR
    + _endpoint(_TO_HOST | BUTTONS_ENDPOINT, _INTERRUPT, 8, 4)
)
_INTERFACES: Final = (
    (_AUDIO, _CONTROL, 0),
    (_AUDIO, _STREAMING, 0),
    (_AUDIO, _STREAMING, 0),
    (_HID_CLASS, 0, 0),
)
CONFIGURATION: Final = (
    _sized(0x02, _le(9 + len(_BODY)) + bytes([len(_INTERFACES), 1, 0, 0x80, 50])) + _BODY
)  # bus-powered, 100 mA

USB_ID: Final = UsbId("1-1", 0x1209, 0x0001, 0x0100, _INTERFACES)
"""1209:0001 is kept for tests by pid.codes, whose vendor id it is."""
DEVICE: Final = _sized(
    0x01,
    _le(0x0200)
    + bytes([0, 0, 0, 64])
    + _le(USB_ID.vendor)
    + _le(USB_ID.product)
    + _le(USB_ID.release)
    + bytes([1, 2, 3, 1]),
)
_TEXTS: Final = ("Thirdring", "Bench headset", "0001")
STRINGS: Final = {0: _sized(0x03, _le(0x0409))} | {
    number: _sized(0x03, text.encode("utf-16-le")) for number, text in enumerate(_TEXTS, 1)
}
