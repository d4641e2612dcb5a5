"""The virtual headset on a TCP port, in a process of its own: sound must not wait for the tests that use it.

``python -m thirdring_hil.usbip.server --ear FILE`` takes orders as JSON lines on standard input, answers each
with a line, and ends with its input. What the ear hears is appended to ``FILE`` (WAV, 16 kHz, 16 bit mono).
"""

import argparse
import asyncio
import contextlib
import errno
import io
import json
import struct
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import soundfile

from thirdring_hil.usbip import descriptors as d
from thirdring_hil.usbip import wire
from thirdring_hil.usbip.device import Headset

__all__ = ["HeadsetServer", "main"]

CATCH_UP_S: Final = 0.02
"""How much sound goes through at once after a host was late; what is later is lost, as on a bus."""
BATCH_S: Final = 0.006
"""URBs go back together so often: an emulated host has a network packet to take in for each batch, and
``snd-usb-audio`` keeps 12 URBs of the microphone under way, and 15 ms for the ear."""


class _Session:
    """One host that has imported the headset."""

    def __init__(self, headset: Headset, writer: asyncio.StreamWriter) -> None:
        self._headset = headset
        self._writer = writer
        self._loop = asyncio.get_running_loop()
        self._waiting: dict[int, wire.Submit] = {}
        """URBs that ask for a button, oldest first."""
        self._moving: dict[int, tuple[float, Callable[[], None]]] = {}
        """URBs whose time has not come, by their number: when it comes, and what gives them back."""
        self._timer: asyncio.TimerHandle | None = None
        self._given: list[bytes] = []
        self._next_s: dict[int, float] = {}
        """When the next packet of an endpoint is due."""

    async def serve(self, reader: asyncio.StreamReader) -> None:
        """Take URBs until the host or the cable goes."""
        try:
            while True:
                request = wire.parse_header(await reader.readexactly(wire.HEADER_BYTES))
                if isinstance(request, wire.Unlink):
                    self._unlink(request)
                else:
                    data = await reader.readexactly(request.data_bytes)
                    described = await reader.readexactly(request.packets * wire.ISO_BYTES)
                    self._submit(request, data, wire.iso_packets(described))
                self._flush()
                await self._writer.drain()
        finally:
            if self._timer is not None:
                self._timer.cancel()

    def _submit(self, urb: wire.Submit, data: bytes, packets: list[wire.IsoPacket]) -> None:
        if urb.endpoint == 0:
            answer = self._headset.control(urb.setup, data)
            if answer is None:
                self._give_back(urb, status=-errno.EPIPE, actual=0)
            else:
                self._give_back(urb, actual=None if urb.to_host else len(data), data=answer)
        elif urb.endpoint == d.BUTTONS_ENDPOINT:
            self._waiting[urb.seqnum] = urb
            self.report()
        elif packets:
            self._move(urb, data, packets)
        else:
            self._give_back(urb, status=-errno.EPIPE, actual=0)

    def _move(self, urb: wire.Submit, data: bytes, packets: list[wire.IsoPacket]) -> None:
        """Give an isochronous URB back in the batch after the last of its packets would be on the bus."""
        now_s = self._loop.time()
        count = len(packets) * (d.MOUTH_PACKET_SAMPLES if urb.to_host else d.PACKET_SAMPLES)
        due_s = max(self._next_s.get(urb.endpoint, now_s), now_s - CATCH_UP_S) + count / d.RATE_HZ
        self._next_s[urb.endpoint] = due_s

        def moved() -> None:
            if urb.to_host:
                size = 2 * d.MOUTH_PACKET_SAMPLES
                sound = self._headset.mouth(count)
                done = [wire.IsoPacket(packet.offset, packet.length, size) for packet in packets]
                self._give_back(urb, data=sound, packets=done)
            else:
                self._headset.ear(b"".join(data[p.offset : p.offset + p.length] for p in packets))
                done = [wire.IsoPacket(packet.offset, packet.length, packet.length) for packet in packets]
                self._give_back(urb, actual=len(data), packets=done)

        if due_s <= now_s:  # the host is late: what waits for the next batch would make it later
            moved()
        else:
            self._moving[urb.seqnum] = due_s, moved
            self._wait()

    def _wait(self) -> None:
        """Come back at the next batch, if any URB is to be given back."""
        if self._moving and self._timer is None:
            self._timer = self._loop.call_at((self._loop.time() // BATCH_S + 1) * BATCH_S, self._batch)

    def _batch(self) -> None:
        """Give back all that is due."""
        self._timer = None
        now_s = self._loop.time()
        for number in [number for number, (due_s, _) in self._moving.items() if due_s <= now_s]:
            self._moving.pop(number)[1]()
        self._flush()
        self._wait()

    def report(self) -> None:
        """Give what the buttons have to say to the URBs that wait for it."""
        while self._waiting and self._headset.reports:
            urb = self._waiting.pop(next(iter(self._waiting)))
            self._give_back(urb, data=self._headset.reports.popleft())
        self._flush()

    def _unlink(self, request: wire.Unlink) -> None:
        moving = self._moving.pop(request.victim, None)
        waited = self._waiting.pop(request.victim, None)
        in_time = moving is not None or waited is not None
        self._given.append(wire.unlinked(request, status=-errno.ECONNRESET if in_time else 0))

    def _give_back(self, urb: wire.Submit, **result: Any) -> None:
        self._given.append(wire.submitted(urb, **result))

    def _flush(self) -> None:
        """Send what is given back, in one piece."""
        given, self._given = self._given, []
        if given and not self._writer.is_closing():
            self._writer.write(b"".join(given))


class HeadsetServer:
    """The headset and its cable. ``hear`` is given what the ear plays."""

    def __init__(self, hear: Callable[[npt.NDArray[np.int16]], None]) -> None:
        self.headset = Headset(hear, self._reported)
        self.plugged = False
        self._session: _Session | None = None
        self._cable: asyncio.StreamWriter | None = None

    @property
    def attached(self) -> bool:
        """Whether a host has imported it."""
        return self._session is not None

    def _reported(self) -> None:
        if self._session is not None:
            self._session.report()

    def unplug(self) -> None:
        """Pull the cable; until ``plug`` no host finds the headset."""
        self.plugged = False
        if self._cable is not None:
            self._cable.close()

    def plug(self) -> None:
        """Let the next host that asks have it."""
        self.plugged = True

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        try:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, wire.WireError):
                await self._answer(reader, writer)
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        code = wire.parse_operation(await reader.readexactly(wire.OPERATION_BYTES))
        there = self.plugged and self._session is None
        if code == wire.DEVLIST:
            listed = [wire.device_record(d.USB_ID, speed=d.FULL_SPEED, interfaces=True)] if there else []
            writer.write(wire.reply(code, body=struct.pack(">I", len(listed)) + b"".join(listed)))
            await writer.drain()
            return
        bus_id = (await reader.readexactly(wire.BUSID_BYTES)).rstrip(b"\0").decode("ascii", "replace")
        if not there or bus_id != d.USB_ID.bus_id:
            writer.write(wire.reply(code, status=1))
            await writer.drain()
            return
        record = wire.device_record(d.USB_ID, speed=d.FULL_SPEED, interfaces=False)
        writer.write(wire.reply(code, body=record))
        self._session, self._cable = _Session(self.headset, writer), writer
        try:
            await self._session.serve(reader)
        finally:
            self._session = self._cable = None
            self.headset.unplug()

    # --- orders of the bench ----------------------------------------------------------------------

    def obey(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """Do what an order says and return how the headset stands; ``error`` when it cannot be done."""
        try:
            self._do(order)
        except (KeyError, ValueError, OSError, soundfile.LibsndfileError) as reason:
            return {"error": f"{order.get('do')}: {reason}"}
        ear, mouth = self.headset.open
        return {
            "attached": self.attached,
            "lamps": list(self.headset.lamps),
            "ear_open": ear,
            "mouth_open": mouth,
        }

    def _do(self, order: Mapping[str, Any]) -> None:
        match order["do"]:
            case "press":
                self.headset.press(order["button"])
            case "speak":
                samples, rate_hz = soundfile.read(order["path"], dtype="int16")
                if rate_hz != d.RATE_HZ or samples.ndim != 1:
                    raise ValueError(f"{order['path']} is not {d.RATE_HZ} Hz mono")
                self.headset.speak(samples)
            case "fall_silent":
                self.headset.fall_silent()
            case "plug":
                self.plug()
            case "unplug":
                self.unplug()
            case "look":
                pass
            case other:
                raise ValueError(f"unknown order {other!r}")


def wav_header() -> bytes:
    """Return the 44 bytes before sound whose length is not known yet."""
    endless = 0xFFFFFFFF
    layout = struct.pack("<HHIIHH", 1, 1, d.RATE_HZ, 2 * d.RATE_HZ, 2, 16)
    parts = (b"RIFF", struct.pack("<I", endless), b"WAVEfmt ", struct.pack("<I", len(layout)), layout)
    return b"".join((*parts, b"data", struct.pack("<I", endless)))


async def _run(port: int, ear: io.FileIO) -> None:
    def hear(samples: npt.NDArray[np.int16]) -> None:
        ear.write(samples.astype("<i2").tobytes())

    headset = HeadsetServer(hear)
    server = await asyncio.start_server(headset.connected, "127.0.0.1", port)
    loop = asyncio.get_running_loop()
    orders = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    sys.stdout.write(json.dumps({"port": server.sockets[0].getsockname()[1]}) + "\n")
    sys.stdout.flush()
    while line := await orders.readline():
        sys.stdout.write(json.dumps(headset.obey(json.loads(line))) + "\n")
        sys.stdout.flush()
    headset.unplug()
    server.close()


def main() -> None:
    """Run until standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="TCP port on loopback; default: any free one")
    parser.add_argument("--ear", type=Path, required=True, help="WAV file of what the ear hears")
    args = parser.parse_args()
    with args.ear.open("wb", buffering=0) as ear:
        ear.write(wav_header())
        asyncio.run(_run(args.port, ear))


if __name__ == "__main__":
    main()
