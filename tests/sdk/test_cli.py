"""The command ``thirdring``, over HTTP and over serial."""

import dataclasses
import json
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import thirdring
from tests.recording.test_command import recorded
from tests.sdk.ways import ConsoleDesk, desk_in_background
from thirdring import SILENCE_DBOV, Appliance, CallEnded, DeskState, Levels, Record
from thirdring.cli import main
from thirdring.cli_live import Screen
from thirdring.protocol.codec import from_fields, to_fields
from thirdring.protocol.errors import error
from thirdring.table import plain, table

STATE = {
    "version": "0.1.0",
    "board": "simulator",
    "sip_stack": "x",
    "trunk": "static",
    "trunk_reason": "",
    "storage": "ok",
    "strangers_refused": 0,
    "calls": [],
    "last_event": 0,
}
Command = Callable[[ConsoleDesk, str], int]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, way_name: str) -> Command:
    def run(desk: ConsoleDesk, line: str) -> int:
        monkeypatch.setenv("THIRDRING_URL", desk.way(way_name).url)
        monkeypatch.setenv("THIRDRING_TOKEN", desk.token)
        monkeypatch.delenv("THIRDRING_TOKEN_FILE", raising=False)
        return main(line.split())

    return run


def test_telephone_keys_are_commands(
    tmp_path: Path, command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    telephone = ("hold", "resume", "mute", "unmute", "swap", "transfer", "conference", "redial")
    keys = (*telephone, "pause_recording", "resume_recording")
    with desk_in_background(tmp_path) as (desk, _):
        for key in keys:
            desk.engine.handlers[key] = lambda _: {"call_id": "c7"}
            assert command(desk, key.replace("_", "-")) == 0
            assert capsys.readouterr().out == "c7\n"
        assert [asked.name for asked in desk.engine.commands] == list(keys)


def test_recordings_are_listed_and_saved(
    tmp_path: Path, command: Command, way_name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = recorded(tmp_path, "wav", sealed=True)
    view = {
        "call_id": path.stem,
        "file": path.name,
        "encrypted": True,
        "size_bytes": path.stat().st_size,
        "finished_utc": "2026-03-02T08:15:09+00:00",
    }
    with desk_in_background(tmp_path) as (desk, _):
        desk.engine.handlers["list_recordings"] = lambda _: {"recordings": [view]}
        desk.engine.handlers["read_recording"] = lambda _: {"path": f"recordings/{path.name}"}
        assert command(desk, "recordings") == 0
        assert path.stem in capsys.readouterr().out
        assert command(desk, "--json recordings --limit 5") == 0
        assert json.loads(capsys.readouterr().out) == [view]
        out = tmp_path / "out.wav"
        if way_name == "http":
            assert command(desk, f"recording {path.stem} --out {out}") == 0
            assert out.read_bytes()[:4] == b"RIFF"
        else:
            assert command(desk, f"recording {path.stem} --out {out}") == 18
            assert "8003" in capsys.readouterr().err


def test_status_and_calls_are_tables(
    tmp_path: Path, command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    with desk_in_background(tmp_path) as (desk, run):
        run(desk.one_call())
        assert command(desk, "status") == 0
        assert "simulator" in capsys.readouterr().out
        assert command(desk, "calls") == 0
        header, row = capsys.readouterr().out.splitlines()
        assert header.split()[:3] == ["CALL", "STARTED", "DIRECTION"]
        assert "王女士" in row
        assert row.split()[-4:] == ["2", "-", "53", "hangup"]
        assert command(desk, "norms") == 0
        assert "answer.rings  met" in capsys.readouterr().out
        assert command(desk, "--json calls") == 0
        assert json.loads(capsys.readouterr().out)[0]["talk_s"] == 53.0
        assert command(desk, "--json norms c1") == 0
        assert json.loads(capsys.readouterr().out)[0]["rule"] == "answer.rings"


def test_watch_shows_events(tmp_path: Path, command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    with desk_in_background(tmp_path) as (desk, run):
        run(desk.one_call())
        assert command(desk, "watch --after 1 --count 3") == 0
        lines = capsys.readouterr().out.splitlines()
        assert [line.split()[0] for line in lines] == ["2", "3", "4"]
        assert "call_ended" in lines[1]
        assert "cause=hangup" in lines[1]
        assert command(desk, "--json watch --after 0 --count 1") == 0
        assert json.loads(capsys.readouterr().out)["kind"] == "call_incoming"


def test_dial_and_settings(tmp_path: Path, command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    views: list[dict[str, Any]] = [
        {"name": "trunk.user", "value": "desk", "default": "desk", "low": None, "high": None},
        {"name": "trunk.peers", "value": ["10.0.0.0/8"], "default": [], "low": None, "high": None},
        {"name": "sip.port", "value": 5060, "default": 5060, "low": 1, "high": 65535},
    ]
    rest = {"unit": "", "choices": [], "live": False, "description": "what it means"}
    with desk_in_background(tmp_path) as (desk, _):
        desk.engine.handlers["dial"] = lambda _: {"call_id": "c9"}
        desk.engine.handlers["get_settings"] = lambda _: {"settings": [{**view, **rest} for view in views]}
        desk.engine.handlers["set_settings"] = lambda _: {"restart_required": True}
        assert command(desk, "dial 10086") == 0
        assert capsys.readouterr().out == "c9\n"
        assert command(desk, "settings sip.port") == 0
        assert "5060" in capsys.readouterr().out
        assert command(desk, "settings trunk.user=123 sip.port=5070 trunk.peers=10.0.0.0/8,::1") == 0
        assert "next start" in capsys.readouterr().out
        assert desk.engine.commands[-1].changes == {  # type: ignore[attr-defined]
            "trunk.user": "123",
            "sip.port": 5070,
            "trunk.peers": ["10.0.0.0/8", "::1"],
        }
        assert command(desk, "settings none") == 11


def test_errors_tell_their_number_and_what_to_try(
    tmp_path: Path, command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    def busy(_: object) -> dict[str, Any]:
        raise error(2003, "call c1")

    with desk_in_background(tmp_path) as (desk, run):
        desk.engine.handlers["dial"] = busy
        assert command(desk, "dial 1") == 12
        assert capsys.readouterr().err == "thirdring: 2003: the desk is busy with another call (call c1)\n"
        assert command(desk, "norms") == 12
        assert "no call yet" in capsys.readouterr().err
        run(desk.engine.stop())
        assert command(desk, "status") == 17
        run(desk.engine.start())
    assert command(desk, "status") == 18
    assert "--url" in capsys.readouterr().err
    with pytest.raises(SystemExit) as wrong_use:
        main(["brew"])
    assert wrong_use.value.code == 2


def test_without_its_token_the_command_says_where_to_find_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with desk_in_background(tmp_path) as (desk, _):
        monkeypatch.setenv("THIRDRING_URL", desk.url)
        monkeypatch.setenv("THIRDRING_TOKEN", "wrong")
        assert main(["status"]) == 16
        assert "--token-file" in capsys.readouterr().err
        assert main(["--token-file", str(tmp_path / "api-token"), "status"]) == 0


def test_a_callers_name_cannot_drive_the_terminal() -> None:
    assert plain("\x1b[2J王\n\u202e") == "?[2J王??"


def test_columns_stand_under_one_another_with_chinese_names() -> None:
    lines = table(("NAME", "X"), [("王女士", 1), ("Li", 2)]).splitlines()
    assert lines == ["NAME    X", "王女士  1", "Li      2"]


def test_what_the_agent_writes_down_is_a_command(tmp_path: Path, command: Command) -> None:
    lines = {
        "note c1 --name Wang --matter bill --call-back 2030-01-02 --read-back": "take_notes",
        "save-contact 10086 Wang --firm X": "save_contact",
        "remove-contact 10086": "remove_contact",
        "call-back-done c1": "finish_call_back",
        "press hook": "press_button",
    }
    with desk_in_background(tmp_path) as (desk, _):
        for line, name in lines.items():
            desk.engine.handlers[name] = lambda _: {"call_id": "c1", "device": "sim", "leds": []}
            assert command(desk, line) == 0
        asked = [to_fields(asked) for asked in desk.engine.commands]
    assert [asked.name for asked in desk.engine.commands] == list(lines.values())
    assert asked[0] | {"customer": "Wang", "matter": "bill", "read_back": True} == asked[0]
    assert (asked[1]["contact"], asked[1]["firm"], asked[4]["button"]) == ("Wang", "X", "hook")


def test_a_call_its_events_and_what_is_waited_for_are_shown(
    tmp_path: Path, command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    with desk_in_background(tmp_path) as (desk, run):
        run(desk.one_call())
        assert command(desk, "call") == 0
        shown = capsys.readouterr().out
        assert "王女士" in shown
        assert "answer.rings" in shown
        assert command(desk, "events c1") == 0
        assert len(capsys.readouterr().out.splitlines()) == 4
        assert command(desk, "wait call_ended --after 1") == 0
        assert "cause=hangup" in capsys.readouterr().out
        assert command(desk, "wait dtmf --within-s 0.2") == 19
        assert "9000" in capsys.readouterr().err


def test_the_headset_and_the_hooks_are_shown(
    tmp_path: Path, command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    with desk_in_background(tmp_path) as (desk, _):
        desk.engine.handlers["get_headset"] = lambda _: {"device": "sim", "leds": ["ring"]}
        desk.engine.handlers["speak"] = lambda _: {"duration_s": 2.5}
        assert command(desk, "headset") == 0
        assert "ring" in capsys.readouterr().out
        assert command(desk, "speak a.wav") == 0
        assert capsys.readouterr().out == "2.5\n"
        assert command(desk, "--json hooks") == 0
        assert json.loads(capsys.readouterr().out) == []
        assert command(desk, "--json dead-letters") == 0
        assert json.loads(capsys.readouterr().out) == []
        assert command(desk, "retry-hook") == 0
        assert capsys.readouterr().out == "0\n"
        assert command(desk, "retry-hook 7") == 11


def test_everything_an_appliance_can_do_is_a_command() -> None:
    folder = Path(thirdring.__file__).parent
    source = "".join(file.read_text(encoding="utf-8") for file in folder.glob("cli*.py"))
    methods = {name for name in dir(Appliance) if not name.startswith("_")} - {"open", "close"}
    assert {name for name in methods if f"appliance.{name}(" not in source} == set()


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_the_shell_completes_commands(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert "pause-recording" in script
    if shell == "bash":
        ask = "COMP_WORDS=(thirdring pau); COMP_CWORD=1; _shtab_thirdring; printf '%s\\n' ${COMPREPLY[@]}"
        done = subprocess.run(["bash", "-c", f"{script}\n{ask}"], capture_output=True, text=True, check=True)
        assert done.stdout.split() == ["pause-recording"]


def test_live_draws_the_desk_anew_with_what_happens(
    tmp_path: Path, command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    with desk_in_background(tmp_path) as (desk, run):
        assert command(desk, "live --count 0") == 0
        assert "trunk static" in capsys.readouterr().out
        stop = threading.Event()

        def call() -> None:
            number = 0
            while not stop.wait(0.1):
                number += 1
                run(desk.one_call(f"c{number}"))

        calling = threading.Thread(target=call)
        calling.start()
        try:
            assert command(desk, "live --count 4") == 0
        finally:
            stop.set()
            calling.join()
    shown = capsys.readouterr().out
    assert "call_ended" in shown
    assert "answer.rings met" in shown


def test_the_screen_shows_levels_until_the_call_ends() -> None:
    screen = Screen()
    levels = {"agent_after_sliding_dbov": -30.0, "customer_sliding_dbov": SILENCE_DBOV}
    names = [field.name for field in dataclasses.fields(Levels) if field.name.endswith("sliding_dbov")]
    record = Record(
        1,
        "2026-05-04T09:00:00.000Z",
        Levels(
            at_s=1.0,
            call_id="c1",
            end_s=1.0,
            interval_s=0.1,
            agent_before_rms_dbov=(),
            agent_after_rms_dbov=(),
            customer_rms_dbov=(),
            agent_active_s=0.0,
            customer_active_s=0.0,
            agc_gain_db=0.0,
            **{name: levels.get(name, -40.0) for name in names},
        ),
    )
    assert screen.take(record) is False
    state = from_fields(DeskState, STATE)
    assert f"agent    [{'=' * 15}{' ' * 15}] -30 dBov" in screen.text(state)
    assert f"customer [{' ' * 30}]" in screen.text(state)
    ended = CallEnded(at_s=2.0, call_id="c1\x1b[2J", by="agent", cause="hangup")
    assert screen.take(Record(2, record.utc, ended)) is True
    assert "dBov" not in screen.text(state)
    assert "\x1b" not in screen.text(state)
