"""Files that outlive a power cut: what is asked of the system, and in which order."""

import os
from pathlib import Path

import pytest

from thirdring_device.durable import replace_file


def test_file_and_name_are_on_the_disk_before_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, asked = tmp_path / "settings.json", []
    path.write_text("old", encoding="utf-8")
    fsync = os.fsync

    def noted(handle: int) -> None:
        kind = "folder" if Path(f"/proc/self/fd/{handle}").is_dir() else "file"
        asked.append((kind, path.read_text(encoding="utf-8")))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", noted)
    replace_file(path, "neu\u00e9")
    assert asked == [("file", "old"), ("folder", "neu\u00e9")]
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["settings.json"]


def test_old_file_stays_when_the_new_one_cannot_be_written(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text("old", encoding="utf-8")
    (tmp_path / "settings.json.new").mkdir()
    with pytest.raises(OSError, match=r"settings\.json\.new"):
        replace_file(path, "new")
    assert path.read_text(encoding="utf-8") == "old"
