"""+CHLD, +CMUT and +CCWA over a real pty."""

import dataclasses

import pytest

from tests.at.bench import Host, ServedConsole
from thirdring.protocol.commands import (
    Answer,
    Command,
    Conference,
    Forward,
    Hangup,
    Hold,
    Mute,
    PauseRecording,
    Resume,
    ResumeRecording,
    SetSettings,
    Swap,
    Transfer,
    Unmute,
)
from thirdring.protocol.events import CallAlerting, CallIncoming, RingBurst
from thirdring.protocol.views import CallView, LiveState


def view(index: int, state: LiveState, *, waiting: bool = False, muted: bool = False) -> CallView:
    return CallView(
        call_id=f"c{index}",
        index=index,
        direction="incoming",
        state=state,
        number="10086",
        display_name="",
        rings=1,
        started_utc="2026",
        waiting=waiting,
        muted=muted,
    )


ACTIVE, HELD = view(1, "active"), view(2, "held")
WAITING = view(2, "incoming", waiting=True)


@pytest.mark.console(
    "+CHLD: 0, 1, 1x, 2, 2x, 3, 4; a waiting call wins over a held one", clause="27.007 7.13"
)
@pytest.mark.parametrize(
    ("calls", "line", "commands"),
    [
        ([ACTIVE, WAITING], "AT+CHLD=0", [Hangup(call_id="c2")]),
        ([ACTIVE, HELD], "AT+CHLD=0", [Hangup(call_id="c2")]),
        ([ACTIVE, HELD], "AT+CHLD=1", [Hangup(call_id="c1"), Resume(call_id="c2")]),
        ([ACTIVE, WAITING], "AT+CHLD=1", [Hangup(call_id="c1"), Answer(call_id="c2")]),
        ([ACTIVE, HELD], "AT+CHLD=12", [Hangup(call_id="c2")]),
        ([ACTIVE], "AT+CHLD=2", [Hold(call_id="c1")]),
        ([HELD], "AT+CHLD=2", [Resume(call_id="c2")]),
        ([ACTIVE, HELD], "AT+CHLD=2", [Swap()]),
        ([ACTIVE, WAITING], "AT+CHLD=2", [Answer(call_id="c2")]),
        ([ACTIVE, HELD], "AT+CHLD=22", [Hold(call_id="c1"), Resume(call_id="c2")]),
        ([ACTIVE, HELD], "AT+CHLD=3", [Conference()]),
        ([ACTIVE, HELD], "AT+CHLD=4", [Transfer()]),
        ([ACTIVE], "AT#TRANSFER=10086,1", [Transfer(target="10086", consent=True)]),
        ([view(1, "incoming")], "AT#FORWARD=10086", [Forward(target="10086")]),
        ([ACTIVE], "AT+CMUT=1", [Mute()]),
        ([ACTIVE], "AT+CMUT=0", [Unmute()]),
        ([ACTIVE], "AT#REC=0", [PauseRecording()]),
        ([ACTIVE], "AT#REC=1", [ResumeRecording()]),
        ([], "AT+CCWA=,0", [SetSettings(changes={"calls.waiting": False})]),
        ([], "AT+CCWA=1,1", [SetSettings(changes={"calls.waiting": True})]),
    ],
)
def test_command_becomes_what_it_says(
    console: ServedConsole, host: Host, calls: list[CallView], line: str, commands: list[Command]
) -> None:
    console.engine.views = calls
    assert host.ask(line) == ["OK"]
    asked = [command for command in console.engine.asked if command.name != "get_state"]
    assert asked == [dataclasses.replace(command, source="at") for command in commands]


@pytest.mark.console(
    "+CHLD without a call is +CME ERROR 3, of a call that is not there 21", clause="27.007 7.13"
)
@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("AT+CHLD=0", "+CME ERROR: 3"),
        ("AT+CHLD=1", "+CME ERROR: 3"),
        ("AT+CHLD=17", "+CME ERROR: 21"),
        ("AT+CHLD=9", "ERROR"),
        ("AT+CHLD=01", "ERROR"),
        ("AT+CMUT=2", "ERROR"),
        ("AT+CCWA=2", "ERROR"),
        ("AT#REC=2", "ERROR"),
        ("AT#REC=", "ERROR"),
    ],
)
def test_what_does_not_fit_is_refused(host: Host, line: str, answer: str) -> None:
    host.ask("AT+CMEE=1")
    host.write(line.encode() + b"\r")
    assert host.until(answer.encode() + b"\r\n") == f"\r\n{answer}\r\n".encode()


@pytest.mark.console(
    "+CLCC: 0 active, 1 held, 4 incoming, 5 waiting; +CMUT? and +CCWA? tell what is", clause="27.007 7.18"
)
def test_states_are_listed_as_the_standard_numbers_them(console: ServedConsole, host: Host) -> None:
    console.engine.views = [view(1, "active", muted=True), view(2, "held"), WAITING]
    listed = host.ask("AT+CLCC")[:-1]
    assert [line.split(",")[2] for line in listed] == ["0", "1", "5"]
    assert host.ask("AT+CMUT?") == ["+CMUT: 1", "OK"]
    console.engine.views = [dataclasses.replace(view(1, "active"), recording="paused"), view(2, "held")]
    assert host.ask("AT#REC?") == ['#REC: "paused","c1"', '#REC: "off","c2"', "OK"]
    assert host.ask("AT+CCWA=1,2") == ["+CCWA: 1,1", "OK"]
    assert host.ask("AT+CCWA?") == ["+CCWA: 1", "OK"]


@pytest.mark.console("+CCWA=1 reports a waiting call once: number,type,class", clause="27.007 7.12")
def test_waiting_call_is_reported_once_and_rings_when_the_first_is_over(
    console: ServedConsole, host: Host
) -> None:
    host.ask("AT+CCWA=1")
    console.rings("c1", "10010")
    host.until(b"\r\nRING\r\n")
    console.answered("c1")
    console.emit(
        CallIncoming(at_s=0, call_id="c2", number="+8621555"),
        CallAlerting(at_s=0, call_id="c2", waiting=True),
        RingBurst(at_s=0, call_id="c2", ring=1, urgency="normal"),
    )
    assert host.until(b",1\r\n") == b'\r\n+CCWA: "+8621555",145,1\r\n'
    console.emit(RingBurst(at_s=0, call_id="c2", ring=2, urgency="warn"))
    assert host.quiet() == b""
    console.ended("c1")
    assert host.until(b"NO CARRIER\r\n") == b"\r\nNO CARRIER\r\n"
    console.emit(RingBurst(at_s=0, call_id="c2", ring=3, urgency="urgent"))
    assert host.until(b"RING\r\n") == b"\r\nRING\r\n"


@pytest.mark.console("+CLIP validity: 1 withheld, 2 none to show", clause="27.007 7.6")
def test_withheld_number_is_told_from_one_that_was_not_sent(console: ServedConsole, host: Host) -> None:
    host.ask("AT+CLIP=1")
    console.emit(
        CallIncoming(at_s=0, call_id="c1", number="", withheld=True),
        RingBurst(at_s=0, call_id="c1", ring=1, urgency="normal"),
    )
    assert host.until(b",1\r\n") == b'\r\nRING\r\n\r\n+CLIP: "",129,,,,1\r\n'
