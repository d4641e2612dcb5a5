"""The headset's buttons and lamps: a call is answered, muted and hung up without the console."""

import pytest

from thirdring.appliance import Appliance
from thirdring.protocol.events import CallEnded, HeadsetButton, Levels, Record
from thirdring_hil.headset import Headset
from thirdring_hil.line import RawLine
from thirdring_hil.measurements import Measure
from thirdring_hil.poll import poll
from thirdring_hil.target import Target

LAMP_S = 1.0
"""As long as a person looks at it."""


def levels_at(record: Record, end_s: float) -> bool:
    """Tell whether the signal up to ``end_s`` has been measured."""
    return isinstance(record.event, Levels) and record.event.end_s >= end_s


def shows(headset: Headset, lamp: str, *, lit: bool = True) -> None:
    """Wait until a lamp is lit or dark: a headset on a cable hears of it a moment after the call's state."""
    poll(lambda: (lamp in headset.lamps) == lit, f"{lamp} {'lit' if lit else 'dark'}", LAMP_S)


@pytest.mark.needs("sip", "headset")
def test_a_call_is_answered_muted_and_ended_by_the_headset(
    target: Target, appliance: Appliance, headset: Headset, measure: Measure
) -> None:
    before = appliance.state().last_event
    shows(headset, "off_hook", lit=False)
    with target.caller("2155512345") as caller:
        caller.call()
        appliance.wait_for("ring_burst", 10.0, before)
        shows(headset, "ring")
        headset.press("hook")
        caller.wait_for("answered")
        pressed = appliance.wait_for(HeadsetButton, 5.0, before).event
        answered = appliance.wait_for("call_answered", 5.0, before).event
        appliance.wait_for("media_started", 5.0, before)
        shows(headset, "off_hook")
        headset.press("mute")
        muted = appliance.wait_for("mute_started", 5.0, before)
        shows(headset, "mute")
        headset.press("mute")
        appliance.wait_for("mute_ended", 5.0, muted.number)
        # As long as a person takes: a hook switch that goes back within half a second is a push button.
        appliance.wait_for(lambda record: levels_at(record, 1.5), 5.0, muted.number)
        headset.press("hook")
        caller.wait_for("released")
        ended = appliance.wait_for("call_ended", 5.0, before).event
    assert isinstance(ended, CallEnded)
    assert (ended.by, ended.cause) == ("agent", "hangup")
    shows(headset, "off_hook", lit=False)
    assert headset.lamps == ()
    why = "within ITU-T E.721's answer delay of 0.75 s"
    measure("button_to_answer", answered.at_s - pressed.at_s, "s", 0.0, 0.5, why)


@pytest.mark.needs("simulated_headset")
def test_lamps_and_buttons_are_at_the_terminal_too(line: RawLine) -> None:
    lamps = line.ask("AT#LED?")
    assert lamps[0].startswith('#LED: "","')
    assert line.ask('AT#BTN="eject"') == ["ERROR"]
    assert line.ask('AT#BTN="flash"') == ["OK"], "pressed, and nothing to hold"
