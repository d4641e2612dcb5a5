"""Update, support file and factory reset by the SDK and the command, over HTTP and over serial."""

import tarfile
import threading
import time
from pathlib import Path

import pytest

from tests.gateway.test_roles import A_CALL
from tests.sdk.ways import desk_in_background
from tests.update.two_slots import two_slots
from thirdring import ApplianceError, CallError, ConnectionLost, RequestError, StorageError, cli_unit
from thirdring.cli import main
from thirdring.protocol.codec import to_fields
from thirdring_device.factory_reset import FLAG
from thirdring_device.gateway.api import app as app_module
from thirdring_device.gateway.at.handlers import unit as unit_handlers
from thirdring_device.gateway.machine import serial_number
from thirdring_device.update.state import Progress, Request, UpdateFolder

URL = "https://updates.example/box.raucb"
BUNDLE = bytes(range(256)) * 4096
"""Several of the pieces that it is sent in."""


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> UpdateFolder:
    """A board with two slots, started from A."""
    rauc = two_slots(tmp_path, "A")
    for module in (app_module, unit_handlers):
        monkeypatch.setattr(module, "Rauc", lambda: rauc)
    return UpdateFolder(tmp_path)


def test_an_update_from_a_url_is_begun_and_told(tmp_path: Path, box: UpdateFolder, way_name: str) -> None:
    with desk_in_background(tmp_path) as (desk, _), desk.way(way_name).appliance() as appliance:
        before = appliance.update_state()
        assert (before.supported, before.running, before.slot) == (True, "0.2.0+abc", "A")
        assert (before.phase, before.code) == ("idle", 0)
        appliance.update(URL, force=True)
        assert appliance.update_state().phase == "waiting"
        assert box.take() == Request(url=URL, force=True)
        with box.running(), pytest.raises(ApplianceError) as second:
            appliance.update(URL)
        assert second.value.code == 7031
        box.tell(Progress(phase="failed", code=7034, detail="it is short"))
        after = appliance.update_state()
        assert (after.phase, after.code, after.detail) == ("failed", 7034, "it is short")


def test_a_bundle_is_sent_over_http_only(tmp_path: Path, box: UpdateFolder) -> None:
    file = tmp_path / "box.raucb"
    file.write_bytes(BUNDLE)
    with desk_in_background(tmp_path) as (desk, _):
        with desk.way("serial").appliance() as appliance, pytest.raises(ConnectionLost) as too_slow:
            appliance.update(file)
        assert too_slow.value.code == 8003
        with desk.way("http").appliance() as appliance:
            with pytest.raises(StorageError) as missing:
                appliance.update(tmp_path / "none.raucb")
            assert missing.value.code == 5003
            appliance.update(file, wait=True)
    assert box.incoming.read_bytes() == BUNDLE
    assert box.take() == Request(wait=True)


def test_the_support_file_is_saved_over_http_only(tmp_path: Path) -> None:
    file = tmp_path / "support.tar.gz"
    with desk_in_background(tmp_path) as (desk, _):
        with desk.way("serial").appliance() as appliance, pytest.raises(ConnectionLost) as too_slow:
            appliance.save_support_file(file)
        assert too_slow.value.code == 8003
        with desk.way("http").appliance() as appliance:
            appliance.save_support_file(file)
    with tarfile.open(file) as saved:
        assert saved.getnames()


def test_a_factory_reset_wants_the_units_number_and_no_call(tmp_path: Path, way_name: str) -> None:
    with desk_in_background(tmp_path) as (desk, _), desk.way(way_name).appliance() as appliance:
        with pytest.raises(RequestError) as other:
            appliance.factory_reset("0")
        assert other.value.code == 1010
        idle = desk.engine.handlers["get_state"]
        desk.engine.handlers["get_state"] = lambda asked: {**idle(asked), "calls": [to_fields(A_CALL)]}
        with pytest.raises(CallError) as busy:
            appliance.factory_reset(serial_number())
        assert busy.value.code == 2003
        assert not (tmp_path / FLAG).exists()
        desk.engine.handlers["get_state"] = idle
        appliance.factory_reset(serial_number())
        assert (tmp_path / FLAG).exists()


@pytest.mark.parametrize(
    ("end", "code", "said"),
    [
        (
            Progress(phase="done", version="0.3.0"),
            0,
            "done, 0.3.0 (0.2.0+abc runs from slot A)\n",
        ),
        (Progress(phase="failed", code=7034), 17, "failed (0.2.0+abc runs from slot A)\n"),
    ],
    ids=["done", "failed"],
)
def test_the_command_follows_an_update_to_its_end(
    tmp_path: Path,
    box: UpdateFolder,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    end: Progress,
    code: int,
    said: str,
) -> None:
    monkeypatch.setattr(cli_unit, "LOOK_S", 0.1)

    def install() -> None:
        """Be the process that installs."""
        while not (box.path / "request.json").exists():
            time.sleep(0.01)
        with box.running():
            box.take()
            box.tell(Progress(phase="fetching", percent=40))
            time.sleep(1.0)  # ten looks
            box.tell(end)

    with desk_in_background(tmp_path) as (desk, _):
        monkeypatch.setenv("THIRDRING_URL", desk.way("http").url)
        monkeypatch.setenv("THIRDRING_TOKEN", desk.token)
        installer = threading.Thread(target=install)
        installer.start()
        assert main(["update", URL]) == code
        installer.join()
    told = capsys.readouterr()
    assert "fetching 40 % (0.2.0+abc runs from slot A)\n" in told.out
    assert told.out.endswith(said)
    assert ("7034" in told.err) == (code != 0)
