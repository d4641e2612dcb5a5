"""The virtual USB headset, driven by a small kernel of our own over its TCP port."""

import contextlib
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from thirdring_hil.ear import Ear
from thirdring_hil.headset import UsbHeadset, usb_headset
from thirdring_hil.poll import poll
from thirdring_hil.qemu import attach
from thirdring_hil.signals import tone
from thirdring_hil.usbip import descriptors as d
from thirdring_hil.usbip import wire

WAIT_S = 10.0
OUT, IN = 0, 1
BROKEN_PIPE, CONNECTION_RESET = -32, -104


class Kernel:
    """What ``vhci_hcd`` does on the other end, one URB at a time unless told otherwise."""

    def __init__(self, port: int) -> None:
        self.line = socket.create_connection(("127.0.0.1", port), WAIT_S)
        self.seqnum = 0

    def exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            more = self.line.recv(count - len(data))
            if not more:
                raise ConnectionError("unplugged")
            data += more
        return data

    def attach(self) -> int:
        self.line.sendall(wire.operation(wire.IMPORT) + d.USB_ID.bus_id.encode().ljust(32, b"\0"))
        version, code, status = struct.unpack(">HHI", self.exactly(8))
        assert (version, code) == (0x0111, 0x0003)
        if status == 0:
            record = self.exactly(312)
            assert struct.unpack_from(">IHH", record, 296) == (2, 0x1209, 0x0001)
        return int(status)

    def submit(self, endpoint: int, direction: int, room: int, **urb: bytes | int) -> int:
        """Hand a URB over; ``data``, ``setup`` and ``packets`` of an isochronous one."""
        self.seqnum += 1
        data, packets = urb.get("data", b""), urb.get("packets", 0)
        assert isinstance(data, bytes)
        assert isinstance(packets, int)
        head = struct.pack(">IIIII", 1, self.seqnum, 0x00010001, direction, endpoint)
        setup = urb.get("setup", bytes(8))
        head += struct.pack(">IiiiI8s", 0, len(data) or room, 0, packets or -1, 0, setup)
        size = (len(data) or room) // packets if packets else 0
        described = b"".join(struct.pack(">IIII", i * size, size, 0, 0) for i in range(packets))
        self.line.sendall(head + data + described)
        return self.seqnum

    def returned(self, direction: int = IN) -> tuple[int, int, bytes]:
        """Return number, status and data of the next URB that comes back."""
        command, seqnum, _, _, _ = struct.unpack(">IIIII", self.exactly(20))
        status, actual, _, packets, _ = struct.unpack(">iiiii8x", self.exactly(28))
        assert command == 3
        data = self.exactly(actual) if direction == IN else b""
        for _ in range(packets):
            assert struct.unpack(">IIII", self.exactly(16))[3] == 0
        return seqnum, status, data

    def control(
        self, kind: int, request: int, value: int, index: int, data: bytes = b"", room: int = 255
    ) -> bytes:
        """Do a control transfer; raises ``BrokenPipeError`` when it is stalled."""
        setup = struct.pack("<BBHHH", kind, request, value, index, len(data) if data else room)
        direction = IN if kind & 0x80 else OUT
        self.submit(0, direction, room if direction == IN else 0, setup=setup, data=data)
        _, status, answer = self.returned(direction)
        if status == BROKEN_PIPE:
            raise BrokenPipeError
        assert status == 0
        return answer


@pytest.fixture
def headset(tmp_path: Path) -> Iterator[UsbHeadset]:
    with usb_headset(tmp_path) as headset:
        headset.plug()
        yield headset


@pytest.fixture
def kernel(headset: UsbHeadset) -> Iterator[Kernel]:
    kernel = Kernel(headset.port)
    with contextlib.closing(kernel.line):
        assert kernel.attach() == 0
        yield kernel


def test_a_list_names_it(headset: UsbHeadset) -> None:
    with contextlib.closing(Kernel(headset.port).line) as line:
        line.sendall(wire.operation(wire.DEVLIST))
        listed = b""
        while more := line.recv(4096):
            listed += more
    assert struct.unpack_from(">HHII", listed) == (0x0111, 0x0005, 0, 1)
    assert len(listed) == 12 + 312 + 4 * 4
    assert listed[12 + 312 :] == bytes([1, 1, 0, 0, 1, 2, 0, 0, 1, 2, 0, 0, 3, 0, 0, 0])


def test_its_descriptors_are_whole(kernel: Kernel) -> None:
    device = kernel.control(0x80, 6, 0x0100, 0)
    assert device[0] == len(device) == 18
    first = kernel.control(0x80, 6, 0x0200, 0, room=9)
    (total,) = struct.unpack_from("<H", first, 2)
    configuration = kernel.control(0x80, 6, 0x0200, 0, room=total)
    assert len(configuration) == total
    kinds, position = [], 0
    while position < total:
        kinds.append(configuration[position + 1])
        position += configuration[position]
    assert position == total
    assert kinds.count(4) == 6, "audio control, two streams of two settings, HID"
    assert kinds.count(5) == 3
    assert kernel.control(0x80, 6, 0x0302, 0x0409)[2:].decode("utf-16-le") == "Bench headset"
    assert kernel.control(0x81, 6, 0x2200, d.HID_INTERFACE) == d.REPORT_DESCRIPTOR
    with pytest.raises(BrokenPipeError):
        kernel.control(0x80, 6, 0x0600, 0)  # no device qualifier: it knows one speed only


def test_what_is_spoken_comes_from_the_microphone(
    headset: UsbHeadset, kernel: Kernel, tmp_path: Path
) -> None:
    spoken = tone(440.0, -20.0, 0.05, d.RATE_HZ)
    soundfile.write(tmp_path / "said.wav", spoken, d.RATE_HZ, "PCM_16")
    assert headset.speak(tmp_path / "said.wav") == pytest.approx(0.05)
    heard = b""
    for _ in range(6):
        kernel.submit(d.MOUTH_ENDPOINT, IN, 10 * d.PACKET_BYTES, packets=10)
        heard += kernel.returned()[2]
    samples = np.frombuffer(heard, "<i2")
    assert len(samples) == 60 * d.MOUTH_PACKET_SAMPLES
    assert np.array_equal(samples[: len(spoken)], spoken)
    assert not np.any(samples[len(spoken) :])


def test_what_is_played_is_heard_at_the_volume_that_is_set(
    headset: UsbHeadset, kernel: Kernel, tmp_path: Path
) -> None:
    unit = d.EAR_UNIT << 8
    assert struct.unpack("<h", kernel.control(0xA1, 0x81, 0x0200, unit, room=2)) == (0,)
    assert struct.unpack("<h", kernel.control(0xA1, 0x82, 0x0200, unit, room=2)) == (d.VOLUME_LOWEST,)
    ear = Ear(tmp_path)
    played = np.full(10 * d.PACKET_SAMPLES, 10000, "<i2")
    for volume in (0, -6 * 256):
        kernel.control(0x21, 0x01, 0x0200, unit, struct.pack("<h", volume))
        kernel.submit(d.EAR_ENDPOINT, OUT, 0, data=played.tobytes(), packets=10)
        kernel.returned(OUT)
    ear.wait_for_s(0.02, WAIT_S)
    assert np.all(ear.samples[:160] == 10000)
    assert np.all(ear.samples[160:] == 5012)


def test_sound_takes_its_time(kernel: Kernel) -> None:
    """As many samples a second as it says, however fast the host asks: it is the unit's clock."""
    import time

    began_s = time.monotonic()
    for _ in range(4):
        kernel.submit(d.MOUTH_ENDPOINT, IN, 25 * d.PACKET_BYTES, packets=25)
    for _ in range(4):
        kernel.returned()
    assert time.monotonic() - began_s >= 100 * d.MOUTH_PACKET_SAMPLES / d.RATE_HZ - 0.02


def test_buttons_are_reported_and_the_hook_follows_its_lamp(headset: UsbHeadset, kernel: Kernel) -> None:
    asked = kernel.submit(d.BUTTONS_ENDPOINT, IN, 8)
    headset.press("hook")
    assert kernel.returned() == (asked, 0, bytes([1, 0b1]))
    headset.press("mute")
    kernel.submit(d.BUTTONS_ENDPOINT, IN, 8)
    kernel.submit(d.BUTTONS_ENDPOINT, IN, 8)
    assert [kernel.returned()[2] for _ in range(2)] == [bytes([1, 0b11]), bytes([1, 0b01])]
    kernel.control(0x21, 9, 0x0202, d.HID_INTERFACE, bytes([2, 0b101]))
    assert headset.lamps == ("off_hook", "mute")
    kernel.control(0x21, 9, 0x0202, d.HID_INTERFACE, bytes([2, 0]))
    kernel.submit(d.BUTTONS_ENDPOINT, IN, 8)
    assert kernel.returned()[2] == bytes([1, 0]), "on-hook, as its lamp"
    with pytest.raises(OSError, match="eject"):
        headset.press("eject")


def test_a_urb_is_taken_back(kernel: Kernel) -> None:
    victim = kernel.submit(d.BUTTONS_ENDPOINT, IN, 8)
    for status in (CONNECTION_RESET, 0):  # the second time it has gone already
        kernel.seqnum += 1
        kernel.line.sendall(struct.pack(">IIIIII24x", 2, kernel.seqnum, 0x00010001, 0, 0, victim))
        answer = kernel.exactly(48)
        assert struct.unpack_from(">II", answer) == (4, kernel.seqnum)
        assert struct.unpack_from(">i", answer, 20) == (status,)


def test_unplugged_it_is_gone_and_plugged_in_again_it_is_new(headset: UsbHeadset, kernel: Kernel) -> None:
    kernel.control(0x01, 11, 1, d.EAR_INTERFACE)
    kernel.control(0x01, 11, 1, d.MOUTH_INTERFACE)
    assert headset.in_use
    kernel.control(0x21, 9, 0x0202, d.HID_INTERFACE, bytes([2, 1]))
    headset.unplug()
    with pytest.raises(ConnectionError):
        kernel.exactly(1)
    again = Kernel(headset.port)
    with contextlib.closing(again.line):
        assert again.attach() == 1
    headset.plug()
    again = Kernel(headset.port)
    with contextlib.closing(again.line):
        assert again.attach() == 0
        assert headset.lamps == ()
        assert not headset.in_use


def test_a_second_host_does_not_get_it(headset: UsbHeadset, kernel: Kernel) -> None:
    other = Kernel(headset.port)
    with contextlib.closing(other.line):
        assert other.attach() == 1
    assert kernel.control(0x80, 8, 0, 0) == b"\1"


def test_what_is_not_usbip_ends_the_connection_only(headset: UsbHeadset) -> None:
    for nonsense in (b"GET / HTTP/1.1\r\n\r\n", wire.operation(wire.IMPORT) + b"9-9".ljust(32, b"\0")):
        with contextlib.closing(Kernel(headset.port).line) as line:
            line.sendall(nonsense)
            poll(lambda line=line: _closed(line), "the connection has ended", WAIT_S)  # type: ignore[misc]
    fresh = Kernel(headset.port)
    with contextlib.closing(fresh.line):
        assert fresh.attach() == 0


def _closed(line: socket.socket) -> bool:
    try:
        return line.recv(4096) == b""
    except ConnectionResetError:
        return True


@pytest.fixture
def controller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in the place of ``vhci_hcd``'s in sysfs."""
    (tmp_path / "status").write_text(
        "hub port sta spd dev      sockfd local_busid\n"
        "hs  0000 004 000 00000000 000000 0-0\n"
        "hs  0001 006 002 00010001 000003 1-1\n",
        encoding="ascii",
    )
    monkeypatch.setattr(attach, "CONTROLLER", tmp_path)
    return tmp_path


def test_the_board_hands_the_headset_to_its_kernel(headset: UsbHeadset, controller: Path) -> None:
    assert attach.is_free()
    attach.attach("127.0.0.1", headset.port)
    port, _, device, speed = (controller / "attach").read_text(encoding="ascii").split()
    assert (port, int(device), int(speed)) == ("0", 1 << 16 | 1, d.FULL_SPEED)


def test_the_board_finds_no_headset_while_it_is_unplugged(headset: UsbHeadset, controller: Path) -> None:
    headset.unplug()
    with pytest.raises(ConnectionError, match="unplugged"):
        attach.attach("127.0.0.1", headset.port)
    assert not (controller / "attach").exists()
    used = (controller / "status").read_text(encoding="ascii").replace("0000 004", "0000 006")
    (controller / "status").write_text(used, encoding="ascii")
    assert not attach.is_free()
