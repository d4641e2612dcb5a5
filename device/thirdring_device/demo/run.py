"""``thirdring-device demo``: one real call through the whole appliance, and its report."""

import contextlib
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from thirdring import Appliance
from thirdring.protocol.errors import error
from thirdring.protocol.events import CallEnded, NormNoted, Prompt, Record, RingBurst, Verdict
from thirdring_device.demo.caller import calling
from thirdring_device.demo.speech import make_conversation

__all__ = ["run_demo"]

CALLER: Final = "13800138000"
ANSWER_AT_RING: Final = 2
START_S: Final = 30.0


def free_port() -> int:
    """Return an even UDP and TCP port nobody uses now, with room for RTP above it."""
    for port in range(15060, 16060, 50):
        with contextlib.ExitStack() as stack:
            try:
                for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                    stack.enter_context(socket.socket(socket.AF_INET, kind)).bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise error(3004, "no free port")


@contextlib.contextmanager
def appliance_process(folder: Path, sip_port: int, http_port: int) -> Iterator[Path]:
    """Run the appliance in a process of its own; yields its state folder."""
    state_dir = folder / "state"
    settings = folder / "settings.toml"
    settings.write_text(
        f"[sip]\nport = {sip_port}\nrtp_port = {sip_port + 4000}\n"
        f"[gateway]\nport = {http_port}\n[recording]\nenabled = true\nencrypted = false\n"
        "[firm]\nset_up = true\n",
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "thirdring_device.cli", "run", "--board", "simulator"]
    command += ["--state", str(state_dir), "--settings", str(settings)]
    with (folder / "appliance.log").open("wb") as log:
        # In a session of its own: Ctrl-C is for us, who end the appliance in order.
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            deadline_s = time.monotonic() + START_S
            while not ((state_dir / "console").exists() and (state_dir / "engine.sock").exists()):
                if process.poll() is not None or time.monotonic() > deadline_s:
                    raise error(7000, f"see {folder / 'appliance.log'}")
                time.sleep(0.05)
            yield state_dir
        finally:
            process.terminate()
            process.wait()


def _describe(record: Record) -> str | None:
    """Return a line for the events worth showing."""
    event = record.event
    if isinstance(event, RingBurst):
        return f"ring {event.ring}: {event.urgency}"
    if isinstance(event, NormNoted):
        value = "" if event.value is None else f" ({event.value:g} {event.unit})"
        return f"norm {event.rule}: {event.state}{value}"
    if isinstance(event, Prompt):
        return f"prompt to the agent: {event.key}"
    if event.kind in ("call_incoming", "call_answered", "call_ended"):
        return event.kind.replace("_", " ")
    return None


def run_demo(folder: Path, language: str) -> int:
    """Run the demonstration in ``folder``; print the call as it goes and its report. Returns 0."""
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    print("Speech for both parties ...", flush=True)
    conversation = make_conversation(folder, language)
    sip_port = free_port()
    print("Starting the appliance on the simulator board ...", flush=True)
    with (
        appliance_process(folder, sip_port, sip_port + 1) as state_dir,
        Appliance(f"serial:{state_dir / 'console'}") as desk,
    ):
        after = desk.state().last_event
        print(f"A caller rings: baresip, {CALLER}, with speech over RTP\n", flush=True)
        with calling(folder / "caller", CALLER, conversation.customer, sip_port, sip_port + 10):
            call_id = _answer_and_speak(desk, after, conversation.agent)
            time.sleep(conversation.duration_s + 0.5)
        call_id = _follow_to_the_end(desk, call_id)
        text, page = desk.report(call_id, "text"), folder / "report.html"
        page.write_text(desk.report(call_id, "html"), encoding="utf-8")
    print("\n" + text)
    print(f"\nThe report as a page: {page}")
    recording = state_dir / "recordings" / f"{call_id}.wav"
    print(f"The recording, to judge again: {sys.argv[0]} analyze {recording}")
    return 0


def _answer_and_speak(desk: Appliance, after: int, speech: Path) -> str:
    """Answer over the serial console when ring two has warned, then speak."""
    for record in desk.events(after=after):
        line = _describe(record)
        if line:
            print(f"  {record.utc[11:23]}  {line}", flush=True)
        event = record.event
        if isinstance(event, RingBurst) and event.ring == ANSWER_AT_RING:
            print("  -- the agent answers over the serial console: ATA", flush=True)
            desk.answer()
        if event.kind == "media_started":
            desk.speak(str(speech))
            return event.call_id
    raise error(8001, "the call did not come up")


def _follow_to_the_end(desk: Appliance, call_id: str) -> str:
    """Wait until the verdicts of the call are there: all of them are stored at once."""
    for record in desk.events(after=desk.call(call_id).call.first_event - 1):
        event = record.event
        if event.call_id == call_id and isinstance(event, CallEnded):
            print(f"  {record.utc[11:23]}  the {event.by} hung up", flush=True)
        if isinstance(event, Verdict) and event.call_id == call_id:
            return call_id
    raise error(8001, "the verdicts did not come")
