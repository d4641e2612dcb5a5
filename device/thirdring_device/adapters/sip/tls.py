"""TLS of the SIP stack: which library it has, whether that may be used, and the transport's configuration.

The peer's certificate is checked always (pjsua2's default is not to), by name too; TLS 1.2 and 1.3 only.
"""

import ctypes
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pjsua2 as pj

from thirdring.protocol.errors import error
from thirdring_device.sip_settings import TrunkSettings

__all__ = ["SYSTEM_CA_FILE", "TlsFailures", "TlsLibrary", "check_tls", "configure_tls", "tls_library"]

SYSTEM_CA_FILE: Final = Path("/etc/ssl/certs/ca-certificates.crt")
OLDEST_MAINTAINED: Final = (3, 0)
"""OpenSSL 1.0.2 ended in 2019, 1.1.1 in 2023."""

HANDSHAKE_MS: Final = 10_000
VERSION: Final = re.compile(r"(\w+) (\d+)\.(\d+)")


@dataclass(frozen=True, slots=True)
class TlsLibrary:
    """``name`` as the library says it; ``maintained``: it still gets security fixes."""

    name: str
    maintained: bool


def tls_library() -> TlsLibrary | None:
    """Return the library that pjsua2 has loaded; ``None`` when it has none that is known."""
    # Looked up through the stack's own module: Python may have loaded another OpenSSL.
    library = ctypes.CDLL(pj._pjsua2.__file__)
    ask = getattr(library, "OpenSSL_version", None) or getattr(library, "SSLeay_version", None)
    if ask is None:
        return None
    ask.restype = ctypes.c_char_p
    name = ask(0).decode("ascii", "replace")
    found = VERSION.match(name)
    version = (int(found[2]), int(found[3])) if found else (0, 0)
    return TlsLibrary(name, version >= OLDEST_MAINTAINED)


def check_tls(trunk: TrunkSettings) -> None:
    """Refuse what must not be used for the trunk.

    Raises ``TrunkError`` 3005 for a TLS library without security fixes, 3006 for files that cannot be read.
    """
    library = tls_library()
    if library is None:
        raise error(3005, "the SIP stack has no TLS")
    if not library.maintained and not trunk.allow_old_tls:
        raise error(3005, f"{library.name}; run scripts/build-pjsua2, or set trunk.allow_old_tls")
    for name, text in (
        ("tls_ca_file", trunk.tls_ca_file or str(SYSTEM_CA_FILE)),
        ("tls_certificate_file", trunk.tls_certificate_file),
        ("tls_key_file", trunk.tls_key_file),
    ):
        try:
            if text and "-----BEGIN" not in Path(text).read_text(encoding="ascii", errors="replace"):
                raise error(3006, f"trunk.{name}: {text} is no PEM file")
        except OSError as reason:
            raise error(3006, f"trunk.{name}: {reason}") from reason


def configure_tls(config: Any, trunk: TrunkSettings) -> None:
    """Fill the ``TlsConfig`` of a transport."""
    config.CaListFile = trunk.tls_ca_file or str(SYSTEM_CA_FILE)
    config.certFile = trunk.tls_certificate_file
    config.privKeyFile = trunk.tls_key_file
    config.verifyServer = True
    config.verifyClient = True
    config.requireClientCert = True  # who connects to us shows a certificate, too
    config.proto = pj.PJ_SSL_SOCK_PROTO_TLS1_2 | pj.PJ_SSL_SOCK_PROTO_TLS1_3
    config.msecTimeout = HANDSHAKE_MS


class TlsFailures:
    """Why the last TLS connection was not made: the stack's own answer to the REGISTER says only 503."""

    def __init__(self) -> None:
        self._certificate = ""

    def note(self, prm: Any) -> None:
        """Take the stack's report of a transport's state."""
        info = prm.tlsInfo
        if prm.state == pj.PJSIP_TP_STATE_DISCONNECTED and not info.isEmpty() and info.verifyStatus:
            words = "; ".join(str(message) for message in info.verifyMsgs)
            subject = info.remoteCertInfo.subjectCn
            self._certificate = f"the trunk's certificate ({subject:.80}) was refused: {words}"

    def take(self) -> str:
        """Return what is wrong with the certificate, empty when nothing is; said once."""
        words, self._certificate = self._certificate, ""
        return words
