import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.desk import Desk, at_the_desk
from tests.recording.test_command import recorded
from thirdring import Appliance, CallEnded, CallError, ConnectionLost, WaitTimeout
from thirdring.cli import main
from thirdring.protocol.errors import error
from thirdring.table import plain, table


@contextmanager
def desk_in_background(tmp_path: Path) -> Iterator[tuple[Desk, Callable[[Any], Any]]]:
    """A desk with gateway on another thread; yields it and a way to run its coroutines."""
    ready: Future[tuple[Desk, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def scenario(desk: Desk) -> None:
        async with desk.gateway():
            done = asyncio.Event()
            ready.set_result((desk, asyncio.get_running_loop(), done))
            await done.wait()

    thread = threading.Thread(target=at_the_desk, args=(tmp_path, scenario))
    thread.start()
    desk, loop, done = ready.result(timeout=20.0)
    try:
        yield desk, lambda work: asyncio.run_coroutine_threadsafe(work, loop).result(timeout=20.0)
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join()


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[Desk, str], int]:
    def run(desk: Desk, line: str) -> int:
        monkeypatch.setenv("THIRDRING_URL", desk.url)
        monkeypatch.setenv("THIRDRING_TOKEN", desk.token)
        monkeypatch.delenv("THIRDRING_TOKEN_FILE", raising=False)
        return main(line.split())

    return run


def test_sync_appliance_does_what_the_async_one_does(tmp_path: Path) -> None:
    with desk_in_background(tmp_path) as (desk, run), Appliance(desk.url, desk.token) as appliance:
        desk.engine.handlers["dial"] = lambda _: {"call_id": "c9"}
        assert appliance.dial("10086") == "c9"
        before = appliance.state().last_event
        run(desk.one_call())
        numbers = [record.number for _, record in zip(range(4), appliance.events(before), strict=False)]
        assert numbers == [1, 2, 3, 4]
        assert appliance.wait_for(CallEnded, 5.0, after=before).number == 3
        assert appliance.norms("c1")[0].verdict == "met"
        with pytest.raises(CallError):
            appliance.call("none")
        with pytest.raises(WaitTimeout):
            appliance.wait_for("dtmf", 0.1)


def test_telephone_keys_are_commands(
    tmp_path: Path, command: Callable[[Desk, str], int], capsys: pytest.CaptureFixture[str]
) -> None:
    telephone = ("hold", "resume", "mute", "unmute", "swap", "transfer", "conference", "redial")
    keys = (*telephone, "pause_recording", "resume_recording")
    with desk_in_background(tmp_path) as (desk, _), Appliance(desk.url, desk.token) as appliance:
        for key in keys:
            desk.engine.handlers[key] = lambda _: {"call_id": "c7"}
            assert getattr(appliance, key)() == "c7"
            assert command(desk, key.replace("_", "-")) == 0
            assert capsys.readouterr().out == "c7\n"
        assert [asked.name for asked in desk.engine.commands] == [key for key in keys for _ in range(2)]


def test_recordings_are_listed_and_saved(
    tmp_path: Path, command: Callable[[Desk, str], int], capsys: pytest.CaptureFixture[str]
) -> None:
    path = recorded(tmp_path, "wav", sealed=True)
    view = {
        "call_id": path.stem,
        "file": path.name,
        "encrypted": True,
        "size_bytes": path.stat().st_size,
        "finished_utc": "2026-03-02T08:15:09+00:00",
    }
    with desk_in_background(tmp_path) as (desk, _), Appliance(desk.url, desk.token) as appliance:
        desk.engine.handlers["list_recordings"] = lambda _: {"recordings": [view]}
        desk.engine.handlers["read_recording"] = lambda _: {"path": f"recordings/{path.name}"}
        assert [found.file for found in appliance.recordings()] == [path.name]
        assert command(desk, "recordings") == 0
        assert path.stem in capsys.readouterr().out
        assert command(desk, "--json recordings --limit 5") == 0
        assert json.loads(capsys.readouterr().out) == [view]
        appliance.save_recording(path.stem, tmp_path / "one.wav")
        assert command(desk, f"recording {path.stem} --out {tmp_path / 'two.wav'}") == 0
        assert (tmp_path / "one.wav").read_bytes() == (tmp_path / "two.wav").read_bytes()
        assert (tmp_path / "one.wav").read_bytes()[:4] == b"RIFF"


def test_closing_ends_what_another_thread_waits_for(tmp_path: Path) -> None:
    with desk_in_background(tmp_path) as (desk, _):
        appliance = Appliance(desk.url, desk.token)
        appliance.open()
        outcome: Future[Any] = Future()

        def wait() -> None:
            try:
                outcome.set_result(appliance.wait_for("dtmf", 20.0, after=0))
            except Exception as reason:
                outcome.set_exception(reason)

        waiting = threading.Thread(target=wait)
        waiting.start()
        appliance.close()
        waiting.join()
        with pytest.raises(ConnectionLost):
            outcome.result()
        appliance.close()
        with pytest.raises(ConnectionLost):
            appliance.state()


def test_status_and_calls_are_tables(
    tmp_path: Path, command: Callable[[Desk, str], int], capsys: pytest.CaptureFixture[str]
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


def test_watch_shows_events(
    tmp_path: Path, command: Callable[[Desk, str], int], capsys: pytest.CaptureFixture[str]
) -> None:
    with desk_in_background(tmp_path) as (desk, run):
        run(desk.one_call())
        assert command(desk, "watch --after 1 --count 3") == 0
        lines = capsys.readouterr().out.splitlines()
        assert [line.split()[0] for line in lines] == ["2", "3", "4"]
        assert "call_ended" in lines[1]
        assert "cause=hangup" in lines[1]
        assert command(desk, "--json watch --after 0 --count 1") == 0
        assert json.loads(capsys.readouterr().out)["kind"] == "call_incoming"


def test_dial_and_settings(
    tmp_path: Path, command: Callable[[Desk, str], int], capsys: pytest.CaptureFixture[str]
) -> None:
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
    tmp_path: Path,
    command: Callable[[Desk, str], int],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
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
        monkeypatch.setenv("THIRDRING_TOKEN", "wrong")
        assert main(["status"]) == 16
        assert "--token-file" in capsys.readouterr().err
        assert main(["--token-file", str(tmp_path / "api-token"), "status"]) == 0
    assert command(desk, "status") == 18
    assert "--url" in capsys.readouterr().err
    with pytest.raises(SystemExit) as wrong_use:
        main(["brew"])
    assert wrong_use.value.code == 2


def test_a_callers_name_cannot_drive_the_terminal() -> None:
    assert plain("\x1b[2J王\n\u202e") == "?[2J王??"


def test_columns_stand_under_one_another_with_chinese_names() -> None:
    lines = table(("NAME", "X"), [("王女士", 1), ("Li", 2)]).splitlines()
    assert lines == ["NAME    X", "王女士  1", "Li      2"]
