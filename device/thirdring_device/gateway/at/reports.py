"""Events as the lines a console reports of its own accord: one table from event to group of lines."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from thirdring.protocol.at.values import address_type, fields, phone_number
from thirdring.protocol.events import (
    CallEnded,
    CallProgress,
    Event,
    HeadsetChanged,
    NormNoted,
    RingBurst,
    TrunkChanged,
    TrunkState,
    Verdict,
)
from thirdring_device.gateway.at.profile import Profile
from thirdring_device.gateway.at.watch import WatchedCall

__all__ = ["REGISTRATION", "clip_line", "end_code", "headset_line", "norm_line", "report_of", "trunk_line"]

REGISTRATION: Final[Mapping[TrunkState, int]] = {
    "static": 1,
    "registered": 1,
    "registering": 2,
    "unreachable": 2,
    "refused": 3,
}
"""State of the trunk as 3GPP TS 27.007 clause 7.2: 1 registered, 2 searching, 3 denied."""


def clip_line(call: WatchedCall) -> str:
    """Return ``+CLIP: number,type,,,,validity`` (27.007 clause 7.6); 1: withheld, 2: none to show."""
    number = phone_number(call.number)
    validity = 0 if number else 1 if call.withheld else 2
    return f"+CLIP: {fields([number, address_type(number)])},,,,{validity}"


def norm_line(event: NormNoted | Verdict) -> str:
    """Return ``#NORM: rule,verdict,value,unit,threshold,reason,call_id``."""
    state = event.state if isinstance(event, NormNoted) else event.verdict
    reason = event.reason if isinstance(event, Verdict) else ""
    shown = [event.rule, state, event.value, event.unit, event.threshold, reason, event.call_id]
    return f"#NORM: {fields(shown)}"


def trunk_line(state: TrunkState, sip_code: int, reason: str) -> str:
    """Return ``#TRUNK: state,SIP code,reason``."""
    return f"#TRUNK: {fields([state, sip_code, reason])}"


def headset_line(device: str, state: str) -> str:
    """Return ``#HEADSET: sound device,state``."""
    return f"#HEADSET: {fields([device, state])}"


def end_code(event: CallEnded, call: WatchedCall, profile: Profile) -> str:
    """Return the result code of a call's end (V.250 clause 6.3.1 and table 1, as ``X`` allows)."""
    if call.incoming or call.answered:
        return "NO CARRIER"
    if event.cause == "busy" and profile.progress >= 3:
        return "BUSY"
    return "NO ANSWER" if event.cause == "no_answer" else "NO CARRIER"


def _ring(event: RingBurst, call: WatchedCall | None, profile: Profile) -> Sequence[str]:
    if call is not None and call.waiting:
        return _waits(event, call, profile)
    lines = ["+CRING: VOICE" if profile.cring else "RING"]
    if profile.clip and call is not None:
        lines.append(clip_line(call))
    if profile.reports:
        lines.append(f"#RING: {event.ring},{event.urgency}")
    return lines


def _waits(event: RingBurst, call: WatchedCall, profile: Profile) -> Sequence[str]:
    """Report a call that waits, once, by 27.007 clause 7.12: ``+CCWA: number,type,class``."""
    lines = []
    if profile.waiting and event.ring == 1:
        number = phone_number(call.number)
        lines.append(f"+CCWA: {fields([number, address_type(number), 1])}")
    if profile.reports:
        lines.append(f"#RING: {event.ring},{event.urgency}")
    return lines


def _norm(event: NormNoted | Verdict, call: WatchedCall | None, profile: Profile) -> Sequence[str]:
    return [norm_line(event)] if profile.reports else []


def _ended(event: CallEnded, call: WatchedCall | None, profile: Profile) -> Sequence[str]:
    return [end_code(event, call, profile)] if call is not None and call.announced else []


def _progress(event: CallProgress, call: WatchedCall | None, profile: Profile) -> Sequence[str]:
    return [f"#PROGRESS: {event.heard}"] if profile.reports else []


def _trunk(event: TrunkChanged, call: WatchedCall | None, profile: Profile) -> Sequence[str]:
    lines = [f"+CREG: {REGISTRATION[event.state]}"] if profile.registration else []
    return [*lines, trunk_line(event.state, event.sip_code, event.reason)] if profile.reports else lines


def _headset(event: HeadsetChanged, call: WatchedCall | None, profile: Profile) -> Sequence[str]:
    return [headset_line(event.device, event.state)] if profile.reports else []


_REPORTS: Final[Mapping[type[Event], Callable[[Any, WatchedCall | None, Profile], Sequence[str]]]] = {
    RingBurst: _ring,
    NormNoted: _norm,
    Verdict: _norm,
    CallEnded: _ended,
    TrunkChanged: _trunk,
    HeadsetChanged: _headset,
    CallProgress: _progress,
}


def report_of(event: Event, call: WatchedCall | None, profile: Profile) -> Sequence[str]:
    """Return the lines of one group, none when the console is not to hear of it."""
    make = _REPORTS.get(type(event))
    return make(event, call, profile) if make else ()
