"""What the buttons of a headset mean. Sans-io: changes of controls go in, requests to the desk come out.

A headset's report is a request, and the host has the last word: it answers by the lamps (``leds_of``). So the
same change may come twice, once as the agent's wish and once as the headset's echo of a lamp. An echo is told
by its content: it says what is so already. Where that is not enough (buttons that only pulse, a hook switch
that follows the lamp while a call is held) it is told by its time after the lamp was changed.

A control is declared *relative* (a 1 is a press) or *absolute* (the level of a switch). Some headsets
declare as absolute what is a push button: a level that goes back within ``RELEASE_S`` was one, and the
control is taken for a button from then on, until it stays longer. HID Usage Tables 1.4, clauses 11 (LED)
and 14 (Telephony).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

from thirdring.protocol.commands import (
    Answer,
    Command,
    Hangup,
    Hold,
    Mute,
    Redial,
    Resume,
    SendDtmf,
    Swap,
    Unmute,
)
from thirdring_device.core.call import Call
from thirdring_device.core.headset_leds import DARK, OFF_HOOK_STATES, Leds

__all__ = ["CONTROLS", "ECHO_S", "RELEASE_S", "SOURCE", "ButtonMachine", "Change", "Control", "Press"]

SOURCE: Final = "headset"
"""``Command.source`` of what a headset asks for."""
ECHO_S: Final = 0.3
"""A pulse this soon after somebody else changed its lamp is the headset's own echo."""
OWN_S: Final = 2.0
"""A lamp that changes within this time of its button's pulse was changed by it, and is not echoed."""
FOLLOW_S: Final = 2.0
"""A switch that goes where its lamp was told to within this time follows the lamp; wireless ones are slow."""
RELEASE_S: Final = 0.5
"""A switch that goes back within this time was a push button, unless it has been seen to follow its lamp."""
REFRESH_S: Final = 1.0
"""The lamps are told again to a headset that deviates, but not more often."""

Control = Literal["hook", "mute", "flash", "hold", "drop", "reject", "redial", "key"]
CONTROLS: Final[tuple[Control, ...]] = get_args(Control)


@dataclass(frozen=True, slots=True)
class Change:
    """What a report says of one control; ``key`` is the digit where the control is the keypad."""

    control: Control
    on: bool
    relative: bool = False
    key: str = ""


@dataclass(frozen=True, slots=True)
class Press:
    """A control the agent used, and what it asks of the desk; None: nothing fits the state."""

    control: Control
    command: Command | None


@dataclass(slots=True)
class _Switch:
    """What is known of one control of the headset."""

    on: bool = False
    since_s: float = -RELEASE_S
    pressed_s: float = -OWN_S
    level: bool = False
    """It tells its position."""
    button: bool = False
    """It is declared as a switch and was found to be a push button."""
    wished: bool = False
    """Its going on was taken for the agent's wish."""
    echoed: bool = False
    """Its going on followed its lamp."""
    true: bool = False
    """It followed its lamp and stayed: no push button does."""


@dataclass(slots=True)
class ButtonMachine:
    """One headset's buttons. ``handle`` takes a change, ``follow`` the lamps of a changed desk."""

    redial: bool = True
    leds: Leds = DARK
    _switches: dict[tuple[Control, str], _Switch] = field(default_factory=dict)
    _told_s: dict[Control, float] = field(default_factory=dict)
    """When the lamp that goes with a control was changed or told again."""
    _echoes_s: dict[Control, float] = field(default_factory=dict)
    """When it was changed by others than the control itself."""
    _refreshed_s: float = -REFRESH_S

    def attached(self, at_s: float) -> None:
        """Forget the headset that was there: another one may have come. It is being told the lamps.

        It was dark when it came: only of a lamp that is lit now can there be an echo.
        """
        self._switches.clear()
        self._told_s = dict.fromkeys(_LAMPS, at_s)
        self._echoes_s = {control: at_s for control in _LAMPS if self._lamp(control)}

    def follow(self, leds: Leds, at_s: float) -> bool:
        """Take over the lamps of the desk; return whether they have changed."""
        if leds == self.leds:
            return False
        before, self.leds = self.leds, leds
        for control, led in _LAMPS.items():
            if getattr(leds, led) == getattr(before, led):
                continue
            self._told_s[control] = at_s
            switch = self._switches.get((control, ""))
            if switch is not None and at_s - switch.pressed_s < OWN_S:
                switch.pressed_s = -OWN_S
            else:
                self._echoes_s[control] = at_s
        return True

    def deviates(self, at_s: float) -> bool:
        """Whether a switch of the headset stands other than its lamp, and may be told again now."""
        astray = [
            control
            for (control, _), switch in self._switches.items()
            if switch.level and not switch.button and switch.on != self._lamp(control)
        ]
        if not astray or at_s - self._refreshed_s < REFRESH_S:
            return False
        self._refreshed_s = at_s
        self._told_s |= dict.fromkeys(astray, at_s)
        return True

    def handle(self, change: Change, calls: Sequence[Call], at_s: float) -> Press | None:
        """Return what the agent pressed, if anything; ``calls`` are the desk's present ones."""
        switch = self._switches.setdefault((change.control, change.key), _Switch())
        before = switch.on
        if change.on == before and not (change.relative and change.on):
            return None
        held_s, switch.on, switch.since_s = at_s - switch.since_s, change.on, at_s
        switch.level = change.control in _LAMPS and not change.relative
        if switch.level:
            return self._level(change, switch, calls, at_s, held_s)
        told_twice = before and held_s < ECHO_S
        if not change.on or told_twice or at_s - self._echoes_s.get(change.control, -ECHO_S) < ECHO_S:
            return None
        switch.pressed_s = at_s
        return self._press(change, calls)

    def _lamp(self, control: Control) -> bool:
        return bool(getattr(self.leds, _LAMPS[control]))

    def _told_within(self, control: Control, seconds_s: float, at_s: float) -> bool:
        return at_s - self._told_s.get(control, -seconds_s) < seconds_s

    def _level(
        self, change: Change, switch: _Switch, calls: Sequence[Call], at_s: float, held_s: float
    ) -> Press | None:
        """Judge a hook or mute switch that tells its position; it stood the other way for ``held_s``."""
        control, as_lamp = change.control, self._lamp(change.control) == change.on
        stayed = held_s >= RELEASE_S
        if not change.on:
            switch.true |= switch.echoed and stayed
        switch.echoed = as_lamp and change.on and self._told_within(control, FOLLOW_S, at_s)
        if as_lamp and self._told_within(control, FOLLOW_S, at_s):
            switch.wished = False
            return None
        if change.on:
            resumes = control == "hook" and _in_talk(calls) is None
            switch.wished = switch.button or not as_lamp or resumes
            if not switch.wished:
                return None
            return self._press(change, calls) if switch.button else Press(control, _LEVELS[control][0](calls))
        if stayed or switch.true:
            switch.button = False
            return None if as_lamp else Press(control, _LEVELS[control][1](calls))
        if switch.button or as_lamp:
            return None
        switch.button = True
        return None if switch.wished else self._press(change, calls)

    def _press(self, change: Change, calls: Sequence[Call]) -> Press:
        if change.control == "key":
            call = _first(calls, "active")
            digits = SendDtmf(digits=change.key, call_id=call.call_id, source=SOURCE) if call else None
            return Press("key", digits)
        if change.control == "redial" and not self.redial:
            return Press("redial", None)
        return Press(change.control, _PULSES[change.control](calls))


# --- what each control asks for --------------------------------------------------------------------

Calls = Sequence[Call]


def _first(calls: Calls, *states: str) -> Call | None:
    """Return the first call in one of the states, the first state preferred."""
    found = [call for call in calls if call.state in states]
    return min(found, key=lambda call: states.index(call.state), default=None)


def _in_talk(calls: Calls) -> Call | None:
    """Return the call that going on-hook ends; a held one stays."""
    return _first(calls, "active", "alerting", "dialing", "answering")


def _off_hook(calls: Calls) -> Command | None:
    """Take the call that rings; without one the call that is held."""
    if _in_talk(calls):
        return None
    if ringing := _first(calls, "incoming"):
        return Answer(call_id=ringing.call_id, source=SOURCE)
    held = _first(calls, "held")
    return Resume(call_id=held.call_id, source=SOURCE) if held else None


def _on_hook(calls: Calls) -> Command | None:
    call = _in_talk(calls)
    return Hangup(call_id=call.call_id, source=SOURCE) if call else None


def _hook(calls: Calls) -> Command | None:
    return _on_hook(calls) or _off_hook(calls)


def _mute_on(calls: Calls) -> Command | None:
    call = _first(calls, "active")
    return Mute(call_id=call.call_id, source=SOURCE) if call and not call.muted else None


def _mute_off(calls: Calls) -> Command | None:
    call = _first(calls, "active")
    return Unmute(call_id=call.call_id, source=SOURCE) if call and call.muted else None


def _mute(calls: Calls) -> Command | None:
    return _mute_on(calls) or _mute_off(calls)


def _flash(calls: Calls) -> Command | None:
    """Take the call that waits; with one held beside the one in talk swap; else hold or take back."""
    active, held, ringing = (_first(calls, state) for state in ("active", "held", "incoming"))
    if ringing:
        up = any(call.state in OFF_HOOK_STATES for call in calls)
        return Answer(call_id=ringing.call_id, source=SOURCE) if up else None
    if active and held:
        return Swap(source=SOURCE)
    if active:
        return Hold(call_id=active.call_id, source=SOURCE)
    return Resume(call_id=held.call_id, source=SOURCE) if held else None


def _reject(calls: Calls) -> Command | None:
    ringing = _first(calls, "incoming")
    return Hangup(call_id=ringing.call_id, source=SOURCE) if ringing else None


def _drop(calls: Calls) -> Command | None:
    return _reject(calls) or _on_hook(calls)


def _redial(calls: Calls) -> Command | None:
    return None if calls else Redial(source=SOURCE)


_Meaning = Callable[[Calls], Command | None]

_LAMPS: Final[Mapping[Control, str]] = {"hook": "off_hook", "mute": "mute"}
"""Controls that may be switches, and the lamp each of them follows."""

_LEVELS: Final[Mapping[Control, tuple[_Meaning, _Meaning]]] = {
    "hook": (_off_hook, _on_hook),
    "mute": (_mute_on, _mute_off),
}
"""What a switch asks for by going on and by going off."""

_PULSES: Final[Mapping[Control, _Meaning]] = {
    "hook": _hook,
    "mute": _mute,
    "flash": _flash,
    "hold": _flash,
    "drop": _drop,
    "reject": _reject,
    "redial": _redial,
}
