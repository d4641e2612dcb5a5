"""Ways through NAT: STUN and ICE, off unless set."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.adapters.desk_process import ROOT
from tests.adapters.test_sip_options import header, invite_of
from tests.peers import free_port
from tests.udp_servers import StunServer

pytestmark = pytest.mark.sip

PUBLIC = "198.51.100.7"


@pytest.mark.interop("STUN, when set: our public address in Contact and SDP", peer="STUN socket, SIPp")
def test_public_address_is_learned_from_stun(tmp_path: Path) -> None:
    with StunServer(PUBLIC) as stun:
        invite = invite_of(tmp_path, {"sip.stun_server": stun.server})
        assert stun.requests > 0
    assert f"@{PUBLIC}:" in header(invite, "Contact")
    assert f"c=IN IP4 {PUBLIC}" in invite


def test_stun_server_that_is_silent_does_not_keep_calls_from_being_placed(tmp_path: Path) -> None:
    invite = invite_of(tmp_path, {"sip.stun_server": f"127.0.0.1:{free_port()}"})
    assert "c=IN IP4 127.0.0.1" in invite


def test_ice_is_off_unless_set(tmp_path: Path) -> None:
    invite = invite_of(tmp_path, {})
    assert "a=candidate:" not in invite
    assert "a=ice-ufrag:" not in invite


@pytest.mark.interop(
    "ICE (RFC 8445), when set: both sides agree on a way for the sound", peer="second appliance"
)
def test_sound_goes_the_way_that_ice_found(tmp_path: Path) -> None:
    unshare = ["unshare", "-n"] if os.geteuid() == 0 else ["unshare", "-rn"]
    command = [*unshare, sys.executable, "-m", "tests.adapters.ice_call", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
