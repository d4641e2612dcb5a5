"""What a technician does to a unit that is to be given away or is not well."""

import tarfile
from pathlib import Path

import pytest

from thirdring_device import cli
from thirdring_device.factory_reset import FLAG
from thirdring_device.settings import save_changes

TYPED = "correct horse battery"


def test_a_factory_reset_leaves_its_flag_where_the_first_process_looks(tmp_path: Path) -> None:
    assert cli.main(["factory-reset", "--state", str(tmp_path), "--yes"]) == 0
    assert (tmp_path / FLAG).exists()
    script = Path("firmware_ports/common/overlay/usr/lib/thirdring/init").read_text(encoding="utf-8")
    assert f"/var/lib/thirdring/{FLAG}" in script


def test_a_factory_reset_is_not_asked_for_by_accident(tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        cli.main(["factory-reset", "--state", str(tmp_path)])
    assert not (tmp_path / FLAG).exists()
    assert cli.main(["factory-reset", "--state", str(tmp_path / "nowhere"), "--yes"]) == 2


def test_a_support_bundle_has_settings_and_log_and_no_secret(tmp_path: Path) -> None:
    state = tmp_path / "state"
    (state / "logs").mkdir(parents=True)
    (state / "recordings").mkdir()
    (state / "recordings" / "call.wav").write_bytes(b"sound")
    save_changes(state, {"trunk.password": TYPED, "trunk.user": "desk17"})
    line = f"2026-11-22T16:00:00.000Z WARNING thirdring_device.x: refused with {TYPED}\n"
    (state / "logs" / "engine.log").write_text(line, encoding="utf-8")
    out = tmp_path / "support.tar.gz"
    assert cli.main(["support", "--state", str(state), "--out", str(out)]) == 0
    with tarfile.open(out) as bundle:
        texts = {}
        for entry in bundle.getmembers():
            file = bundle.extractfile(entry)
            assert file is not None
            texts[entry.name.removeprefix("thirdring-support/")] = file.read().decode()
    assert "desk17" in texts["settings.json"]
    assert "refused with ***" in texts["log.txt"]
    assert "recordings/call.wav" in texts["state.txt"]
    assert not any(TYPED in text for text in texts.values())
    assert "call.wav" not in texts


def test_a_support_bundle_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    assert cli.main(["support", "--state", str(tmp_path), "--out", str(tmp_path / "no" / "file")]) == 2
