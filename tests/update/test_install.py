"""One update from being asked for to the restart, and what is told of it."""

import http.server
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.update.conftest import Board
from thirdring.protocol.errors import ApplianceError
from thirdring_device.update import state as state_module
from thirdring_device.update.install import run_update
from thirdring_device.update.rauc import Rauc
from thirdring_device.update.state import Progress, Request, Trial, UpdateFolder


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        pass


@pytest.fixture
def served(board: Board) -> Iterator[str]:
    """The board's folder over HTTP."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=board.folder)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def arrived(board: Board, bundle: Path) -> UpdateFolder:
    folder = UpdateFolder(board.state_dir)
    folder.make()
    shutil.copyfile(bundle, folder.arriving)
    return folder


def test_a_file_is_installed_and_the_unit_restarts_on_trial(board: Board) -> None:
    folder = arrived(board, board.bundle())
    folder.submit(Request())
    assert folder.progress().phase == "waiting"
    assert run_update(board.state_dir, board.rauc)
    told, trial = folder.progress(), folder.trial()
    assert (told.phase, told.percent, told.version, told.code) == ("restarting", 100, "0.2.1+def", 0)
    assert trial is not None
    assert (trial.left_slot, trial.version, trial.trunk) == ("A", "0.2.1+def", "")
    assert not folder.incoming.exists()


def test_a_url_is_fetched_and_installed(board: Board, served: str) -> None:
    folder = UpdateFolder(board.state_dir)
    folder.submit(Request(url=f"{served}/{board.bundle().name}"))
    assert run_update(board.state_dir, board.rauc)
    assert folder.progress().phase == "restarting"


@pytest.mark.parametrize("path", ["nothing-there.raucb", "state"])
def test_what_cannot_be_fetched_is_told(board: Board, served: str, path: str) -> None:
    folder = UpdateFolder(board.state_dir)
    url = f"{served}/{path}" if path != "state" else "http://127.0.0.1:9/x"
    folder.submit(Request(url=url))
    assert not run_update(board.state_dir, board.rauc)
    assert (folder.progress().phase, folder.progress().code) == ("failed", 7038)


def test_a_refused_bundle_leaves_nothing_behind(board: Board) -> None:
    folder = arrived(board, board.bundle(keys=board.strangers))
    folder.submit(Request())
    assert not run_update(board.state_dir, board.rauc)
    assert (folder.progress().phase, folder.progress().code) == ("failed", 7032)
    assert folder.trial() is None
    assert not folder.incoming.exists()
    folder.refuse_second()  # the next one may come


def test_only_one_update_at_a_time(board: Board) -> None:
    folder = arrived(board, board.bundle())
    folder.submit(Request())
    with pytest.raises(ApplianceError, match="7031"):
        folder.submit(Request(url="http://127.0.0.1/x"))
    assert folder.take() == Request()
    with folder.running(), pytest.raises(ApplianceError, match="7031"):
        folder.refuse_second()


def test_a_request_may_be_taken_as_soon_as_it_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then nothing is done to it any more; what installs, which is not root, owns it."""
    owner = (1234, 2345) if os.geteuid() == 0 else (os.geteuid(), os.getegid())
    os.chown(tmp_path, *owner)
    folder = UpdateFolder(tmp_path)
    taken: list[tuple[Request | None, tuple[int, int]]] = []
    replace = Path.replace

    def named(new: Path, target: Path) -> Path:
        belongs = new.stat().st_uid, new.stat().st_gid
        replace(new, target)
        if target.name == "request.json":
            taken.append((folder.take(), belongs))
        return target

    monkeypatch.setattr(Path, "replace", named)
    folder.submit(Request(url="http://127.0.0.1/x"))
    assert taken == [(Request(url="http://127.0.0.1/x"), owner)]


def test_an_update_that_a_power_cut_ended_has_failed(board: Board) -> None:
    folder = arrived(board, board.bundle())
    folder.submit(Request())
    folder.take()
    folder.tell(Progress(phase="installing", percent=40))
    assert (folder.progress().phase, folder.progress().code) == ("failed", 7039)
    assert folder.incoming.exists()
    folder.sweep()
    assert not folder.incoming.exists()


def test_a_new_version_is_on_trial_from_before_it_is_written(
    board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A power cut at any moment behind it finds the next start looked at."""
    folder = arrived(board, board.bundle())
    folder.submit(Request())
    seen: list[Trial | None] = []
    install = Rauc.install

    def cut_off(rauc: Rauc, path: Path, percent: Callable[[int], None]) -> None:
        seen.append(folder.trial())
        install(rauc, path, percent)
        raise KeyboardInterrupt

    monkeypatch.setattr(Rauc, "install", cut_off)
    with pytest.raises(KeyboardInterrupt):
        run_update(board.state_dir, board.rauc)
    assert seen == [Trial(left_slot="A", version="0.2.1+def")]
    assert folder.trial() == seen[0]


def test_a_bundle_that_does_not_fit_is_refused(
    board: Board, served: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state_module, "SPARE_BYTES", 1 << 60)
    folder = UpdateFolder(board.state_dir)
    folder.submit(Request(url=f"{served}/{board.bundle().name}"))
    assert not run_update(board.state_dir, board.rauc)
    assert folder.progress().code == 7035


def test_a_board_without_slots_says_so(board: Board) -> None:
    board.started("")
    with pytest.raises(ApplianceError, match="7030"):
        board.rauc.require()
