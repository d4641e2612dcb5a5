"""The driver: a headset behind ``/dev/hidraw*``, found by its report descriptor, lost and found again."""

import contextlib
import logging
import os
import select
import threading
from pathlib import Path
from typing import Final

from thirdring_device.adapters.hid.descriptor import DescriptorError
from thirdring_device.adapters.hid.interface import ButtonListener
from thirdring_device.adapters.hid.nodes import HidNode, LinuxNodes, Nodes
from thirdring_device.adapters.hid.telephony import Telephony
from thirdring_device.core.headset_leds import DARK, Leds

__all__ = ["HidrawButtons"]

log = logging.getLogger(__name__)

SCAN_MS: Final = 1000
"""How often to look for a headset while there is none."""
LONGEST_REPORT: Final = 4096
NO_PERMISSION: Final = 4010
NOT_UNDERSTOOD: Final = 4011


class HidrawButtons:
    """See ``HeadsetButtons``. One thread reads and writes; ``show`` and ``stop`` only poke it."""

    def __init__(self, usb_id: str = "", nodes: Nodes | None = None, scan_ms: int = SCAN_MS) -> None:
        """``usb_id``: only this headset (``vvvv:pppp``); empty: the first one with telephony buttons."""
        self._usb_id = usb_id.lower()
        self._nodes = nodes or LinuxNodes()
        self._scan_ms = scan_ms
        self._lock = threading.Lock()
        self._wanted, self._again = DARK, False
        self._stopping = False
        self._refused: dict[Path, int] = {}
        self._wake_read = self._wake_write = -1
        self._thread: threading.Thread | None = None

    def start(self, listener: ButtonListener) -> None:
        """See ``HeadsetButtons``."""
        self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._thread = threading.Thread(
            target=self._run, args=(listener,), name="headset buttons", daemon=True
        )
        self._thread.start()

    def show(self, leds: Leds, *, again: bool = False) -> None:
        """See ``HeadsetButtons``."""
        with self._lock:
            if self._stopping or self._thread is None:
                return
            self._wanted, self._again = leds, self._again or again
            self._poke()

    def stop(self) -> None:
        """See ``HeadsetButtons``."""
        with self._lock:
            thread, self._thread = self._thread, None
            if thread is None:
                return
            self._wanted, self._stopping = DARK, True
            self._poke()
        thread.join()
        os.close(self._wake_read)
        os.close(self._wake_write)

    def _poke(self) -> None:
        with contextlib.suppress(BlockingIOError):  # full of pokes already
            os.write(self._wake_write, b"!")

    # --- the thread -------------------------------------------------------------------------------

    def _run(self, listener: ButtonListener) -> None:
        while not self._stopping:
            try:
                opened = self._look(listener)
                if opened is not None:
                    self._attend(*opened, listener)
            except Exception:
                log.exception("the headset's buttons failed; looking for them again")
            if not self._stopping:
                select.select([self._wake_read], [], [], self._scan_ms / 1000)
                self._drain()

    def _look(self, listener: ButtonListener) -> tuple[int, HidNode, Telephony] | None:
        """Open the first headset that is there."""
        nodes = list(self._nodes.found())
        there = {node.path for node in nodes}
        self._refused = {path: code for path, code in self._refused.items() if path in there}
        for node in nodes:
            if self._usb_id and node.usb_id != self._usb_id:
                continue
            fd = -1
            try:
                if node.descriptor is None:
                    fd = self._nodes.open(node.path)
                telephony = Telephony(node.descriptor or self._nodes.descriptor(fd))
                if not telephony.buttons:
                    if fd >= 0:
                        os.close(fd)
                    continue
                if fd < 0:
                    fd = self._nodes.open(node.path)
            except DescriptorError as reason:
                self._refuse(listener, node, NOT_UNDERSTOOD, str(reason))
            except PermissionError as reason:
                self._refuse(listener, node, NO_PERMISSION, f"{node.path}: {reason.strerror}")
            except OSError as reason:
                log.debug("%s: %s", node.path, reason)  # it has just gone
            else:
                return fd, node, telephony
            if fd >= 0:
                os.close(fd)
        return None

    def _refuse(self, listener: ButtonListener, node: HidNode, code: int, detail: str) -> None:
        """Tell once, for as long as the node is there."""
        if self._refused.get(node.path) != code:
            self._refused[node.path] = code
            listener.refused(node.name, code, detail)

    def _attend(self, fd: int, node: HidNode, telephony: Telephony, listener: ButtonListener) -> None:
        """Read and write until the headset goes or we stop."""
        log.info("buttons of %s at %s", node.name, node.path)
        self._refused.pop(node.path, None)
        shown: Leds | None = None
        listener.attached(node.name)
        try:
            poll = select.poll()
            poll.register(fd, select.POLLIN)
            poll.register(self._wake_read, select.POLLIN)
            while True:
                with self._lock:
                    wanted, again, stopping = self._wanted, self._again, self._stopping
                    self._again = False
                for report in telephony.reports(wanted, None if again else shown):
                    self._write(fd, report)
                shown = wanted
                if stopping:
                    return
                ready = dict(poll.poll())
                if self._wake_read in ready:
                    self._drain()
                if ready.get(fd, 0) & select.POLLIN:
                    report = os.read(fd, LONGEST_REPORT)
                    if not report:
                        return
                    listener.changed(telephony.changes(report))
                elif fd in ready:
                    return
        except OSError as reason:
            log.info("buttons of %s are gone: %s", node.name, reason)
        finally:
            os.close(fd)
            listener.detached(node.name)

    def _write(self, fd: int, report: bytes) -> None:
        """Write a report. A headset that stalls it has no such lamp; one that is gone is told by ``poll``."""
        try:
            os.write(fd, report)
        except OSError as reason:
            log.debug("report %s not taken: %s", report.hex(" "), reason)

    def _drain(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while os.read(self._wake_read, 512):
                pass
