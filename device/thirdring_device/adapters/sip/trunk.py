"""Our account at the trunk: its configuration, registration, and the callers it lets in."""

import logging
import random
import re
from collections.abc import Callable
from typing import Any

import pjsua2 as pj

from thirdring.protocol.events import TrunkChanged
from thirdring_device.adapters.sip.addresses import dial_uri, host_of
from thirdring_device.adapters.sip.desk import Desk
from thirdring_device.adapters.sip.endpoint import RTP_PORTS, bound_address
from thirdring_device.adapters.sip.guard import explain, guarded
from thirdring_device.adapters.sip.registration import Registration, TrunkNews
from thirdring_device.settings import Settings

__all__ = ["Trunk"]

log = logging.getLogger(__name__)

ENOTSUP = 70012
"""pjlib's PJ_ENOTSUP."""

RETRY_AFTER = re.compile(r"^Retry-After\s*:\s*(\d{1,9})", re.IGNORECASE | re.MULTILINE)
REALM = re.compile(r'^(?:WWW|Proxy)-Authenticate\s*:.*?realm\s*=\s*"([^"]*)"', re.IGNORECASE | re.MULTILINE)


def account_config(settings: Settings) -> Any:
    """Return the ``AccountConfig``; to be called after ``libInit``, else session timers are zero."""
    trunk, sip = settings.trunk, settings.sip
    domain = trunk.domain or host_of(trunk.server) or bound_address(sip) or "localhost"
    if ":" in domain:
        domain = f"[{domain}]"
    config = pj.AccountConfig()
    config.idUri = f"sip:{trunk.user}@{domain}"
    config.mediaConfig.transportConfig.port = sip.rtp_port
    config.mediaConfig.transportConfig.portRange = RTP_PORTS
    config.mediaConfig.transportConfig.boundAddress = bound_address(sip)
    if trunk.password:
        config.sipConfig.authCreds.append(
            pj.AuthCredInfo("digest", trunk.realm or domain, trunk.auth_user or trunk.user, 0, trunk.password)
        )
    if trunk.mode == "registered":
        config.regConfig.registrarUri = f"sip:{trunk.server}"
        config.regConfig.timeoutSec = trunk.register_expires_s
        config.regConfig.registerOnAdd = False
        config.regConfig.retryIntervalSec = 0  # Registration does it: pjsua2 never retries after a 4xx
    return config


class _Account(pj.Account):  # type: ignore[misc]
    """Hands the account's callbacks on."""

    def __init__(self, trunk: "Trunk", on_incoming: Callable[[Any, Any], None]) -> None:
        super().__init__()
        self._trunk = trunk
        self._on_incoming = on_incoming

    @guarded
    def onIncomingCall(self, prm: Any) -> None:  # noqa: N802
        self._on_incoming(self, prm)

    @guarded
    def onRegState(self, prm: Any) -> None:  # noqa: N802
        self._trunk.registration_answered(prm.code, prm.reason, prm.status, prm.rdata.wholeMsg)

    @guarded
    def onIncomingSubscribe(self, prm: Any) -> None:  # noqa: N802
        prm.code = 489  # nobody watches our presence


class Trunk:
    """The trunk as the SIP thread sees it."""

    def __init__(self, settings: Settings, desk: Desk, on_incoming: Callable[[Any, Any], None]) -> None:
        self._settings = settings.trunk
        self._desk = desk
        self.account = _Account(self, on_incoming)
        self.account.create(account_config(settings))
        self._registration: Registration | None = None
        if settings.trunk.mode == "registered":
            self._registration = Registration(float(settings.trunk.retry_s), random.random)
        else:
            self._post(TrunkNews("static", 0, ""))

    def uri_for(self, number: str) -> str | None:
        """Return where to send the INVITE for ``number``; ``None`` without a server."""
        return dial_uri(number, self._settings.server) if self._settings.server else None

    def poll(self, now_s: float) -> None:
        """Send the REGISTER that is due."""
        registration = self._registration
        if registration is None or registration.due_s is None or now_s < registration.due_s:
            return
        self._post(registration.sent())
        try:
            self.account.setRegistration(True)
        except pj.Error as failure:
            self._post(registration.answered(now_s, 0, detail=explain(failure)))

    def registration_answered(self, sip_code: int, phrase: str, status: int, message: str) -> None:
        """Take the outcome of a REGISTER; ``message`` is the answer, empty when there was none."""
        if self._registration is None:
            return
        head = message.partition("\r\n\r\n")[0]
        retry_after = RETRY_AFTER.search(head)
        detail = ""
        if sip_code in (401, 407):
            realm, ours = REALM.search(head), self._our_realm()
            if status == ENOTSUP:
                detail = "the trunk asks for a kind of digest that the SIP stack does not know"
            elif not self._settings.password:
                detail = "the trunk asks for a password and none is set"
            elif realm is not None and realm[1] != ours:
                detail = f"the trunk asks for the realm {realm[1]!r:.80} and ours is {ours!r}"
        elif sip_code in (408, 503) and not message:
            detail = "no answer from the trunk"
        log.info("REGISTER: %d %s (%d)", sip_code, phrase, status)
        retry_after_s = float(retry_after[1]) if retry_after else None
        self._post(self._registration.answered(self._desk.clock(), sip_code, retry_after_s, detail))

    def close(self) -> None:
        """Unregister and drop the account."""
        registered, self._registration = self._registration is not None, None
        try:
            if registered and self.account.getInfo().regIsActive:
                self.account.setRegistration(False)
            self.account.shutdown()
        except pj.Error as failure:
            log.info("the account was not closed cleanly: %s", explain(failure))
        del self.account

    def _our_realm(self) -> str:
        return self._settings.realm or self._settings.domain or host_of(self._settings.server)

    def _post(self, news: TrunkNews | None) -> None:
        if news is not None:
            self._desk.post(
                TrunkChanged(
                    at_s=self._desk.clock(), state=news.state, sip_code=news.sip_code, reason=news.reason
                )
            )
