"""Digits both ways at once through a relay that loses packets, by each method: ``nox -s dtmf_relay``.

A telephone of the bench calls the appliance; signalling and sound both go through the lossy relay. Events:
RFC 4733; INFO: RFC 6086 with the body ``application/dtmf-relay``; tones: ITU-T Q.23, read at the far end by
the detector of ITU-T Q.24 from what arrived, silence in place of what did not. ``--note`` adds the figures to
``docs/dtmf_relay.json``, from which ``docs/interop.md`` is made.
"""

import argparse
import json
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from tests.relay import UdpRelay
from tests.rtp import EVENTS

from bench.appliance import Running, appliance
from bench.digit_peer import HOST, DigitPeer
from thirdring import Appliance, Dtmf
from thirdring_dsp import DtmfDetector

RATE_HZ: Final = 8000
LOW_HZ: Final = (697, 770, 852, 941)
HIGH_HZ: Final = (1209, 1336, 1477, 1633)
KEYS: Final = ("123A", "456B", "789C", "*0#D")
"""ITU-T Q.23."""
MOST_AT_ONCE: Final = 64
"""Digits that one request may hold."""
QUIET_S: Final = 20.0
"""How long after the last digit more are waited for: longer than INFO is sent again at most but once."""
NOTES: Final = Path(__file__).parents[1] / "docs" / "dtmf_relay.json"


@dataclass(frozen=True)
class Figures:
    """One way of one method; ``lost``, ``doubled`` and ``wrong`` count digits."""

    method: str
    way: str
    digit_ms: int
    pause_ms: int
    sent: int
    lost: int
    doubled: int
    wrong: int
    packets: int
    packets_lost: int


def compare(sent: str, came: str) -> tuple[int, int, int]:
    """Return how many digits are missing, too many and changed, by the fewest edits (Levenshtein)."""
    # Each cell: edits, missing, too many, changed.
    row: list[tuple[int, int, int, int]] = [(n, 0, n, 0) for n in range(len(came) + 1)]
    for i, wanted in enumerate(sent, 1):
        above, row = row, [(i, i, 0, 0)]
        for j, got in enumerate(came, 1):
            if wanted == got:
                row.append(above[j - 1])
                continue
            e, m, t, c = above[j - 1]
            missing, extra = above[j], row[j - 1]
            row.append(
                min(
                    (e + 1, m, t, c + 1),
                    (missing[0] + 1, missing[1] + 1, missing[2], missing[3]),
                    (extra[0] + 1, extra[1], extra[2] + 1, extra[3]),
                )
            )
    return row[-1][1:]


def tones(digits: str, digit_ms: int, pause_ms: int) -> npt.NDArray[np.int16]:
    """Return digits as tones of -13 dBm0 each."""
    at_s = np.arange(RATE_HZ * digit_ms // 1000) / RATE_HZ
    pause = np.zeros(RATE_HZ * pause_ms // 1000)
    parts: list[npt.NDArray[np.float64]] = []
    for digit in digits:
        row = next(r for r, keys in enumerate(KEYS) if digit in keys)
        pair = (LOW_HZ[row], HIGH_HZ[KEYS[row].index(digit)])
        parts += [np.sum([5000 * np.sin(2 * np.pi * hz * at_s) for hz in pair], axis=0), pause]
    return np.concatenate(parts).astype(np.int16)


class Listener(threading.Thread):
    """Collects the digits that the appliance tells."""

    def __init__(self, desk: Appliance) -> None:
        super().__init__(daemon=True)
        self._desk, self._after = desk, desk.state().last_event
        self.digits = ""
        self.methods: set[str] = set()
        self.answered = threading.Event()

    def run(self) -> None:
        for record in self._desk.events(after=self._after):
            event = record.event
            if event.kind == "media_started":
                self.answered.set()
            if isinstance(event, Dtmf) and event.side == "customer":
                self.digits += event.digit
                self.methods.add(event.method)
            if event.kind == "call_ended":
                return


def settled(read: Callable[[], str], count: int) -> str:
    """Return what ``read()`` gives once it has ``count`` digits and no more come, or none come any more."""
    seen, since_s = read(), time.monotonic()
    while time.monotonic() - since_s < (2.0 if len(seen) >= count else QUIET_S):
        time.sleep(0.5)
        if read() != seen:
            seen, since_s = read(), time.monotonic()
    return seen


@dataclass(frozen=True)
class Setup:
    """What every method is tried with."""

    count: int
    digit_ms: int
    pause_ms: int
    loss: float
    seed: int

    @property
    def length_s(self) -> float:
        """How long it takes to send all digits one way."""
        return self.count * (self.digit_ms + self.pause_ms) / 1000


def run(running: Running, method: str, setup: Setup) -> list[Figures]:
    """Send ``setup.count`` digits each way in one call."""
    out, into = ("".join(random.Random(f"{setup.seed} {w}").choices(EVENTS, k=setup.count)) for w in "oi")
    with (
        Appliance(f"http://{HOST}:{running.http_port}", running.token) as desk,
        UdpRelay(loss=setup.loss, seed=setup.seed, near_remote=(HOST, running.sip_port)) as signalling,
        UdpRelay(loss=setup.loss, seed=setup.seed + 1) as media,
        DigitPeer(signalling, media) as peer,
    ):
        desk.set_settings(
            {
                "calls.dtmf_out": method,
                "calls.dtmf_ms": setup.digit_ms,
                "calls.dtmf_pause_ms": setup.pause_ms,
            }
        )
        listener = Listener(desk)
        listener.start()
        peer.call()
        assert listener.answered.wait(20.0), "no sound"
        for at in range(0, len(out), MOST_AT_ONCE):
            desk.send_dtmf(out[at : at + MOST_AT_ONCE])
        if method == "event":
            peer.rtp.press(into, setup.digit_ms, setup.pause_ms)
        elif method == "info":
            peer.press_info(into, setup.digit_ms, setup.pause_ms)
        else:
            peer.rtp.play(tones(into, setup.digit_ms, setup.pause_ms))
            threading.Event().wait(setup.length_s + 2.0)
        came_in = settled(lambda: listener.digits, setup.count)
        reader = {"event": lambda: peer.rtp.digits, "info": lambda: peer.info_digits}
        went_out = settled(reader.get(method, lambda: heard(peer)), setup.count)
        peer.hang_up()
        listener.join(30.0)
    assert listener.methods <= {method}, listener.methods
    wire = signalling if method == "info" else media
    sizes = (setup.digit_ms, setup.pause_ms, setup.count)
    return [
        Figures(method, way, *sizes, *compare(sent, came), wire.carried[side], wire.lost[side])
        for way, side, sent, came in (("out", "near", out, went_out), ("in", "far", into, came_in))
    ]


def heard(peer: DigitPeer) -> str:
    """Return the tones that the peer's ear got."""
    found = DtmfDetector(RATE_HZ).update(peer.rtp.heard)
    return "".join(event.value for event in found if event.kind == "dtmf")


def stack() -> str:
    command = [sys.executable, "-m", "thirdring_device.cli", "selftest", "--json"]
    return str(json.loads(subprocess.run(command, capture_output=True, check=True).stdout)["stack"])


def note(name: str, figures: Sequence[Figures]) -> None:
    """Put the figures of the SIP stack ``name`` into the file that ``docs/interop.md`` is made from."""
    kept = json.loads(NOTES.read_text(encoding="utf-8")) if NOTES.exists() else {}
    kept[name] = [asdict(row) for row in figures]
    NOTES.write_text(json.dumps(dict(sorted(kept.items())), indent=1) + "\n", encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--digits", type=int, default=1000, help="each way")
    parser.add_argument("--loss", type=float, default=0.02)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--methods", default="event,info,tone")
    parser.add_argument("--digit-ms", type=int, default=60)
    parser.add_argument("--pause-ms", type=int, default=60)
    parser.add_argument("--note", action="store_true", help="keep the figures for docs/interop.md")
    args = parser.parse_args()
    figures: list[Figures] = []
    name = stack()
    setup = Setup(args.digits, args.digit_ms, args.pause_ms, args.loss, args.seed)
    with appliance("[calls]\nauto_answer = true\n") as running:
        for method in args.methods.split(","):
            for row in run(running, method, setup):
                print(name, row, flush=True)
                figures.append(row)
    if args.note:
        note(name, figures)
    return int(any(row.lost or row.doubled or row.wrong for row in figures if row.method == "event"))


if __name__ == "__main__":
    sys.exit(main())
