"""The console as a terminal program sees it."""

import pytest

from thirdring_hil.line import RawLine
from thirdring_hil.measurements import Measure
from thirdring_hil.target import Target

LONGEST_LINE = 4096
"""The unit's own figure (docs/console.md); 512 are enough for every list of digits."""
STORM = 50


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


def test_result_codes_as_numbers_and_none_at_all(line: RawLine) -> None:
    """ITU-T V.250 clauses 6.2.5 and 6.2.6: V0 and Q1."""
    line.send(b"ATV0\r")
    line.expect(r"^0\r")
    line.send(b"AT+NONE\r")
    line.expect(r"^4\r")
    line.send(b"ATV1\r")
    line.expect(r"\r\nOK\r\n")
    line.send(b"ATQ1\r")
    line.send(b"AT+CGMI\r")
    line.send(b"ATQ0\r")
    silent = line.expect(r"(?s)^(.*)\r\nThirdring\r\n(.*)\r\nOK\r\n")
    assert "OK" not in silent[1] + silent[2]


def test_the_echo_is_what_was_typed(line: RawLine) -> None:
    """ITU-T V.250 clause 6.2.4, and editing by backspace (S5, clause 6.2.3)."""
    line.send(b"ATE1\r")
    line.expect(r"\r\nOK\r\n")
    line.send(b"at+cgmX\x08i\r")
    line.expect(r"^at\+cgm")
    line.expect(r"i\r\r\nThirdring\r\n\r\nOK\r\n")


def test_commands_on_one_line_stop_at_the_first_failure(line: RawLine) -> None:
    """ITU-T V.250 clause 5.6: one final code a line, nothing runs behind a failure."""
    assert line.ask("AT+CGMI;+CGMM")[0] == "Thirdring"
    assert line.ask("ATS0=2S7=30E0") == ["OK"]
    assert line.ask("ATS0?S7?")[:2] == ["002", "030"]
    assert line.ask("ATS0=3;+NONE;S0=4") == ["ERROR"]
    assert line.ask("at s0 ?") == ["003", "OK"]
    assert line.ask("ATZ") == ["OK"]
    assert line.ask("ATE0")[-1] == "OK"
    assert line.ask("ATS0?") == ["000", "OK"]


def test_a_line_is_repeated_and_another_thrown_away(line: RawLine) -> None:
    """ITU-T V.250 clause 5.2.4: A/ has no line end of its own."""
    assert line.ask("AT+CGMM")[-1] == "OK"
    line.send(b"A/")
    line.expect(r"\r\nOK\r\n")
    line.send(b"AT+NONE\x1b")
    assert line.ask("AT+CGMI") == ["Thirdring", "OK"]


@pytest.mark.parametrize(
    ("form", "says"), [(0, "ERROR"), (1, "+CME ERROR: 3"), (2, "+CME ERROR: operation not allowed")]
)
def test_a_failure_is_told_as_it_was_asked_for(line: RawLine, form: int, says: str) -> None:
    """3GPP TS 27.007 clause 9.1 and 9.2: there is no call to send a digit to."""
    assert line.ask(f"AT+CMEE={form}") == ["OK"]
    assert line.ask("AT+VTS=1") == [says]
    assert line.ask("AT+CMEE=9") == ["ERROR"]


def test_the_longest_line_runs_and_a_longer_one_does_not(line: RawLine, measure: Measure) -> None:
    room = LONGEST_LINE - len('AT#SYNC=""')
    answer = line.ask(f'AT#SYNC="{"x" * room}"')
    measure(
        "longest_line",
        len(answer[0]) - len('#SYNC: ""') + len('AT#SYNC=""'),
        "characters",
        512,
        None,
        "every list of digits",
    )
    assert answer == [f'#SYNC: "{"x" * room}"', "OK"]
    assert line.ask(f'ATS0=5;#SYNC="{"x" * (room + 1)}"') == ["ERROR"]
    assert line.ask("ATS0?") == ["000", "OK"]


def test_reports_never_stand_within_an_answer(line: RawLine, measure: Measure) -> None:
    """All that the journal has is reported while commands run."""
    assert line.ask("AT#EVENTS=0") == ["OK"]
    whole = 0
    for number in range(STORM):
        line.send(f'AT#SYNC="{number}"\r'.encode())
        line.expect(rf'\r\n#SYNC: "{number}"\r\n\r\nOK\r\n')
        whole += 1
    measure("answers_in_one_piece", whole, "answers", STORM, STORM, "reports wait for the final code")
    line.send(b"AT#EVENTS=off\r")
    line.expect(r"\r\nOK\r\n")


@pytest.mark.needs("sip")
def test_a_call_rings_and_is_refused_by_hand(target: Target, line: RawLine, measure: Measure) -> None:
    assert line.ask("AT+CLIP=1;+CRC=1;+CMEE=1;#URC=1") == ["OK"]
    with target.caller("2155500001") as caller:
        caller.call()
        line.expect(r'\r\n\+CRING: VOICE\r\n\r\n\+CLIP: "2155500001",129,,,,0\r\n\r\n#RING: 1,normal\r\n')
        assert line.ask("AT+CLCC") == ['+CLCC: 1,1,4,0,0,"2155500001",129', "OK"]
        rings = line.ask("AT#RINGS?")[0].removeprefix("#RINGS: ").split(",")
        why = "asked at the first ring, the second is 5 s away"
        measure("rings", float(rings[0]), "rings", 1.0, 2.0, why)
        assert line.ask("ATH") == ["OK"]
        caller.wait_for("released")
        assert caller.final_status == 603
    line.expect(r'#NORM: "answer\.rings","\w+"')


@pytest.mark.needs("sip")
def test_a_call_is_answered_and_the_caller_hangs_up(target: Target, line: RawLine) -> None:
    with target.caller() as caller:
        caller.call()
        line.expect(r"\r\nRING\r\n")
        assert line.ask("ATA") == ["OK"]
        caller.wait_for("answered")
        assert line.ask("AT+CLCC")[0].startswith("+CLCC: 1,1,0,0,0,")
        caller.hang_up()
        line.expect(r"\r\nNO CARRIER\r\n")
    assert line.ask("AT+CEER")[0].startswith('+CEER: "hangup",')
