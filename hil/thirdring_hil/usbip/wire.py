"""USB/IP on the wire (Linux ``Documentation/usb/usbip_protocol.rst``, version 1.1.1). Sans-io.

All numbers are in network order. A connection begins with one operation (``DEVLIST`` or ``IMPORT``); behind
an ``IMPORT`` it carries URBs until it is closed.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

__all__ = [
    "BUSID_BYTES",
    "DEVLIST",
    "HEADER_BYTES",
    "IMPORT",
    "ISO_BYTES",
    "OPERATION_BYTES",
    "IsoPacket",
    "Submit",
    "Unlink",
    "UsbId",
    "WireError",
    "device_record",
    "iso_packets",
    "operation",
    "parse_header",
    "parse_operation",
    "reply",
    "submitted",
    "unlinked",
]

VERSION: Final = 0x0111
DEVLIST: Final = 0x8005
IMPORT: Final = 0x8003
ANSWER: Final = 0x7FFF
"""Mask: the code of a reply is that of its request without the highest bit."""
_OPERATION: Final = struct.Struct(">HHI")
OPERATION_BYTES: Final = _OPERATION.size
BUSID_BYTES: Final = 32

_CMD_SUBMIT, _CMD_UNLINK, _RET_SUBMIT, _RET_UNLINK = 1, 2, 3, 4
_BASIC: Final = struct.Struct(">IIIII")
_SUBMIT: Final = struct.Struct(">IiiiI8s")
_RETURNED: Final = struct.Struct(">iiiii8x")
_STATUS: Final = struct.Struct(">i24x")
HEADER_BYTES: Final = 48
_ISO: Final = struct.Struct(">IIII")
ISO_BYTES: Final = _ISO.size


class WireError(ValueError):
    """What came is not USB/IP."""


@dataclass(frozen=True, slots=True)
class UsbId:
    """What a list of devices says of one."""

    bus_id: str
    vendor: int
    product: int
    release: int
    interfaces: Sequence[tuple[int, int, int]]
    """Class, subclass and protocol of each."""


@dataclass(frozen=True, slots=True)
class Submit:
    """A URB that the host's kernel hands over; ``length`` is the room for an answer, or the data's."""

    seqnum: int
    to_host: bool
    endpoint: int
    length: int
    start_frame: int
    packets: int
    setup: bytes

    @property
    def data_bytes(self) -> int:
        """How much follows the header."""
        return 0 if self.to_host else self.length


@dataclass(frozen=True, slots=True)
class Unlink:
    """The host takes the URB ``victim`` back."""

    seqnum: int
    victim: int


@dataclass(frozen=True, slots=True)
class IsoPacket:
    """One packet of an isochronous URB: where it lies in the buffer, its room and what it has."""

    offset: int
    length: int
    actual: int = 0
    status: int = 0


def parse_operation(data: bytes) -> int:
    """Return the code of an operation's first 8 bytes; raises ``WireError``."""
    version, code, _ = _OPERATION.unpack(data)
    if version != VERSION or code not in (DEVLIST, IMPORT):
        raise WireError(f"version {version:#06x}, operation {code:#06x}")
    return int(code)


def operation(code: int, status: int = 0) -> bytes:
    """Return the first 8 bytes of a request."""
    return _OPERATION.pack(VERSION, code, status)


def reply(code: int, *, status: int = 0, body: bytes = b"") -> bytes:
    """Return the answer to the request ``code``; ``status`` 1 says that there is no such device."""
    return _OPERATION.pack(VERSION, code & ANSWER, status) + body


def device_record(device: UsbId, *, speed: int, interfaces: bool) -> bytes:
    """Return the record of a device; a list has its interfaces behind it, an import has not."""
    path = f"/sys/devices/thirdring/usb1/{device.bus_id}".encode()
    record = struct.pack(">256s32sIII", path, device.bus_id.encode(), 1, 1, speed)
    record += struct.pack(">HHH", device.vendor, device.product, device.release)
    record += bytes([0, 0, 0, 1, 1, len(device.interfaces)])
    if interfaces:
        record += b"".join(bytes([*kind, 0]) for kind in device.interfaces)
    return record


def parse_header(data: bytes) -> Submit | Unlink:
    """Return what the 48 bytes before a URB say; raises ``WireError``."""
    command, seqnum, _device, direction, endpoint = _BASIC.unpack_from(data)
    if command == _CMD_UNLINK:
        (victim,) = struct.unpack_from(">I", data, _BASIC.size)
        return Unlink(seqnum, victim)
    if command != _CMD_SUBMIT or direction > 1:
        raise WireError(f"command {command}, direction {direction}")
    _flags, length, start_frame, packets, _interval, setup = _SUBMIT.unpack_from(data, _BASIC.size)
    if length < 0:
        raise WireError(f"a transfer of {length} bytes")
    # -1 stands for a URB without packets.
    return Submit(seqnum, direction == 1, endpoint, length, start_frame, max(0, packets), setup)


def iso_packets(data: bytes) -> list[IsoPacket]:
    """Return the descriptors that stand behind an isochronous URB."""
    return [IsoPacket(*fields) for fields in _ISO.iter_unpack(data)]


def submitted(
    urb: Submit,
    *,
    status: int = 0,
    actual: int | None = None,
    data: bytes = b"",
    packets: Sequence[IsoPacket] = (),
) -> bytes:
    """Return a URB given back: ``actual`` bytes moved (those of ``data`` where it is not given)."""
    head = _BASIC.pack(_RET_SUBMIT, urb.seqnum, 0, 0, 0)
    head += _RETURNED.pack(status, len(data) if actual is None else actual, urb.start_frame, len(packets), 0)
    tail = b"".join(_ISO.pack(p.offset, p.length, p.actual, p.status) for p in packets)
    return head + data + tail


def unlinked(request: Unlink, *, status: int) -> bytes:
    """Return the answer to ``Unlink``: -ECONNRESET when it was in time, 0 when the URB had gone back."""
    return _BASIC.pack(_RET_UNLINK, request.seqnum, 0, 0, 0) + _STATUS.pack(status)
