"""Norms of calls of ours: ``outbound.hours`` and ``outbound.prepared`` (norms.md, section C)."""

import re
from datetime import datetime, time
from typing import Final

from thirdring.protocol.events import AgentRequested, Event, Prompt, Record, Verdict
from thirdring_device.core.call import Call
from thirdring_device.core.norms.base import Norm
from thirdring_device.core.norms.settings import OutboundSettings

__all__ = ["OutboundHours", "OutboundPrepared", "suits", "windows"]

WEEKEND: Final = 5
"""Weekday number of Saturday."""
_WINDOW: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-(([01]\d|2[0-3]):([0-5]\d)|24:00)")


def windows(texts: tuple[str, ...]) -> list[tuple[time, time]]:
    """Return windows such as ``09:00-12:00`` as times of the day; raises ``ValueError``."""
    found = []
    for text in texts:
        match = _WINDOW.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"{text!r:.40} is not HH:MM-HH:MM")
        start, _, end = text.strip().partition("-")
        last = time.max if end == "24:00" else time.fromisoformat(end)
        if time.fromisoformat(start) >= last:
            raise ValueError(f"{text!r:.40} ends before it begins")
        found.append((time.fromisoformat(start), last))
    return found


def suits(request: AgentRequested, settings: OutboundSettings) -> str:
    """Return why the hour of a call does not suit the other side, empty when it does or nobody knows it."""
    if not request.local_time:
        return ""
    if request.holiday and not settings.holidays:
        return f"public holiday: {request.holiday}"
    local = datetime.fromisoformat(request.local_time)
    texts = settings.weekend_hours if local.weekday() >= WEEKEND else settings.weekday_hours
    if any(start <= local.time() < end for start, end in windows(texts)):
        return ""
    return f"{local:%H:%M} there"


class _Dialled(Norm):
    """Judged by the request to dial alone."""

    unit = "calls"
    manuals = "000"
    prompt_key = ""

    def __init__(self, call: Call, settings: OutboundSettings) -> None:
        super().__init__(call, 0.0)
        self._settings = settings
        self._request: AgentRequested | None = None
        self._objection = ""

    def handle(self, record: Record) -> list[Event]:
        """Look at the request to dial."""
        event = record.event
        if not isinstance(event, AgentRequested) or event.action != "dial":
            return []
        self._request = event
        self.evidence.append(record.number)
        self._objection = self._object(event)
        if not self._objection or event.reason:
            return []
        prompt = Prompt(
            at_s=event.at_s, call_id=self.call.call_id, key=self.prompt_key, rule=self.rule, urgency="warn"
        )
        return [self.noted(event.at_s, "breached", 1.0), prompt]

    def _object(self, request: AgentRequested) -> str:
        raise NotImplementedError

    def verdict(self, ended: Record) -> Verdict:
        """Judge by the objection, unless there was a reason."""
        request = self._request
        if self.call.incoming:
            return self.judged(ended, "not_applicable", None, reason="incoming call")
        if request is None or not request.local_time:
            reason = "an emergency call, or one that no agent asked for"
            return self.judged(ended, "not_applicable", None, reason=reason)
        if self._objection and request.reason:
            return self.judged(ended, "warned", 0.0, reason=self._objection)
        return self.judged(
            ended,
            "breached" if self._objection else "met",
            1.0 if self._objection else 0.0,
            reason=self._objection,
        )


class OutboundHours(_Dialled):
    """``outbound.hours``: people are called when it suits them, not on their public holidays.

    Warned when the agent called anyway and gave a reason. With ``ask_hours`` the call is not dialled without.
    """

    rule = "outbound.hours"
    numbers = ("outbound.weekday_hours", "outbound.weekend_hours", "outbound.holidays", "outbound.ask_hours")
    prompts = ("bad_hour",)
    prompt_key = "bad_hour"

    def _object(self, request: AgentRequested) -> str:
        return suits(request, self._settings)


class OutboundPrepared(_Dialled):
    """``outbound.prepared``: a call is to a contact or a promised call-back, or its reason was given.

    What the dial plan forbids is not dialled at all. With ``ask_prepared`` neither is what is not prepared.
    """

    rule = "outbound.prepared"
    numbers = ("outbound.ask_prepared",)
    prompts = ("prepare_call",)
    prompt_key = "prepare_call"

    def _object(self, request: AgentRequested) -> str:
        return "" if request.known or request.reason else "neither a contact nor a reason"
