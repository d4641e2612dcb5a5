"""How fast the telephone answers, how steady its sound is, what it costs: ``nox -s bench``."""

import argparse
import asyncio
import http.client
import json
import multiprocessing
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import serial
import soundfile
from numpy.typing import NDArray

from bench.appliance import Running, appliance, cpu_s, resident_mb
from bench.sip_caller import SipCaller
from thirdring.protocol.commands import Answer, GetMetrics
from thirdring_device.demo.caller import calling
from thirdring_device.gateway.engine_client import ENGINE_SOCKET, EngineClient

CALL_PERIOD_S = 0.1
"""The wheel keeps a call's two sockets for 0.5 s and has 64: 30 calls a second would end it."""


def percentile(values: Sequence[float] | NDArray[np.float64], share: float) -> float:
    return float(np.percentile(values, 100 * share, method="higher"))


def answer_times(running: Running, calls: int) -> dict[str, Any]:
    """INVITE to 180, and ``ATA`` on the console to 200 OK, over a number of calls."""
    ring_s, answer_s = [], []
    with SipCaller(running.sip_port) as caller, serial.Serial(str(running.state_dir / "console")) as console:
        console.write(b"ATE0\r")
        for _ in range(calls):
            next_s = time.perf_counter() + CALL_PERIOD_S
            ring_s.append(caller.invite())
            asked_s = time.perf_counter()
            console.write(b"ATA\r")
            answer_s.append(caller.answered() - asked_s)
            caller.bye()
            console.reset_input_buffer()
            time.sleep(max(0.0, next_s - time.perf_counter()))
    return {
        name: {"median_ms": 1000 * statistics.median(values), "p99_ms": 1000 * percentile(values, 0.99)}
        for name, values in (("INVITE to 180", ring_s), ("ATA to 200 OK", answer_s))
    }


def request_load(port: int, token: str, rate_hz: float, duration_s: float) -> None:
    """Ask for the state ``rate_hz`` times a second over one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    began_s, count = time.monotonic(), 0
    while (now_s := time.monotonic() - began_s) < duration_s:
        if count > now_s * rate_hz:
            time.sleep(count / rate_hz - now_s)
        connection.request("GET", "/v1/state", headers={"Authorization": f"Bearer {token}"})
        response = connection.getresponse()
        response.read()
        if response.status != 200:
            raise OSError(f"status {response.status}")
        count += 1
    achieved_hz = count / duration_s
    if achieved_hz < 0.95 * rate_hz:
        raise TimeoutError(f"only {achieved_hz:.0f} requests a second")


async def frame_lateness(running: Running, duration_s: float, rounds: int) -> dict[str, Any]:
    """Intervals of the sound bridge's ticks during a call, gateway idle and loaded in turn."""
    client = EngineClient(running.state_dir / ENGINE_SOCKET)
    result: dict[str, list[dict[str, Any]]] = {"idle": [], "200 requests/s": []}
    loop = asyncio.get_running_loop()
    with SipCaller(running.sip_port) as caller:
        await loop.run_in_executor(None, caller.invite)
        await client.command(Answer(source="bench"))
        await loop.run_in_executor(None, caller.answered)
        for _ in range(rounds):
            for name, figures in result.items():
                await client.command(GetMetrics(reset=True))
                load = multiprocessing.get_context("spawn").Process(
                    target=request_load, args=(running.http_port, running.token, 200.0, duration_s)
                )
                if name != "idle":
                    load.start()
                await asyncio.sleep(duration_s)
                figures.append((await client.command(GetMetrics()))["frame_interval"])
                if name != "idle":
                    await loop.run_in_executor(None, load.join)
                    if load.exitcode:
                        raise OSError("the load was not reached")
        await loop.run_in_executor(None, caller.bye)
    await client.close()
    return {name: pooled_lateness(figures) for name, figures in result.items()}


def pooled_lateness(figures: list[dict[str, Any]]) -> dict[str, float]:
    """Lateness over all rounds together: a p99.9 of one round would hang on a single frame."""
    bins: Counter[float] = Counter()
    for figure in figures:
        bins.update(dict(figure["bins_ms"]))
    intervals_ms = np.repeat(list(bins), list(bins.values()))
    late = {
        f"p{name}_late_ms": percentile(intervals_ms, share) - 20.0
        for name, share in (("50", 0.5), ("99", 0.99), ("99.9", 0.999))
    }
    return late | {"max_late_ms": max(f["max_ms"] for f in figures) - 20.0, "frames": intervals_ms.size}


def processor_use(running: Running, duration_s: float) -> dict[str, Any]:
    """Processor time of the engine and of baresip at the two ends of one call."""
    with tempfile.TemporaryDirectory() as folder:
        speech = Path(folder) / "speech.wav"
        noise = np.random.default_rng(1).normal(0.0, 0.05, 16000 * int(duration_s + 10))
        soundfile.write(speech, noise, 16000, "PCM_16")
        port = running.sip_port + 20
        with calling(Path(folder) / "caller", "1", speech, running.sip_port, port) as baresip:
            _answer_over_console(running)
            pids = {"engine": running.pids["engine"], "baresip": baresip.pid}
            before = {name: cpu_s(pid) for name, pid in pids.items()}
            time.sleep(duration_s)
            used = {name: 100 * (cpu_s(pid) - before[name]) / duration_s for name, pid in pids.items()}
    return {"engine_percent": used["engine"], "baresip_percent": used["baresip"]}


def _answer_over_console(running: Running) -> None:
    with serial.Serial(str(running.state_dir / "console"), timeout=10) as console:
        console.write(b"ATE0\r")
        while b"RING" not in console.readline():
            pass
        console.write(b"ATA\r")
        while b"OK" not in console.readline():
            pass


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=20.0, help="of each round of the sound figures")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, help="write the figures here")
    args = parser.parse_args()
    figures: dict[str, Any] = {}
    with appliance() as running:
        figures["answer times"] = answer_times(running, args.calls)
        figures["frame lateness"] = asyncio.run(frame_lateness(running, args.seconds, args.rounds))
        figures["processor"] = processor_use(running, args.seconds)
        figures["memory"] = {f"{name}_mb": resident_mb(pid) for name, pid in running.pids.items()}
    for title, rows in figures.items():
        print(title)
        for name, value in rows.items():
            if isinstance(value, dict):
                value = ", ".join(f"{key} {figure:.2f}" for key, figure in value.items())
            print(f"  {name}: {value}")
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
