import subprocess
import sys
from pathlib import Path

import pytest

from thirdring.protocol.errors import StorageError
from thirdring_device.settings import (
    Settings,
    changed,
    load_settings,
    save_changes,
    secret_names,
    setting_descriptions,
    setting_values,
    setting_views,
)


def refused(path: Path, text: str) -> StorageError:
    path.write_text(text, encoding="utf-8")
    with pytest.raises(StorageError) as caught:
        load_settings(path)
    return caught.value


@pytest.mark.parametrize(
    ("text", "code", "named"),
    [
        ("[sip]\nprot = 5060\n", 5004, "sip.prot"),
        ("[spi]\nport = 5060\n", 5004, "[spi]"),
        ("[norms.answer]\nmax_ring = 3\n", 5004, "norms.answer.max_ring"),
        ("[norms.anser]\n", 5004, "norms.anser"),
        ("port = 5060\n", 5004, "port"),
        ("[sip]\nport = 70000\n", 5005, "sip.port"),
        ("[sip]\nport = '5060'\n", 5005, "sip.port"),
        ("[sip]\nport = true\n", 5005, "sip.port"),
        ("[trunk]\nmode = 'statik'\n", 5005, "trunk.mode"),
        ("[trunk]\npeers = '127.0.0.1'\n", 5005, "trunk.peers"),
        ("[norms.voice]\nlevel_band_db = nan\n", 5005, "norms.voice.level_band_db"),
        ("[sip\nport = 5060\n", 5003, "settings.toml"),
    ],
)
def test_a_bad_settings_file_is_refused_by_name(tmp_path: Path, text: str, code: int, named: str) -> None:
    error = refused(tmp_path / "settings.toml", text)
    assert error.code == code
    assert named in error.detail


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="5003"):
        load_settings(tmp_path / "none.toml")


def test_every_setting_has_a_default_within_its_bounds_and_a_meaning() -> None:
    for view in setting_views(Settings()):
        assert view.description
        assert changed(Settings(), {view.name: view.default}) == Settings()
        if isinstance(view.default, int | float) and not isinstance(view.default, bool):
            assert view.low is not None, view.name
            assert view.high is not None, view.name


def test_changes_are_kept_and_lie_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text("[norms.answer]\nmax_rings = 4\ngreeting_limit_s = 3\n", encoding="utf-8")
    save_changes(tmp_path, {"norms.answer.max_rings": 5})
    save_changes(tmp_path, {"recording.enabled": True})
    settings = load_settings(file, tmp_path)
    assert settings.norms.answer.max_rings == 5
    assert settings.norms.answer.greeting_limit_s == 3.0
    assert settings.recording.enabled


def test_changes_count_all_or_not_at_all() -> None:
    with pytest.raises(StorageError):
        changed(Settings(), {"norms.answer.max_rings": 4, "norms.answer.max_rigs": 4})


def test_a_password_is_never_shown() -> None:
    settings = changed(Settings(), {"trunk.password": "hush"})
    assert "hush" not in repr([view.value for view in setting_views(settings)])


def test_every_setting_says_what_it_means_in_both_languages() -> None:
    english, chinese = setting_descriptions("en"), setting_descriptions("zh")
    assert chinese.keys() == english.keys(), "settings_zh.json has one line for each setting"
    assert english.keys() == setting_values(Settings()).keys()
    for name, text in chinese.items():
        assert any("\u4e00" <= character <= "\u9fff" for character in text), name
        assert text.strip() == text, name
    assert "" not in english.values()


def test_the_passwords_are_known_by_name() -> None:
    assert secret_names() == {"trunk.password"}


@pytest.mark.parametrize(
    ("arguments", "settings", "code"),
    [
        (["run", "--board", "simulator"], "[sip]\nprot = 1\n", "5004"),
        (["engine", "--board", "toaster"], "", "7005"),
        (["engine", "--board", "simulator"], "[trunk]\ncountry = 'XX'\n", "5005"),
    ],
)
def test_the_appliance_refuses_to_start_with_one_numbered_line(
    tmp_path: Path, arguments: list[str], settings: str, code: str
) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(settings, encoding="utf-8")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "thirdring_device.cli", *arguments),
            *("--state", str(tmp_path / "state"), "--settings", str(file)),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    assert done.stderr.startswith(f"thirdring-device: error {code}: ")
    assert done.stderr.count("\n") == 1
