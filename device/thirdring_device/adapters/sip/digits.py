"""DTMF to the customer, one digit after another (RFC 4733, SIP INFO, tones). All of it on the SIP thread."""

import logging
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import pjsua2 as pj

from thirdring.protocol.events import RequestFailed
from thirdring_device.adapters.sip.guard import explain
from thirdring_device.core.calls_settings import CallsSettings

if TYPE_CHECKING:
    from thirdring_device.adapters.sip.call import DeskCall

__all__ = ["DigitSender"]

log = logging.getLogger(__name__)

CHALLENGES: Final = (401, 407)
"""The stack answers these itself."""
LONGEST_S: Final = 35.0
"""An INFO is answered or given up by then (RFC 3261 timer F, 32 s)."""

_METHODS: Final = {"event": pj.PJSUA_DTMF_METHOD_RFC2833, "info": pj.PJSUA_DTMF_METHOD_SIP_INFO}


class DigitSender:
    """The digits of one call that are still to be sent. The stack itself keeps 32 and no pause between."""

    def __init__(self, call: "DeskCall", settings: Callable[[], CallsSettings]) -> None:
        self._call = call
        self._settings = settings
        self._waiting: deque[tuple[str, int]] = deque()
        self._next_s = 0.0
        self._unanswered_s: float | None = None
        """When an INFO that is still to be answered is no longer waited for."""
        self.sent = 0
        """Digits given to the stack so far."""

    def send(self, digits: str, duration_ms: int) -> None:
        """Send ``digits`` behind those that wait, each for ``duration_ms`` (0: as set)."""
        length_ms = duration_ms or self._settings().dtmf_ms
        self._waiting.extend((digit, length_ms) for digit in digits)
        self.poll(self._call.desk.clock())

    def stop(self) -> None:
        """Forget what waits."""
        self._waiting.clear()

    def poll(self, now_s: float) -> None:
        """Send the next digit when the one before and its pause are over."""
        if not self._waiting or now_s < self._next_s or not self._call.established:
            return
        # One INFO at a time: of two under way the second may be there first (RFC 3261 clause 12.2.2).
        if self._unanswered_s is not None and now_s < self._unanswered_s:
            return
        self._unanswered_s = None
        digit, duration_ms = self._waiting.popleft()
        pause_ms = self._settings().dtmf_pause_ms
        self._next_s = max(self._next_s, now_s - 0.02) + (duration_ms + pause_ms) / 1000
        try:
            self._send(digit, duration_ms)
            self.sent += 1
        except pj.Error as failure:
            self._waiting.clear()
            reason = explain(failure)
            self._call.post(
                RequestFailed(at_s=now_s, call_id=self._call.call_id, action="dtmf", reason=reason)
            )

    def answered(self, sip_code: int, reason: str) -> None:
        """Take the final answer to our INFO."""
        if self._unanswered_s is None or sip_code in CHALLENGES:
            return
        self._unanswered_s = None
        now_s = self._call.desk.clock()
        if sip_code >= 300:
            self._waiting.clear()
            call_id = self._call.call_id
            self._call.post(
                RequestFailed(at_s=now_s, call_id=call_id, action="dtmf", sip_code=sip_code, reason=reason)
            )
        self.poll(now_s)

    def _send(self, digit: str, duration_ms: int) -> None:
        method = self._settings().dtmf_out
        if method == "tone":
            self._call.desk.sound.play_digit(self._call.call_id, digit, duration_ms)
            return
        parameter = pj.CallSendDtmfParam()
        parameter.digits = digit
        parameter.duration = duration_ms
        parameter.method = _METHODS.get(method, pj.PJSUA_DTMF_METHOD_RFC2833)
        try:
            self._call.sendDtmf(parameter)
        except pj.Error as failure:
            if method != "auto":
                raise
            log.info("call %s: RFC 4733: %s; sending INFO", self._call.call_id, explain(failure))
            parameter.method = pj.PJSUA_DTMF_METHOD_SIP_INFO
            self._call.sendDtmf(parameter)
        if parameter.method == pj.PJSUA_DTMF_METHOD_SIP_INFO:
            self._unanswered_s = self._call.desk.clock() + LONGEST_S
