"""Two desks that agree on a way for the sound by ICE: ``python -m tests.adapters.ice_call DIRECTORY``.

For a network namespace of its own (``unshare -n``): ICE passes 127.0.0.0/8 over (RFC 8445 clause 5.1.1.1), so
the desks need other addresses.
"""

import re
import socket
import subprocess
import sys
from pathlib import Path

import soundfile

from tests.adapters.desk_process import DeskProcess
from tests.adapters.test_sip_sound import AGENT_HZ, voiced_s, write_tone

ONE, OTHER = "10.9.0.1", "10.9.0.2"


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)


def offer(directory: Path) -> str:
    """Return the INVITE that a desk sends which is set to use ICE."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as trunk:
        trunk.bind((ONE, 0))
        trunk.settimeout(10.0)
        settings = {"sip.bind": OTHER, "sip.ice": True, "trunk.server": f"{ONE}:{trunk.getsockname()[1]}"}
        with DeskProcess(directory, settings) as desk:
            desk.do("PlaceCall", call_id="out1", number="100")
            return trunk.recv(65536).decode()


def main() -> None:
    directory = Path(sys.argv[1])
    ip("link", "set", "lo", "up")
    for address in (ONE, OTHER):
        ip("address", "add", f"{address}/32", "dev", "lo")
    for name in ("a", "b", "c"):
        (directory / name).mkdir()
    invite = offer(directory / "c")
    assert re.search(rf"^a=candidate:\S+ 1 UDP \d+ {OTHER} ", invite, re.MULTILINE), invite
    tone = write_tone(directory / "tone.wav", AGENT_HZ, 16000, 1.0)
    settings = {"sip.ice": True, "trunk.peers": ["10.9.0.0/16"]}
    with DeskProcess(directory / "a", {"sip.bind": ONE, **settings}) as called:
        server = {"trunk.server": f"{ONE}:{called.port}"}
        with DeskProcess(directory / "b", {"sip.bind": OTHER, **settings, **server}) as calling:
            calling.do("PlaceCall", call_id="out1", number="100")
            call_id = called.incoming(answer=True)
            calling.expect("call_answered", call_id="out1")
            calling.ask("wait_ticks", call_id="out1", ticks=50)
            calling.ask("speak", path=str(tone))
            calling.ask("wait_silent")
            called.ask("wait_ticks", call_id=call_id, ticks=200)
            called.do("EndCall", call_id=call_id)
            calling.expect("call_ended", call_id="out1", by="customer", cause="hangup")
    ear, _ = soundfile.read(directory / "a" / f"{call_id}.wav")
    assert voiced_s(ear[:, 1], 16000, AGENT_HZ) > 0.8


if __name__ == "__main__":
    main()
