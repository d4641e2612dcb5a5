"""A desk whose address changes in a call: ``python -m tests.adapters.address_change DIRECTORY``.

For a network namespace of its own (``unshare -n``): it moves addresses about on the loopback device. The
peers are at PEER; the kernel is told which of our addresses to use towards it.
"""

import subprocess
import sys
from pathlib import Path

from tests.adapters.desk_process import DeskProcess
from tests.peers import SippPeer, wait_until
from tests.udp_servers import ScriptedRegistrar

PEER, BEFORE, AFTER = "10.9.0.1", "10.9.0.2", "10.9.0.3"


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)


def use(source: str) -> None:
    ip("address", "add", f"{source}/32", "dev", "lo")
    ip("route", "replace", "local", PEER, "dev", "lo", "table", "local", "src", source)


def main() -> None:
    directory = Path(sys.argv[1])
    ip("link", "set", "lo", "up")
    ip("address", "add", f"{PEER}/32", "dev", "lo")
    use(BEFORE)
    with ScriptedRegistrar(["200 OK"], host=PEER) as registrar:
        settings = {
            "trunk.mode": "registered",
            "trunk.server": registrar.server,
            "trunk.user": "desk",
            "sip.bind": "0.0.0.0",
        }
        with DeskProcess(directory, settings) as desk:
            desk.expect("trunk_changed", state="registered")
            assert BEFORE in registrar.requests[-1][1].partition("Contact:")[2].partition("\n")[0]
            with SippPeer(
                "call_and_take_reinvite",
                directory,
                target=f"{BEFORE}:{desk.port}",
                keys={"caller": "100", "address": AFTER},
                rtp_echo=True,
                host=PEER,
            ) as sipp:
                call_id = desk.incoming(answer=True)
                registers = len(registrar.requests)
                use(AFTER)  # the old one stays: SIPp answers where it sent its INVITE, whatever the Via says
                wait_until(
                    lambda: any(f"@{AFTER}:" in text for _, text in registrar.requests[registers:]),
                    "registered with the new address within 10 s",
                    10,
                )
                desk.ask("wait_ticks", call_id=call_id, ticks=400)
                desk.do("EndCall", call_id=call_id)
                desk.expect("call_ended", call_id=call_id, by="agent", cause="hangup")
                sipp.wait()


if __name__ == "__main__":
    main()
