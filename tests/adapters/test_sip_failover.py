"""Two registrars: the second takes over, the first is returned to. SRV records, outbound proxy, digests."""

import time
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.desk_process import DeskProcess
from tests.peers import LOOPBACK, KamailioRegistrar, SippPeer, wait_until
from tests.udp_servers import DnsServer, ScriptedRegistrar

pytestmark = pytest.mark.sip


def registered(server: str, **more: Any) -> dict[str, Any]:
    trunk = {"mode": "registered", "server": server, "user": "desk", "password": "right", **more}
    return {f"trunk.{name}": value for name, value in trunk.items()}


@pytest.mark.interop("registrar silent from the start: the second is used within 32 s", peer="Kamailio")
def test_silent_first_registrar_hands_over_to_the_second(tmp_path: Path) -> None:
    with (
        ScriptedRegistrar([None]) as silent,
        KamailioRegistrar(tmp_path) as second,
        DeskProcess(tmp_path, registered(silent.server, server2=second.server)) as desk,
    ):
        began_s = time.monotonic()
        news = desk.expect("trunk_changed", state="registered", timeout_s=32)
        assert news["server"] == second.server
        assert time.monotonic() - began_s < 32


@pytest.mark.interop(
    "registrar stopped in service: second used within 32 s, calls go on, first returned to", peer="Kamailio"
)
def test_registrar_that_dies_is_left_and_returned_to(tmp_path: Path) -> None:
    with KamailioRegistrar(tmp_path) as first, KamailioRegistrar(tmp_path) as second:
        settings = registered(first.server, server2=second.server, retry_s=2)
        with DeskProcess(tmp_path, settings) as desk:
            assert desk.expect("trunk_changed", state="registered")["server"] == first.server
            with SippPeer(
                "call_and_hang_up",
                tmp_path,
                target=desk.target,
                keys={"caller": "100"},
                hold_ms=60_000,
                rtp_echo=True,
            ) as sipp:
                call_id = desk.incoming(answer=True)
                first.stop()
                began_s = time.monotonic()
                news = desk.expect("trunk_changed", state="registered", timeout_s=32)
                assert news["server"] == second.server
                assert time.monotonic() - began_s < 32
                first.start()
                news = desk.expect("trunk_changed", state="registered", timeout_s=45)
                assert news["server"] == first.server
                wait_until(lambda: second.registers()[1] >= 2, "the second one was left")
                assert not desk.all("call_ended"), "the call went on"
                sipp.stop()
            desk.do("EndCall", call_id=call_id)
            desk.expect("call_ended", call_id=call_id)


@pytest.mark.interop(
    "INVITE unanswered, refused with 503 or unreachable: the next server is asked", peer="SIPp"
)
@pytest.mark.parametrize("first", ["silent", "out of service", "unreachable"])
def test_call_goes_through_the_second_server(tmp_path: Path, first: str) -> None:
    (tmp_path / "desk").mkdir()
    tcp = first == "unreachable"
    with (
        ScriptedRegistrar([None]) as silent,
        SippPeer("refuse", tmp_path, keys={"code": "503", "phrase": "Out"}) as refusing,
        SippPeer("answer_until_bye", tmp_path, tcp=tcp) as second,
    ):
        servers = {
            "silent": silent.server,
            "out of service": f"{LOOPBACK}:{refusing.port}",
            "unreachable": f"{LOOPBACK}:{silent.port}",
        }
        settings = {
            "trunk.server": servers[first],
            "trunk.server2": f"{LOOPBACK}:{second.port}",
            "trunk.transport": "tcp" if tcp else "udp",
            "trunk.failover_s": 1.0,
        }
        with DeskProcess(tmp_path / "desk", settings) as desk:
            desk.do("PlaceCall", call_id="out1", number="95588")
            desk.expect("call_answered", call_id="out1")
            desk.do("EndCall", call_id="out1")
            desk.expect("call_ended", call_id="out1", by="agent", cause="hangup")
            second.wait()
            assert desk.kinds("out1").count("call_outgoing") == 1


@pytest.mark.interop(
    "INVITE to a registrar that has just died: the second server is asked", peer="Kamailio, SIPp"
)
def test_call_is_placed_though_the_registrar_has_just_died(tmp_path: Path) -> None:
    with (
        KamailioRegistrar(tmp_path) as first,
        SippPeer("answer_until_bye", tmp_path) as second,
        DeskProcess(
            tmp_path, registered(first.server, server2=f"{LOOPBACK}:{second.port}", failover_s=2.0)
        ) as desk,
    ):
        desk.expect("trunk_changed", state="registered")
        first.stop()
        desk.do("PlaceCall", call_id="out1", number="95588")
        desk.expect("call_answered", call_id="out1")
        desk.do("EndCall", call_id="out1")
        desk.expect("call_ended", call_id="out1", by="agent", cause="hangup")
        second.wait()


def test_call_that_no_server_takes_fails(tmp_path: Path) -> None:
    with (
        SippPeer("refuse", tmp_path, keys={"code": "503", "phrase": "Out"}) as first,
        SippPeer("refuse", tmp_path, keys={"code": "503", "phrase": "Out"}) as second,
        DeskProcess(
            tmp_path,
            {"trunk.server": f"{LOOPBACK}:{first.port}", "trunk.server2": f"{LOOPBACK}:{second.port}"},
        ) as desk,
    ):
        desk.do("PlaceCall", call_id="out1", number="95588")
        desk.expect("call_ended", call_id="out1", by="network", cause="failed", sip_code=503)
        assert desk.kinds("out1") == ["call_outgoing", "call_ended"]


@pytest.mark.interop("SRV records (RFC 2782): best server first, the next on silence", peer="Kamailio")
def test_srv_records_name_the_servers(tmp_path: Path) -> None:
    with (
        ScriptedRegistrar([None]) as silent,
        KamailioRegistrar(tmp_path, realm="trunk.test") as second,
        DnsServer({"_sip._udp.trunk.test.": [(20, second.port), (10, silent.port)]}) as names,
        DeskProcess(tmp_path, registered("trunk.test", nameservers=(names.server,), failover_s=2.0)) as desk,
    ):
        news = desk.expect("trunk_changed", state="registered", timeout_s=20)
        assert news["server"] == f"localhost:{second.port}"
        assert silent.requests, "the better one was asked first"


@pytest.mark.interop("outbound proxy: every request goes through it", peer="SIP socket")
def test_requests_go_through_the_outbound_proxy(tmp_path: Path) -> None:
    with (
        ScriptedRegistrar(["200 OK"]) as proxy,
        DeskProcess(
            tmp_path, registered("registrar.invalid:5070", outbound_proxy=proxy.server, srv=False)
        ) as desk,
    ):
        desk.expect("trunk_changed", state="registered")
        (_, request), *_ = proxy.requests
        assert request.startswith("REGISTER sip:registrar.invalid:5070 ")


@pytest.mark.interop("digest SHA-256 (RFC 8760)", peer="Kamailio")
def test_digest_with_sha_256(tmp_path: Path) -> None:
    with (
        KamailioRegistrar(tmp_path, algorithm="SHA-256") as kamailio,
        DeskProcess(tmp_path, registered(kamailio.server)) as desk,
    ):
        desk.expect("trunk_changed", state="registered")
        assert kamailio.registers() == (2, 1)


@pytest.mark.interop("registration over TCP", peer="Kamailio")
def test_registration_over_tcp_and_a_call_through_the_proxy(tmp_path: Path) -> None:
    with (
        KamailioRegistrar(tmp_path) as kamailio,
        DeskProcess(tmp_path, registered(kamailio.server, transport="tcp", peers=())) as desk,
    ):
        desk.expect("trunk_changed", state="registered")
        with SippPeer(
            "call_through_proxy", tmp_path, target=kamailio.server, number="desk", keys={"caller": "100"}
        ) as sipp:
            desk.incoming(answer=True)
            desk.expect("call_ended", by="customer", cause="hangup")
            sipp.wait()


def test_server_behind_the_lookup_may_call(tmp_path: Path) -> None:
    with (
        ScriptedRegistrar(["200 OK"]) as registrar,
        DeskProcess(tmp_path, registered(f"localhost:{registrar.port}", peers=())) as desk,
    ):
        desk.expect("trunk_changed", state="registered")
        with SippPeer(
            "call_and_hang_up", tmp_path, target=desk.target, number="desk", keys={"caller": LOOPBACK}
        ) as sipp:
            desk.incoming(answer=True)
            sipp.wait()
