"""The pjsua2 endpoint and everything that is configured once. All of it on the SIP thread."""

import contextlib
import ctypes
import logging
import os
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any, Final

import pjsua2 as pj

from thirdring.protocol.errors import error
from thirdring_device.adapters.sip.guard import explain, guarded
from thirdring_device.adapters.sip.sound import FRAME_MS, SAMPLE_RATE_HZ
from thirdring_device.settings import SipSettings

__all__ = ["CODECS", "EndpointOwner"]

log = logging.getLogger(__name__)

CODECS: Final = ("PCMA/8000", "PCMU/8000", "G722/16000")
"""What we offer, in this order; as the answering side the caller's order counts.

A-law first: it is what nearly every trunk carries to the public network, without transcoding. G.722 is
for callers that ask for it.
"""

RTP_PORTS: Final = 100
LOG_LEVEL: Final = 2
"""pjsua2's errors and warnings."""


class _LogWriter(pj.LogWriter):  # type: ignore[misc]
    """Hands pjsua2's log to ours."""

    @guarded
    def write(self, entry: Any) -> None:
        log.log(logging.WARNING if entry.level < 2 else logging.INFO, "%s", entry.msg.rstrip())


@contextlib.contextmanager
def _silenced_stdout() -> Iterator[None]:
    """Keep away what ``libCreate`` prints before its log level can be set."""
    libc = ctypes.CDLL(None)
    libc.fflush(None)
    saved = os.dup(1)
    try:
        with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - a descriptor is wanted
            os.dup2(nowhere.fileno(), 1)
        yield
    finally:
        libc.fflush(None)  # what printf has buffered must not come out later
        os.dup2(saved, 1)
        os.close(saved)


class EndpointOwner:
    """Makes the endpoint and destroys it."""

    def __init__(self, settings: SipSettings) -> None:
        """Start the stack; raises ``TrunkError`` 3004 when the port cannot be opened."""
        self._endpoint = pj.Endpoint()
        with _silenced_stdout():
            self._endpoint.libCreate()
        try:
            self._initialise(settings)
        except BaseException:
            self.destroy()
            raise

    @property
    def version(self) -> str:
        """Version of the stack."""
        found = self._endpoint.libVersion()
        return f"pjsua2 {found.full}"

    def handle_events(self, wait_ms: int) -> int:
        """Run the stack's callbacks; return the number of events, negative after an error."""
        return int(self._endpoint.libHandleEvents(wait_ms))

    def stop_clock(self) -> None:
        """Stop the bridge's clock: a port must not die while the clock thread calls it."""
        try:
            self._endpoint.audDevManager().setNoDev()
        except pj.Error as failure:
            log.error("the bridge's clock was not stopped: %s", explain(failure))

    def destroy(self) -> None:
        """Shut the stack down."""
        try:
            self._endpoint.libDestroy()
        except pj.Error as failure:
            log.error("the SIP stack was not shut down cleanly: %s", explain(failure))

    def _initialise(self, settings: SipSettings) -> None:
        config = pj.EpConfig()
        writer = _LogWriter()
        writer.__disown__()  # libDestroy deletes it
        config.logConfig.writer = writer
        config.logConfig.level = config.logConfig.consoleLevel = LOG_LEVEL
        config.logConfig.msgLogging = 0
        config.logConfig.decor = pj.PJ_LOG_HAS_SENDER
        config.uaConfig.userAgent = f"Thirdring/{version('thirdring-device')}"
        config.uaConfig.maxCalls = settings.max_calls
        config.uaConfig.threadCnt = 0
        config.uaConfig.mainThreadOnly = True
        config.medConfig.clockRate = SAMPLE_RATE_HZ
        config.medConfig.sndClockRate = SAMPLE_RATE_HZ
        config.medConfig.audioFramePtime = FRAME_MS
        config.medConfig.ecTailLen = 0
        config.medConfig.noVad = True
        config.medConfig.sndAutoCloseTime = -1  # else ports are never freed: 488 for ever
        self._endpoint.libInit(config)
        self._wake_openssl()
        for kind in (pj.PJSIP_TRANSPORT_UDP, pj.PJSIP_TRANSPORT_TCP):
            transport = pj.TransportConfig()
            transport.port = settings.port
            transport.boundAddress = bound_address(settings)
            try:
                self._endpoint.transportCreate(kind, transport)
            except pj.Error as failure:
                raise error(3004, f"{settings.bind}:{settings.port}: {explain(failure)}") from None
        self._endpoint.libStart()
        self._endpoint.audDevManager().setNullDev()
        for codec in self._endpoint.codecEnum2():
            matches = [c for c in CODECS if codec.codecId.startswith(c)]
            priority = 255 - CODECS.index(matches[0]) if matches else 0
            self._endpoint.codecSetPriority(codec.codecId, priority)

    def _wake_openssl(self) -> None:
        """Have OpenSSL initialised: with an old one, MD5 for digests is missing until TLS is first used."""
        try:
            self._endpoint.utilSslGetAvailableCiphers()
        except pj.Error as failure:
            log.info("no TLS in this SIP stack: %s", explain(failure))


def bound_address(settings: SipSettings) -> str:
    """Return the address to bind to, empty for every interface."""
    return "" if settings.bind in ("0.0.0.0", "::") else settings.bind
