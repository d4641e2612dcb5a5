"""A registered trunk: Kamailio, and a registrar that answers what a test wants."""

from pathlib import Path
from typing import Any

import pytest

from tests.adapters.desk_process import DeskProcess
from tests.peers import LOOPBACK, KamailioRegistrar, SippPeer, wait_until
from tests.udp_servers import ScriptedRegistrar

pytestmark = pytest.mark.sip


def registered(server: str, **settings: Any) -> dict[str, Any]:
    values = {"mode": "registered", "server": server, "user": "desk", "password": "right", **settings}
    return {f"trunk.{name}": value for name, value in values.items()}


@pytest.mark.interop("digest MD5; call through the proxy", peer="Kamailio")
def test_digest_registration_and_a_call_through_the_proxy(tmp_path: Path) -> None:
    with (
        KamailioRegistrar(tmp_path) as kamailio,
        DeskProcess(tmp_path, registered(kamailio.server, peers=())) as desk,
    ):
        desk.expect("trunk_changed", state="registering")
        desk.expect("trunk_changed", state="registered", sip_code=200)
        assert kamailio.registers() == (2, 1), "one challenge, one answer"
        with SippPeer(
            "call_through_proxy", tmp_path, target=kamailio.server, number="desk", keys={"caller": "100"}
        ) as sipp:
            desk.incoming(answer=True)
            desk.expect("call_ended", by="customer", cause="hangup")
            sipp.wait()
        desk.stop()
        wait_until(lambda: kamailio.registers()[1] == 2, "unregistered at the end")


@pytest.mark.interop("wrong password: said once, tried again with growing pauses", peer="Kamailio")
def test_wrong_password_is_refused_without_a_storm(tmp_path: Path) -> None:
    with (
        KamailioRegistrar(tmp_path, password="another") as kamailio,
        DeskProcess(tmp_path, registered(kamailio.server, retry_s=1)) as desk,
    ):
        refused = desk.expect("trunk_changed", state="refused", sip_code=401)
        assert refused["reason"] == "wrong user name or password"
        # The pauses are 1, 2, 4 s: the third attempt is there after 3 s, the fourth is not.
        wait_until(lambda: kamailio.registers()[0] >= 6, "the third attempt", 8)
        assert kamailio.registers() == (6, 0), "a challenge and one answer per attempt"
    assert len(desk.all("trunk_changed", state="refused")) == 1, "said once, not at every attempt"


@pytest.mark.interop("another realm is named and gets no digest", peer="Kamailio")
def test_other_realm_is_named_and_gets_no_digest(tmp_path: Path) -> None:
    with (
        KamailioRegistrar(tmp_path, realm="elsewhere") as kamailio,
        DeskProcess(tmp_path, registered(kamailio.server)) as desk,
    ):
        refused = desk.expect("trunk_changed", state="refused", sip_code=401)
        assert "'elsewhere'" in refused["reason"]
        assert kamailio.registers() == (1, 0)


def test_realm_setting_is_answered_to(tmp_path: Path) -> None:
    with (
        KamailioRegistrar(tmp_path, realm="elsewhere") as kamailio,
        DeskProcess(tmp_path, registered(kamailio.server, realm="elsewhere")) as desk,
    ):
        desk.expect("trunk_changed", state="registered")


@pytest.mark.interop("Retry-After is obeyed", peer="SIP socket")
def test_retry_after_is_obeyed(tmp_path: Path) -> None:
    answers = ["503 Service Unavailable\r\nRetry-After: 3", "200 OK"]
    with (
        ScriptedRegistrar(answers) as registrar,
        DeskProcess(tmp_path, registered(registrar.server, retry_s=1)) as desk,
    ):
        desk.expect("trunk_changed", state="unreachable", sip_code=503)
        desk.expect("trunk_changed", state="registered")
        first_s, second_s = registrar.requests[0][0], registrar.requests[1][0]
    assert 2.9 <= second_s - first_s <= 3.6


def test_forbidden_user_is_told_in_plain_words(tmp_path: Path) -> None:
    with (
        ScriptedRegistrar(["403 Forbidden"]) as registrar,
        DeskProcess(tmp_path, registered(registrar.server)) as desk,
    ):
        desk.expect("trunk_changed", state="refused", sip_code=403, reason="the trunk forbids this user")


@pytest.mark.interop("registrar silent for 32 s: told, calls still go", peer="SIP socket")
def test_silent_registrar_is_unreachable_and_calls_still_go(tmp_path: Path) -> None:
    with (
        ScriptedRegistrar([None]) as registrar,
        DeskProcess(tmp_path, registered(registrar.server)) as desk,
    ):
        desk.expect("trunk_changed", state="registering")
        with SippPeer(
            "call_and_hang_up", tmp_path, target=desk.target, number="desk", keys={"caller": "100"}
        ) as sipp:
            desk.incoming(answer=True)
            sipp.wait()
        news = desk.expect("trunk_changed", state="unreachable", timeout_s=40)
        assert news["reason"] == "no answer from the trunk"
        wait_until(lambda: len(registrar.requests) >= 2, "the second attempt", 5)


@pytest.mark.interop("NAT kept open by empty packets, as often as set (RFC 5626)", peer="SIP socket")
def test_way_through_nat_is_kept_open(tmp_path: Path) -> None:
    with (
        ScriptedRegistrar(["200 OK"]) as registrar,
        DeskProcess(tmp_path, registered(registrar.server) | {"sip.keep_alive_s": 1}) as desk,
    ):
        desk.expect("trunk_changed", state="registered")
        wait_until(lambda: len(registrar.keep_alives_s) >= 3, "three packets", 10.0)
    first_s, second_s, third_s = registrar.keep_alives_s[:3]
    assert 0.8 <= second_s - first_s <= 1.5
    assert 0.8 <= third_s - second_s <= 1.5


@pytest.mark.parametrize("rewrite", [True, False])
@pytest.mark.interop("Contact behind NAT: the address the registrar sees, when set", peer="SIP socket")
def test_contact_is_the_address_that_the_registrar_sees(tmp_path: Path, rewrite: bool) -> None:
    settings = {"sip.contact_rewrite": rewrite}
    with (
        ScriptedRegistrar(["200 OK"], sees=("198.51.100.7", 40001)) as registrar,
        DeskProcess(tmp_path, registered(registrar.server) | settings) as desk,
    ):
        desk.expect("trunk_changed", state="registered")
        if rewrite:
            wait_until(lambda: len(registrar.requests) >= 2, "registered again with another contact", 10.0)
        desk.stop()
    contacts = [text for _, text in registrar.requests if "Expires: 0" not in text]
    assert ("@198.51.100.7:40001" in contacts[-1]) is rewrite


@pytest.mark.interop("ghost call that answers our BYE with 407 gets no digest", peer="SIPp")
def test_ghost_call_that_challenges_our_bye_gets_no_digest(tmp_path: Path) -> None:
    settings = {"trunk.password": "right", "trunk.domain": "trunk.example"}
    messages = tmp_path / "messages"
    trace = ("-trace_msg", "-message_file", str(messages))
    with (
        DeskProcess(tmp_path, settings) as desk,
        SippPeer(
            "challenge_bye", tmp_path, target=desk.target, keys={"caller": LOOPBACK}, extra=trace
        ) as sipp,
    ):
        call_id = desk.incoming(answer=True)
        desk.do("EndCall", call_id=call_id)
        desk.expect("call_ended", call_id=call_id, by="agent")
        sipp.process.wait(20)  # a second BYE without a digest is no harm, but SIPp would call it a failure
    text = messages.read_text(encoding="utf-8", errors="replace")
    assert "407 Proxy Authentication Required" in text
    assert "Authorization:" not in text
