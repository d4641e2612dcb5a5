"""Rules of lines, forms and results (ITU-T V.250), byte by byte through a real pty."""

import pytest

from tests.at.bench import Host, ServedConsole, wait_for
from tests.at.test_indicators import failure
from thirdring.protocol.at.lines import MAX_LINE
from thirdring.protocol.commands import Answer, Dial, Hangup, SendDtmf
from thirdring.protocol.errors import error
from thirdring.protocol.events import CallAnswered, CallOutgoing, RingBurst

rule = pytest.mark.console
OK = b"\r\nOK\r\n"


def says(host: Host, data: bytes) -> bytes:
    """Write bytes; return all that comes, up to the answer to a last question that proves it is all."""
    host.write(data + b'\rAT#SYNC="all"\r')
    return host.until(b'\r\n#SYNC: "all"\r\n' + OK).removesuffix(b'\r\n#SYNC: "all"\r\n' + OK)


def wait_for_dials(console: ServedConsole, count: int) -> None:
    wait_for(lambda: sum(isinstance(command, Dial) for command in console.engine.asked) == count)


# --- lines ----------------------------------------------------------------------------------------


@rule("a line begins with AT or at, not with aT or At", clause="V.250 5.2.1")
@pytest.mark.parametrize(
    ("begin", "answer"), [(b"AT", OK), (b"at", OK), (b"aT", b""), (b"At", b""), (b"T", b"")]
)
def test_prefix(host: Host, begin: bytes, answer: bytes) -> None:
    assert says(host, begin) == answer


@rule("a line ends with CR (S3), LF or CRLF, and each makes one line", clause="ours")
@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n"])
def test_line_ends(host: Host, end: bytes) -> None:
    assert says(host, b"AT+CLIP=1" + end + b"AT+CLIP?" + end) == OK + b"\r\n+CLIP: 1,1\r\n" + OK


@rule("stray LF and ESC before a line are dropped", clause="ours")
def test_what_stands_before_a_line(host: Host) -> None:
    assert says(host, b"\n\n\x1b\nAT") == OK


@rule("other control characters within a line are ignored", clause="V.250 5.2.1")
def test_control_characters(host: Host) -> None:
    assert says(host, b"AT\x00+\x01CL\x11IP?\x13") == b"\r\n+CLIP: 0,1\r\n" + OK


@rule("spaces count only in quotes", clause="V.250 5.2.1")
def test_spaces(host: Host) -> None:
    assert says(host, b'AT  + C LIP ? ; #SYNC = "a  b"') == b'\r\n+CLIP: 0,1\r\n\r\n#SYNC: "a  b"\r\n' + OK


@rule("S5 (BS) and DEL take back the last character, with echo on the screen, too", clause="V.250 5.2.2")
def test_editing(host: Host) -> None:
    assert says(host, b"AT+CLXX\x08\x7fIP?") == b"\r\n+CLIP: 0,1\r\n" + OK
    assert says(host, b"AT\x08\x08\x08+CLIP?") == b"\r\n+CLIP: 0,1\r\n" + OK  # the prefix is not taken back
    host.write(b"ATE1\rATX\x08\r")
    assert host.until(OK + b"ATX\b \b\r" + OK)


@rule("E1: each character comes back as it was typed, one by one; E0: none", clause="V.250 6.2.4")
def test_echo(host: Host) -> None:
    assert host.ask("ATE1") == ["OK"]
    for character in b"at+Clip":
        host.write(bytes((character,)))
        assert host.until(bytes((character,))) == bytes((character,))
    host.write(b"=?\r")
    assert host.until(OK) == b"=?\r\r\n+CLIP: (0,1)\r\n" + OK
    host.write(b"ATE0\r")
    assert host.until(OK) == b"ATE0\r" + OK
    assert says(host, b"AT") == OK


@rule(
    "A/ and a/ repeat the last line at once, without a line end; before any line, an empty one",
    clause="V.250 5.2.4",
)
def test_repeat(console: ServedConsole) -> None:
    host = Host(console.path)
    host.write(b"A/")
    assert host.until(OK).endswith(OK)
    assert host.ask("ATE0")[-1] == "OK"
    assert host.ask("AT+VTS=1") == ["OK"]
    for again in (b"A/", b"a/", b"A/"):
        host.write(again)
        assert host.until(OK) == OK
    assert console.engine.asked == [SendDtmf(digits="1", source="at")] * 4
    host.close()


@rule(
    "a line of 4,096 characters runs; of a longer one nothing runs, and it is answered ERROR", clause="ours"
)
@pytest.mark.parametrize(("length", "runs"), [(MAX_LINE, True), (MAX_LINE + 1, False), (100_000, False)])
def test_longest_line(console: ServedConsole, host: Host, length: int, runs: bool) -> None:
    begin = b"H+VTS="
    line = b"AT" + begin + b"1" * (length - len(begin))
    assert says(host, line) == (OK if runs else b"\r\nERROR\r\n")
    expected = [Hangup(source="at"), SendDtmf(digits="1" * (length - len(begin)), source="at")]
    assert console.engine.asked == (expected if runs else [])


@rule("lines of 512 characters with digits, as modem software sends them, run", clause="ours")
def test_long_list_of_digits(console: ServedConsole, host: Host) -> None:
    assert host.ask("AT+VTS=" + ",".join("1" * 252)) == ["OK"]
    assert console.engine.asked == [SendDtmf(digits="1" * 252, source="at")]


# --- commands on a line ---------------------------------------------------------------------------


@rule("basic commands follow one another with nothing between; a missing number is 0", clause="V.250 5.3.1")
def test_basic_commands(host: Host) -> None:
    assert host.ask("ATV1X3L2M0S7=45S0=3S0?S7?") == ["003", "045", "OK"]
    assert host.ask("ATX4Q0E0&C1&D2S0?") == ["003", "OK"]


@rule("an extended command ends with ; where another follows", clause="V.250 5.4.5")
def test_extended_commands(host: Host) -> None:
    assert host.ask("AT+CLIP=1;+COLP=1;+CLIP?;+COLP?;S0?") == ["+CLIP: 1,1", "+COLP: 1,1", "000", "OK"]
    assert host.ask("ATS0=1+CLIP=0;+CLIP?") == ["+CLIP: 0,1", "OK"]
    assert host.ask("AT+CLIP=1+COLP=0") == ["ERROR"]


@rule("one final code a line, however many commands it has", clause="V.250 5.7.1")
def test_one_final_code(host: Host) -> None:
    assert says(host, b"AT+CLIP?;+CREG?;E0V1;+CGMI").count(OK) == 1
    assert says(host, b"AT+CLIP?;!;+CGMI").count(b"\r\nERROR\r\n") == 1


@rule("the first failure ends the line: what stood before is done, nothing behind it", clause="V.250 5.6")
def test_first_failure(console: ServedConsole, host: Host) -> None:
    console.engine.answers["send_dtmf"] = error(2002)
    host.ask("AT+CMEE=1")
    assert failure(host, "ATS0=2+VTS=1;+CLIP=1;H") == "+CME ERROR: 3"
    assert host.ask("ATS0?+CLIP?") == ["002", "+CLIP: 0,1", "OK"]
    assert not any(isinstance(command, Hangup) for command in console.engine.asked)


@rule(
    "an unknown command, wrong syntax and a parameter out of bounds are answered ERROR, whatever +CMEE",
    clause="ours",
)
@pytest.mark.parametrize(
    "line",
    [
        "AT!",
        "AT+",
        "AT+NONE",
        "AT#NONE?",
        "ATE2",
        "ATS0=256",
        "ATS99?",
        "AT+CLIP=2",
        'AT#SYNC="x',
        "AT+CLIP=1,2",
    ],
)
def test_mistakes(host: Host, line: str) -> None:
    host.ask("AT+CMEE=2")
    assert host.ask(line) == ["ERROR"]


# --- results --------------------------------------------------------------------------------------


@rule("V1: header CR LF, trailer CR LF, for information and result codes", clause="V.250 6.2.6")
def test_words(host: Host) -> None:
    assert says(host, b"AT+CLIP?") == b"\r\n+CLIP: 0,1\r\n" + OK


@rule(
    "V0: numbers with CR: 0 OK, 1 CONNECT, 2 RING, 3 NO CARRIER, 4 ERROR, 6 NO DIALTONE, 7 BUSY, 8 NO ANSWER",
    clause="V.250 6.2.6",
)
def test_numbers(console: ServedConsole, host: Host) -> None:
    engine = console.engine
    host.write(b"ATV0\r")
    assert host.until(b"\r") == b"0\r"
    host.write(b"AT!\r")
    assert host.until(b"\r") == b"4\r"
    engine.answers["dial"] = error(3001)
    host.write(b"ATD1;\r")
    assert host.until(b"\r") == b"6\r"
    for number, (cause, code) in enumerate((("busy", b"7\r"), ("no_answer", b"8\r"), ("failed", b"3\r"))):
        call_id = f"d{number}"
        engine.answers["dial"] = {"call_id": call_id}
        host.write(b"ATD1\r")
        wait_for_dials(console, number + 2)
        console.emit(CallOutgoing(at_s=0, call_id=call_id, number="1"))
        console.ended(call_id, cause, "network")
        assert host.until(b"\r") == code
    engine.answers["dial"] = {"call_id": "c9"}
    host.write(b"ATD1\r")
    wait_for_dials(console, 5)
    console.emit(CallOutgoing(at_s=0, call_id="c9", number="1"), CallAnswered(at_s=0, call_id="c9"))
    assert host.until(b"\r") == b"1\r"
    console.ended("c9")
    assert host.until(b"\r") == b"3\r"
    console.rings("c10")
    assert host.until(b"\r") == b"2\r"
    host.write(b"AT+CLIP?\r")
    assert host.until(b"0\r") == b"+CLIP: 0,1\r\n0\r"


@rule("Q1: no result codes, of calls neither, but information", clause="V.250 6.2.5")
def test_silence(console: ServedConsole, host: Host) -> None:
    host.write(b"ATQ1\rAT!\rATS7?\r")
    assert host.until(b"060\r\n") == b"\r\n060\r\n"
    console.rings()
    console.emit(RingBurst(at_s=0, call_id="c1", ring=2, urgency="normal"))
    assert host.quiet() == b""
    assert host.ask("ATQ0") == ["OK"]


@rule(
    "X4 tells BUSY and NO DIALTONE, X3 BUSY alone, X2 NO DIALTONE alone, X0 and X1 neither",
    clause="V.250 6.2.7",
)
@pytest.mark.parametrize(("x", "busy", "tone"), [(0, 0, 0), (1, 0, 0), (2, 0, 1), (3, 1, 0), (4, 1, 1)])
def test_progress(console: ServedConsole, host: Host, x: int, busy: int, tone: int) -> None:
    console.engine.answers["dial"] = {"call_id": "d"}
    assert host.ask(f"ATX{x}D1;") == ["OK"]
    console.emit(CallOutgoing(at_s=0, call_id="d", number="1"))
    console.ended("d", "busy", "network")
    code = b"\r\nBUSY\r\n" if busy else b"\r\nNO CARRIER\r\n"
    assert host.until(b"\r\nBUSY\r\n", b"\r\nNO CARRIER\r\n") == code
    console.engine.answers["dial"] = error(3001)
    host.write(b"ATD1;\r")
    code = b"\r\nNO DIALTONE\r\n" if tone else b"\r\nNO CARRIER\r\n"
    assert host.until(b"\r\nNO DIALTONE\r\n", b"\r\nNO CARRIER\r\n") == code


# --- S registers ----------------------------------------------------------------------------------


@rule("S registers are read with three digits and stay within their bounds", clause="V.250 5.3.2")
def test_registers(host: Host) -> None:
    assert host.ask("ATS0?S3?S4?S5?S7?") == ["000", "013", "010", "008", "060", "OK"]
    assert host.ask("ATS7=0") == ["ERROR"]
    assert host.ask("ATS3=128") == ["ERROR"]
    assert host.ask("ATS7=9S7?") == ["009", "OK"]


@rule("S3: its new value ends the next line and stands in this line's result", clause="V.250 6.2.1")
def test_line_terminator(host: Host) -> None:
    host.write(b"ATS3=33\r")
    assert host.until(b"!\nOK!\n") == b"!\nOK!\n"
    host.write(b"AT+CLIP?!")
    assert host.until(b"OK!\n") == b"!\n+CLIP: 0,1!\n!\nOK!\n"
    host.write(b"ATS3=13!")
    assert host.until(OK) == OK


@rule("S4: stands in results in the place of LF, from this line's result on", clause="V.250 6.2.2")
def test_response_formatting(host: Host) -> None:
    host.write(b"ATS4=35\r")
    assert host.until(b"OK\r#") == b"\r#OK\r#"
    host.write(b"AT&F\r")
    assert host.until(OK) == OK


@rule("S5: the character that edits", clause="V.250 6.2.3")
def test_editing_character(host: Host) -> None:
    assert host.ask("ATS5=95") == ["OK"]
    assert says(host, b"AT+CLXX__IP?") == b"\r\n+CLIP: 0,1\r\n" + OK


@rule("S0=n answers at the n-th ring; S0=0 never", clause="V.250 6.3.8")
def test_auto_answer(console: ServedConsole, host: Host) -> None:
    console.rings("c1", ring=1)
    console.emit(*(RingBurst(at_s=0, call_id="c1", ring=ring, urgency="normal") for ring in (2, 3)))
    for _ in range(3):
        host.find(b"RING\r\n")
    assert console.engine.asked == []
    console.ended("c1", "cancelled")
    host.until(b"NO CARRIER\r\n")
    assert host.ask("ATS0=2") == ["OK"]
    console.rings("c2", ring=1)
    host.until(b"RING\r\n")
    assert console.engine.asked == []
    console.emit(RingBurst(at_s=0, call_id="c2", ring=2, urgency="normal"))
    wait_for(lambda: console.engine.asked == [Answer(call_id="c2", source="at")])


# --- failures -------------------------------------------------------------------------------------

FAILURES = [
    ("AT+CHLD=1", 3, "operation not allowed"),
    ("AT+CUSD=1", 4, "operation not supported"),
    ("AT+CHLD=19", 21, "invalid index"),
    ("AT#CALL=none", 22, "not found"),
    (f"ATD{'1' * 41};", 26, "dial string too long"),
    ("ATD12AB;", 27, "invalid characters in dial string"),
    ("ATD1;", 30, "no network service"),
    ("ATA", 100, "unknown"),
]


@rule("+CMEE: ERROR, +CME ERROR with number, with text", clause="27.007 9.1")
@rule(
    "3 not allowed, 4 not supported, 21 index, 22 not found, 26 and 27 number, 30 no service, 100 unknown",
    clause="27.007 9.2",
)
@pytest.mark.parametrize(("line", "number", "text"), FAILURES)
def test_failures(console: ServedConsole, host: Host, line: str, number: int, text: str) -> None:
    console.engine.answers["dial"] = error(2005 if "AB" in line else 3001)
    console.engine.answers["answer"] = error(7000)
    if number != 30:  # without +CMEE a call that cannot be dialled is told as V.250 tells it
        assert host.ask(line) == ["ERROR"]
    host.ask("AT+CMEE=1")
    assert failure(host, line) == f"+CME ERROR: {number}"
    host.ask("AT+CMEE=2")
    host.write(line.encode() + b"\r")
    assert host.until(text.encode() + b"\r\n") == f"\r\n+CME ERROR: {text}\r\n".encode()
