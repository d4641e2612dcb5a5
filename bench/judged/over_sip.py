"""``nox -s judged_sip -- --seed N --calls 50``: calls of the corpus as real SIP calls, judged three ways.

The customer is baresip, the agent speaks through the simulated headset; rings, holds, mutes and who hangs
up are as planned, as near as a real call has it. What must come out is not the truth of the plan but one
answer: the verdicts of the live call, of the replay of its journal and of its recording are the same.
"""

import argparse
import queue
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import soundfile
from tests.integration.conftest import Unit
from tests.peers import BaresipPeer, free_port, wait_until

from bench.judged.make import make_plan
from bench.judged.plan import CallPlan
from bench.judged.voices import RATE_HZ, Voice, voices
from thirdring.protocol.events import CallEnded, Dtmf, Event, Record, RingBurst, Verdict
from thirdring_device.adapters.store.reader import JournalReader
from thirdring_device.engine.replay import desk_settings, replay
from thirdring_device.recorded import analyze
from thirdring_device.settings import Settings, load_settings

SETTINGS: Final = """
[recording]
enabled = true
encrypted = false
reserve_mb = 1
[norms.call]
length_limit_s = 60
[norms.survey]
enabled = true
answer_s = 15
[norms.hold]
limit_s = 30
warn_s = 20
[trunk]
mode = "static"
server = "127.0.0.1:{port}"
"""
LATE_RULES: Final = ("call.notes", "agent.break")
"""Judged after the call: they are in its journal and not in its recording."""
NUMBER: Final = "02155501234"
"""Of the customer."""
Outline = tuple[object, ...]


def outlines(events: Sequence[Event]) -> dict[str, Outline]:
    """Return what each verdict says, by rule."""
    return {
        e.rule: (e.verdict, e.value, e.unit, e.threshold, e.reason, dict(e.measures))
        for e in events
        if isinstance(e, Verdict) and e.rule not in LATE_RULES
    }


class Desk:
    """An appliance with a trunk of its own, on which one planned call after the other is placed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._trunk_port = free_port()
        self.unit = Unit(folder, SETTINGS.format(port=self._trunk_port))
        self.unit.start()

    def place(self, plan: CallPlan, number: int) -> str:
        """Place a call and return its number in the journal, once it is judged."""
        folder = self._folder / str(number)
        folder.mkdir()
        agent, customer = (folder / f"{side}.wav" for side in ("agent", "customer"))
        soundfile.write(agent, plan.sound("agent"), RATE_HZ, "PCM_16")
        soundfile.write(customer, plan.sound("customer"), RATE_HZ, "PCM_16")
        desk = self.unit.desk
        after = desk.state().last_event
        port = self._trunk_port if plan.outgoing is not None else None
        with BaresipPeer(folder, speaks=customer, user=NUMBER, codec="G722", port=port) as peer:
            if plan.outgoing is not None:
                call_id = desk.dial(NUMBER, reason=str(plan.outgoing.get("reason", "")))
            else:
                peer.dial(f"sip:desk@{self.unit.target}")
                ringing = desk.wait_for(lambda r: isinstance(r.event, RingBurst), 20.0, after)
                call_id = ringing.event.call_id
                time.sleep(max(0.0, plan.wait_s - 0.1))
                if plan.answered:
                    desk.answer()
                else:
                    peer.hang_up()
            if plan.answered:
                started = desk.wait_for("media_started", 20.0, after)
                desk.speak(str(agent))
                self._act(plan, peer, call_id, time.monotonic(), started.number)
            self._judged(call_id, after, plan.duration_s)
        self.unit.free()
        desk.speak("")
        return call_id

    def _act(self, plan: CallPlan, peer: BaresipPeer, call_id: str, began_s: float, after: int) -> None:
        """Do what is planned at its time, until the call has ended."""
        desk = self.unit.desk
        acts: list[tuple[float, Callable[[], object]]] = []
        for kind, from_s, until_s in plan.away:
            begin, end = (desk.mute, desk.unmute) if kind == "mute" else (desk.hold, desk.resume)
            acts += [(from_s, begin), (until_s, end)]
        if plan.release_s is not None:
            acts.append((plan.release_s, desk.hangup))
        elif plan.released_by == "agent":
            acts.append((plan.duration_s - 0.3, desk.hangup))
        else:
            acts.append((plan.duration_s - 0.3, peer.hang_up))
        for event in plan.during:
            if isinstance(event, Dtmf):
                acts.append((event.at_s, partial(peer.send_digits, event.digit)))
        for at_s, act in sorted(acts, key=lambda item: item[0]):
            time.sleep(max(0.0, began_s + at_s - time.monotonic()))
            if any(isinstance(r.event, CallEnded) for r in desk.call_events(call_id)):
                return
            act()

    def _judged(self, call_id: str, after: int, duration_s: float) -> None:
        def ended(record: Record) -> bool:
            event = record.event
            return isinstance(event, Verdict) and event.rule == "answer.rings" and event.call_id == call_id

        self.unit.desk.wait_for(ended, duration_s + 60.0, after)

    def three_ways(self, call_id: str) -> list[str]:
        """Return where replay or recording differ from the live call."""
        settings: Settings = load_settings(self.unit.settings, self.unit.state_dir)
        reader = JournalReader(self.unit.state_dir / "journal.sqlite3")
        records = reader.call_events(call_id)
        reader.close()
        live = outlines([record.event for record in records])
        ways = {"replay": outlines(replay(records, desk_settings(settings), finish=False))}
        recording = self.unit.state_dir / "recordings" / f"{call_id}.wav"
        if recording.exists():
            wait_until(lambda: _is_closed(recording), "the recording is closed", 20.0)
            ways["recording"] = outlines(analyze(recording, settings).verdicts)
        return [
            f"{rule}: live {live.get(rule)}, {way} {found.get(rule)}"
            for way, found in ways.items()
            for rule in sorted(live.keys() | found.keys())
            if live.get(rule) != found.get(rule)
        ]


def _is_closed(recording: Path) -> bool:
    with soundfile.SoundFile(recording) as file:
        return bool(file.comment)


def work(
    folder: Path, seed: int, speakers: list[Voice], todo: "queue.Queue[int]", told: "queue.Queue[str]"
) -> None:
    """Place calls until none is left to do."""
    folder.mkdir()
    desk = Desk(folder)
    try:
        while True:
            try:
                number = todo.get_nowait()
            except queue.Empty:
                return
            plan = make_plan(seed, number, speakers)
            try:
                call_id = desk.place(plan, number)
                differing = desk.three_ways(call_id)
            except Exception as failure:
                differing = [f"{type(failure).__name__}: {failure}"]
            told.put(f"call {number} ({plan.theme}): " + ("; ".join(differing) or "same"))
    finally:
        desk.unit.stop()


def main(arguments: Sequence[str]) -> int:
    """Place the calls; 1 when one of them was judged in two ways."""
    parser = argparse.ArgumentParser(prog="nox -s judged_sip --", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--calls", type=int, default=50)
    parser.add_argument("--at-once", type=int, default=4, help="appliances side by side")
    args = parser.parse_args(arguments)
    speakers = voices()
    todo: queue.Queue[int] = queue.Queue()
    for number in range(args.calls):
        todo.put(number)
    told: queue.Queue[str] = queue.Queue()
    with tempfile.TemporaryDirectory() as folder:
        desks = [
            threading.Thread(target=work, args=(Path(folder) / str(desk), args.seed, speakers, todo, told))
            for desk in range(args.at_once)
        ]
        for desk in desks:
            desk.start()
        lines: list[str] = []
        while len(lines) < args.calls:
            lines.append(told.get(timeout=400.0))
            print(f"{len(lines)}/{args.calls} {lines[-1]}", flush=True)
        for desk in desks:
            desk.join()
    same = sum(line.endswith(": same") for line in lines)
    print(f"{same} of {args.calls} calls judged alike live, replayed and recorded")
    return 0 if same == args.calls else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
