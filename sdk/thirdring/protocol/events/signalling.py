"""Facts of a call that SIP and the agent's requests give."""

from dataclasses import dataclass
from typing import Literal

from thirdring.protocol.events.base import AgentAction, Cause, Event, Party, Side

__all__ = [
    "AgentRequested",
    "CallAlerting",
    "CallAnswered",
    "CallEnded",
    "CallIncoming",
    "CallOutgoing",
    "CallQuality",
    "ConferenceEnded",
    "ConferenceStarted",
    "HoldEnded",
    "HoldStarted",
    "MuteEnded",
    "MuteStarted",
    "RequestFailed",
    "TransferProgress",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallIncoming(Event):
    """An INVITE arrived. ``number`` is empty when the caller withholds it or sent none.

    ``withheld``: the caller wants to be anonymous (RFC 3323). ``asserted``: the trunk vouches for number
    and name (RFC 3325); otherwise they are the caller's own word. ``answer_after_s``: the call is to be
    answered by itself so long after it began to ring, None when it is not. ``replaces``: the call, now over,
    that it takes the place of (RFC 3891): it is answered without a ring; empty for any other.
    """

    kind = "call_incoming"
    number: str
    display_name: str = ""
    remote_uri: str = ""
    withheld: bool = False
    asserted: bool = False
    answer_after_s: float | None = None
    replaces: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOutgoing(Event):
    """Our INVITE is on its way."""

    kind = "call_outgoing"
    number: str
    remote_uri: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallAlerting(Event):
    """The first 180 or 183: sent by us (incoming call) or received (outgoing call).

    ``early_media``: it was a 183, so the network is heard before the answer (RFC 3960). ``waiting``: another
    call was there when this one came in, so it alerts quietly.
    """

    kind = "call_alerting"
    waiting: bool = False
    early_media: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CallAnswered(Event):
    """The 200 OK: sent by us (incoming call) or received (outgoing call)."""

    kind = "call_answered"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEnded(Event):
    """The call is over; ``by`` is who released it."""

    kind = "call_ended"
    by: Party
    cause: Cause
    sip_code: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallQuality(Event):
    """What the network did to the call's sound, told at its end when there was any.

    ``received``, ``lost_percent``, ``discarded_percent`` (came too late to be played), ``jitter_ms`` and
    ``buffer_ms`` (mean delay in the jitter buffer) are of what came in; ``sent*`` of what we sent, as the
    other side reported it (RTCP, RFC 3550 clause 6.4), None without a report. ``heard_mos`` and ``sent_mos``:
    mean opinion score estimated by the E-model (ITU-T G.107), 1 to 4.5, None for codecs without published
    values.
    """

    kind = "call_quality"
    codec: str
    encrypted: bool
    received: int
    lost_percent: float
    discarded_percent: float
    jitter_ms: float
    buffer_ms: float
    sent: int
    sent_lost_percent: float | None
    sent_jitter_ms: float | None
    round_trip_ms: float | None
    heard_mos: float | None
    sent_mos: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentRequested(Event):
    """The agent (or a program for the agent) asked for something; ``source`` is the way it came.

    ``other_call_id``: the second call of a conference, or of a transfer after consultation. ``consent``:
    the customer agreed to the transfer. ``duration_ms``: of each digit, 0 as set. Of a call that is dialled:
    ``reason`` why, in the agent's words; ``known`` whether it is a contact's or a promised call-back;
    ``local_time`` there (ISO 8601, empty for emergency calls) and the public ``holiday`` there, if any;
    ``withheld`` whether our number is to be kept from the other side (RFC 3323).
    """

    kind = "agent_requested"
    action: AgentAction
    source: str = ""
    argument: str = ""
    other_call_id: str = ""
    consent: bool = False
    duration_ms: int = 0
    reason: str = ""
    known: bool = False
    local_time: str = ""
    holiday: str = ""
    withheld: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFailed(Event):
    """What the agent had asked for was not done; ``sip_code`` is the other side's answer, 0 without one."""

    kind = "request_failed"
    action: AgentAction
    sip_code: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldStarted(Event):
    """From ``at_s`` on the call is on hold: ``by`` the agent, or by the customer's own telephone."""

    kind = "hold_started"
    by: Side


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldEnded(Event):
    """The hold ``by`` that side is over: the two hear each other again, unless the other side holds, too."""

    kind = "hold_ended"
    by: Side


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferProgress(Event):
    """How a transfer goes on, as the customer's side tells it (RFC 3515).

    ``consulted``: to a call of ours (``other_call_id``, RFC 3891) instead of to a number. ``sip_code`` is
    what the customer's side got from ``target``, or its answer to our REFER.
    """

    kind = "transfer_progress"
    state: Literal["asked", "accepted", "ringing", "succeeded", "failed"]
    target: str
    consulted: bool = False
    other_call_id: str = ""
    sip_code: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConferenceStarted(Event):
    """The customer hears not only the agent but also the customer of ``other_call_id``."""

    kind = "conference_started"
    other_call_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConferenceEnded(Event):
    """The customer no longer hears the other customer."""

    kind = "conference_ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class MuteStarted(Event):
    """From ``at_s`` on the customer does not hear the agent, who hears the customer."""

    kind = "mute_started"


@dataclass(frozen=True, slots=True, kw_only=True)
class MuteEnded(Event):
    """The customer hears the agent again, or the call was put on hold."""

    kind = "mute_ended"
