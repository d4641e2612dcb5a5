"""Transfer of one call by REFER (RFC 3515), to a number or to another call (RFC 3891). On the SIP thread."""

import logging
from typing import TYPE_CHECKING, Final, Literal

import pjsua2 as pj

from thirdring.protocol.events import TransferProgress
from thirdring_device.adapters.sip.guard import explain

if TYPE_CHECKING:
    from thirdring_device.adapters.sip.call import DeskCall

__all__ = ["Transfer"]

log = logging.getLogger(__name__)

CHALLENGES: Final = (401, 407)
"""The stack answers these itself."""
LONGEST_S: Final = 180.0
"""A transfer of which nothing was heard for so long has failed; three minutes is how long an INVITE may ring
(RFC 3261, timer C)."""

State = Literal["asked", "accepted", "ringing", "succeeded", "failed"]


class Transfer:
    """The transfer of a call that is under way, if one is."""

    def __init__(self, call: "DeskCall") -> None:
        self._call = call
        self._target = ""
        self._other: DeskCall | None = None
        self._deadline_s: float | None = None
        self.accepted = False
        """Whether the other side has taken it on: should it hang up now, it was for this."""

    def begin(self, target: str, uri: str, other: "DeskCall | None" = None) -> None:
        """Ask the other side to call ``uri``, or to take the place of ``other``."""
        if self._deadline_s is not None or not self._call.established:
            self._post("failed", 0, "a transfer is under way already")
            return
        self._target, self._other, self.accepted = target, other, False
        self._deadline_s = self._call.desk.clock() + LONGEST_S
        self._post("asked", 0, "")
        try:
            if other is None and not uri:
                self._end("failed", 0, "the trunk is not set up for outgoing calls")
            elif other is None:
                self._call.xfer(uri, self._call.options())
            else:
                self._call.xferReplaces(other, self._call.options())
        except pj.Error as failure:
            self._end("failed", 0, explain(failure))

    def poll(self, now_s: float) -> None:
        """Give up what has taken too long."""
        if self._deadline_s is not None and now_s >= self._deadline_s:
            self._end("failed", 408, "nothing was heard of it")

    def answered(self, sip_code: int, reason: str) -> None:
        """Take the final answer to our REFER."""
        if self._deadline_s is None or sip_code in CHALLENGES:
            return
        if sip_code >= 300:
            self._end("failed", sip_code, reason)
        elif not self.accepted:
            self.accepted = True
            self._post("accepted", sip_code, reason)

    def told(self, sip_code: int, reason: str) -> None:
        """Take a NOTIFY: what the other side got from the target."""
        if self._deadline_s is None:
            return
        self._deadline_s = self._call.desk.clock() + LONGEST_S
        if sip_code >= 300:
            self._end("failed", sip_code, reason)
        elif sip_code >= 200:
            self._end("succeeded", sip_code, reason)
        elif sip_code > 100:
            self._post("ringing", sip_code, reason)

    def _end(self, state: State, sip_code: int, reason: str) -> None:
        self._deadline_s = None
        self._post(state, sip_code, reason)
        self.accepted = False
        other, self._other = self._other, None
        if state == "succeeded":
            for call in (self._call, other):
                if call is not None and call.established:
                    call.release("agent", "transferred", 0)

    def _post(self, state: State, sip_code: int, reason: str) -> None:
        self._call.post(
            TransferProgress(
                at_s=self._call.desk.clock(),
                call_id=self._call.call_id,
                state=state,
                target=self._target,
                consulted=self._other is not None,
                other_call_id=self._other.call_id if self._other is not None else "",
                sip_code=sip_code,
                reason=reason,
            )
        )
