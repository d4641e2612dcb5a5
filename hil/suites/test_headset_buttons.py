"""The headset's buttons, pressed over the serial line: a call is answered, muted and hung up."""

import pytest

from thirdring.appliance import Appliance
from thirdring.protocol.events import CallEnded, HeadsetButton, Levels, Record
from thirdring_hil.line import RawLine
from thirdring_hil.measurements import Measure
from thirdring_hil.peer import Caller
from thirdring_hil.target import Target


def levels_at(record: Record, end_s: float) -> bool:
    """Tell whether the signal up to ``end_s`` has been measured."""
    return isinstance(record.event, Levels) and record.event.end_s >= end_s


@pytest.mark.needs("sip", "simulated_headset")
def test_a_call_is_answered_muted_and_ended_by_the_headset(
    target: Target, appliance: Appliance, measure: Measure
) -> None:
    assert target.sip is not None
    before = appliance.state().last_event
    assert appliance.headset().leds == ()
    with Caller(target.sip, "2155512345") as caller:
        caller.call()
        appliance.wait_for("ring_burst", 10.0, before)
        assert "ring" in appliance.headset().leds
        appliance.press("hook")
        caller.wait_for("answered")
        pressed = appliance.wait_for(HeadsetButton, 5.0, before).event
        answered = appliance.wait_for("call_answered", 5.0, before).event
        why = "within ITU-T E.721's answer delay of 0.75 s"
        measure("button_to_answer", answered.at_s - pressed.at_s, "s", 0.0, 0.5, why)
        appliance.wait_for("media_started", 5.0, before)
        assert "off_hook" in appliance.headset().leds
        appliance.press("mute")
        muted = appliance.wait_for("mute_started", 5.0, before)
        assert "mute" in appliance.headset().leds
        appliance.press("mute")
        appliance.wait_for("mute_ended", 5.0, muted.number)
        # As long as a person takes: a hook switch that goes back within half a second is a push button.
        appliance.wait_for(lambda record: levels_at(record, 1.5), 5.0, muted.number)
        appliance.press("hook")
        caller.wait_for("released")
        ended = appliance.wait_for("call_ended", 5.0, before).event
    assert isinstance(ended, CallEnded)
    assert (ended.by, ended.cause) == ("agent", "hangup")
    assert appliance.headset().leds == ()


@pytest.mark.needs("simulated_headset")
def test_lamps_and_buttons_are_at_the_terminal_too(line: RawLine) -> None:
    lamps = line.ask("AT#LED?")
    assert lamps[0].startswith('#LED: "","')
    assert line.ask('AT#BTN="eject"') == ["ERROR"]
    assert line.ask('AT#BTN="flash"') == ["OK"], "pressed, and nothing to hold"
