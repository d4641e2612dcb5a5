"""Commands of our own, ``AT#...``, over a real pty."""

import json

import pytest

from tests.at.bench import Host, ServedConsole, call_view
from thirdring.protocol.at.table import TABLE
from thirdring.protocol.commands import (
    PressButton,
    SetAgentState,
    SetSettings,
    Speak,
)
from thirdring.protocol.events import (
    CallEnded,
    Levels,
    LevelSummary,
    MediaEnded,
    NormNoted,
    TrunkChanged,
    Verdict,
    record_to_json,
)
from thirdring.protocol.views import ContactView

LEVELS = Levels(
    at_s=0,
    call_id="c1",
    end_s=2.5,
    interval_s=0.5,
    agent_before_rms_dbov=(-30.0,),
    agent_after_rms_dbov=(-26.0,),
    customer_rms_dbov=(-40.0,),
    agent_before_sliding_dbov=-31.25,
    agent_after_sliding_dbov=-26.5,
    customer_sliding_dbov=-100.0,
    agent_active_s=0.4,
    customer_active_s=0.0,
    agc_gain_db=4.75,
)
WHOLE = LevelSummary(active_speech_level_dbov=-27.0, activity_percent=40.0, active_s=2.0, peak_dbov=-9.0)


@pytest.mark.console(
    "commands of ours begin AT#, with fixed fields and matching reports, only when asked for",
    clause="ours",
)
def test_rings_levels_and_norms_of_the_call(console: ServedConsole, host: Host) -> None:
    assert host.ask("AT#URC=1;#RINGS?") == ["ERROR"]
    console.rings(ring=2)
    host.until(b"normal\r\n")
    assert host.ask("AT#RINGS?") == ['#RINGS: 2,1.50,"normal","c1"', "OK"]
    assert host.ask("AT#LEVEL?") == ["ERROR"]
    noted = NormNoted(
        at_s=0, call_id="c1", rule="answer.rings", state="warned", value=2.0, unit="rings", threshold=3
    )
    console.emit(LEVELS, noted)
    line = '#NORM: "answer.rings","warned",2.00,"rings",3,"","c1"'
    assert host.until(b'"c1"\r\n').decode().strip() == line
    assert host.ask("AT#NORM?") == [line, "OK"]
    assert host.ask("AT#LEVEL?") == ['#LEVEL: -31.25,-26.50,-100.00,4.75,2.50,"sliding","c1"', "OK"]
    end = CallEnded(at_s=0, call_id="c1", by="customer", cause="hangup")
    media = MediaEnded(
        at_s=0, call_id="c1", duration_s=3.0, agent_before=WHOLE, agent_after=WHOLE, customer=WHOLE
    )
    verdict = Verdict(
        at_s=0,
        call_id="c1",
        rule="voice.level",
        verdict="not_applicable",
        value=None,
        unit="%",
        threshold=20.0,
        reason='no "speech"',
    )
    console.emit(media, end, verdict)
    assert host.until(b'"c1"\r\n').startswith(b"\r\nNO CARRIER\r\n")
    line = '#NORM: "voice.level","not_applicable",,"%",20.00,"no \\22speech\\22","c1"'
    assert host.ask('AT#NORM="c1"') == [line, "OK"]
    assert host.ask("AT#LEVEL?") == ['#LEVEL: -27.00,-27.00,-27.00,,3.00,"whole","c1"', "OK"]
    assert host.ask("AT#CALL=c1")[1:] == [line, "OK"]
    assert host.ask("AT#NORM=c9") == ["ERROR"]


def test_the_journal_is_read_line_by_line(console: ServedConsole, host: Host) -> None:
    assert host.ask("AT#CALLS") == ["OK"]
    console.rings()
    host.until(b"RING\r\n")
    (line, code) = host.ask("AT#CALLS=5")
    assert line.startswith('#CALLS: "c1","incoming","+8621555","","live","2026')
    assert code == "OK"
    events = host.ask("AT#CALLEVENTS=c1")[:-1]
    expected = [record_to_json(record) for record in console.engine.records]
    assert [json.loads(event.removeprefix("#CALLEVENTS: ")) for event in events] == expected
    host.ask("AT#VERBOSE=1")
    events = host.ask("AT#CALLEVENTS=c1")[:-1]
    assert [json.loads(event.removeprefix("#RESULT: ")) for event in events] == expected


def test_state_and_settings(console: ServedConsole, host: Host) -> None:
    console.engine.views = [call_view()]
    assert host.ask("AT#STATE?") == [
        '#STATE: "0.1","simulator","2.15","static","","ok",0,0,0,"","ready"',
        '#STATECALL: "c1",1,"incoming","incoming","+8621555","Li; \\22x\\22",1,"2026",0,0,0,0,"off"',
        "OK",
    ]
    (line, _) = host.ask("AT#GET=sip.port")
    assert line == '#GET: "sip.port",5060,"","UDP and TCP port for SIP"'
    assert len(host.ask("AT#GET")) > 20
    assert host.ask("AT#GET=none") == ["ERROR"]
    console.engine.answers["set_settings"] = {"restart_required": False}
    assert host.ask('AT#SET="a.b",3,"c","x;y",d,true') == ["#SET: live", "OK"]
    assert console.engine.asked[-1] == SetSettings(changes={"a.b": 3, "c": "x;y", "d": True}, source="at")
    assert host.ask('AT#SET={"t.p":["x"]}') == ["#SET: live", "OK"]
    assert console.engine.asked[-1] == SetSettings(changes={"t.p": ["x"]}, source="at")
    assert host.ask("AT#SET=a") == ["ERROR"]


def test_key_figures_and_staffing(console: ServedConsole, host: Host) -> None:
    console.rings()
    console.ended("c1", "cancelled")
    host.until(b"NO CARRIER\r\n")
    row = '#FIGURES: "2026-01-02T00:00+08:00",1,0,0,1,0.00,,,,,,,0'
    assert host.ask('AT#FIGURES="2026-01-02","2026-01-03",day') == [row, row, "OK"]
    (line, _) = host.ask('AT#FIGURES="2026-01-02","2026-01-03",all,json')
    assert json.loads(line.removeprefix("#RESULT: "))["total"]["short_abandoned"] == 1
    assert host.ask('AT#FIGURES="tomorrow"') == ["ERROR"]
    assert host.ask("AT#STAFFING=100") == ["#STAFFING: 8,12,16.73,88.01,10.04,62.50", "OK"]
    assert host.ask("AT#STAFFING=100,-1") == ["ERROR"]
    forecast = host.ask("AT#FORECAST")
    assert len(forecast) == 169
    assert forecast[0] == "#FORECAST: 0,0,0.00,0.00,0,0"


def test_the_agents_work_is_listed(console: ServedConsole, host: Host) -> None:
    console.engine.contact_views = [ContactView(number="+8621555", name="Li", firm="", post="", remark="")]
    (line, code) = host.ask("AT#LIST=contacts")
    assert json.loads(line.removeprefix("#LIST: "))["name"] == "Li"
    assert code == "OK"
    assert host.ask('AT#LIST=notes,"c1"') == ["OK"]
    assert host.ask('AT#LIST={"what":"call_backs","done":true}') == ["OK"]
    assert host.ask("AT#LIST=secrets") == ["ERROR"]


def test_the_agents_state(console: ServedConsole, host: Host) -> None:
    console.engine.answers["set_agent_state"] = {"state": "break", "agent": "Li Lei"}
    assert host.ask('AT#AGENT=break,"Li Lei","lunch"') == ["OK"]
    asked = SetAgentState(state="break", agent="Li Lei", reason="lunch", source="at")
    assert console.engine.asked[-1] == asked
    assert host.ask("AT#AGENT?") == ['#AGENT: "ready",""', "OK"]
    assert host.ask("AT#AGENT=talking") == ["ERROR"]


def test_speaking_as_the_agent(console: ServedConsole, host: Host) -> None:
    console.engine.answers["speak"] = {"duration_s": 2.0}
    assert host.ask('AT#SPEAK="/a b/早.wav"') == ["#SPEAK: 2.00", "OK"]
    assert console.engine.asked[-1] == Speak(path="/a b/早.wav", source="at")


def test_buttons_and_lamps_of_the_headset(console: ServedConsole, host: Host) -> None:
    console.engine.answers["get_headset"] = {"device": "Jabra", "leds": ["off_hook", "mute"]}
    assert host.ask('AT#BTN="hook"') == ["OK"]
    assert console.engine.asked[-1] == PressButton(button="hook", source="at")
    assert host.ask("AT#LED?") == ['#LED: "off_hook mute","Jabra"', "OK"]
    assert host.ask("AT#BTN") == ["ERROR"]


def test_events_are_resumed_by_number_without_gap_or_double(console: ServedConsole, host: Host) -> None:
    console.emit(*(TrunkChanged(at_s=0, state="registered", sip_code=code) for code in range(50)))
    host.write(b"AT#EVENTS=10\r")
    assert host.until(b'"sip_code":49,"reason":"","server":""}\r\n').startswith(
        b'\r\nOK\r\n\r\n#EVENT: {"seq":11,'
    )
    console.emit(TrunkChanged(at_s=0, state="registered", sip_code=50))
    host.until(b'"sip_code":50,"reason":"","server":""}\r\n')
    assert host.ask("AT#EVENTS?;#EVENTS=off")[-2:] == ["#EVENTS: on,51", "OK"]
    console.emit(TrunkChanged(at_s=0, state="registered", sip_code=51))
    assert host.quiet() == b""
    host.write(b"AT#EVENTS=48\r")
    lines = [
        line
        for line in host.until(b'"sip_code":51,"reason":"","server":""}\r\n').decode().split("\r\n")
        if line
    ]
    assert lines[0] == "OK"
    assert [json.loads(line.removeprefix("#EVENT: "))["seq"] for line in lines[1:]] == [49, 50, 51, 52]


@pytest.mark.console(
    "numbered events (AT#EVENTS) stand between answers only, none lost or doubled", clause="ours"
)
def test_events_never_stand_within_an_answer(console: ServedConsole, host: Host) -> None:
    console.emit(*(TrunkChanged(at_s=0, state="registered") for _ in range(3000)))
    host.write(b"AT#EVENTS=0\r" + b"AT#HELP\r" * 20)
    seen = host.until(
        b'"at_s":750.0,"call_id":"","state":"registered","sip_code":0,"reason":"","server":""}\r\n'
    )
    lines = [line for line in seen.decode().split("\r\n") if line]
    events = [line for line in lines if line.startswith("#EVENT: ")]
    numbers = [json.loads(line.removeprefix("#EVENT: "))["seq"] for line in events]
    assert numbers == list(range(1, 3001))
    starts = [at for at, line in enumerate(lines) if line.startswith('#HELP: "ATA"')]
    assert len(starts) == 20
    for start in starts:
        answer = lines[start : start + len(TABLE) + 1]
        assert answer[-1] == "OK"
        assert all(line.startswith("#HELP: ") for line in answer[:-1])
