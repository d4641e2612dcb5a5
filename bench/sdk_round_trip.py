"""How long a host waits for what it asked: ``nox -s bench_sdk``.

Command to answer and command to its event through the SDK (a contact saved: journalled, committed, told),
over HTTP + WebSocket and over serial; beside, in the same run, a bare ``GET /healthz`` on a kept connection
and a bare ``AT`` on the line. The console is a pty, so the line itself costs nothing: at 115200 Bd 100 bytes
take 9 ms.
"""

import argparse
import asyncio
import contextlib
import http.client
import json
import statistics
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import serial

from bench.appliance import Running, appliance
from bench.telephone import percentile
from thirdring import AsyncAppliance, ContactSaved

BLOCKS = 4
"""The ways take turns, so that what else the machine does meets all of them."""
WAIT_S = 10.0

Times = dict[str, list[float]]


async def sdk_rounds(url: str, token: str, name: str, rounds: int, times: Times) -> None:
    async with AsyncAppliance(url, token) as desk:
        told: dict[str, asyncio.Future[float]] = {}

        async def follow(after: int) -> None:
            async with contextlib.aclosing(desk.events(after)) as records:
                async for record in records:
                    if isinstance(record.event, ContactSaved) and record.event.name in told:
                        told[record.event.name].set_result(time.perf_counter())

        async with following(asyncio.create_task(follow((await desk.state()).last_event))):
            for number in range(rounds + 1):
                contact = f"{name} {number} {time.perf_counter_ns()}"
                event = told[contact] = asyncio.get_running_loop().create_future()
                asked_s = time.perf_counter()
                await desk.save_contact("10086", contact)
                answered_s = time.perf_counter()
                told_s = await asyncio.wait_for(event, WAIT_S)
                del told[contact]
                if number:  # the first one waits for the stream to begin
                    times[f"SDK over {name}: command to answer"].append(answered_s - asked_s)
                    times[f"SDK over {name}: command to its event"].append(told_s - asked_s)


@contextlib.asynccontextmanager
async def following(task: asyncio.Task[None]) -> AsyncIterator[None]:
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def bare_http(running: Running, rounds: int, times: Times) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", running.http_port, timeout=WAIT_S)
    with contextlib.closing(connection):
        for number in range(rounds + 1):
            asked_s = time.perf_counter()
            connection.request("GET", "/healthz")
            if b'"ok"' not in connection.getresponse().read():
                raise OSError("not well")
            if number:
                times["bare GET /healthz"].append(time.perf_counter() - asked_s)


def bare_at(running: Running, rounds: int, times: Times) -> None:
    with serial.Serial(str(running.state_dir / "console"), timeout=WAIT_S) as port:
        port.write(b"ATE0\r")
        port.read_until(b"OK\r\n")
        for number in range(rounds + 1):
            asked_s = time.perf_counter()
            port.write(b"AT\r")
            if not port.read_until(b"\r\nOK\r\n").endswith(b"OK\r\n"):
                raise TimeoutError("no OK")
            if number:
                times["bare AT"].append(time.perf_counter() - asked_s)


def measure(rounds: int) -> dict[str, dict[str, float]]:
    times: Times = defaultdict(list)
    with appliance() as running:
        ways = {
            "HTTP": f"http://127.0.0.1:{running.http_port}",
            "serial": f"serial:{running.state_dir / 'console'}",
        }
        for block in range(BLOCKS):
            share = rounds * (block + 1) // BLOCKS - rounds * block // BLOCKS
            for name, url in ways.items():
                asyncio.run(sdk_rounds(url, running.token, name, share, times))
            bare_http(running, share, times)
            bare_at(running, share, times)
    return {
        what: {
            "median_ms": 1000 * statistics.median(values),
            "p99_ms": 1000 * percentile(values, 0.99),
            "rounds": len(values),
        }
        for what, values in sorted(times.items())
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--json", type=Path, help="write the figures here")
    args = parser.parse_args()
    figures: dict[str, Any] = measure(args.rounds)
    for what, row in figures.items():
        median_ms, p99_ms = row["median_ms"], row["p99_ms"]
        print(f"{what:38} median {median_ms:7.2f} ms   p99 {p99_ms:7.2f} ms   ({row['rounds']:.0f})")
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
