"""The SIP adapter in a process of its own, driven by JSON lines: pjsua2 fits once into a process.

Run as ``python -m tests.adapters.harness DIRECTORY SETTINGS``. Lines in: ``{"do": "RingCaller",
"call_id": ...}`` for every command, ``speak``, ``stop_speaking``, ``lateness``, ``status``, ``stop``. Lines
out: every event with its ``kind``, besides ``ready``, ``spoken``, ``lateness``, ``status``, ``stopped``. The
sound that each call's media was given is written to ``CALL.wav`` (left mouth, right ear).
"""

import faulthandler
import gc
import itertools
import json
import logging
import sys
import threading
import time
import wave
from pathlib import Path
from typing import Any

import numpy as np

from thirdring.protocol.codec import to_fields
from thirdring.protocol.errors import ThirdringError
from thirdring.protocol.events import Event
from thirdring_device.adapters.headset.choose import make_headset
from thirdring_device.adapters.sip.adapter import SipAdapter
from thirdring_device.adapters.sip.call import DeskCall
from thirdring_device.core import commands
from thirdring_device.settings import Settings, changed

OUT_LOCK = threading.Lock()


def say(line: dict[str, Any]) -> None:
    with OUT_LOCK:
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()


class ProbeMedia:
    """Passes sound through and keeps what it was given."""

    def __init__(self, directory: Path, call_id: str, codec: str) -> None:
        self._path = directory / f"{call_id}.wav"
        self._frames: list[Any] = []
        self._finished = False
        self._thread = threading.local()
        self._ticks_of_a_state = 0
        say({"kind": "media", "call_id": call_id, "codec": codec})

    @property
    def ticks(self) -> int:
        return len(self._frames)

    def process(self, mouth_in: Any, ear_in: Any, mouth_out: Any, ear_out: Any) -> None:
        if self._finished:
            say({"kind": "violation", "what": "process after finish"})
        self._frames.append(np.column_stack((mouth_in, ear_in)))
        self._ticks_of_a_state = self._thread.ticks = getattr(self._thread, "ticks", 0) + 1
        mouth_out[:] = mouth_in
        ear_out[:] = ear_in

    def finish(self) -> None:
        if self._finished:
            say({"kind": "violation", "what": "finish twice"})
        self._finished = True
        with wave.open(str(self._path), "wb") as file:
            file.setnchannels(2)
            file.setsampwidth(2)
            file.setframerate(16000)
            file.writeframes(b"".join(frame.tobytes() for frame in self._frames))
        ticks = {"ticks": len(self._frames), "ticks_of_a_state": self._ticks_of_a_state}
        say({"kind": "media_finished", "call_id": self._path.stem, **ticks})


def main() -> None:
    faulthandler.enable()  # a crash of the stack says where
    directory, values = Path(sys.argv[1]), json.loads(sys.argv[2])
    logging.basicConfig(level=logging.INFO, filename=directory / "harness.log", format="%(name)s %(message)s")
    gc.disable()  # every call must go without its help: it comes on any thread
    begin_s = time.monotonic()
    ids = itertools.count(1)
    settings = changed(Settings(), values)
    headset = make_headset(settings.headset, directory)
    headset.watch(lambda present, reason: say({"kind": "headset", "present": present, "reason": reason}))

    def post(event: Event) -> None:
        say({"kind": event.kind, **to_fields(event)})

    probes: dict[str, ProbeMedia] = {}

    def probe(call_id: str, codec: str) -> ProbeMedia:
        probes[call_id] = ProbeMedia(directory, call_id, codec)
        return probes[call_id]

    adapter = SipAdapter(
        settings,
        clock=lambda: time.monotonic() - begin_s,
        post=post,
        media=probe,
        new_call_id=lambda: f"in{next(ids)}",
        headset=headset,
        calls_settings=lambda: settings.calls,
    )
    try:
        adapter.start()
    except ThirdringError as failure:
        say({"kind": "failed", "code": failure.code})
        sys.exit(3)
    say({"kind": "ready", "sip_stack": adapter.sip_stack})
    for line in sys.stdin:
        request = json.loads(line)
        match request.pop("do"):
            case "stop":
                break
            case "speak":
                try:
                    say({"kind": "spoken", "duration_s": headset.speak(Path(request["path"]))})
                except ThirdringError as failure:
                    say({"kind": "spoken", "code": failure.code})
            case "wait_silent":
                while headset.speaking:  # type: ignore[attr-defined]
                    time.sleep(0.01)
                say({"kind": "wait_silent"})
            case "wait_answered":
                while not adapter._desk.calls[request["call_id"]].hold.agreed:
                    time.sleep(0.005)
                say({"kind": "wait_answered"})
            case "wait_digits_sent":
                while adapter._desk.calls[request["call_id"]].digits.sent < request["count"]:
                    time.sleep(0.005)
                say({"kind": "wait_digits_sent"})
            case "wait_ticks":
                # An answered call may still be without sound.
                while (found := probes.get(request["call_id"])) is None or found.ticks < request["ticks"]:
                    time.sleep(0.005)
                say({"kind": "wait_ticks"})
            case "stop_speaking":
                headset.stop_speaking()
            case "lateness":
                say({"kind": "lateness", **headset.lateness.read()})
            case "status":
                fds = len(list(Path("/proc/self/fd").iterdir()))
                calls = sum(type(thing) is DeskCall for thing in gc.get_objects())
                say({"kind": "status", "fds": fds, "calls": calls})
            case name:
                adapter.execute(getattr(commands, name)(**request))
    faulthandler.dump_traceback_later(15, file=(directory / "hang.txt").open("w"))
    adapter.stop()
    faulthandler.cancel_dump_traceback_later()
    say({"kind": "stopped", "threads": sorted(t.name for t in threading.enumerate())})


if __name__ == "__main__":
    main()
