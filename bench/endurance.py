"""Calls in a row through SIPp: does the engine's memory stay where it was? ``nox -s endurance``.

A SIP transaction lives up to 32 s (RFC 3261, timers B, F, H and J), so the memory in use follows the calls
of the last 32 s; ``--rate`` keeps it level from the first 50 calls on.
"""

import argparse
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from tests.peers import SippPeer

from bench.appliance import Running, appliance, resident_kb
from thirdring import Appliance
from thirdring.protocol.events import RingBurst


class Answering(threading.Thread):
    """Answers every call; notes the engine's memory after each ``step`` calls have ended."""

    def __init__(self, running: Running, count: int, step: int) -> None:
        super().__init__()
        self._running, self._count, self._step = running, count, step
        self.resident_kb: dict[int, int] = {}
        self.ready = threading.Event()

    def run(self) -> None:
        url = f"http://127.0.0.1:{self._running.http_port}"
        with Appliance(url, self._running.token) as desk:
            after, ended = desk.state().last_event, 0
            self.ready.set()
            for record in desk.events(after=after):
                if isinstance(record.event, RingBurst) and record.event.ring == 1:
                    desk.answer(record.event.call_id)
                if record.event.kind == "call_ended":
                    ended += 1
                    if ended % self._step == 0:
                        self.resident_kb[ended] = resident_kb(self._running.pids["engine"])
                        print(f"{ended} calls: {self.resident_kb[ended]} kB", flush=True)
                    if ended == self._count:
                        return


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=500)
    parser.add_argument("--rate", type=float, default=1.4, help="calls a second")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, appliance() as running:
        answering = Answering(running, args.calls, 50)
        answering.start()
        answering.ready.wait(30.0)
        seconds = args.calls / args.rate + 60.0
        with SippPeer(
            "call_and_hang_up",
            Path(folder),
            target=f"127.0.0.1:{running.sip_port}",
            keys={"caller": "13800138000"},
            calls=args.calls,
            hold_ms=100,
            extra=(
                "-l",
                "1",
                "-r",
                str(round(args.rate * 10)),
                "-rp",
                "10000",
                "-timeout",
                f"{seconds:.0f}s",
            ),
        ) as sipp:
            try:
                sipp.wait(seconds)
            except (AssertionError, subprocess.TimeoutExpired) as reason:
                print(reason)
                return 1
        answering.join(30.0)
        left = Appliance(f"http://127.0.0.1:{running.http_port}", running.token)
        with left:
            calls = len(left.state().calls)
    growth_kb = answering.resident_kb[args.calls] - answering.resident_kb[50]
    print(f"growth after the first 50 calls: {growth_kb} kB (limit 2048); calls left over: {calls}")
    return 0 if growth_kb < 2048 and calls == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
