"""The AT server over a real pty."""

import pytest

from tests.at.bench import Host, ServedConsole, call_view, wait_for
from thirdring.protocol.at.results import CME_TEXTS
from thirdring.protocol.at.table import TABLE
from thirdring.protocol.commands import (
    Answer,
    Dial,
    Hangup,
    Redial,
    SendDtmf,
)
from thirdring.protocol.errors import ERRORS, error
from thirdring.protocol.events import (
    CallAnswered,
    CallIncoming,
    CallOutgoing,
    NormNoted,
    RingBurst,
    TrunkChanged,
)
from thirdring_device.gateway.at.error_map import CME_OF_ERROR
from thirdring_device.gateway.at.handlers import HANDLERS

# --- tables ---------------------------------------------------------------------------------------


def test_every_command_of_the_table_is_implemented_and_no_other() -> None:
    assert set(HANDLERS) == set(TABLE)


def test_every_error_code_has_an_at_result() -> None:
    assert set(ERRORS) <= set(CME_OF_ERROR)
    assert {number for number in CME_OF_ERROR.values() if number is not None} <= set(CME_TEXTS)


# --- lines and results ----------------------------------------------------------------------------


def test_words_numbers_silence_and_echo(host: Host) -> None:
    host.write(b"AT\r")
    assert host.until(b"OK\r\n") == b"\r\nOK\r\n"
    host.write(b"ATV0\r")
    assert host.until(b"0\r") == b"0\r"
    host.write(b"AT!\rATS0?\r")
    assert host.until(b"0\r") == b"4\r000\r\n0\r"
    host.write(b"ATV1Q1\rATS7?\rATQ0\r")
    assert host.until(b"OK\r\n") == b"\r\n060\r\n\r\nOK\r\n"
    host.write(b"ATE1\rAT+CLIP?\r")
    assert host.until(b"OK\r\nAT+CLIP?\r\r\n+CLIP: 0,1\r\n\r\nOK\r\n")


def test_commands_run_in_order_until_the_first_failure(host: Host) -> None:
    assert host.ask("AT+CLIP=1;+CREG=7;+COLP=1") == ["ERROR"]
    assert host.ask("AT+CLIP?;+COLP?") == ["+CLIP: 1,1", "+COLP: 0,1", "OK"]
    assert host.ask("ATS0=3!") == ["ERROR"]
    assert host.ask("ATS0?") == ["003", "OK"]


@pytest.mark.console("minicom's init string, and +++ATH, without ; and in mixed case", clause="ours")
def test_minicoms_initialisation(host: Host) -> None:
    assert host.ask("AT S7=45 S0=0 L1 V1 X4 &c1 E1 Q0") == ["OK"]
    host.write(b"ATE0\r")
    host.until(b"\r\nOK\r\n")
    assert host.ask("ATS7?") == ["045", "OK"]
    assert host.ask("+++ATH") == ["OK"]


@pytest.mark.console(
    "+CSCA? answers +CMS ERROR: 330, +CMGF=0 and +CPIN? as of a telephone without messages and PIN",
    clause="ours",
)
def test_gsmmodems_initialisation(host: Host) -> None:
    for line in ("ATZ", "ATE0", "AT+CMEE=1", "AT+CPIN?", "AT+CGMI", "AT+CMGF=0", "AT+CLCC"):
        assert host.ask(line)[-1] == "OK"
    host.write(b"AT+CSCA?\r")
    assert host.until(b"330\r\n") == b"\r\n+CMS ERROR: 330\r\n"


def test_repeat_runs_the_last_line_at_once(host: Host) -> None:
    assert host.ask("AT+CLIP=?") == ["+CLIP: (0,1)", "OK"]
    host.write(b"A/")
    assert host.until(b"OK\r\n") == b"\r\n+CLIP: (0,1)\r\n\r\nOK\r\n"


def test_a_line_of_4096_characters_runs_and_a_longer_one_does_not(console: ServedConsole, host: Host) -> None:
    digits = "1" * (4096 - len("AT+VTS="))
    assert host.ask("AT+VTS=" + digits) == ["OK"]
    assert host.ask("ATH+VTS=" + digits + "11") == ["ERROR"]
    assert [command for command in console.engine.asked if isinstance(command, Hangup)] == []
    assert console.engine.asked[-1] == SendDtmf(digits=digits, source="at")


def test_noise_and_floods_are_left_behind(host: Host) -> None:
    for noise in (bytes(range(256)) * 8, b"AT" + b"\xff" * 20_000, b'"' * 999, b"\x1b[A\x1b[B"):
        host.write(noise + b"\r")
        host.quiet(0.05)
        assert host.ask('AT#SYNC="here"')[-2:] == ['#SYNC: "here"', "OK"]


@pytest.mark.console("=? explains every extended command; ours tell fields and units", clause="V.250 5.4.4")
@pytest.mark.console("+CLAC lists every command", clause="27.007 8.37")
@pytest.mark.console("+CLCC=? is answered OK: ModemManager asks no more without", clause="27.007 7.18")
def test_every_extended_command_explains_itself(host: Host) -> None:
    names = [name for name in TABLE if name[0] in "+#"]
    assert host.ask("AT+CLAC")[:-1] == [f"AT{name}" for name in TABLE]
    for name in names:
        assert host.ask(f"AT{name}=?")[-1] == "OK"
    assert "dBov" in host.ask("AT#LEVEL=?")[1]
    assert host.ask("AT+CLCC=?") == ["OK"]
    assert len(host.ask("AT#HELP")) == len(TABLE) + 1


@pytest.mark.console("Z and &F bring the console's defaults back; calls go on", clause="V.250 6.1.1")
def test_reset_brings_the_defaults_back(host: Host) -> None:
    assert host.ask("AT+CMEE=2;+CLIP=1;S0=2") == ["OK"]
    assert host.ask("AT&FE0") == ["OK"]
    assert host.ask("AT+CMEE?;+CLIP?;S0?") == ["+CMEE: 0", "+CLIP: 0,1", "000", "OK"]


# --- calls ----------------------------------------------------------------------------------------


@pytest.mark.console(
    "RING with each ring the caller hears, +CRING: VOICE after +CRC=1, +CLIP: number,type after +CLIP=1",
    clause="27.007 7.6",
)
@pytest.mark.console("ATA answers a bare OK", clause="V.250 6.3.5")
def test_an_incoming_call_rings_with_number_and_is_answered(console: ServedConsole, host: Host) -> None:
    host.ask("AT+CLIP=1;#URC=1")
    console.rings()
    first = b'\r\nRING\r\n\r\n+CLIP: "+8621555",145,,,,0\r\n\r\n#RING: 1,normal\r\n'
    assert host.until(b"#RING: 1,normal\r\n") == first
    host.ask("AT+CRC=1;#URC=0")
    console.emit(RingBurst(at_s=0, call_id="c1", ring=2, urgency="warn"))
    assert host.until(b",0\r\n") == b'\r\n+CRING: VOICE\r\n\r\n+CLIP: "+8621555",145,,,,0\r\n'
    assert host.ask("ATA") == ["OK"]
    assert console.engine.asked[-1] == Answer(source="at")
    console.answered("c1")
    console.ended("c1")
    assert host.until(b"CARRIER\r\n") == b"\r\nNO CARRIER\r\n"
    assert host.ask("AT+CEER") == ['+CEER: "hangup",0,"why"', "OK"]


def test_a_refused_second_call_is_not_heard_of(console: ServedConsole, host: Host) -> None:
    console.rings()
    host.until(b"RING\r\n")
    console.answered("c1")
    console.emit(CallIncoming(at_s=0, call_id="c2", number="123"))
    console.ended("c2", "busy", "appliance", 486)
    assert host.quiet() == b""


@pytest.mark.console("+COLP=1: ATD...; is answered when the other side has, with +COLP", clause="27.007 7.8")
def test_reports_wait_for_the_final_code(console: ServedConsole, host: Host) -> None:
    host.ask("AT+COLP=1;#URC=1")
    console.engine.answers["dial"] = {"call_id": "c2"}
    host.write(b"ATD0123;\r")
    wait_for(lambda: any(isinstance(command, Dial) for command in console.engine.asked))
    console.emit(CallOutgoing(at_s=0, call_id="c2", number="0123"))
    for ring in range(400):
        console.emit(NormNoted(at_s=0, call_id="x", rule=f"r{ring}", state="warned"))
    assert host.quiet() == b""
    console.answered("c2")
    seen = host.until(b'#NORM: "r399","warned",,"",,"","x"\r\n')
    assert seen.startswith(b'\r\n+COLP: "0123",129\r\n\r\nOK\r\n\r\n#NORM: ')


def test_reports_wait_for_a_line_being_typed_but_not_for_ever(console: ServedConsole, host: Host) -> None:
    host.write(b"AT+CL")
    host.quiet(0.05)
    console.rings()
    assert host.quiet(0.3) == b""
    assert host.until(b"RING\r\n").startswith(b"\r\nRING")
    assert host.ask("IP?") == ["+CLIP: 0,1", "OK"]


@pytest.mark.console(
    "ATD...; is answered OK at once, later BUSY, NO ANSWER or NO CARRIER", clause="27.007 6.2"
)
@pytest.mark.console("+CEER tells why the last call ended", clause="27.007 6.10")
@pytest.mark.parametrize(
    ("cause", "code"), [("busy", "BUSY"), ("no_answer", "NO ANSWER"), ("failed", "NO CARRIER")]
)
def test_a_dialled_call_answers_at_once_and_reports_its_end(
    console: ServedConsole, host: Host, cause: str, code: str
) -> None:
    console.engine.answers["dial"] = {"call_id": "c2"}
    assert host.ask("ATD 01-23;") == ["OK"]
    assert console.engine.asked[-1] == Dial(number="0123", source="at")
    console.emit(CallOutgoing(at_s=0, call_id="c2", number="0123"))
    console.ended("c2", cause, "network", 486)
    assert host.until(code.encode() + b"\r\n") == f"\r\n{code}\r\n".encode()
    assert host.ask("AT+CEER") == [f'+CEER: "{cause}",486,"why"', "OK"]


@pytest.mark.console(
    "D takes the rest of the line; without ; its final code is the outcome", clause="V.250 6.3.1"
)
def test_dialling_without_semicolon_waits_for_the_outcome(console: ServedConsole, host: Host) -> None:
    console.engine.answers["dial"] = {"call_id": "c2"}
    host.write(b"ATDT0123\r")
    wait_for(lambda: console.engine.asked)
    console.emit(CallOutgoing(at_s=0, call_id="c2", number="0123"))
    console.ended("c2", "busy", "network")
    assert host.until(b"BUSY\r\n") == b"\r\nBUSY\r\n"
    console.engine.answers["dial"] = {"call_id": "c3"}
    host.write(b"ATX1DT0123\r")
    wait_for(lambda: len(console.engine.asked) == 2)
    console.emit(CallOutgoing(at_s=0, call_id="c3", number="0123"), CallAnswered(at_s=0, call_id="c3"))
    assert host.until(b"CONNECT\r\n") == b"\r\nCONNECT\r\n"


@pytest.mark.console(
    "a character aborts a dialling that waits, the LF of CRLF does not", clause="V.250 5.6.1"
)
def test_a_key_aborts_a_dialling_that_waits(console: ServedConsole, host: Host) -> None:
    console.engine.answers["dial"] = {"call_id": "c2"}
    host.write(b"ATD0123\r\n")
    wait_for(lambda: console.engine.asked)
    console.emit(CallOutgoing(at_s=0, call_id="c2", number="0123"))
    assert host.quiet() == b""
    host.write(b"x")
    assert host.until(b"CARRIER\r\n") == b"\r\nNO CARRIER\r\n"
    assert console.engine.asked[-1] == Hangup(call_id="c2", source="at")
    console.ended("c2", "cancelled", "agent")
    assert host.ask("AT") == ["OK"]


@pytest.mark.console("S7: seconds to connect, then given up: NO ANSWER", clause="V.250 6.3.10")
def test_s7_ends_a_call_that_is_not_answered(console: ServedConsole, host: Host) -> None:
    console.engine.answers["dial"] = {"call_id": "c2"}
    console.engine.answers["redial"] = error(2008)
    assert host.ask("ATS7=1DL") == ["ERROR"]
    console.engine.answers["redial"] = {"call_id": "c3"}
    assert host.ask("ATS7=1D5;") == ["OK"]
    console.emit(CallOutgoing(at_s=0, call_id="c2", number="5"))
    wait_for(lambda: Hangup(call_id="c2", source="at") in console.engine.asked)
    console.ended("c2", "cancelled", "agent")
    assert host.until(b"\r\nNO ANSWER\r\n")
    assert host.ask("ATDL;") == ["OK"]
    assert console.engine.asked[-1] == Redial(source="at")


@pytest.mark.console("ATH and +CHUP hang up, and are OK without a call", clause="V.250 6.3.6")
def test_hanging_up_oneself_is_no_report(console: ServedConsole, host: Host) -> None:
    console.rings()
    host.until(b"RING\r\n")
    assert host.ask("ATH") == ["OK"]
    console.ended("c1", "rejected", "agent")
    assert host.quiet() == b""
    console.engine.answers["hangup"] = error(2002)
    assert host.ask("ATH") == ["OK"]


def test_s0_answers_at_its_ring(console: ServedConsole, host: Host) -> None:
    host.ask("ATS0=2")
    console.rings()
    host.until(b"RING\r\n")
    console.emit(RingBurst(at_s=0, call_id="c1", ring=2, urgency="warn"))
    wait_for(lambda: Answer(call_id="c1", source="at") in console.engine.asked)
    assert len(console.engine.asked) == 1


@pytest.mark.console(
    "+CLCC: exactly seven fields; a name or SIP address reads as no number; type 145 with +, else 129",
    clause="27.007 7.18",
)
def test_clcc_has_exactly_seven_fields(console: ServedConsole, host: Host) -> None:
    console.engine.views = [call_view()]
    assert host.ask("AT+CLCC") == ['+CLCC: 1,1,4,0,0,"+8621555",145', "OK"]
    console.engine.views = [call_view("active", "alice")]
    assert host.ask("AT+CLCC") == ['+CLCC: 1,1,0,0,0,"",129', "OK"]
    console.engine.views = [call_view("ending")]
    assert host.ask("AT+CLCC") == ["OK"]


@pytest.mark.console(
    "+VTS: digits, lists, {digit,tenths}; +VTD in tenths of a second", clause="27.007 C.2.11"
)
def test_dtmf_takes_a_list(console: ServedConsole, host: Host) -> None:
    assert host.ask('AT+VTS=1,a,"#"') == ["OK"]
    assert console.engine.asked[-1] == SendDtmf(digits="1A#", source="at")
    assert host.ask("AT+VTS={1,5},{2,5},3") == ["OK"]
    assert console.engine.asked[-2:] == [
        SendDtmf(digits="12", duration_ms=500, source="at"),
        SendDtmf(digits="3", source="at"),
    ]
    assert host.ask("AT+VTD=2;+VTS=4") == ["OK"]
    assert console.engine.asked[-1] == SendDtmf(digits="4", duration_ms=200, source="at")
    assert host.ask("AT+VTD?;+VTD=?") == ["+VTD: 2", "+VTD: (0-50)", "OK"]
    for wrong in ("AT+VTS={1}", "AT+VTS={1,0}", "AT+VTS={12,5}", "AT+VTS={1,99}", "AT+VTD=51"):
        assert host.ask(wrong) == ["ERROR"]


@pytest.mark.console("+CREG: 1 registered, 2 searching, 3 denied; changes after +CREG=1", clause="27.007 7.2")
def test_registration_is_read_and_reported(console: ServedConsole, host: Host) -> None:
    assert host.ask("AT+CREG?") == ["+CREG: 0,1", "OK"]
    host.ask("AT+CREG=1")
    console.emit(TrunkChanged(at_s=0, state="unreachable"))
    assert host.until(b"2\r\n").strip() == b"+CREG: 2"


@pytest.mark.console("AT#VERBOSE=1 adds the appliance's own error number", clause="ours")
def test_failures_as_error_number_text_and_in_full(console: ServedConsole, host: Host) -> None:
    console.engine.answers["answer"] = error(2004, "it is over")
    assert host.ask("ATA") == ["ERROR"]
    host.ask("AT+CMEE=1")
    host.write(b"ATA\r")
    assert host.until(b"3\r\n") == b"\r\n+CME ERROR: 3\r\n"
    host.ask("AT+CMEE=2;#VERBOSE=1")
    host.write(b"ATA\r")
    meaning = ERRORS[2004].encode()
    text = b'\r\n#ERROR: 2004,"it is over","' + meaning + b'"\r\n\r\n+CME ERROR: operation not allowed\r\n'
    assert host.until(b"allowed\r\n") == text
    assert host.ask("AT#NONE")[0].startswith("#ERROR: 1001,")
    host.ask("AT+CMEE=0")
    console.engine.answers["answer"] = error(2001)
    assert host.ask("ATA") == ["NO CARRIER"]
    console.engine.answers["dial"] = error(3001)
    host.write(b"ATD1;\r")
    assert host.until(b"TONE\r\n") == b"\r\nNO DIALTONE\r\n"
