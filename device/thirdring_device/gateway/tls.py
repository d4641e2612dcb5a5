"""TLS of the HTTP server: with a certificate of the unit's own making, or with one that is provided."""

import ipaddress
import os
import ssl
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from thirdring.protocol.errors import error
from thirdring_device.gateway.names import served_names
from thirdring_device.settings import GatewaySettings

__all__ = ["CERTIFICATE_FILE", "KEY_FILE", "fingerprint", "server_tls"]

CERTIFICATE_FILE: Final = "gateway-certificate.pem"
"""In the state folder: what clients are told to trust."""
KEY_FILE: Final = "gateway-key.pem"
"""In the state folder, for its owner only: key and certificate together."""

VALID: Final = timedelta(days=825)
"""The most that Apple's systems accept (support.apple.com/103769)."""
RENEW: Final = timedelta(days=60)
"""At a start within so long of its end a certificate of ours is made anew."""


def server_tls(settings: GatewaySettings, state_dir: Path) -> ssl.SSLContext | None:
    """Return how the server speaks TLS 1.2 or later, None when it speaks HTTP.

    Raises ``ApplianceError`` 7007 when certificate or key cannot be used, ``StorageError`` 5006 when they
    cannot be made.
    """
    if settings.tls == "off":
        return None
    if settings.tls == "own":
        certificate = key = _own(state_dir, served_names(settings))
    else:
        certificate, key = Path(settings.tls_certificate), Path(settings.tls_key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as reason:
        raise error(7007, f"{certificate}: {reason}") from reason
    return context


def fingerprint(state_dir: Path) -> str:
    """Return the SHA-256 fingerprint of the unit's own certificate as browsers show it."""
    made = x509.load_pem_x509_certificate((state_dir / CERTIFICATE_FILE).read_bytes())
    return made.fingerprint(hashes.SHA256()).hex(":").upper()


def _own(state_dir: Path, names: Iterable[str]) -> Path:
    """Return the file with key and certificate, made anew when it is old or for other names."""
    path = state_dir / KEY_FILE
    wanted = _alternatives(names)
    try:
        if not _still_good(path, wanted):
            key, certificate = _make(wanted)
            _write(state_dir / CERTIFICATE_FILE, certificate, 0o644)
            _write(path, key + certificate, 0o600)
    except OSError as reason:
        raise error(5006, f"{path}: {reason}") from reason
    return path


def _still_good(path: Path, wanted: x509.SubjectAlternativeName) -> bool:
    if not path.exists():
        return False
    try:
        made = x509.load_pem_x509_certificate(path.read_bytes())
        names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, x509.ExtensionNotFound):
        return False
    return names == wanted and made.not_valid_after_utc - datetime.now(UTC) > RENEW


def _alternatives(names: Iterable[str]) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName([_alternative(name) for name in sorted(set(names))])


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name.encode("idna").decode("ascii"))


def _make(names: x509.SubjectAlternativeName) -> tuple[bytes, bytes]:
    """Return a new key and its certificate, PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Thirdring")])
    now = datetime.now(UTC)
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))  # a clock that is a little slow
        .not_valid_after(now + VALID)
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(pem, form, plain), certificate.public_bytes(pem)


def _write(path: Path, content: bytes, mode: int) -> None:
    new = path.with_name(f"{path.name}.{os.getpid()}")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
