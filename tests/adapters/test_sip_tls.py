"""The trunk over TLS, with a certificate authority of the test's own, and encrypted sound."""

import contextlib
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import soundfile

from tests.adapters.desk_process import DeskProcess
from tests.certificates import Authority, Certificate
from tests.dsp import signals
from tests.peers import LOOPBACK, BaresipPeer, KamailioRegistrar, SippPeer, free_port, wait_until
from thirdring_device.adapters.sip.tls import tls_library

pytestmark = pytest.mark.sip

Talker = tuple[subprocess.Popen[bytes], Callable[[], bytes]]
"""The process, and what it has heard so far."""


def over_tls(server: str, authority: Authority, **more: Any) -> dict[str, Any]:
    trunk = {
        "mode": "registered",
        "server": server,
        "transport": "tls",
        "tls_ca_file": str(authority.file),
        "allow_old_tls": True,
        "user": "desk",
        "password": "right",
        "peers": (),
        **more,
    }
    return {"sip.tls_port": free_port(), **{f"trunk.{name}": value for name, value in trunk.items()}}


def speech(folder: Path) -> Path:
    path = folder / "speech.wav"
    soundfile.write(path, signals.to_int16(signals.synthetic_mandarin()), 8000, "PCM_16")
    return path


@pytest.mark.interop("TLS: registration, certificate checked; call with SRTP", peer="Kamailio, baresip")
def test_registration_over_tls_and_a_call_with_encrypted_sound(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    certificate = authority.sign("trunk", f"IP:{LOOPBACK}")
    with (
        KamailioRegistrar(tmp_path, certificate=certificate) as kamailio,
        DeskProcess(tmp_path, over_tls(kamailio.tls_server, authority)) as desk,
    ):
        desk.expect("trunk_changed", state="registered", sip_code=200)
        with BaresipPeer(
            tmp_path, speaks=speech(tmp_path), user="200", proxy=kamailio.server, srtp="srtp-mand"
        ) as peer:
            wait_until(lambda: kamailio.registers()[1] >= 2, "baresip is registered")
            peer.dial(f"sip:desk@{kamailio.server}")
            call_id = desk.incoming(answer=True)
            peer.wait_for("CALL_ESTABLISHED")
            peer.wait_for("CALL_RTPESTAB")
            desk.do("EndCall", call_id=call_id)
            quality = desk.expect("call_quality", call_id=call_id)
            assert quality["encrypted"] is True
            desk.expect("call_ended", by="agent")


def sign_for_elsewhere(authority: Authority, folder: Path) -> Any:
    return authority.sign("elsewhere", "DNS:elsewhere.example")


def sign_by_a_stranger(authority: Authority, folder: Path) -> Any:
    return Authority(folder, "stranger").sign("trunk", f"IP:{LOOPBACK}")


def sign_expired(authority: Authority, folder: Path) -> Any:
    return authority.sign("trunk", f"IP:{LOOPBACK}", days=-1)


@pytest.mark.interop(
    "TLS: certificate of wrong name or issuer, or expired: refused with its reason", peer="Kamailio"
)
@pytest.mark.parametrize(
    ("sign", "words"),
    [
        (sign_for_elsewhere, "does not match"),
        (sign_by_a_stranger, "untrusted"),
        (sign_expired, "expired"),
    ],
)
def test_wrong_certificate_is_refused_with_its_reason(tmp_path: Path, sign: Any, words: str) -> None:
    authority = Authority(tmp_path)
    with (
        KamailioRegistrar(tmp_path, certificate=sign(authority, tmp_path)) as kamailio,
        DeskProcess(tmp_path, over_tls(kamailio.tls_server, authority)) as desk,
    ):
        refused = desk.expect("trunk_changed", state="refused", timeout_s=20)
        assert "certificate" in refused["reason"]
        assert words in refused["reason"]
        assert kamailio.registers() == (0, 0), "no REGISTER may go to a stranger"


@pytest.mark.interop("TLS: our own certificate, where the trunk asks for one", peer="Kamailio")
@pytest.mark.parametrize("ours", ["signed", "by a stranger", "none"])
def test_trunk_that_asks_for_our_certificate_gets_it(tmp_path: Path, ours: str) -> None:
    authority = Authority(tmp_path)
    signer = Authority(tmp_path, "stranger") if ours == "by a stranger" else authority
    mine = signer.sign("desk", f"IP:{LOOPBACK}")
    more = {"tls_certificate_file": str(mine.file), "tls_key_file": str(mine.key)} if ours != "none" else {}
    with (
        KamailioRegistrar(
            tmp_path, certificate=authority.sign("trunk", f"IP:{LOOPBACK}"), client_authority=authority.file
        ) as kamailio,
        DeskProcess(tmp_path, over_tls(kamailio.tls_server, authority, **more)) as desk,
    ):
        if ours == "signed":
            desk.expect("trunk_changed", state="registered", sip_code=200, timeout_s=20)
        else:
            told = desk.expect("trunk_changed", state="unreachable", timeout_s=20)
            assert told["reason"]
            assert kamailio.registers() == (0, 0)


ANY_CIPHER = ("-cipher", "ALL:@SECLEVEL=0")
"""What a library of today needs to be told, to speak what is older than TLS 1.2."""


OPTIONS = (
    "OPTIONS sip:desk@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.1:9;branch=z9hG4bKtls;rport\r\n"
    "Max-Forwards: 70\r\nFrom: <sip:caller@127.0.0.1>;tag=1\r\nTo: <sip:desk@127.0.0.1>\r\n"
    "Call-ID: tls\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
)


@contextlib.contextmanager
def openssl(folder: Path, *arguments: str, certificate: Certificate | None) -> Iterator[Talker]:
    """One end of a TLS connection, with what it hears in a file."""
    shown = ("-cert", str(certificate.file), "-key", str(certificate.key)) if certificate else ()
    heard = folder / "heard"
    with heard.open("wb") as output:
        command = ["openssl", *arguments, "-quiet", *ANY_CIPHER, *shown]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=output, stderr=output)
    try:
        yield process, heard.read_bytes
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("version", ["tls1_1", "tls1_2", "tls1_3"])
def test_a_trunk_of_tls_below_1_2_hears_nothing(tmp_path: Path, version: str) -> None:
    authority = Authority(tmp_path)
    server = f"{LOOPBACK}:{free_port()}"
    library = tls_library()
    assert library is not None
    with (
        openssl(
            tmp_path,
            *("s_server", "-accept", server, f"-{version}"),
            certificate=authority.sign("trunk", f"IP:{LOOPBACK}"),
        ) as (_, heard),
        DeskProcess(tmp_path, over_tls(server, authority)) as desk,
    ):
        if version == "tls1_2" or (version == "tls1_3" and library.maintained):  # an old one has no 1.3
            wait_until(lambda: b"REGISTER sip:" in heard(), "a REGISTER", 20.0)
            return
        assert desk.expect("trunk_changed", state="unreachable", timeout_s=20)["reason"]
        wait_until(lambda: b"ERROR" in heard(), "the refusal")
        assert b"REGISTER" not in heard()


@pytest.mark.parametrize(
    ("version", "signer", "let_in"),
    [
        ("tls1_1", "ca", False),
        ("tls1_2", "ca", True),
        ("tls1_2", "stranger", False),
        ("tls1_2", "", False),
    ],
)
def test_who_connects_shows_a_certificate_over_tls_1_2_or_later(
    tmp_path: Path, version: str, signer: str, let_in: bool
) -> None:
    authority = Authority(tmp_path)
    ours = authority.sign("desk", f"IP:{LOOPBACK}")
    files = {"tls_certificate_file": str(ours.file), "tls_key_file": str(ours.key)}
    settings = over_tls(f"{LOOPBACK}:{free_port()}", authority, **files)
    signers = {"ca": authority, "stranger": Authority(tmp_path, "stranger")}
    theirs = signers[signer].sign("caller", f"IP:{LOOPBACK}") if signer else None
    unit = f"{LOOPBACK}:{settings['sip.tls_port']}"
    with (
        DeskProcess(tmp_path, settings),
        openssl(tmp_path, "s_client", "-connect", unit, f"-{version}", certificate=theirs) as (client, heard),
    ):
        assert client.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            client.stdin.write(OPTIONS.encode())
            client.stdin.flush()
        wait_until(lambda: b"SIP/2.0 " in heard() or client.poll() is not None, "an answer or the end", 20.0)
        assert (b"SIP/2.0 " in heard()) == let_in


def test_tls_without_security_fixes_is_refused_unless_allowed(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    desk = DeskProcess(tmp_path, over_tls(f"{LOOPBACK}:{free_port()}", authority, allow_old_tls=False))
    library = tls_library()
    assert library is not None
    if library.maintained:
        with desk:
            desk.expect("trunk_changed", state="registering")
        return
    with pytest.raises(AssertionError), desk:
        pass
    assert desk.all("failed", code=3005)


def test_certificate_file_that_is_missing_is_error_3006(tmp_path: Path) -> None:
    settings = over_tls(f"{LOOPBACK}:{free_port()}", Authority(tmp_path), tls_ca_file=str(tmp_path / "none"))
    desk = DeskProcess(tmp_path, settings)
    with pytest.raises(AssertionError), desk:
        pass
    assert desk.all("failed", code=3006)


@pytest.mark.interop("SRTP mandatory, optional and off against a peer that insists", peer="baresip")
@pytest.mark.parametrize("srtp", ["mandatory", "optional"])
def test_encrypted_call(tmp_path: Path, srtp: str) -> None:
    with (
        DeskProcess(tmp_path, {"trunk.srtp": srtp}) as desk,
        BaresipPeer(tmp_path, speaks=speech(tmp_path), srtp="srtp-mand") as peer,
    ):
        peer.dial(f"sip:desk@{desk.target}")
        call_id = desk.incoming(answer=True)
        peer.wait_for("CALL_ESTABLISHED")
        peer.wait_for("CALL_RTPESTAB")
        desk.do("EndCall", call_id=call_id)
        assert desk.expect("call_quality", call_id=call_id)["encrypted"] is True


@pytest.mark.interop("SRTP mandatory refuses an unencrypted call (488)", peer="SIPp")
def test_unencrypted_call_is_refused_where_encryption_is_mandatory(tmp_path: Path) -> None:
    messages = tmp_path / "messages"
    with (
        DeskProcess(tmp_path, {"trunk.srtp": "mandatory"}) as desk,
        SippPeer(
            "call_refused",
            tmp_path,
            target=desk.target,
            keys={"caller": "100"},
            extra=("-trace_msg", "-message_file", str(messages)),
        ) as sipp,
    ):
        wait_until(lambda: sipp.process.poll() is not None, "SIPp is through", 20)
        assert "SIP/2.0 488" in messages.read_text(encoding="utf-8", errors="replace")
        assert not desk.all("call_answered")
