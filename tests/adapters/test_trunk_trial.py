"""A trunk that is tried before it is used: what is said of it, and that nothing else is touched."""

import json
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.desk_process import DeskProcess
from tests.adapters.test_sip_tls import over_tls
from tests.adapters.test_sip_trunk import registered
from tests.certificates import Authority
from tests.peers import LOOPBACK, KamailioRegistrar, SippPeer, free_port
from tests.udp_servers import ScriptedRegistrar
from thirdring_device.adapters.sip.trial import judged, trial_input
from thirdring_device.settings import Settings, changed

pytestmark = pytest.mark.sip


def tried(values: dict[str, Any]) -> dict[str, Any]:
    """Run a try as the engine does."""
    command = [sys.executable, "-m", "thirdring_device.adapters.sip.trial"]
    settings = changed(Settings(), values)
    done = subprocess.run(command, input=trial_input(settings), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def the_password(word: str) -> dict[str, Any]:
    return {"password": word}


@pytest.mark.interop("a trunk is tried: right, wrong password, another realm", peer="Kamailio")
def test_what_a_registrar_says_is_told_by_number(tmp_path: Path) -> None:
    with KamailioRegistrar(tmp_path) as kamailio:
        taken = tried(registered(kamailio.server))
        assert (taken["code"], taken["sip_code"], taken["server"]) == (0, 200, kamailio.server)
        assert kamailio.registers() == (2, 1), "one challenge, one answer, no farewell"
        refused = tried(registered(kamailio.server, **the_password("guessed")))
        assert (refused["code"], refused["sip_code"]) == (3002, 401)
        assert "no password" in tried(registered(kamailio.server, **the_password("")))["detail"]
    with KamailioRegistrar(tmp_path, realm="elsewhere") as kamailio:
        other = tried(registered(kamailio.server))
        assert (other["code"], other["realm"]) == (3014, "elsewhere")
        assert tried(registered(kamailio.server, realm="elsewhere"))["code"] == 0
        # A static trunk is there whatever it answers.
        assert tried(registered(kamailio.server, mode="static"))["code"] == 0


@pytest.mark.parametrize(
    ("answer", "code"), [("403 Forbidden", 3007), ("404 Not Found", 3008), ("503 Busy", 3012), (None, 3003)]
)
def test_other_refusals_have_numbers_of_their_own(answer: str | None, code: int) -> None:
    with ScriptedRegistrar([answer]) as registrar:
        outcome = tried(registered(registrar.server))
    assert (outcome["code"], outcome["sip_code"]) == (code, int(answer[:3]) if answer else 0)


def test_a_name_that_is_not_found_and_a_port_where_nothing_listens() -> None:
    assert tried(registered("nowhere.invalid"))["code"] == 3009
    closed = f"{LOOPBACK}:{free_port()}"
    for transport in ("udp", "tcp"):
        assert tried(registered(closed, transport=transport))["code"] == 3011
    assert tried(registered(closed, mode="static", transport="tcp"))["code"] == 3011
    assert tried(registered("x" * 300))["code"] == 3009
    assert tried(registered(""))["code"] == 3000


def test_over_tls_the_certificate_is_looked_at(tmp_path: Path) -> None:
    ours, other = tmp_path / "ours", tmp_path / "other"
    ours.mkdir()
    other.mkdir()
    authority, stranger = Authority(ours), Authority(other)
    certificate = authority.sign("trunk", f"IP:{LOOPBACK}")
    with KamailioRegistrar(tmp_path, certificate=certificate) as kamailio:
        assert tried(over_tls(kamailio.tls_server, authority))["code"] == 0
        refused = tried(over_tls(kamailio.tls_server, stranger))
        assert (refused["code"], refused["sip_code"]) == (3010, 0)
        missing = over_tls(kamailio.tls_server, authority) | {"trunk.tls_ca_file": str(tmp_path / "none.pem")}
        assert tried(missing)["code"] == 3006


def test_a_port_where_something_else_listens_is_told() -> None:
    with socket.create_server((LOOPBACK, 0)) as listening:

        def answer() -> None:
            connection, _ = listening.accept()  # from the look at whether the port is open
            connection.close()
            with listening.accept()[0] as connection:
                connection.recv(1000)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        other = threading.Thread(target=answer)
        other.start()
        server = f"{LOOPBACK}:{listening.getsockname()[1]}"
        assert tried(registered(server, transport="tls", allow_old_tls=True))["code"] == 3011
        other.join()


def test_a_digest_that_the_stack_does_not_know_is_told() -> None:
    settings = changed(Settings(), registered("sip.example.com"))
    message = 'SIP/2.0 401 Unauthorized\r\nWWW-Authenticate: Digest realm="sip.example.com"\r\n\r\n'
    assert judged(settings, "sip.example.com", 401, "Unauthorized", 70012, message, "").code == 3015


def test_a_try_leaves_the_registration_in_use_alone(tmp_path: Path) -> None:
    with (
        KamailioRegistrar(tmp_path) as kamailio,
        DeskProcess(tmp_path, registered(kamailio.server, peers=())) as desk,
    ):
        desk.expect("trunk_changed", state="registered", sip_code=200)
        # The same user, who has one binding: it is neither replaced nor doubled nor removed.
        assert tried(registered(kamailio.server))["code"] == 0
        assert tried(registered(kamailio.server, **the_password("guessed")))["code"] == 3002
        with SippPeer(
            "call_through_proxy", tmp_path, target=kamailio.server, number="desk", keys={"caller": "100"}
        ) as sipp:
            desk.incoming(answer=True)
            desk.expect("call_ended", by="customer", cause="hangup")
            sipp.wait()
