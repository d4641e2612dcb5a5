"""The driver at a node that speaks reports; only the kernel's directory and its ioctl are stood in for."""

import os
import queue
import socket
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.peers import wait_until
from thirdring_device.adapters.hid.choose import make_buttons
from thirdring_device.adapters.hid.hidraw import HidrawButtons
from thirdring_device.adapters.hid.nodes import HidNode, LinuxNodes
from thirdring_device.adapters.hid.simulator import families
from thirdring_device.core.headset_buttons import Change
from thirdring_device.core.headset_leds import Leds
from thirdring_device.sound_settings import HeadsetSettings

JABRA = families()["jabra-link-380"]
MOUSE = bytes.fromhex("05010902A1010901A10005091901290315002501950375018102950175058103C0C0")
RING, TALK = Leds(ring=True, ringer=True), Leds(off_hook=True, on_line=True, speaker=True)
WITHIN_S = 10.0


class FakeNodes:
    """``/dev/hidraw*`` as pairs of sockets that keep the borders of reports, as hidraw does."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.nodes: dict[Path, HidNode] = {}
        self.headsets: dict[Path, socket.socket] = {}
        self.forbidden: set[Path] = set()
        self.opened: list[Path] = []

    def plug(self, number: int, descriptor: bytes | None, usb_id: str = "0b0e:24c9") -> Path:
        path = Path(f"/dev/hidraw{number}")
        with self.lock:
            self.nodes[path] = HidNode(path, f"headset {number}", usb_id, descriptor)
        return path

    def unplug(self, path: Path) -> None:
        with self.lock:
            del self.nodes[path]
            headset = self.headsets.pop(path, None)
        if headset is not None:
            headset.close()

    def found(self) -> Iterator[HidNode]:
        with self.lock:
            return iter(list(self.nodes.values()))

    def open(self, path: Path) -> int:
        with self.lock:
            self.opened.append(path)
            if path in self.forbidden:
                raise PermissionError(13, "Permission denied")
            ours, self.headsets[path] = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            self.headsets[path].settimeout(WITHIN_S)
            ours.setblocking(False)
            return ours.detach()

    def descriptor(self, fd: int) -> bytes:
        return JABRA.descriptor


class Heard:
    """A listener that keeps what it is told."""

    def __init__(self) -> None:
        self.told: queue.Queue[tuple[Any, ...]] = queue.Queue()

    def attached(self, device: str) -> None:
        self.told.put(("attached", device))

    def detached(self, device: str) -> None:
        self.told.put(("detached", device))

    def refused(self, device: str, code: int, detail: str) -> None:
        self.told.put(("refused", device, code, detail))

    def changed(self, changes: Sequence[Change]) -> None:
        self.told.put(("on", *sorted(c.control for c in changes if c.on)))

    def next(self) -> tuple[Any, ...]:
        return self.told.get(timeout=WITHIN_S)


@pytest.fixture
def nodes() -> Iterator[FakeNodes]:
    made = FakeNodes()
    yield made
    for headset in made.headsets.values():
        headset.close()


@pytest.fixture
def heard() -> Heard:
    return Heard()


def driver(nodes: FakeNodes, usb_id: str = "") -> HidrawButtons:
    return HidrawButtons(usb_id, nodes, scan_ms=20)


def test_reports_come_in_and_lamps_go_out(nodes: FakeNodes, heard: Heard) -> None:
    nodes.plug(0, MOUSE)
    path = nodes.plug(3, JABRA.descriptor)
    buttons = driver(nodes)
    buttons.start(heard)
    assert heard.next() == ("attached", "headset 3")
    assert nodes.opened == [path], "what is no headset is not opened"
    headset = nodes.headsets[path]
    assert headset.recv(64) == bytes([2, 0, 0]), "dark at first"
    buttons.show(RING)
    assert headset.recv(64) == bytes([2, 0b10001000, 0])
    headset.send(JABRA.streams["on_hook"]["hook"][0])
    assert heard.next() == ("on", "hook")
    for report in JABRA.streams["off_hook"]["mute"]:
        headset.send(report)
    assert heard.next() == ("on", "hook", "mute")
    assert heard.next() == ("on", "hook")
    buttons.show(TALK)
    assert headset.recv(64) == bytes([2, 0b01000011, 0])
    buttons.show(TALK)
    buttons.show(TALK, again=True)
    assert headset.recv(64) == bytes([2, 0b01000011, 0])
    buttons.stop()
    assert headset.recv(64) == bytes([2, 0, 0]), "dark at the end"
    assert heard.next() == ("detached", "headset 3")


def test_headset_that_goes_and_comes_back_is_told_all_its_lamps(nodes: FakeNodes, heard: Heard) -> None:
    path = nodes.plug(0, JABRA.descriptor)
    buttons = driver(nodes)
    buttons.start(heard)
    for _ in range(3):
        assert heard.next() == ("attached", "headset 0")
        buttons.show(TALK)
        headset = nodes.headsets[path]
        while headset.recv(64) != bytes([2, 0b01000011, 0]):
            pass
        nodes.unplug(path)
        assert heard.next() == ("detached", "headset 0")
        path = nodes.plug(0, JABRA.descriptor)
    buttons.stop()


def test_garbage_and_reports_of_other_kinds_are_ignored(nodes: FakeNodes, heard: Heard) -> None:
    path = nodes.plug(0, JABRA.descriptor)
    buttons = driver(nodes)
    buttons.start(heard)
    assert heard.next() == ("attached", "headset 0")
    for report in (b"\x00", b"\x02", b"\x02\x01", b"\xff" * 500, b"\x05" + bytes(62), b"\x01\x04\x00"):
        nodes.headsets[path].send(report)
        assert heard.next() == ("on",)
    nodes.headsets[path].send(bytes([2, 1, 0]))
    assert heard.next() == ("on", "hook")
    buttons.stop()


def test_missing_permission_is_told_once_by_number_and_the_next_headset_is_taken(
    nodes: FakeNodes, heard: Heard
) -> None:
    forbidden = nodes.plug(0, JABRA.descriptor)
    nodes.forbidden.add(forbidden)
    buttons = driver(nodes)
    buttons.start(heard)
    assert heard.next() == ("refused", "headset 0", 4010, "/dev/hidraw0: Permission denied")
    wait_until(lambda: len(nodes.opened) > 3, "it tries again", WITHIN_S)
    nodes.plug(1, JABRA.descriptor)
    assert heard.next() == ("attached", "headset 1")
    buttons.stop()
    assert heard.next() == ("detached", "headset 1")
    assert heard.told.empty()


def test_descriptor_that_is_none_is_refused_and_one_that_sysfs_lacks_is_asked_for(
    nodes: FakeNodes, heard: Heard
) -> None:
    broken = nodes.plug(0, b"\x05")
    buttons = driver(nodes)
    buttons.start(heard)
    assert heard.next()[:3] == ("refused", "headset 0", 4011)
    nodes.unplug(broken)
    nodes.plug(1, None)
    assert heard.next() == ("attached", "headset 1")
    buttons.stop()


def test_only_the_headset_that_is_set_is_taken(nodes: FakeNodes, heard: Heard) -> None:
    nodes.plug(0, JABRA.descriptor)
    buttons = driver(nodes, "047F:C056")
    buttons.start(heard)
    nodes.plug(1, families()["plantronics-blackwire-3220"].descriptor, "047f:c056")
    assert heard.next() == ("attached", "headset 1")
    buttons.stop()


def test_lamps_are_shown_without_a_headset_and_after_the_end(nodes: FakeNodes, heard: Heard) -> None:
    buttons = driver(nodes)
    buttons.start(heard)
    for _ in range(100_000):
        buttons.show(TALK)
    buttons.stop()
    buttons.show(RING)
    assert heard.told.empty()


def test_sysfs_tells_what_is_there(tmp_path: Path) -> None:
    device = tmp_path / "hidraw7" / "device"
    device.mkdir(parents=True)
    (tmp_path / "hidraw8" / "device").mkdir(parents=True)
    (device / "uevent").write_text(
        "DRIVER=hid-generic\nHID_ID=0003:00000B0E:000024C9\nHID_NAME=GN Audio A/S Jabra Link 380\n"
    )
    (device / "report_descriptor").write_bytes(JABRA.descriptor)
    known, unknown = LinuxNodes(tmp_path, Path("/dev")).found()
    assert known == HidNode(
        Path("/dev/hidraw7"), "GN Audio A/S Jabra Link 380", "0b0e:24c9", JABRA.descriptor
    )
    assert replace(unknown, usb_id="") == HidNode(Path("/dev/hidraw8"), "hidraw8", "", None)
    assert list(LinuxNodes(tmp_path / "none").found()) == []


def test_ioctl_requests_are_those_of_the_kernel() -> None:
    """``linux/hidraw.h`` as compiled on x86-64 and arm64."""
    from thirdring_device.adapters.hid import nodes

    assert nodes.HIDIOCGRDESCSIZE == 0x80044801
    assert nodes.HIDIOCGRDESC == 0x90044802


def test_a_real_node_without_hidraw_is_refused_by_the_kernel(tmp_path: Path) -> None:
    fd = os.open("/dev/null", os.O_RDWR)
    with pytest.raises(OSError, match="ioctl"):
        LinuxNodes().descriptor(fd)
    os.close(fd)


def test_buttons_go_with_the_sound_unless_set_otherwise() -> None:
    def chosen(**values: Any) -> tuple[str, str]:
        made = make_buttons(replace(HeadsetSettings(), **values))
        return type(made).__name__, getattr(made, "_usb_id", "")

    assert chosen() == ("SimulatedButtons", "")
    assert chosen(device="usb:0B0E:24C9") == ("HidrawButtons", "0b0e:24c9")
    assert chosen(device="usb:0b0e:24c9", button_device="047f:c056") == ("HidrawButtons", "047f:c056")
    assert chosen(device="default") == ("HidrawButtons", "")
    assert chosen(buttons="hidraw") == ("HidrawButtons", "")
    assert chosen(device="default", buttons="simulator") == ("SimulatedButtons", "")
    assert make_buttons(replace(HeadsetSettings(), buttons="off")) is None
