"""What may be asked of the desk now: each request, the states it fits, and the error when it does not fit."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from thirdring.protocol.commands import (
    Answer,
    Command,
    Conference,
    Dial,
    Forward,
    Hangup,
    Hold,
    Mute,
    PauseRecording,
    Resume,
    ResumeRecording,
    SendDtmf,
    Swap,
    Transfer,
    Unmute,
)
from thirdring.protocol.errors import error
from thirdring.protocol.events import AgentAction, AgentRequested
from thirdring_device.core.call import Call, CallState
from thirdring_device.core.number import is_number

__all__ = ["MOST_CALLS", "admit"]

MOST_CALLS: Final = 2
"""Calls that are there at the same time: one in talk, one held or waiting."""
DTMF_DIGITS: Final = frozenset("0123456789ABCDabcd*#")
SHORTEST_DIGIT_MS: Final = 40
"""ITU-T Q.24: what a receiver must recognise."""
LONGEST_DIGIT_MS: Final = 5000
ESTABLISHED: Final[tuple[CallState, ...]] = ("active", "held")

Calls = Sequence[Call]


@dataclass(frozen=True, slots=True)
class _Rule:
    """A request about one call: the states it fits, the preferred one first; the error when none does."""

    action: AgentAction
    states: tuple[CallState, ...]
    none_code: int = 2002


_RULES: Final[Mapping[type[Command], _Rule]] = {
    Answer: _Rule("answer", ("incoming",), 2001),
    Hangup: _Rule("hangup", ("active", "alerting", "dialing", "answering", "incoming", "held")),
    Hold: _Rule("hold", ("active",)),
    Resume: _Rule("resume", ("held",)),
    Mute: _Rule("mute", ("active",)),
    Unmute: _Rule("unmute", ("active",)),
    PauseRecording: _Rule("pause_recording", ESTABLISHED),
    ResumeRecording: _Rule("resume_recording", ESTABLISHED),
    SendDtmf: _Rule("dtmf", ("active",)),
    Conference: _Rule("conference", ("active",)),
    Forward: _Rule("forward", ("incoming",), 2001),
    Transfer: _Rule("transfer", ("active", "held")),
}


def admit(calls: Calls, command: Command, at_s: float, new_call_id: str) -> AgentRequested:
    """Turn a command into the fact that it was asked for; raises ``CallError`` when it cannot be."""
    special = _SPECIAL.get(type(command))
    if special is not None:
        return special(calls, command, at_s, new_call_id)
    return _about_call(calls, command, at_s)


def _about_call(calls: Calls, command: Command, at_s: float, argument: str = "") -> AgentRequested:
    rule = _RULES.get(type(command))
    if rule is None:
        raise error(1002, command.name)
    call = _pick(calls, getattr(command, "call_id", ""), rule)
    return AgentRequested(
        at_s=at_s, call_id=call.call_id, action=rule.action, source=command.source, argument=argument
    )


def _pick(calls: Calls, call_id: str, rule: _Rule) -> Call:
    """Return the call meant; raises 2000 (no such call), 2004 (not now) or the rule's code."""
    if call_id:
        named = next((call for call in calls if call.call_id == call_id), None)
        if named is None:
            raise error(2000, call_id)
        if named.state not in rule.states:
            raise error(2004, named.state)
        return named
    fitting = [call for call in calls if call.state in rule.states]
    if not fitting:
        raise error(rule.none_code)
    return min(fitting, key=lambda call: rule.states.index(call.state))


def _dial(calls: Calls, command: Command, at_s: float, new_call_id: str) -> AgentRequested:
    assert isinstance(command, Dial)  # noqa: S101 - by the table
    number = _number(command.number)
    if len(calls) >= MOST_CALLS or any(call.state not in ESTABLISHED for call in calls):
        raise error(2003)
    return AgentRequested(
        at_s=at_s,
        call_id=new_call_id,
        action="dial",
        source=command.source,
        argument=number,
        reason=command.reason,
        withheld=command.withheld,
    )


def _number(number: str) -> str:
    if not is_number(number):
        raise error(2005, number[:60])
    return number


def _transfer(calls: Calls, command: Command, at_s: float, _: str) -> AgentRequested:
    """Hand on the call in talk to a number; to the other call the one that was there first."""
    assert isinstance(command, Transfer)  # noqa: S101 - by the table
    if command.target:
        request = _about_call(calls, command, at_s, _number(command.target))
        return replace(request, consent=command.consent)
    first, second = _both(calls)
    if command.call_id == second.call_id:
        first, second = second, first
    elif command.call_id not in ("", first.call_id):
        raise error(2000, command.call_id)
    request = _about_call(calls, replace(command, call_id=first.call_id), at_s)
    return replace(request, other_call_id=second.call_id, consent=command.consent)


def _forward(calls: Calls, command: Command, at_s: float, _: str) -> AgentRequested:
    assert isinstance(command, Forward)  # noqa: S101 - by the table
    return _about_call(calls, command, at_s, _number(command.target))


def _conference(calls: Calls, command: Command, at_s: float, _: str) -> AgentRequested:
    request = _about_call(calls, command, at_s)
    first, second = _both(calls)
    other = second if request.call_id == first.call_id else first
    return replace(request, other_call_id=other.call_id)


def _both(calls: Calls) -> tuple[Call, Call]:
    """Return the two calls that are up; raises 2007 when there are not two."""
    up = [call for call in calls if call.state in ESTABLISHED]
    if len(up) < MOST_CALLS:
        raise error(2007)
    return up[0], up[1]


def _send_dtmf(calls: Calls, command: Command, at_s: float, _: str) -> AgentRequested:
    assert isinstance(command, SendDtmf)  # noqa: S101 - by the table
    if not command.digits or not set(command.digits) <= DTMF_DIGITS:
        raise error(2006, command.digits[:40])
    if command.duration_ms and not SHORTEST_DIGIT_MS <= command.duration_ms <= LONGEST_DIGIT_MS:
        raise error(1004, f"duration_ms is {command.duration_ms}")
    request = _about_call(calls, command, at_s, command.digits.upper())
    return replace(request, duration_ms=command.duration_ms)


def _swap(calls: Calls, command: Command, at_s: float, _: str) -> AgentRequested:
    """Take the held call back, which holds the other one."""
    if len(calls) < MOST_CALLS:
        raise error(2007)
    return _about_call(calls, Resume(source=command.source), at_s)


def _recording(calls: Calls, command: Command, at_s: float, _: str) -> AgentRequested:
    request = _about_call(calls, command, at_s)
    if any(call.call_id == request.call_id and call.recording == "off" for call in calls):
        raise error(2020, request.call_id)
    return request


_SPECIAL: Final[Mapping[type[Command], Callable[[Calls, Command, float, str], AgentRequested]]] = {
    Dial: _dial,
    SendDtmf: _send_dtmf,
    Swap: _swap,
    Transfer: _transfer,
    Forward: _forward,
    Conference: _conference,
    PauseRecording: _recording,
    ResumeRecording: _recording,
}
