"""The console as a terminal program sees it."""

import pytest

from thirdring_hil.line import RawLine
from thirdring_hil.measurements import Measure
from thirdring_hil.peer import Caller
from thirdring_hil.target import Target


def test_it_says_who_it_is(line: RawLine) -> None:
    assert line.ask("AT") == ["OK"]
    assert line.ask("AT+CGMI") == ["Thirdring", "OK"]
    assert line.ask("ATS0?") == ["000", "OK"]
    assert line.ask("AT+NONE") == ["ERROR"]
    names = line.ask("AT+CLAC")
    assert {"AT+CLCC", "AT#NORM", "AT#LEVEL"} <= set(names)


def test_settings_show_their_units(line: RawLine) -> None:
    (setting, code) = line.ask('AT#GET="norms.answer.greeting_limit_s"')
    assert setting.startswith('#GET: "norms.answer.greeting_limit_s",')
    assert '"s"' in setting
    assert code == "OK"


def test_noise_does_not_put_it_out_of_step(line: RawLine) -> None:
    line.send(bytes(range(256)) * 16 + b"AT" + b"x" * 9000 + b"\r")
    line.expect(r"ERROR\r\n")  # the endless line
    assert line.ask('AT#SYNC="in step"') == ['#SYNC: "in step"', "OK"]


def test_a_number_that_cannot_be_dialled(line: RawLine) -> None:
    assert line.ask("AT+CMEE=1") == ["OK"]
    assert line.ask("ATD12AB;")[-1].startswith("+CME ERROR: ")


@pytest.mark.needs("sip")
def test_a_call_rings_and_is_refused_by_hand(target: Target, line: RawLine, measure: Measure) -> None:
    assert target.sip is not None
    assert line.ask("AT+CLIP=1;+CRC=1;+CMEE=1;#URC=1") == ["OK"]
    with Caller(target.sip, "2155500001") as caller:
        caller.call()
        line.expect(r'\r\n\+CRING: VOICE\r\n\r\n\+CLIP: "2155500001",129,,,,0\r\n\r\n#RING: 1,normal\r\n')
        assert line.ask("AT+CLCC") == ['+CLCC: 1,1,4,0,0,"2155500001",129', "OK"]
        rings = line.ask("AT#RINGS?")[0].removeprefix("#RINGS: ").split(",")
        measure("rings", float(rings[0]), "rings", 1.0, 2.0)
        assert line.ask("ATH") == ["OK"]
        caller.wait_for("released")
        assert caller.final_status == 603
    line.expect(r'#NORM: "answer\.rings","\w+"')


@pytest.mark.needs("sip")
def test_a_call_is_answered_and_the_caller_hangs_up(target: Target, line: RawLine) -> None:
    assert target.sip is not None
    with Caller(target.sip) as caller:
        caller.call()
        line.expect(r"\r\nRING\r\n")
        assert line.ask("ATA") == ["OK"]
        caller.wait_for("answered")
        assert line.ask("AT+CLCC")[0].startswith("+CLCC: 1,1,0,0,0,")
        caller.hang_up()
        line.expect(r"\r\nNO CARRIER\r\n")
    assert line.ask("AT+CEER")[0].startswith('+CEER: "hangup",')
