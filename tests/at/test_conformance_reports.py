"""Rules of unsolicited lines and of the line itself: storms, pace, garbage, several consoles, hot-plug."""

import itertools
import os
import random
import re
import threading
import time
from pathlib import Path

import pytest

from tests.at.bench import WAIT_S, Host, ServedConsole, served, wait_for
from tests.at.test_ports import Cable, conversing
from thirdring.protocol.commands import Dial
from thirdring.protocol.events import NormNoted, RingBurst

rule = pytest.mark.console
OK = b"\r\nOK\r\n"
BYTES_PER_S = 11_520
"""115200 baud, 8N1: ten bits a byte."""
SEED = 20261122


class Writes:
    """What the server handed to the kernel, call by call."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.pieces: list[bytes] = []
        real = os.write

        def write(fd: int, data: bytes) -> int:
            count = real(fd, data)
            self.pieces.append(bytes(data[:count]))
            return count

        monkeypatch.setattr(os, "write", write)

    def holding(self, text: bytes) -> list[bytes]:
        return [piece for piece in self.pieces if text in piece]


@rule(
    "RING, +CLIP and what belongs to a ring leave in one write, so do +CIEV and the result of a call",
    clause="ours",
)
def test_a_group_is_one_write(console: ServedConsole, host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    host.ask("AT+CLIP=1;+CRC=1;#URC=1;+CMER=3,0,0,1")
    writes = Writes(monkeypatch)
    console.rings()
    host.until(b"#RING: 1,normal\r\n")
    group = b'\r\n+CRING: VOICE\r\n\r\n+CLIP: "+8621555",145,,,,0\r\n\r\n#RING: 1,normal\r\n'
    assert writes.holding(b"CRING") == [group]
    console.ended("c1", "cancelled")
    host.until(b"CARRIER\r\n")
    assert writes.holding(b"NO CARRIER") == [b"\r\n+CIEV: 4,0\r\n\r\nNO CARRIER\r\n"]


@rule("no unsolicited line stands between a command and its final code, in a storm neither", clause="ours")
def test_storm_during_commands(console: ServedConsole, host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    host.ask("ATE1+CLIP=1;#URC=1")
    commands = (b"AT+CLAC\r", b"AT+CLIP?;+CREG?;+CGMI\r", b"AT#HELP;+GCAP\r", b"ATS0?\r")
    expected = {}
    for command in commands:
        host.write(command)
        expected[command] = host.until(OK)
        assert expected[command].startswith(command)
    console.rings()
    host.until(b"#RING: 1,normal\r\n")
    writes = Writes(monkeypatch)
    rounds, done = 60, threading.Event()

    def storm() -> None:
        for number in itertools.count():
            if done.wait(0.002):
                return
            console.emit(
                NormNoted(at_s=0, call_id="c1", rule=f"r{number}", state="warned"),
                RingBurst(at_s=0, call_id="c1", ring=2, urgency="warn"),
                NormNoted(at_s=0, call_id="c1", rule=f"s{number}", state="breached"),
            )

    storming = threading.Thread(target=storm)
    storming.start()
    seen = b""
    for number in range(rounds):
        command = commands[number % len(commands)]
        host.write(command)
        seen += host.find(expected[command], wait_s=30.0)
    done.set()
    storming.join()
    host.write(b'AT#SYNC="end"\r')
    seen += host.find(b'#SYNC: "end"\r\n' + OK, wait_s=30.0) + host.quiet()
    for command in commands:
        seen = seen.replace(expected[command], b"")
    ring = rb'\r\nRING\r\n\r\n\+CLIP: "\+8621555",145,,,,0\r\n\r\n#RING: 2,warn\r\n'
    between = re.sub(rb'\r\n#NORM: "[rs]\d+","\w+",,"",,"","c1"\r\n|' + ring, b"", seen)
    assert between == b'AT#SYNC="end"\r\r\n#SYNC: "end"\r\n' + OK
    assert seen.count(b"#NORM") > 2 * rounds
    assert len(writes.holding(b"RING\r\n\r\n+CLIP")) == seen.count(b"RING\r\n\r\n+CLIP")


@rule("what is typed is not torn apart by unsolicited lines, for 3 s", clause="ours")
def test_typing_is_not_torn_apart(console: ServedConsole, host: Host) -> None:
    host.ask("ATE1")
    host.write(b"AT+CL")
    assert host.until(b"AT+CL") == b"AT+CL"
    console.rings()
    host.write(b"IP?\r")
    assert host.until(b"RING\r\n") == b"IP?\r\r\n+CLIP: 0,1\r\n" + OK + b"\r\nRING\r\n"


# --- the pace of a real line ----------------------------------------------------------------------


def paced(host: Host, data: bytes, quiet_s: float) -> bytes:
    """Write ``data`` and read the answer, both no faster than the line; return what came, then silence."""
    seen, sent, step, pause = bytearray(), 0, threading.Event(), 0.01
    began_s = last_s = time.monotonic()
    read = 0
    while sent < len(data) or time.monotonic() - last_s < quiet_s:
        allowed = int((time.monotonic() - began_s) * BYTES_PER_S)
        if sent < min(allowed, len(data)):
            host.port.write(data[sent : min(allowed, len(data))])
            sent = min(allowed, len(data))
            last_s = time.monotonic()
        waiting = min(host.port.in_waiting, max(0, allowed - read))
        if waiting:
            seen += host.port.read(waiting)
            read += waiting
            last_s = time.monotonic()
        step.wait(pause)
    assert (time.monotonic() - began_s) * BYTES_PER_S >= max(sent, read)
    return bytes(seen)


@rule("at the pace of 115200 baud both ways, nothing is lost, doubled or out of order", clause="ours")
def test_pace_of_115200_baud(console: ServedConsole, host: Host) -> None:
    host.ask("ATE1")
    lines = [f'AT#SYNC="{number:04d}{"x" * 400}"\r'.encode() for number in range(20)]
    lines += [b"AT+VTS=" + b"1" * 4000 + b"\r", b"AT#HELP\r", b"AT+CLAC\r"]
    host.write(b"AT#HELP\r")
    help_text = host.until(OK)
    host.write(b"AT+CLAC\r")
    names = host.until(OK)
    answers = [line + b"\r\n" + line[2:].replace(b"=", b": ").strip() + b"\r\n" + OK for line in lines[:20]]
    expected = b"".join((*answers, lines[20] + OK, help_text, names))
    assert paced(host, b"".join(lines), 1.0) == expected


# --- garbage, several consoles, hot-plug ----------------------------------------------------------


@rule("after any binary garbage the next line is understood, and nothing was dialled", clause="ours")
def test_binary_garbage(console: ServedConsole, host: Host) -> None:
    noise = random.Random(SEED)
    for size in (1, 7, 100, 5000, 200_000):
        host.write(noise.randbytes(size) + b"\r")
        host.write(b'ATZE0\rAT#SYNC="%d"\r' % size)
        host.until(b'\r\n#SYNC: "%d"\r\n' % size + OK, wait_s=30.0)
        assert host.ask("AT") == ["OK"]
    assert not any(isinstance(command, Dial) for command in console.engine.asked)


@rule(
    "consoles at once are independent in every setting, and each hears of the call in its own way",
    clause="ours",
)
def test_two_consoles_at_once(tmp_path: Path) -> None:
    with Cable() as cable, served(tmp_path, (cable.device,)) as console:
        cable.power_on()
        host = Host(console.path)
        host.ask("ATE0+CLIP=1;+CRC=1;S0=0;+CMEE=2;+VTD=7")
        os.write(cable.master, b"ATE0V0S0=4+CMEE=1;#URC=1\r")
        cable.until(b"0\r")
        ours, theirs = "AT+CLIP?;+CRC?;S0?+CMEE?;+VTD?", b"AT+CLIP?;+CRC?;S0?+CMEE?;+VTD?\r"
        assert host.ask(ours) == ["+CLIP: 1,1", "+CRC: 1", "000", "+CMEE: 2", "+VTD: 7", "OK"]
        os.write(cable.master, theirs)
        shown = b"+CLIP: 0,1\r\n+CRC: 0\r\n004\r\n+CMEE: 1\r\n+VTD: 0\r\n0\r"
        assert cable.until(b"\n0\r") == shown
        console.rings()
        assert host.until(b",0\r\n") == b'\r\n+CRING: VOICE\r\n\r\n+CLIP: "+8621555",145,,,,0\r\n'
        assert cable.until(b"normal\r\n") == b"2\r#RING: 1,normal\r\n"
        host.ask("ATZE0")
        os.write(cable.master, theirs)
        assert cable.until(b"\n0\r") == shown
        host.close()


def answers(cable: Cable, line: bytes, end: bytes) -> bytes:
    os.write(cable.master, line)
    return cable.until(end)


@rule(
    "a serial port that goes and comes is opened again; its settings stay, what was begun is forgotten",
    clause="ours",
)
def test_hot_plug(tmp_path: Path) -> None:
    device = tmp_path / "ttyACM0"
    with served(tmp_path, (str(device),)) as console:
        for plugged in range(3):
            with Cable() as cable:
                device.unlink(missing_ok=True)
                device.symlink_to(cable.device)
                cable.power_on()
                if plugged:
                    assert answers(cable, b"AT+CLIP?\r", b"OK\r\n") == b"\r\n+CLIP: 1,1\r\n\r\nOK\r\n"
                else:
                    answers(cable, b"ATE0+CLIP=1\r", b"OK\r\n")
                console.rings(f"c{plugged}")
                cable.until(b",0\r\n")
                console.ended(f"c{plugged}", "cancelled")
                cable.until(b"CARRIER\r\n")
                os.write(cable.master, b"ATD12345")  # pulled out in the middle of a line
            wait_for(lambda: not console.do(conversing), WAIT_S)
            console.rings(f"unheard{plugged}")  # nobody is told, then or later
            console.ended(f"unheard{plugged}", "cancelled")
        assert not any(isinstance(command, Dial) for command in console.engine.asked)


@rule("a port pulled out while a command waits ends nothing but that console's wait", clause="ours")
def test_unplugged_while_a_command_waits(tmp_path: Path) -> None:
    with Cable() as cable, served(tmp_path, (cable.device,)) as console:
        cable.power_on()
        console.engine.answers["dial"] = {"call_id": "c1"}
        os.write(cable.master, b"ATD123\r")
        wait_for(lambda: any(isinstance(command, Dial) for command in console.engine.asked))
        cable.unplug()
        host = Host(console.path)
        assert host.ask("ATE0")[-1] == "OK"
        assert host.ask("AT+CLCC") == ["OK"]
        host.close()
