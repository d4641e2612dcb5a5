"""``thirdring-device recording``: list, and open a sealed recording."""

from pathlib import Path

import pytest

from tests.recording.test_recorder import CALL_ID, FACTS, give, heard, plan_of, talk
from thirdring_device.adapters.recording.key import KEY_FILE
from thirdring_device.adapters.recording.recorder import Recorder
from thirdring_device.cli import main


def recorded(folder: Path, form: str, *, sealed: bool) -> Path:
    folder.mkdir(exist_ok=True)
    plan = plan_of(folder, form, sealed=sealed)
    recorder = Recorder(plan, lambda event: None, lambda: 0.0)
    give(recorder, *talk(1.0))
    recorder.close(FACTS)
    return plan.path


@pytest.mark.parametrize("form", ["wav", "opus"])
def test_a_sealed_recording_is_written_as_a_plain_file(
    tmp_path: Path, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = recorded(tmp_path, form, sealed=True)
    out = tmp_path / f"plain.{form}"
    assert main(["recording", "export", str(path), "--out", str(out)]) == 0
    assert capsys.readouterr().out == f"{out}\n"
    sound, facts = heard(path)
    plain, plain_facts = heard(out)
    assert (plain == sound).all()
    assert plain_facts == facts == FACTS[:2]


def test_the_recordings_of_a_unit_are_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recording", "list", "--state", str(tmp_path)]) == 0
    assert capsys.readouterr().out == ""
    path = recorded(tmp_path, "wav", sealed=True)
    assert main(["recording", "list", "--state", str(tmp_path)]) == 0
    name, _, size = capsys.readouterr().out.split()
    assert (name, int(size)) == (f"{CALL_ID}.sealed", path.stat().st_size)


def test_refusals_are_numbered_and_leave_no_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = recorded(tmp_path, "wav", sealed=True)
    out = tmp_path / "out.wav"
    (tmp_path / "folder").mkdir()
    for arguments, code in (
        ([str(path), "--out", str(out), "--key", str(tmp_path / "none")], 4020),
        ([str(path), "--out", str(tmp_path / "none" / "out.wav")], 5008),
        ([str(path), "--out", str(tmp_path / "folder")], 5008),
        ([str(tmp_path / "none.wav"), "--out", str(out)], 4000),
    ):
        assert main(["recording", "export", *arguments]) == 2
        assert f"error {code}" in capsys.readouterr().err
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert main(["recording", "export", str(path), "--out", str(out)]) == 2
    assert "error 4022" in capsys.readouterr().err
    (tmp_path / KEY_FILE).unlink()
    assert main(["recording", "export", str(path), "--out", str(out)]) == 2
    assert "error 4020" in capsys.readouterr().err
    assert not out.exists()
    assert not list(tmp_path.rglob("*.part"))
