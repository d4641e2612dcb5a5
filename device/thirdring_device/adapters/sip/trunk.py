"""Our account at the trunk: its configuration, registration, and the callers it lets in."""

import logging
import random
import re
from collections.abc import Callable
from typing import Any, Final

import pjsua2 as pj

from thirdring.protocol.events import TrunkChanged
from thirdring_device.adapters.sip.desk import Desk
from thirdring_device.adapters.sip.endpoint import bound_address
from thirdring_device.adapters.sip.failover import Failover
from thirdring_device.adapters.sip.guard import explain, guarded
from thirdring_device.adapters.sip.placing import Route
from thirdring_device.adapters.sip.registration import TrunkNews
from thirdring_device.adapters.sip.servers import Server, ServerLookup, parse_server
from thirdring_device.adapters.sip.tls import TlsFailures
from thirdring_device.settings import Settings
from thirdring_device.sip_settings import RTP_PORTS

__all__ = ["Trunk"]

log = logging.getLogger(__name__)

FAILED_CALL_S: Final = 60.0
"""How long calls go round a server that did not take one."""

ENOTSUP: Final = 70012
"""pjlib's PJ_ENOTSUP."""

RETRY_AFTER = re.compile(r"^Retry-After\s*:\s*(\d{1,9})", re.IGNORECASE | re.MULTILINE)
REALM = re.compile(r'^(?:WWW|Proxy)-Authenticate\s*:.*?realm\s*=\s*"([^"]*)"', re.IGNORECASE | re.MULTILINE)


TIMERS: Final = {
    "off": pj.PJSUA_SIP_TIMER_INACTIVE,
    "optional": pj.PJSUA_SIP_TIMER_OPTIONAL,
    "required": pj.PJSUA_SIP_TIMER_REQUIRED,
}
RELIABLE: Final = {
    "off": pj.PJSUA_100REL_NOT_USED,
    "optional": pj.PJSUA_100REL_OPTIONAL,
    "required": pj.PJSUA_100REL_MANDATORY,
}
SRTP: Final = {
    "off": pj.PJMEDIA_SRTP_DISABLED,
    "optional": pj.PJMEDIA_SRTP_OPTIONAL,
    "mandatory": pj.PJMEDIA_SRTP_MANDATORY,
}


def our_domain(settings: Settings) -> str:
    """Return the SIP domain of our address."""
    trunk = settings.trunk
    server = parse_server(trunk.server).host if trunk.server else ""
    return trunk.domain or server or bound_address(settings.sip) or "localhost"


def account_config(settings: Settings, server: Server | None) -> Any:
    """Return the ``AccountConfig``; to be called after ``libInit``, else session timers are zero."""
    trunk, sip = settings.trunk, settings.sip
    domain = our_domain(settings)
    config = pj.AccountConfig()
    config.idUri = f"sip:{trunk.user}@[{domain}]" if ":" in domain else f"sip:{trunk.user}@{domain}"
    media, calls, nat = config.mediaConfig, config.callConfig, config.natConfig
    media.transportConfig.port = sip.rtp_port
    media.transportConfig.portRange = RTP_PORTS
    media.transportConfig.boundAddress = bound_address(sip)
    srtp = trunk.srtp
    if srtp == "auto":
        srtp = "mandatory" if trunk.transport == "tls" else "off"
    media.srtpUse = SRTP[srtp]
    # The keys stand in the SDP: over TLS they are required to be kept secret, elsewhere the user chose.
    media.srtpSecureSignaling = 1 if srtp == "mandatory" and trunk.transport == "tls" else 0
    calls.timerUse = TIMERS[sip.session_timers]
    calls.timerSessExpiresSec = sip.session_expires_s
    calls.prackUse = RELIABLE[sip.prack]
    nat.iceEnabled = sip.ice
    use_stun = pj.PJSUA_STUN_USE_DEFAULT if sip.stun_server else pj.PJSUA_STUN_USE_DISABLED
    nat.sipStunUse = nat.mediaStunUse = use_stun
    # The stack waits a second less than it is told, and with 1 it does not wait at all.
    nat.udpKaIntervalSec = sip.keep_alive_s + 1 if sip.keep_alive_s else 0
    nat.contactRewriteUse = nat.viaRewriteUse = nat.sdpNatRewriteUse = int(sip.contact_rewrite)
    if trunk.password:
        config.sipConfig.authCreds.append(
            pj.AuthCredInfo("digest", trunk.realm or domain, trunk.auth_user or trunk.user, 0, trunk.password)
        )
    if trunk.outbound_proxy:
        proxy = parse_server(trunk.outbound_proxy, "trunk.outbound_proxy")
        config.sipConfig.proxies.append(f"{proxy.uri(trunk.transport)};lr")
    if trunk.mode == "registered" and server is not None:
        config.regConfig.registrarUri = server.uri(trunk.transport)
        config.regConfig.timeoutSec = trunk.register_expires_s
        config.regConfig.registerOnAdd = False
        config.regConfig.retryIntervalSec = 0  # Failover does it: pjsua2 never retries after a 4xx
    return config


class _Account(pj.Account):  # type: ignore[misc]
    """The account at one server; hands its callbacks on."""

    def __init__(self, trunk: "Trunk", on_incoming: Callable[[Any, Any], None]) -> None:
        super().__init__()
        self._trunk = trunk
        self._on_incoming = on_incoming
        self.leaving = False
        """Our farewell is on its way: its outcome is of no interest."""

    @guarded
    def onIncomingCall(self, prm: Any) -> None:  # noqa: N802
        self._on_incoming(self, prm)

    @guarded
    def onRegState(self, prm: Any) -> None:  # noqa: N802
        if not self.leaving:
            self._trunk.registration_answered(self, prm.code, prm.reason, prm.status, prm.rdata.wholeMsg)

    @guarded
    def onIncomingSubscribe(self, prm: Any) -> None:  # noqa: N802
        prm.code = 489  # nobody watches our presence


class Trunk:
    """The trunk as the SIP thread sees it: one account for each of its servers."""

    def __init__(
        self,
        settings: Settings,
        desk: Desk,
        on_incoming: Callable[[Any, Any], None],
        lookup: ServerLookup,
        tls_failures: TlsFailures,
    ) -> None:
        self._all_settings = settings
        self._settings = settings.trunk
        self._desk = desk
        self._on_incoming = on_incoming
        self._lookup = lookup
        self._tls_failures = tls_failures
        self._registered = settings.trunk.mode == "registered"
        self._servers: tuple[Server, ...] = ()
        self._accounts: list[_Account] = []
        self._failed_s: dict[str, float] = {}
        self._failover: Failover
        self._use(lookup.servers)
        if not self._registered:
            self._post(TrunkNews("static", 0, ""))

    @property
    def account(self) -> Any:
        """The account that calls are placed with."""
        return self._accounts[self._failover.active or 0]

    def uri_for(self, number: str) -> str | None:
        """Return where to send the INVITE for ``number``; ``None`` without a server."""
        if not self._servers:
            return None
        return self._servers[self._failover.active or 0].uri(self._settings.transport, number)

    def routes(self, number: str) -> list[Route]:
        """Return the servers to place a call through: the one in use first, those that failed a call last."""
        now_s = self._desk.clock()
        self._failed_s = {s: at_s for s, at_s in self._failed_s.items() if now_s - at_s < FAILED_CALL_S}
        order = sorted(
            range(len(self._servers)),
            key=lambda i: (str(self._servers[i]) in self._failed_s, i != (self._failover.active or 0), i),
        )
        return [
            Route(
                self._accounts[i],
                self._servers[i].uri(self._settings.transport, number),
                str(self._servers[i]),
            )
            for i in order
        ]

    def call_failed(self, server: str) -> None:
        """Note that ``server`` did not take a call: the next calls go through others first."""
        self._failed_s[server] = self._desk.clock()

    def poll(self, now_s: float) -> None:
        """Send the REGISTERs that are due."""
        if not self._lookup.known:
            return
        # Accounts are not exchanged under a call that belongs to one.
        if self._lookup.servers != self._servers and not self._desk.calls and not self._desk.ending:
            self._close_accounts()
            self._use(self._lookup.servers)
        if not self._registered:
            return
        asked, news = self._failover.due(now_s)
        self._post(news)
        for index in asked:
            account = self._accounts[index]
            account.leaving = False
            self._tls_failures.take()
            try:
                account.setRegistration(True)
            except pj.Error as failure:
                self._note(index, 0, detail=explain(failure))

    def registration_answered(
        self, account: Any, sip_code: int, phrase: str, status: int, message: str
    ) -> None:
        """Take the outcome of a REGISTER; ``message`` is the answer, empty when there was none."""
        if not self._registered or account not in self._accounts:
            return
        head = message.partition("\r\n\r\n")[0]
        retry_after = RETRY_AFTER.search(head)
        detail, refused = "", False
        if sip_code in (401, 407):
            realm, ours = REALM.search(head), self._settings.realm or our_domain(self._all_settings)
            if status == ENOTSUP:
                detail = "the trunk asks for a kind of digest that the SIP stack does not know"
            elif not self._settings.password:
                detail = "the trunk asks for a password and none is set"
            elif realm is not None and realm[1] != ours:
                detail = f"the trunk asks for the realm {realm[1]!r:.80} and ours is {ours!r}"
        elif sip_code in (408, 503) and not message:
            detail = self._tls_failures.take()
            refused = bool(detail)
            if not detail:
                detail = "no answer from the trunk"
                if self._settings.transport != "udp" and sip_code == 503:
                    detail += f": {phrase:.120}"
        log.info("REGISTER: %d %s (%d)", sip_code, phrase, status)
        retry_after_s = float(retry_after[1]) if retry_after else None
        self._note(self._accounts.index(account), sip_code, retry_after_s, detail, refused)

    def close(self) -> None:
        """Unregister and drop the accounts."""
        self._registered = False
        self._close_accounts()

    def _use(self, servers: tuple[Server, ...]) -> None:
        """Make an account for every server; one for incoming calls when there is none."""
        self._servers = servers
        for server in servers or (None,):
            account = _Account(self, self._on_incoming)
            account.create(account_config(self._all_settings, server))
            self._accounts.append(account)
        self._failover = Failover(
            [str(server) for server in servers],
            retry_s=float(self._settings.retry_s),
            failover_s=self._settings.failover_s,
            check_s=self._settings.check_s,
            chance=random.random,
        )

    def _note(
        self,
        index: int,
        sip_code: int,
        retry_after_s: float | None = None,
        detail: str = "",
        refused: bool = False,
    ) -> None:
        news, left = self._failover.answered(
            index, self._desk.clock(), sip_code, retry_after_s, detail, refused=refused
        )
        self._post(news)
        for i in left:
            log.info("leaving %s", self._servers[i])
            self._leave(self._accounts[i])

    def _leave(self, account: _Account) -> None:
        account.leaving = True
        try:
            if account.getInfo().regIsActive:
                account.setRegistration(False)
        except pj.Error as failure:
            log.info("not unregistered: %s", explain(failure))

    def _close_accounts(self) -> None:
        for account in self._accounts:
            self._leave(account)
            try:
                account.shutdown()
            except pj.Error as failure:
                log.info("the account was not closed cleanly: %s", explain(failure))
        self._accounts.clear()

    def _post(self, news: TrunkNews | None) -> None:
        if news is not None:
            self._desk.post(
                TrunkChanged(
                    at_s=self._desk.clock(),
                    state=news.state,
                    sip_code=news.sip_code,
                    reason=news.reason,
                    server=news.server,
                )
            )
