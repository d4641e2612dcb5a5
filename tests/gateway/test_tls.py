import asyncio
import contextlib
import ssl
import stat
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from tests.certificates import Authority
from tests.gateway.desk import Desk, at_the_desk
from tests.gateway.test_main import answers, gateway_process
from tests.peers import free_port
from thirdring import AsyncAppliance, ConnectionLost
from thirdring.protocol.errors import ApplianceError
from thirdring_device.gateway.tls import CERTIFICATE_FILE, KEY_FILE, fingerprint, server_tls
from thirdring_device.settings import GatewaySettings


def trusting(file: Path) -> httpx.AsyncClient:
    """Return a client that trusts nothing but ``file``."""
    return httpx.AsyncClient(verify=ssl.create_default_context(cafile=str(file)), trust_env=False)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_the_units_own_certificate_serves_its_names(tmp_path: Path, host: str) -> None:
    async def scenario(desk: Desk) -> None:
        port = free_port()
        async with gateway_process(tmp_path, port, 'tls = "own"\n') as process:
            url = f"https://{host}:{port}"
            async with trusting(tmp_path / CERTIFICATE_FILE) as http:
                password = (tmp_path / "first-password").read_text().strip()
                asked = {"role": "technician", "password": password}
                begun = await http.post(f"{url}/v1/session", json=asked)
                assert "; Secure" in begun.headers["set-cookie"]
                assert (await http.get(f"{url}/v1/session")).json()["kind"] == "session"
            async with httpx.AsyncClient(trust_env=False) as stranger:
                with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
                    await stranger.get(url)
            assert process.stdout is not None
            process.terminate()
            printed = (await process.stdout.read()).decode()
            assert password in printed
            assert fingerprint(tmp_path) in printed

    at_the_desk(tmp_path, scenario)


def test_the_sdk_trusts_the_certificate_that_it_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(desk: Desk) -> None:
        port = free_port()
        await desk.one_call()
        async with gateway_process(tmp_path, port, 'tls = "own"\n'):
            url, token_file = f"https://localhost:{port}", tmp_path / "api-token"
            with pytest.raises(ConnectionLost, match="8000"):
                async with AsyncAppliance(url, token_file=token_file):
                    pass
            monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / CERTIFICATE_FILE))
            async with AsyncAppliance(url, token_file=token_file) as appliance:
                assert (await appliance.state()).last_event == 4
                async with contextlib.aclosing(appliance.events(after=3)) as events:
                    assert (await anext(events)).number == 4

    at_the_desk(tmp_path, scenario)


def test_old_versions_of_tls_are_refused(tmp_path: Path) -> None:
    context = server_tls(GatewaySettings(tls="own"), tmp_path)
    assert context is not None
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2


def test_the_units_own_certificate_is_kept_until_its_names_change(tmp_path: Path) -> None:
    def made(*hosts: str) -> x509.Certificate:
        server_tls(GatewaySettings(tls="own", allowed_hosts=hosts), tmp_path)
        assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600
        return x509.load_pem_x509_certificate((tmp_path / CERTIFICATE_FILE).read_bytes())

    first = made("desk.example")
    assert made("desk.example") == first
    second = made("desk.example", "[::1]")
    assert second != first
    names = second.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["desk.example"]
    assert [str(ip) for ip in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1", "::1"]
    assert fingerprint(tmp_path) == second.fingerprint(hashes.SHA256()).hex(":").upper()
    (tmp_path / KEY_FILE).write_text("junk")
    assert made("desk.example", "[::1]") != second


def test_a_provided_certificate_is_served(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    certificate = authority.sign("desk", "IP:127.0.0.1")

    async def scenario(desk: Desk) -> None:
        port = free_port()
        files = f'tls_certificate = "{certificate.file}"\ntls_key = "{certificate.key}"\n'
        async with gateway_process(tmp_path, port, f'tls = "provided"\n{files}'):
            async with trusting(authority.file) as http:
                assert (await http.get(f"https://127.0.0.1:{port}/healthz")).is_success
            assert not (tmp_path / KEY_FILE).exists()

    at_the_desk(tmp_path, scenario)


def test_a_certificate_that_cannot_be_used_is_7007(tmp_path: Path) -> None:
    certificate = Authority(tmp_path).sign("desk", "IP:127.0.0.1")
    other = Authority(tmp_path, "other").sign("stranger", "IP:127.0.0.1")
    for file, key in ((tmp_path / "none", certificate.key), (certificate.file, other.key)):
        settings = GatewaySettings(tls="provided", tls_certificate=str(file), tls_key=str(key))
        with pytest.raises(ApplianceError, match="7007"):
            server_tls(settings, tmp_path)


def test_clear_text_is_not_answered_where_tls_is_spoken(tmp_path: Path) -> None:
    async def scenario(desk: Desk) -> None:
        port = free_port()
        async with gateway_process(tmp_path, port, 'tls = "own"\n'):
            assert await answers(port)
            async with asyncio.timeout(10.0), httpx.AsyncClient(trust_env=False) as http:
                with pytest.raises(httpx.HTTPError):
                    await http.get(f"http://127.0.0.1:{port}/")

    at_the_desk(tmp_path, scenario)
