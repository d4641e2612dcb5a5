"""Hold of one call, ours and theirs, kept apart. All of it on the SIP thread.

Ours counts at once: the sound is parted first, then the other side is told by re-INVITE (RFC 3264 clause
8.4), as soon as no other re-INVITE is under way; should it refuse, the customer is held all the same.
Theirs is read from the SDP they offer.
"""

import logging
import random
import re
from typing import TYPE_CHECKING, Final

import pjsua2 as pj

from thirdring.protocol.events import HoldEnded, HoldStarted, RequestFailed
from thirdring_device.adapters.sip.guard import explain

if TYPE_CHECKING:
    from thirdring_device.adapters.sip.call import DeskCall

__all__ = ["Hold", "sdp_holds"]

log = logging.getLogger(__name__)

REQUEST_PENDING: Final = 491
CHALLENGES: Final = (401, 407)
"""The stack answers these itself."""
RETRY_S: Final = 0.25
"""How soon to try again while another re-INVITE of the call is under way."""
GLARE_S: Final = {True: (2.1, 4.0), False: (0.0, 2.0)}
"""Wait after a 491, by whether the Call-ID is ours (RFC 3261 clause 14.1)."""

_DIRECTION: Final = re.compile(r"^a=(sendrecv|sendonly|recvonly|inactive)\s*$", re.MULTILINE)
_NOWHERE: Final = re.compile(r"^c=IN IP4 0\.0\.0\.0\s*$", re.MULTILINE)


def sdp_holds(message: str) -> bool | None:
    """Return whether an offer or answer puts its receiver on hold; None for a message without SDP.

    ``sendonly`` and ``inactive`` (RFC 3264 clause 8.4) and the address 0.0.0.0 (RFC 2543) do.
    """
    head, _, body = message.partition("\r\n\r\n")
    if "\nm=audio" not in body or "application/sdp" not in head.lower():
        return None
    direction = (_DIRECTION.findall(body) or ["sendrecv"])[-1]
    return direction in ("sendonly", "inactive") or _NOWHERE.search(body) is not None


class Hold:
    """What is wished, what the other side was told, and what it wishes itself."""

    def __init__(self, call: "DeskCall", *, call_id_is_ours: bool) -> None:
        self._call = call
        self._glare_s = GLARE_S[call_id_is_ours]
        self._wished = False
        self._ours = False
        """From the request to hold until the sound is there again."""
        self._theirs = False
        self._told = False
        self._sent: bool | None = None
        """What the re-INVITE under way says."""
        self._refused = False
        self._next_try_s = 0.0

    @property
    def keeps_silent(self) -> bool:
        """Whether the sound must not be linked."""
        return self._wished

    @property
    def agreed(self) -> bool:
        """Whether the other side has answered all that is wished, be it with a refusal."""
        return self._sent is None and (self._told == self._wished or self._refused)

    def begin(self, *, tell: bool = True) -> None:
        """Hold the call; with ``tell`` False the other side is left to notice."""
        if not self._call.established:
            return
        self._wished = True
        if not self._ours:
            self._ours, self._refused = True, not tell
            self._call.mute(False)
            self._call.digits.stop()
            self._call.desk.sound.hold(self._call.call_id)
            self._call.post(HoldStarted(at_s=self._call.desk.clock(), call_id=self._call.call_id, by="agent"))
        self.poll(self._call.desk.clock())

    def end(self) -> None:
        """Take the call back; the hold is over when the sound is there again."""
        self._wished = False
        self.poll(self._call.desk.clock())

    def linked(self) -> None:
        """Note that headset and customer hear each other."""
        if self._ours:
            self._ours = False
            self._call.post(HoldEnded(at_s=self._call.desk.clock(), call_id=self._call.call_id, by="agent"))

    def poll(self, now_s: float) -> None:
        """Tell the other side what it does not know yet, where nothing is under way."""
        if self._sent is not None or now_s < self._next_try_s or not self._call.established:
            return
        if self._wished == self._told:
            if self._ours and not self._wished:
                self._call.link_sound()
        elif not (self._wished and self._refused) and self._call.confirmed:
            self._tell(now_s)

    def _tell(self, now_s: float) -> None:
        try:
            self._sent = self._wished
            if self._wished:
                self._call.setHold(self._call.options())
            else:
                options = self._call.options()
                options.opt.flag = pj.PJSUA_CALL_UNHOLD
                self._call.reinvite(options)
        except pj.Error as failure:
            self._sent = None
            self._next_try_s = now_s + RETRY_S
            log.info("call %s: a re-INVITE has to wait: %s", self._call.call_id, explain(failure))

    def answered(self, sip_code: int, message: str) -> None:
        """Take the final answer to our re-INVITE; ``message`` is empty when none came."""
        if self._sent is None or sip_code in CHALLENGES:
            return
        sent, self._sent = self._sent, None
        now_s = self._call.desk.clock()
        if sip_code < 300:
            self._told = sent
            if not sent:
                self.offered(message)
        elif sip_code == REQUEST_PENDING:
            self._next_try_s = now_s + random.uniform(*self._glare_s)  # noqa: S311 - no secret
        elif sent:
            self._refused = True
            log.warning("call %s: held, though the other side answered %d", self._call.call_id, sip_code)
        else:
            self._wished = True
            call_id = self._call.call_id
            self._call.post(RequestFailed(at_s=now_s, call_id=call_id, action="resume", sip_code=sip_code))

    def offered(self, message: str) -> None:
        """Take the other side's SDP."""
        holds = sdp_holds(message)
        if holds is None or holds == self._theirs:
            return
        self._theirs = holds
        kind = HoldStarted if holds else HoldEnded
        self._call.post(kind(at_s=self._call.desk.clock(), call_id=self._call.call_id, by="customer"))
