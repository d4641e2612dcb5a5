"""Indicators, activity, signal, loudness, withheld numbers and USSD (3GPP TS 27.007) over a real pty."""

import pytest

from tests.at.bench import Host, ServedConsole
from tests.at.test_supplementary import view
from thirdring.protocol.commands import Dial, Redial, SetSettings
from thirdring.protocol.events import (
    CallAlerting,
    CallIncoming,
    CallOutgoing,
    HeadsetChanged,
    HoldEnded,
    HoldStarted,
    RingBurst,
    TrunkChanged,
)


def failure(host: Host, line: str) -> str:
    """Send a line that fails with a number; return the number's line."""
    host.write(line.encode() + b"\r")
    return host.until(*(b"+CME ERROR: %d\r\n" % number for number in range(1, 101))).decode().strip()


@pytest.mark.console("+CIND: service, signal, call, callsetup, callheld", clause="27.007 8.9")
def test_indicators_are_named_and_read(console: ServedConsole, host: Host) -> None:
    named = '+CIND: ("service",(0,1)),("signal",(0-5)),("call",(0,1)),("callsetup",(0-3)),("callheld",(0-2))'
    assert host.ask("AT+CIND=?") == [named, "OK"]
    assert host.ask("AT+CIND?") == ["+CIND: 1,5,0,0,0", "OK"]
    for calls, shown in (
        ([view(1, "incoming")], "1,5,0,1,0"),
        ([view(1, "dialing")], "1,5,0,2,0"),
        ([view(1, "alerting")], "1,5,0,3,0"),
        ([view(1, "active")], "1,5,1,0,0"),
        ([view(1, "held")], "1,5,1,0,2"),
        ([view(1, "active"), view(2, "held")], "1,5,1,0,1"),
        ([view(1, "active"), view(2, "incoming", waiting=True)], "1,5,1,1,0"),
        ([view(1, "ending")], "1,5,0,0,0"),
    ):
        console.engine.views = calls
        assert host.ask("AT+CIND?") == [f"+CIND: {shown}", "OK"]


@pytest.mark.console("+CMER=3,0,0,1: each change of an indicator as +CIEV", clause="27.007 8.10")
def test_changes_of_indicators_are_reported_only_when_asked_for(console: ServedConsole, host: Host) -> None:
    console.rings("c1")
    assert host.until(b"RING\r\n") == b"\r\nRING\r\n"
    assert host.ask("AT+CMER=3,0,0,1;+CMER?") == ["+CMER: 3,0,0,1,0", "OK"]
    console.answered("c1")
    assert host.until(b"4,0\r\n") == b"\r\n+CIEV: 3,1\r\n\r\n+CIEV: 4,0\r\n"
    console.emit(
        CallIncoming(at_s=0, call_id="c2", number="1"), CallAlerting(at_s=0, call_id="c2", waiting=True)
    )
    assert host.until(b"4,1\r\n") == b"\r\n+CIEV: 4,1\r\n"
    console.emit(HoldStarted(at_s=0, call_id="c1", by="customer"))  # their hold is not ours
    console.emit(HoldStarted(at_s=0, call_id="c1", by="agent"))
    assert host.until(b"5,2\r\n") == b"\r\n+CIEV: 5,2\r\n"
    console.answered("c2")
    assert host.until(b"5,1\r\n") == b"\r\n+CIEV: 4,0\r\n\r\n+CIEV: 5,1\r\n"
    console.ended("c2")
    assert host.until(b"CARRIER\r\n") == b"\r\n+CIEV: 5,2\r\n\r\nNO CARRIER\r\n"
    console.emit(HoldEnded(at_s=0, call_id="c1", by="agent"))
    assert host.until(b"5,0\r\n") == b"\r\n+CIEV: 5,0\r\n"
    assert host.ask("ATH") == ["OK"]
    console.ended("c1", by="agent")
    assert host.until(b"3,0\r\n") == b"\r\n+CIEV: 3,0\r\n"  # its end is no report, the indicator is
    console.emit(TrunkChanged(at_s=0, state="unreachable"))
    assert host.until(b"2,0\r\n") == b"\r\n+CIEV: 1,0\r\n\r\n+CIEV: 2,0\r\n"
    assert host.ask("AT+CMER=0") == ["OK"]
    console.emit(TrunkChanged(at_s=0, state="registered"))
    assert host.quiet() == b""


def test_a_dialled_call_is_followed_to_its_ringing(console: ServedConsole, host: Host) -> None:
    host.ask("AT+CMER=3,0,0,1")
    console.emit(CallOutgoing(at_s=0, call_id="c1", number="1"))
    assert host.until(b"4,2\r\n") == b"\r\n+CIEV: 4,2\r\n"
    console.emit(CallAlerting(at_s=0, call_id="c1"))
    assert host.until(b"4,3\r\n") == b"\r\n+CIEV: 4,3\r\n"


@pytest.mark.parametrize("line", ["AT+CMER=4", "AT+CMER=3,1", "AT+CMER=3,0,0,2", "AT+CMER=3,0,0,1,0,0"])
def test_reporting_that_is_not_to_be_had_is_refused(host: Host, line: str) -> None:
    assert host.ask(line) == ["ERROR"]
    assert host.ask("AT+CMER?") == ["+CMER: 0,0,0,0,0", "OK"]


@pytest.mark.console("+CPAS and +CSQ", clause="27.007 8.1")
def test_activity_and_signal(console: ServedConsole, host: Host) -> None:
    assert host.ask("AT+CPAS;+CSQ") == ["+CPAS: 0", "+CSQ: 31,99", "OK"]
    console.engine.views = [view(1, "incoming")]
    assert host.ask("AT+CPAS") == ["+CPAS: 3", "OK"]
    console.engine.views = [view(1, "held"), view(2, "incoming", waiting=True)]
    assert host.ask("AT+CPAS") == ["+CPAS: 4", "OK"]
    assert host.ask("AT+CPAS=?;+CSQ=?") == ["+CPAS: (0,3,4)", "+CSQ: (31,99),(99)", "OK"]


@pytest.mark.console("+CLVL is the volume of the ear", clause="27.007 8.23")
def test_loudness_is_the_volume_of_the_ear(console: ServedConsole, host: Host) -> None:
    assert host.ask("AT+CLVL?;+CLVL=?") == ["+CLVL: 40", "+CLVL: (0-40)", "OK"]
    assert host.ask("AT+CLVL=28") == ["OK"]
    assert console.engine.asked[-1] == SetSettings(changes={"headset.ear_db": -12.0}, source="at")
    assert host.ask("AT+CLVL=41") == ["ERROR"]


@pytest.mark.console(
    "+CLIR=1 withholds our number from whom we call, ATD...I; for one call; 0, 2 and ATD...i; show it",
    clause="27.007 7.7",
)
def test_our_number_is_withheld_when_asked_for(console: ServedConsole, host: Host) -> None:
    console.engine.answers["dial"] = console.engine.answers["redial"] = {"call_id": "c1"}
    assert host.ask("AT+CLIR=?;+CLIR?") == ["+CLIR: (0-2)", "+CLIR: 0,4", "OK"]
    for line in (
        "ATD123;",
        "ATD123I;",
        "ATDL;",
        "AT+CLIR=1;DL;",
        "AT+CLIR?;D123;",
        "ATD123i;",
        "AT+CLIR=2;D123;",
    ):
        assert host.ask(line)[-1] == "OK"
    assert console.engine.asked == [
        Dial(number="123", source="at"),
        Dial(number="123", withheld=True, source="at"),
        Redial(source="at"),
        Redial(withheld=True, source="at"),
        Dial(number="123", withheld=True, source="at"),
        Dial(number="123", source="at"),
        Dial(number="123", source="at"),
    ]
    assert host.ask("AT+CLIR=3") == ["ERROR"]


@pytest.mark.console("+CUSD is refused as not supported", clause="27.007 7.15")
def test_ussd_is_refused_as_not_supported(host: Host) -> None:
    host.ask("AT+CMEE=1")
    assert host.ask("AT+CUSD=0;+CUSD?") == ["+CUSD: 0", "OK"]
    assert failure(host, "AT+CUSD=1") == "+CME ERROR: 4"
    assert failure(host, 'AT+CUSD=1,"*100#",15') == "+CME ERROR: 4"


def test_a_number_too_long_to_dial_has_an_error_of_its_own(host: Host) -> None:
    host.ask("AT+CMEE=1")
    assert failure(host, f"ATD{'1' * 41};") == "+CME ERROR: 26"


def test_trunk_and_headset_are_read_and_reported_in_the_same_words(
    console: ServedConsole, host: Host
) -> None:
    assert host.ask("AT#TRUNK?;#HEADSET?") == [
        '#TRUNK: "static",0,""',
        '#HEADSET: "simulated","present"',
        "OK",
    ]
    host.ask("AT#URC=1;+CREG=1")
    console.emit(TrunkChanged(at_s=0, state="refused", sip_code=403, reason="Forbidden"))
    assert host.until(b'en"\r\n') == b'\r\n+CREG: 3\r\n\r\n#TRUNK: "refused",403,"Forbidden"\r\n'
    console.emit(HeadsetChanged(at_s=0, state="lost", device="usb"))
    assert host.until(b'lost"\r\n') == b'\r\n#HEADSET: "usb","lost"\r\n'
    console.emit(RingBurst(at_s=0, call_id="none", ring=1, urgency="normal"))
    host.until(b"normal\r\n")
