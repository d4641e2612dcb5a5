"""Two registrars: the second takes over, the first is returned to. SRV records, outbound proxy, digests."""

import time
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.desk_process import DeskProcess
from tests.peers import LOOPBACK, DnsServer, KamailioRegistrar, ScriptedRegistrar, SippPeer, wait_until

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
