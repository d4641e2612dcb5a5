"""Self-test and log of the unit over a real pty."""

import json
from pathlib import Path

import pytest

from tests.at.bench import Host, ServedConsole
from tests.at.test_own_commands import LEVELS
from tests.at.test_supplementary import view
from tests.update.two_slots import two_slots
from thirdring.protocol.at.parse import requests
from thirdring.protocol.at.values import parameters
from thirdring.protocol.errors import error
from thirdring.protocol.events import TrunkChanged
from thirdring_device.factory_reset import FLAG
from thirdring_device.gateway.at.handlers import unit as unit_handlers

SELFTEST_WAIT_S = 60.0


def self_test(host: Host) -> dict[str, list[tuple[str, str]]]:
    """Return result and finding of each item."""
    host.write(b"AT#SELFTEST\r")
    answer = host.until(b"\r\nOK\r\n", wait_s=SELFTEST_WAIT_S).decode()
    found: dict[str, list[tuple[str, str]]] = {}
    for line in filter(None, answer.split("\r\n")[:-2]):
        (request,) = requests(line.replace("#SELFTEST: ", "#SELFTEST="))
        item, result, text = (parameter.text for parameter in parameters(request.argument))
        found.setdefault(item, []).append((result, text))
    return found


def test_the_self_test_looks_at_engine_and_stack(console: ServedConsole, host: Host) -> None:
    found = self_test(host)
    assert found["engine"] == [("ok", "0.1, simulator")]
    assert found["trunk"] == [("ok", "static")]
    assert found["headset"] == [("ok", "simulated")]
    assert found["stack"][0][1].startswith("pjsua2 ")
    assert "PCMA" in found["codecs"][0][1]
    assert found["unit"] == [("ok", "")]
    console.engine.answers["get_state"] = error(7000)
    found = self_test(host)
    assert found["engine"][0][0] == "failed"
    assert found["unit"] == [("failed", "")]


def test_no_self_test_in_a_call(console: ServedConsole, host: Host) -> None:
    console.engine.views = [view(1, "active")]
    host.ask("AT+CMEE=1")
    host.write(b"AT#SELFTEST\r")
    assert host.until(b"3\r\n") == b"\r\n+CME ERROR: 3\r\n"


def test_a_reset_wants_the_serial_number(console: ServedConsole, host: Host) -> None:
    flag = console.path.parent / FLAG
    (serial, _) = host.ask("AT+CGSN")
    assert host.ask('AT#RESET="0"') == ["ERROR"]
    assert host.ask("AT#RESET") == ["ERROR"]
    assert not flag.exists()
    assert host.ask(f'AT#RESET="{serial}"') == ["OK"]
    assert flag.exists()


def test_the_log_has_the_newest_events_but_not_the_measurements(console: ServedConsole, host: Host) -> None:
    assert host.ask("AT#LOG") == ["OK"]
    console.emit(*(TrunkChanged(at_s=0, state="registered", sip_code=code) for code in range(30)))
    console.emit(LEVELS, LEVELS)
    shown = [json.loads(line.removeprefix("#LOG: ")) for line in host.ask("AT#LOG")[:-1]]
    assert [event["sip_code"] for event in shown] == list(range(10, 30))
    assert len(host.ask("AT#LOG=3")) == 4
    assert host.ask("AT#LOG=0") == ["ERROR"]


def test_what_is_said_is_kept_without_its_passwords(console: ServedConsole, host: Host) -> None:
    host.ask("AT#URC=1")
    host.ask('AT#LOGIN="swordfish"')
    host.ask('AT#SET="trunk.password","swordfish"')
    said = [(one.side, one.text) for one in console.transcript.newest(100)]
    begun = said.index(("host", "AT#URC=1"))
    assert said[begun + 1] == ("unit", "OK")
    assert ("host", "AT#LOGIN=***") in said
    assert ("host", "AT#SET=***") in said
    assert not [text for _, text in said if "swordfish" in text]


def refusal(host: Host, line: str) -> int:
    """Return the number after ``+CME ERROR``."""
    host.write(line.encode() + b"\r")
    while not (said := host.until(b"\r\n")).strip():
        pass
    return int(said.decode().strip().removeprefix("+CME ERROR: "))


def test_a_board_without_slots_takes_no_update(console: ServedConsole, host: Host) -> None:
    assert host.ask("AT#UPDATE?") == ['#UPDATE: "idle",0,"",0,"","0.1",""', "OK"]
    host.ask("AT+CMEE=1")
    assert refusal(host, 'AT#UPDATE="https://updates.example/box.raucb"') == 4
    assert refusal(host, 'AT#UPDATE="https://updates.example/box.raucb",1,1') == 4


def test_an_update_is_begun_and_told_on_the_console(
    console: ServedConsole, host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rauc = two_slots(tmp_path, "A")
    monkeypatch.setattr(unit_handlers, "Rauc", lambda: rauc)
    host.ask("AT+CMEE=1")
    console.engine.views = [view(1, "active")]
    assert refusal(host, 'AT#UPDATE="https://updates.example/box.raucb"') == 3
    assert host.ask('AT#UPDATE="https://updates.example/box.raucb",0,1') == ["OK"]
    assert host.ask("AT#UPDATE?") == ['#UPDATE: "waiting",0,"",0,"","0.2.0+abc","A"', "OK"]
    assert refusal(host, 'AT#UPDATE="https://updates.example/box.raucb",0,1') == 3
    assert host.ask('AT#UPDATE="box.raucb"') == ["ERROR"]
