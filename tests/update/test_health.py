"""Whether a start is judged well, and what follows: against a gateway and an engine that answer as told."""

import http.server
import json
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.update.conftest import Board
from thirdring.protocol.errors import ApplianceError
from thirdring_device.update import health
from thirdring_device.update.health import Hopeless, judge, run_health
from thirdring_device.update.state import Progress, Request, Trial, UpdateFolder

STATE = {
    "version": "0.2.1", "board": "qemu-amd64", "sip_stack": "x", "trunk": "registered", "trunk_reason": "",
    "storage": "ok", "strangers_refused": 0, "calls": [], "last_event": 1,
}  # fmt: skip
TRIAL = Trial(left_slot="A", version="0.2.1+def", trunk="registered", headset=True)


class Unit:
    """An engine's socket and a gateway's port."""

    def __init__(self) -> None:
        self.state: dict[str, Any] = dict(STATE)
        self.headset: dict[str, Any] = {"present": True}
        self.status = 200
        self.settings = Path()


@pytest.fixture
def unit(board: Board) -> Iterator[Unit]:
    unit = Unit()

    class Engine(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            asked = json.loads(self.rfile.readline())
            result = unit.headset if "headset" in json.dumps(asked) else unit.state
            self.wfile.write(json.dumps({"id": 1, "result": result}).encode() + b"\n")

    class Gateway(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(unit.status)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            pass

    with (
        socketserver.ThreadingUnixStreamServer(str(board.state_dir / "engine.sock"), Engine) as engine,
        http.server.ThreadingHTTPServer(("127.0.0.1", 0), Gateway) as gateway,
    ):
        threads = [threading.Thread(target=server.serve_forever) for server in (engine, gateway)]
        for thread in threads:
            thread.start()
        unit.settings = board.folder / "settings.toml"
        unit.settings.write_text(f'[gateway]\nport = {gateway.server_port}\ntls = "off"\n', encoding="ascii")
        yield unit
        for server in (engine, gateway):
            server.shutdown()
        for thread in threads:
            thread.join()


@pytest.fixture
def folder(board: Board) -> UpdateFolder:
    folder = UpdateFolder(board.state_dir)
    folder.make()
    return folder


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit has passed already: one look decides."""
    monkeypatch.setattr(health, "LIMIT_S", 0.0)


def test_a_start_that_is_well_keeps_its_slot(board: Board, unit: Unit) -> None:
    assert not run_health(board.state_dir, unit.settings, board.rauc)
    assert board.marked == ["mark-good"]


def test_a_new_version_that_is_well_is_kept(board: Board, unit: Unit, folder: UpdateFolder) -> None:
    folder.begin_trial(TRIAL)
    board.started("B")
    assert not run_health(board.state_dir, unit.settings, board.rauc)
    assert board.marked == ["mark-good"]
    assert folder.trial() is None
    assert (folder.progress().phase, folder.progress().version) == ("done", "0.2.1+def")


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda unit: unit.state.update(trunk="refused"), "the trunk is refused"),
        (lambda unit: unit.headset.update(present=False), "the headset does not open"),
        (lambda unit: setattr(unit, "status", 503), "the gateway answers 503"),
    ],
    ids=["trunk", "headset", "gateway"],
)
def test_a_new_version_that_is_not_well_is_given_up(
    board: Board, unit: Unit, folder: UpdateFolder, spoil: Any, why: str
) -> None:
    folder.begin_trial(TRIAL)
    board.started("B")
    spoil(unit)
    assert run_health(board.state_dir, unit.settings, board.rauc)
    assert board.marked == ["mark-bad"]
    told = folder.progress()
    assert (told.phase, told.code, told.detail) == ("failed", 7040, why)
    assert folder.trial() is None


@pytest.mark.usefixtures("soon")
def test_what_was_not_well_before_is_not_asked_of_the_new_version(
    board: Board, unit: Unit, folder: UpdateFolder
) -> None:
    folder.begin_trial(Trial(left_slot="A", version="2", trunk="unreachable", headset=False))
    board.started("B")
    unit.state["trunk"], unit.headset["present"] = "refused", False
    assert not run_health(board.state_dir, unit.settings, board.rauc)
    assert board.marked == ["mark-good"]


@pytest.mark.usefixtures("soon")
def test_a_start_that_is_not_well_without_an_update_does_not_restart(board: Board) -> None:
    assert not run_health(board.state_dir, None, board.rauc)
    assert board.marked == []


def test_back_on_the_old_slot_the_update_has_failed(board: Board, unit: Unit, folder: UpdateFolder) -> None:
    folder.tell(Progress(phase="restarting", version="0.2.1+def"))
    folder.begin_trial(replace(TRIAL, written=True))
    assert not run_health(board.state_dir, unit.settings, board.rauc)
    assert board.marked == ["mark-good"]
    assert (folder.progress().phase, folder.progress().code) == ("failed", 7040)


def test_an_update_cut_off_while_it_was_written_has_failed_and_the_next_one_may_come(
    board: Board, unit: Unit, folder: UpdateFolder
) -> None:
    folder.tell(Progress(phase="installing", version="0.2.1+def"))
    folder.begin_trial(TRIAL)
    folder.refuse_second()
    assert not run_health(board.state_dir, unit.settings, board.rauc)
    assert board.marked == ["mark-good"]
    assert folder.trial() is None
    assert (folder.progress().phase, folder.progress().code) == ("failed", 7039)


def test_no_other_update_comes_while_a_new_version_is_judged(
    board: Board, unit: Unit, folder: UpdateFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused: list[int] = []

    def judged(*_: object) -> str:
        with pytest.raises(ApplianceError) as caught:
            folder.submit(Request(url="http://127.0.0.1/x"))
        refused.append(caught.value.code)
        return ""

    folder.begin_trial(TRIAL)  # the power was cut before anybody could say that it is written
    board.started("B")
    monkeypatch.setattr("thirdring_device.update.health.judge", judged)
    assert not run_health(board.state_dir, unit.settings, board.rauc)
    assert refused == [7031]
    folder.refuse_second()


def test_an_engine_that_ends_again_and_again_is_not_waited_for() -> None:
    def unwell() -> str:
        raise Hopeless("it ends again and again")

    assert judge(unwell, 600.0) == "it ends again and again"


def test_what_gets_well_in_time_is_well() -> None:
    reasons = iter(["not yet", "not yet", ""])
    assert judge(lambda: next(reasons), 600.0, look_s=0.0) == ""
