"""Fifty WebSocket clients during a call, one of which does not read: ``nox -s bench_stream``.

Told: the age of events (wall clock at arrival minus the event's ``utc``) over all clients that read, whether
each got every event, what became of the one that does not, and the sound bridge's longest tick before and at
the end.
"""

import argparse
import asyncio
import contextlib
import json
import socket
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

import httpx
import numpy as np
import soundfile
from tests.peers import BaresipPeer
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from bench.appliance import Running, appliance
from thirdring import Appliance
from thirdring.protocol.events import RingBurst

LONGEST_AGE_MS = 100.0
LONG_EVENTS = 600
"""7 MB, asked for by the one that does not read: more than the kernel's buffers hold."""
HEADER = "authorization"


class Follower:
    """One client that reads."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.ages_ms: list[float] = []

    async def run(self, running: Running, after: int) -> None:
        address = f"ws://127.0.0.1:{running.http_port}/v1/events?after={after}"
        async with connect(
            address, proxy=None, compression=None, additional_headers={HEADER: f"Bearer {running.token}"}
        ) as stream:
            with contextlib.suppress(ConnectionClosed):
                async for message in stream:
                    now_s = time.time()
                    fields = json.loads(message)
                    self.numbers.append(fields["seq"])
                    self.ages_ms.append((now_s - datetime.fromisoformat(fields["utc"]).timestamp()) * 1000.0)


def stalled(running: Running) -> socket.socket:
    """Return a client that asks for every event from the first on and reads nothing."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 256 * 1024)
    client.connect(("127.0.0.1", running.http_port))
    lines = (
        "GET /v1/events?after=0 HTTP/1.1",
        f"Host: 127.0.0.1:{running.http_port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
        f"Authorization: Bearer {running.token}",
    )
    client.sendall("\r\n".join([*lines, "", ""]).encode())
    return client


def ticks_ms(http: httpx.Client) -> str:
    """Return the intervals between the sound bridge's ticks since the start."""
    metrics = dict(line.rsplit(" ", 1) for line in http.get("/metrics").text.splitlines())
    p99_s, max_s = (float(metrics[f"thirdring_sound_tick_{name}_seconds"]) for name in ("p99", "max"))
    return f"p99 {p99_s * 1000.0:.1f}, max {max_s * 1000.0:.1f} ms"


async def measure(
    running: Running, http: httpx.Client, call_id: str, *, clients: int, seconds: float, rate: float
) -> bool:
    long = {"call_id": call_id, "matter": "事" * 2000, "promised": "回" * 2000}
    for _ in range(LONG_EVENTS):
        http.post("/v1/notes", json=long).raise_for_status()
    after = http.get("/v1/state").json()["last_event"]
    followers = [Follower() for _ in range(clients - 1)]
    tasks = [asyncio.create_task(follower.run(running, after)) for follower in followers]
    await asyncio.sleep(2.0)
    ticks_before = ticks_ms(http)
    slow = await asyncio.to_thread(stalled, running)
    while f"thirdring_event_streams {clients}.0" not in http.get("/metrics").text:
        await asyncio.sleep(0.1)
    async with httpx.AsyncClient(base_url=http.base_url, headers=http.headers, trust_env=False) as writer:
        end_s = time.monotonic() + seconds
        cut = asyncio.create_task(_when_cut(writer, clients, slow))
        while time.monotonic() < end_s:
            notes = {"call_id": call_id, "matter": "a bill", "promised": "a copy by mail"}
            (await writer.post("/v1/notes", json=notes)).raise_for_status()
            await asyncio.sleep(1.0 / rate)
        reason = cut.result() if cut.done() else "still there"
        cut.cancel()
    last = http.get("/v1/state").json()["last_event"]
    async with asyncio.timeout(10.0):
        while any(not follower.numbers or follower.numbers[-1] < last for follower in followers):
            await asyncio.sleep(0.05)
    ticks_after = ticks_ms(http)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    ages_ms = np.concatenate([follower.ages_ms for follower in followers])
    whole = all(
        follower.numbers[: last - after] == list(range(after + 1, last + 1)) for follower in followers
    )
    p99_ms = float(np.percentile(ages_ms, 99))
    print(f"clients that read        {len(followers)}, events {last - after}, every one got all: {whole}")
    print(f"age of events            p50 {np.percentile(ages_ms, 50):.1f} ms, p99 {p99_ms:.1f} ms,", end=" ")
    print(f"max {ages_ms.max():.1f} ms (limit at p99: {LONGEST_AGE_MS:g} ms)")
    print(f"the one that does not    {reason}")
    print(f"ticks of the sound       {ticks_before} before; {ticks_after} at the end")
    return whole and p99_ms <= LONGEST_AGE_MS and "7004" in reason


async def _when_cut(http: httpx.AsyncClient, clients: int, slow: socket.socket) -> str:
    """Return what the client that does not read is told, as soon as the gateway has given it up."""
    while True:
        text = (await http.get("/metrics")).text
        if f"thirdring_event_streams {clients - 1:.1f}" in text:
            return await asyncio.to_thread(_rest, slow)
        await asyncio.sleep(0.5)


def _rest(client: socket.socket) -> str:
    """Return the reason at the end of what the client was sent, or how the connection ended."""
    received = b""
    client.settimeout(5.0)
    with client:
        try:
            while part := client.recv(65536):
                received += part
        except OSError as reason:
            return f"{type(reason).__name__}: {reason}"
    return received[-123:].partition(b"7004")[1].decode() + received[-123:].partition(b"7004")[2].decode()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--rate", type=float, default=10.0, help="events a second besides the call's own")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, appliance() as running:
        tone = Path(folder) / "tone.wav"
        soundfile.write(tone, 0.1 * np.sin(2 * np.pi * 440 * np.arange(8000 * 300) / 8000), 8000)
        url = f"http://127.0.0.1:{running.http_port}"
        headers = {HEADER: f"Bearer {running.token}"}
        with (
            BaresipPeer(Path(folder), speaks=tone) as peer,
            Appliance(url, running.token) as desk,
            httpx.Client(base_url=url, headers=headers, trust_env=False) as http,
        ):
            after = desk.state().last_event
            peer.dial(f"sip:desk@127.0.0.1:{running.sip_port}")
            desk.wait_for(lambda r: isinstance(r.event, RingBurst), timeout_s=30.0, after=after)
            call_id = desk.answer()
            desk.wait_for("media_started", timeout_s=20.0, after=after)
            asked = {"clients": args.clients, "seconds": args.seconds, "rate": args.rate}
            done = asyncio.run(measure(running, http, call_id, **asked))
            desk.hangup()
    return 0 if done else 1


if __name__ == "__main__":
    sys.exit(main())
