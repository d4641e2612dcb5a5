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
from thirdring_device.adapters.realtime import receiver_first
from thirdring_device.adapters.sip.guard import explain, guarded
from thirdring_device.adapters.sip.sound import FRAME_MS, SAMPLE_RATE_HZ
from thirdring_device.adapters.sip.tls import TlsFailures, check_tls, configure_tls
from thirdring_device.adapters.sip.wideband import keep_g722_level
from thirdring_device.settings import Settings
from thirdring_device.sip_settings import SipSettings

__all__ = ["EndpointOwner", "bound_address", "silenced_stdout"]

log = logging.getLogger(__name__)

LOG_LEVEL: Final = 2
"""pjsua2's errors and warnings."""


class _LogWriter(pj.LogWriter):  # type: ignore[misc]
    """Hands pjsua2's log to ours."""

    @guarded
    def write(self, entry: Any) -> None:
        log.log(logging.WARNING if entry.level < 2 else logging.INFO, "%s", entry.msg.rstrip())


@contextlib.contextmanager
def silenced_stdout() -> Iterator[None]:
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


class _Endpoint(pj.Endpoint):  # type: ignore[misc]
    """Hands the endpoint's callbacks on."""

    def __init__(self, failures: TlsFailures) -> None:
        super().__init__()
        self._failures = failures

    @guarded
    def onTransportState(self, prm: Any) -> None:  # noqa: N802
        self._failures.note(prm)


class EndpointOwner:
    """Makes the endpoint and destroys it."""

    def __init__(self, settings: Settings) -> None:
        """Start the stack.

        Raises ``TrunkError`` 3004 when the port cannot be opened, 3005 and 3006 when the trunk needs TLS and
        it cannot or must not be used.
        """
        self.tls_failures = TlsFailures()
        self._ticking = False
        if settings.trunk.transport == "tls":
            check_tls(settings.trunk)
        self._endpoint = _Endpoint(self.tls_failures)
        with silenced_stdout():
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

    def address_changed(self) -> None:
        """Have transports opened anew, registrations renewed and the calls told by re-INVITE."""
        try:
            self._endpoint.handleIpChange(pj.IpChangeParam())
        except pj.Error as failure:
            log.error("after a change of our address: %s", explain(failure))

    def stop_clock(self) -> None:
        """Stop the bridge's clock: a port must not die while the clock thread calls it.

        Nor a way that ICE found: a stream leaves the bridge at the clock's next tick only, and what it sends
        until then goes to a transport that is gone, which ends the process (pjnath 2.15 to 2.17).
        """
        if not self._ticking:
            return
        try:
            self._endpoint.audDevManager().setNoDev()
            self._ticking = False
        except pj.Error as failure:
            log.error("the bridge's clock was not stopped: %s", explain(failure))

    def start_clock(self) -> None:
        """Start the bridge's clock, unless it runs."""
        if not self._ticking:
            self._endpoint.audDevManager().setNullDev()
            self._ticking = True

    def destroy(self) -> None:
        """Shut the stack down."""
        try:
            self._endpoint.libDestroy()
        except pj.Error as failure:
            log.error("the SIP stack was not shut down cleanly: %s", explain(failure))

    def _initialise(self, all_settings: Settings) -> None:
        settings = all_settings.sip
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
        if settings.stun_server:
            config.uaConfig.stunServer.append(settings.stun_server)
            config.uaConfig.stunIgnoreFailure = True
        config.medConfig.clockRate = SAMPLE_RATE_HZ
        config.medConfig.sndClockRate = SAMPLE_RATE_HZ
        config.medConfig.audioFramePtime = FRAME_MS
        config.medConfig.ecTailLen = 0
        config.medConfig.noVad = True
        config.medConfig.jbMinPre = settings.jitter_min_ms
        config.medConfig.jbInit = min(settings.jitter_start_ms, settings.jitter_max_ms)
        config.medConfig.jbMax = settings.jitter_max_ms
        config.medConfig.jbMaxPre = settings.jitter_max_ms * 4 // 5
        config.medConfig.sndAutoCloseTime = -1  # else ports are never freed: 488 for ever
        self._endpoint.libInit(config)
        keep_g722_level()
        self._wake_openssl()
        self._open_transport(pj.PJSIP_TRANSPORT_UDP, settings.port, all_settings)
        self._open_transport(pj.PJSIP_TRANSPORT_TCP, settings.port, all_settings)
        if all_settings.trunk.transport == "tls":
            self._open_transport(pj.PJSIP_TRANSPORT_TLS, settings.tls_port, all_settings)
        self._endpoint.libStart()
        receiver_first()
        self.start_clock()
        self._choose_codecs(settings)

    def _open_transport(self, kind: int, port: int, settings: Settings) -> None:
        transport = pj.TransportConfig()
        transport.port = port
        transport.boundAddress = bound_address(settings.sip)
        if kind == pj.PJSIP_TRANSPORT_TLS:
            configure_tls(transport.tlsConfig, settings.trunk)
        try:
            self._endpoint.transportCreate(kind, transport)
        except pj.Error as failure:
            raise error(3004, f"{settings.sip.bind}:{port}: {explain(failure)}") from None

    def _choose_codecs(self, settings: SipSettings) -> None:
        """Offer the codecs of ``sip.codecs`` in their order, and no other."""
        wanted = [name.lower() for name in settings.codecs]
        found = set()
        for codec in self._endpoint.codecEnum2():
            name = codec.codecId.partition("/")[0].lower()
            found.add(name)
            priority = 255 - wanted.index(name) if name in wanted else 0
            self._endpoint.codecSetPriority(codec.codecId, priority)
            if priority:
                parameters = self._endpoint.codecGetParam(codec.codecId)
                parameters.setting.plc = settings.plc
                self._endpoint.codecSetParam(codec.codecId, parameters)
        lacking = [name for name in settings.codecs if name.lower() not in found]
        if lacking:
            log.info("this SIP stack lacks the codecs %s", ", ".join(lacking))

    def _wake_openssl(self) -> None:
        """Have OpenSSL initialised: with an old one, MD5 for digests is missing until TLS is first used."""
        try:
            self._endpoint.utilSslGetAvailableCiphers()
        except pj.Error as failure:
            log.info("no TLS in this SIP stack: %s", explain(failure))


def bound_address(settings: SipSettings) -> str:
    """Return the address to bind to, empty for every interface."""
    return "" if settings.bind in ("0.0.0.0", "::") else settings.bind
