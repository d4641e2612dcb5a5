"""``thirdring-device demo --page``: a desk that callers keep ringing, to look at and work at in a browser."""

import itertools
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from thirdring import Appliance
from thirdring.protocol.errors import WaitTimeout
from thirdring.protocol.events import Record
from thirdring_device.demo.caller import calling
from thirdring_device.demo.run import appliance_process, free_port
from thirdring_device.demo.speech import Conversation, make_conversation
from thirdring_device.gateway.first_password import password_line

__all__ = ["run_page_demo"]

CALLERS: Final = (("13800138000", "王敏"), ("13911112222", "李雷"), ("13622223333", "韩梅梅"))
GIVES_UP_AFTER_S: Final = 27.0
"""Six rings of five seconds, the last one cut short."""
PAUSE_S: Final = 8.0


def run_page_demo(folder: Path, language: str) -> int:
    """Run a simulated desk in ``folder`` until Ctrl-C; returns 0."""
    # A shell has what it starts in the background ignore Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    _tell("Speech for both parties ...")
    conversation = make_conversation(folder, language)
    sip_port = free_port()
    _tell("Starting the appliance on the simulator board ...")
    with (
        appliance_process(folder, sip_port, sip_port + 1) as state_dir,
        Appliance(f"serial:{state_dir / 'console'}") as desk,
    ):
        for number, name in CALLERS:
            desk.save_contact(number, name)
        _tell(f"\nOpen http://127.0.0.1:{sip_port + 1}/ and sign in as technician;")
        _tell(password_line(state_dir))
        _tell("Answer with the key A: the agent's part is spoken for you. Ctrl-C ends the demonstration.\n")
        try:
            for number, name in itertools.cycle(CALLERS):
                _tell(f"{name} ({number}) rings")
                with calling(folder / "caller", number, conversation.customer, sip_port, sip_port + 10):
                    _one_call(desk, conversation)
                _wait(desk, lambda record: False, PAUSE_S)
        except KeyboardInterrupt:
            _tell("\nThe demonstration is over.")
    return 0


def _one_call(desk: Appliance, conversation: Conversation) -> None:
    """Speak for the agent once the call is answered, until both have said their part, or give up."""
    after = desk.state().last_event
    answered = _wait(desk, lambda record: record.event.kind == "media_started", GIVES_UP_AFTER_S, after)
    if answered is None:
        return
    desk.speak(str(conversation.agent))
    _wait(
        desk,
        lambda record: record.event.kind == "call_ended" and record.event.call_id == answered.event.call_id,
        conversation.duration_s + 1.0,
        after,
    )


def _wait(
    desk: Appliance, what: Callable[[Record], bool], timeout_s: float, after: int | None = None
) -> Record | None:
    """Return the first event that fits, None when there is none in time."""
    try:
        return desk.wait_for(what, timeout_s, after=after)
    except WaitTimeout:
        return None


def _tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
