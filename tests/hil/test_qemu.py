"""The virtual board without a board: QEMU's console, the serial port and the shell, against small peers."""

import contextlib
import json
import os
import pty
import select
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import serial
from firmware_ports.recipe.ports import port_names

from thirdring_hil import priority
from thirdring_hil.environment import EnvironmentFault, load
from thirdring_hil.peer import Caller
from thirdring_hil.poll import poll
from thirdring_hil.qemu.boards import AMD64, ARM64, BOARDS, RASPI3B, Board
from thirdring_hil.qemu.bridge import PtyBridge
from thirdring_hil.qemu.card import card_bytes, partition_at, take_kernel
from thirdring_hil.qemu.kvm import kvm_runs
from thirdring_hil.qemu.machine import Machine, arguments
from thirdring_hil.qemu.network import Ports, free_ports
from thirdring_hil.qemu.qmp import Qmp, QmpError
from thirdring_hil.qemu.shell import RootShell, ShellError
from thirdring_hil.registrar import Registrar

WAIT_S = 10.0


@contextlib.contextmanager
def listening(path: Path, serve: Callable[[socket.socket], None]) -> Iterator[None]:
    """Have one connection at a Unix socket served by ``serve`` on a thread."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen(1)

        def accept() -> None:
            connection, _ = server.accept()
            with connection:
                serve(connection)

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield
        thread.join(WAIT_S)
        assert not thread.is_alive()


def qemu(*answers: dict[str, object]) -> tuple[Callable[[socket.socket], None], list[dict[str, object]]]:
    """Return a fake QEMU that gives ``answers`` in turn behind the handshake, and what it is asked."""
    asked: list[dict[str, object]] = []

    def serve(connection: socket.socket) -> None:
        with connection.makefile("rwb", buffering=0) as file:
            file.write(b'{"QMP": {"version": {}, "capabilities": []}}\r\n')
            greeted: dict[str, object] = {"return": {}}
            for answer in (greeted, *answers):
                if "event" not in answer:
                    asked.append(json.loads(file.readline()))
                file.write(json.dumps(answer).encode() + b"\r\n")

    return serve, asked


def test_qmp_asks_and_keeps_events_apart(tmp_path: Path) -> None:
    serve, asked = qemu(
        {"event": "RTC_CHANGE", "data": {}},
        {"return": {"running": True}},
        {"error": {"class": "GenericError", "desc": "no such device"}},
    )
    with listening(tmp_path / "qmp", serve), Qmp(tmp_path / "qmp", WAIT_S) as qmp:
        assert qmp.ask("query-status") == {"running": True}
        with pytest.raises(QmpError, match="eject: no such device"):
            qmp.ask("eject", device="cd")
        with pytest.raises(QmpError, match="gone"):
            qmp.ask("query-status")
    assert [event["event"] for event in qmp.events] == ["RTC_CHANGE"]
    assert asked[0]["execute"] == "qmp_capabilities"
    assert asked[2] == {"execute": "eject", "arguments": {"device": "cd"}}


def test_the_console_outlives_the_boards_restart(tmp_path: Path) -> None:
    def board(connection: socket.socket) -> None:
        while data := connection.recv(100):
            connection.sendall(data.upper())
            if b"\r" in data:
                return

    bridge = PtyBridge(tmp_path / "at", tmp_path / "console")
    try:
        with serial.Serial(str(tmp_path / "console"), timeout=WAIT_S, exclusive=True) as port:
            for _ in range(2):
                with listening(tmp_path / "at", board):
                    port.write(b"at\r")
                    assert port.read(3) == b"AT\r"
                (tmp_path / "at").unlink()
    finally:
        bridge.close()


def test_what_the_board_says_to_nobody_is_lost(tmp_path: Path) -> None:
    told, go = threading.Event(), threading.Event()

    def board(connection: socket.socket) -> None:
        for _ in range(64):
            connection.sendall(b"unheard\r\n" * 500)
        told.set()
        connection.recv(1)
        connection.sendall(b"heard")
        go.wait(WAIT_S)

    bridge = PtyBridge(tmp_path / "at", tmp_path / "console")
    try:
        with listening(tmp_path / "at", board):
            assert told.wait(WAIT_S), "the board is not held up"
            with serial.Serial(str(tmp_path / "console"), timeout=WAIT_S) as port:
                poll(lambda: port.in_waiting == 0, "nothing old", WAIT_S)
                port.write(b"?")
                assert port.read_until(b"\nheard")[-5:] == b"heard"
            go.set()
    finally:
        bridge.close()


GETTY = "until [ \"$name\" = root ]; do read -rp 'thirdring login: ' name; done; exec bash --norc -i"


def linux(connection: socket.socket) -> None:
    """Ask for a name on a terminal, then be the shell that this machine has."""
    master, slave = pty.openpty()
    with subprocess.Popen(
        ["bash", "-c", GETTY], stdin=slave, stdout=slave, stderr=slave, start_new_session=True
    ) as shell:
        os.close(slave)
        with contextlib.suppress(ConnectionError):  # it may have left while the shell still speaks
            while True:
                readable, _, _ = select.select([master, connection.fileno()], [], [], WAIT_S)
                source = os.read(master, 4096) if master in readable else b""
                if source:
                    connection.sendall(source)
                if connection.fileno() in readable:
                    typed = connection.recv(4096)
                    if not typed:
                        break
                    os.write(master, typed)
        shell.kill()
    os.close(master)


def test_root_logs_in_and_a_command_that_fails_is_told(tmp_path: Path) -> None:
    with listening(tmp_path / "log", linux), RootShell(tmp_path / "log") as shell:
        assert shell.run("printf '%s\\n' one two") == "one\ntwo\n"
        with pytest.raises(ShellError, match="exit code 3: no such thing"):
            shell.run("(echo no such thing; exit 3)")
        assert shell.run("sleep 0.1 &").startswith("[1] ")


def test_the_boards_ports_are_forwarded_one_by_one(tmp_path: Path) -> None:
    ports = free_ports()
    command = arguments(AMD64, tmp_path, ports, tmp_path / "code", tmp_path / "linux.log", kvm=False)
    (network,) = [word for word in command if word.startswith("user,")]
    assert f"hostfwd=udp:127.0.0.1:{ports.sip}-:5060" in network
    assert f"hostfwd=tcp:127.0.0.1:{ports.https}-:443" in network
    assert [f"hostfwd=udp:127.0.0.1:{ports.rtp + i}-:{4000 + i}" in network for i in range(100)] == [
        True
    ] * 100
    assert command[command.index("-accel") + 1].startswith("tcg")
    assert f"format=qcow2,file={tmp_path / 'disk.qcow2'}" in " ".join(command)


def test_a_call_to_a_board_behind_forwarded_ports_says_what_the_board_can_reach() -> None:
    """The board's own address is of no use to the bench, nor the bench's loopback to the board."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as board:
        board.bind(("127.0.0.1", 0))
        board.settimeout(WAIT_S)
        ports = Ports(33000)
        with Caller(board.getsockname(), translation=ports.translation) as caller:
            thread = threading.Thread(target=caller.call, daemon=True)
            thread.start()
            invite, source = board.recvfrom(65536)
            text = invite.decode()
            assert f"Via: SIP/2.0/UDP 10.0.2.2:{source[1]};" in text
            assert f"Contact: <sip:2155512345@10.0.2.2:{source[1]}>" in text
            assert f"c=IN IP4 10.0.2.2\r\nt=0 0\r\nm=audio {caller.stream.port} " in text
            board.sendto(_answer(text, "200 OK", "c=IN IP4 10.0.2.15\r\nm=audio 4006 RTP/AVP 8\r\n"), source)
            caller.wait_for("answered", WAIT_S)
            thread.join(WAIT_S)
            assert caller.stream.to == ("127.0.0.1", ports.rtp + 6)
            board.sendto(
                text.partition("SIP/2.0\r\n")[2].join(["BYE sip:x SIP/2.0\r\n", ""]).encode(), source
            )
            caller.wait_for("released", WAIT_S)


def _answer(request: str, status: str, body: str) -> bytes:
    kept = [
        line
        for line in request.split("\r\n")
        if line.partition(":")[0] in ("Via", "From", "To", "Call-ID", "CSeq")
    ]
    lines = [f"SIP/2.0 {status}", *kept, "Contact: <sip:desk@10.0.2.15:5060>", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", body]).encode()


def test_a_node_that_does_not_run_anything_is_no_kvm() -> None:
    kvm_runs.cache_clear()
    assert kvm_runs("false", "q35", Path("code.fd")) is False


def test_a_virtual_board_is_declared_by_its_image(tmp_path: Path) -> None:
    assert load("qemu-amd64").kind == "qemu"
    assert load("hil/environments/qemu-amd64.toml") == load("qemu-amd64")
    assert load("hil/environments/qemu-arm64.toml") == load("qemu-arm64")
    file = tmp_path / "board.toml"
    for text, told in (
        ("", "image is missing"),
        ('image = "x"\nmachine = "vax"\n', "machine must be one of"),
    ):
        file.write_text(f'[target]\nkind = "qemu"\n{text}', encoding="utf-8")
        with pytest.raises(EnvironmentFault, match=told):
            load(str(file))


def test_an_arm64_boards_second_line_is_on_its_pci_bus(tmp_path: Path) -> None:
    assert set(BOARDS) <= set(port_names())
    command = arguments(ARM64, tmp_path, Ports(20000), tmp_path / "code", tmp_path / "linux.log", kvm=False)
    assert command[0] == "qemu-system-aarch64"
    assert command[command.index("-machine") + 1] == "virt"
    assert command.count("-serial") == 1
    assert "pci-serial,chardev=at" in command


def test_a_board_that_starts_from_a_card_gets_its_kernel_from_there(tmp_path: Path) -> None:
    folder = tmp_path / "boot"
    folder.mkdir()
    for name, text in (("vmlinuz", "L"), ("initrd.img", "I"), ("cmdline.txt", "ro quiet\n"), ("x.dtb", "D")):
        (folder / name).write_text(text, encoding="ascii")
    image = tmp_path / "card.img"
    with image.open("wb") as file:
        file.truncate(40 << 20)
    with image.open("r+b") as card:  # a GPT's entries: UEFI specification, table 5.6
        card.seek(1024)
        for name, first in (("esp", 2048), ("boot-a", 4096)):
            card.write(struct.pack("<16s16sQQQ72s", b"x", b"x", first, first, 0, name.encode("utf-16-le")))
    assert partition_at(image, "boot-a") == 2 << 20
    with pytest.raises(FileNotFoundError, match="no partition boot-c"):
        partition_at(image, "boot-c")
    assert card_bytes(image) == 64 << 20
    where = f"{image}@@{2 << 20}"
    subprocess.run(["mformat", "-F", "-T", str(34 << 11), "-i", where, "::"], check=True)
    subprocess.run(["mcopy", "-i", where, *map(str, folder.iterdir()), "::"], check=True)
    taken = tmp_path / "taken"
    taken.mkdir()
    take_kernel(image, "x.dtb", taken)
    assert {file.name: file.read_text(encoding="ascii")[0] for file in taken.iterdir()} == {
        "vmlinuz": "L",
        "initrd.img": "I",
        "cmdline.txt": "r",
        "x.dtb": "D",
    }
    board = replace(RASPI3B, device_tree="x.dtb")
    command = arguments(board, taken, Ports(20000), Path(), tmp_path / "linux.log", kvm=False)
    assert command[command.index("-append") + 1] == "ro quiet"
    assert command[command.index("-dtb") + 1] == str(taken / "x.dtb")
    assert "-fw_cfg" not in command


FAKE_QEMU = """#!{python}
import json, socket, sys
with open("{starts}", "a") as starts:
    starts.write("start ")
path = next(word for word in sys.argv if word.startswith("unix:")).removeprefix("unix:").partition(",")[0]
server = socket.socket(socket.AF_UNIX)
server.bind(path)
server.listen()
while True:
    connection, _ = server.accept()
    with connection, connection.makefile("rwb", buffering=0) as file:
        file.write(b'{{"QMP": {{}}}}' + bytes([10]))
        for line in file:
            asked = json.loads(line)["execute"]
            file.write(json.dumps({{"return": {{"running": True}}}}).encode() + bytes([10]))
            if asked in ("system_reset", "system_powerdown", "quit"):
                sys.exit(0)  # as QEMU ends with -action reboot=shutdown
"""


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    """A board whose QEMU is a program that speaks QMP and counts its starts."""
    programs, folder = tmp_path / "bin", tmp_path / "board"
    fake = FAKE_QEMU.format(python=sys.executable, starts=tmp_path / "starts")
    for path, text in (("qemu-fake", fake), ("qemu-img", "#!/bin/sh\n")):
        (programs / path).parent.mkdir(exist_ok=True)
        (programs / path).write_text(text, encoding="utf-8")
        (programs / path).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    folder.mkdir()
    for name in ("image", "CODE.fd", "VARS.fd"):
        (tmp_path / name).touch()
    board = Board("qemu-fake", "", "", ("none",), "none", (str(tmp_path / "CODE.fd"),))
    machine = Machine(board, tmp_path / "image", folder, Ports(20000), tmp_path / "linux.log")
    machine.log.touch()
    yield machine
    machine.close()


def test_a_board_that_resets_itself_starts_in_a_new_qemu_and_one_without_power_does_not(
    machine: Machine, tmp_path: Path
) -> None:
    def starts() -> int:
        return len((tmp_path / "starts").read_text(encoding="ascii").split())

    machine.start()
    machine.reset()
    poll(lambda: starts() == 2 and machine.running, "the board has started again", WAIT_S)
    machine.power_cycle()
    assert (starts(), machine.running) == (3, True)
    for switch_off in (machine.power_cut, machine.power_down):
        before = starts()
        switch_off()
        ended = [thread for thread in threading.enumerate() if thread.name == "board"]
        for thread in ended:
            thread.join(WAIT_S)
        assert (starts(), machine.running) == (before, False)
        machine.start()


def test_a_registrar_takes_the_unit_and_says_when() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as unit:
        unit.bind(("127.0.0.1", 0))
        unit.settimeout(WAIT_S)
        port = free_ports().trunk
        with Registrar(("127.0.0.1", port)) as registrar:
            began_s = time.monotonic()
            lines = [
                "REGISTER sip:127.0.0.1 SIP/2.0",
                "Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKx",
                "From: <sip:a@b>;tag=1",
            ]
            lines += [
                "To: <sip:a@b>",
                "Call-ID: x",
                "CSeq: 1 REGISTER",
                "Contact: <sip:a@127.0.0.1>",
                "Expires: 300",
                "",
                "",
            ]
            unit.sendto("\r\n".join(lines).encode(), ("127.0.0.1", port))
            answer = unit.recv(4096).decode()
            assert registrar.wait_for(began_s, WAIT_S) >= began_s
            with pytest.raises(TimeoutError):
                registrar.wait_for(time.monotonic(), 0.0)
    assert answer.startswith("SIP/2.0 200 OK\r\n")
    assert "\r\nContact: <sip:a@127.0.0.1>\r\nExpires: 300\r\n" in answer
    assert "\r\nTo: <sip:a@b>;tag=" in answer


def test_the_bench_goes_first_while_a_board_runs_and_not_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "autogroup"
    own.write_text("/autogroup-17 nice 3\n", encoding="ascii")
    monkeypatch.setattr(priority, "OWN", own)
    with priority.bench_first(-10):
        assert own.read_text(encoding="ascii") == "-10"
    assert own.read_text(encoding="ascii") == "3"
    monkeypatch.setattr(priority, "OWN", tmp_path / "none")
    with priority.bench_first(-10):
        pass


FIRST = """
import os, threading
from thirdring_hil.priority import sound_first
told = []
def first():
    sound_first()
    told.append(os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK == os.SCHED_RR)
thread = threading.Thread(target=first)
thread.start()
thread.join()
print(*told, os.sched_getscheduler(0) == os.SCHED_OTHER)
"""


@pytest.mark.parametrize("plain", [False, True])
def test_the_telephone_goes_first_by_its_thread_alone_where_it_may(*, plain: bool) -> None:
    may = subprocess.run(["chrt", "--rr", "1", "true"], check=False, capture_output=True).returncode == 0
    bare = ("setpriv", "--bounding-set=-sys_nice", "--") if plain and may else ()
    done = subprocess.run([*bare, sys.executable, "-c", FIRST], check=True, capture_output=True, text=True)
    assert done.stdout.split() == [str(may and not plain), "True"]


def test_a_bench_whose_session_has_no_group_goes_first_by_its_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "autogroup"
    own.write_text("", encoding="ascii")  # as Linux shows it for a session of the first process
    given: list[tuple[int, int, int]] = []
    monkeypatch.setattr(priority, "OWN", own)
    monkeypatch.setattr("os.setpriority", lambda *what: given.append(what))
    before = os.getpriority(os.PRIO_PROCESS, 0)
    with priority.bench_first(-10):
        assert given == [(os.PRIO_PROCESS, 0, -10)]
    assert given[1:] == [(os.PRIO_PROCESS, 0, before)]
    assert own.read_text(encoding="ascii") == ""
