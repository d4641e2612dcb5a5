"""An outgoing call's way through the trunk's servers (RFC 3263 clause 4.3). All of it on the SIP thread."""

import logging
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

import pjsua2 as pj

from thirdring_device.adapters.sip.call import DeskCall, call_options
from thirdring_device.adapters.sip.desk import Desk
from thirdring_device.adapters.sip.guard import explain
from thirdring_device.adapters.sip.release import Trigger

__all__ = ["Placing", "Route"]

log = logging.getLogger(__name__)

OUT_OF_SERVICE: Final = 503
ANONYMOUS: Final = '"Anonymous" <sip:anonymous@anonymous.invalid>'
"""The From of a caller without a name (RFC 3323 clause 4.1.1.3)."""


@dataclass(frozen=True, slots=True)
class Route:
    """One server for a call: the account that calls through it, and the number's URI there."""

    account: Any
    uri: str
    server: str


class Placing:
    """Asks one server after another to take a call, until one says anything at all.

    The next one is asked when a server is silent for ``silence_s``, cannot be reached, or answers 503.
    ``failed(server)`` is told each of those. To the core it is one call all the time.
    """

    def __init__(
        self,
        desk: Desk,
        call_id: str,
        routes: Iterable[Route],
        *,
        silence_s: float,
        failed: Callable[[str], None],
        withheld: bool = False,
    ) -> None:
        """``withheld``: the other side is not to learn our number."""
        self._withheld = withheld
        self._desk, self._call_id, self._silence_s, self._failed = desk, call_id, silence_s, failed
        self._routes = deque(routes)
        self._route: Route
        self._since_s = 0.0
        self._next()

    def poll(self, now_s: float) -> None:
        """Ask the next server when this one has been silent for too long."""
        call = self._desk.calls.get(self._call_id)
        if call is None or call.heard or not self._routes or now_s - self._since_s < self._silence_s:
            return
        self._go_on(call, f"silent for {self._silence_s:g} s")

    def goes_on(self, call: DeskCall, sip_code: int, trigger: Trigger) -> bool:
        """Return whether the next server is asked, now that this one has failed the call."""
        unreached = trigger != "message" and not call.heard
        if not self._routes or not (unreached or (trigger == "message" and sip_code == OUT_OF_SERVICE)):
            return False
        self._go_on(call, f"{sip_code}" if trigger == "message" else "not reached")
        return True

    def _go_on(self, call: DeskCall, why: str) -> None:
        log.warning(
            "call %s: %s: %s; trying %s", self._call_id, self._route.server, why, self._routes[0].server
        )
        self._failed(self._route.server)
        call.leave()
        self._next()

    def _next(self) -> None:
        self._route = self._routes.popleft()
        self._since_s = self._desk.clock()
        call = DeskCall(self._route.account, self._desk, self._call_id)
        call.placing = self
        try:
            options = call_options()
            if self._withheld:
                _withhold(options.txOption, self._route.account.getInfo().uri)
            call.makeCall(self._route.uri, options)
        except pj.Error as failure:
            call.gone = True
            if self._routes:
                self._go_on(call, explain(failure))
            else:
                call.release("network", "failed", 0, explain(failure))


def _withhold(options: Any, ours: str) -> None:
    """Ask the trunk by ``Privacy: id`` to keep our number back, and tell it alone who we are (RFC 3325)."""
    options.localUri = ANONYMOUS
    for name, value in (("Privacy", "id"), ("P-Preferred-Identity", f"<{ours.strip('<>')}>")):
        header = pj.SipHeader()
        header.hName, header.hValue = name, value
        options.headers.push_back(header)
