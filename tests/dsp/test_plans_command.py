"""``thirdring-device plans``."""

import argparse
from pathlib import Path

import pytest
import soundfile

from thirdring_device import plans


def call(*words: str) -> int:
    parser = argparse.ArgumentParser()
    plans.add_parser(parser.add_subparsers(required=True))
    args = parser.parse_args(["plans", *words])
    return int(args.function(args))


def test_list_names_every_country_china_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("list") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("CN  One ring in China is 1 s tone, 4 s pause")
    assert len(lines) >= 60


def test_show_tells_tones_tolerances_and_sources(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("show", "jp") == 0
    shown = capsys.readouterr().out
    assert "400 Hz modulated at 16 Hz 1 s, silence 2 s" in shown
    assert "400 Hz, continuous" in shown
    assert "+-20 Hz" in shown
    assert "Source: ITU-T E.180" in shown


def test_render_writes_a_wav_file(tmp_path: Path) -> None:
    path = tmp_path / "busy.wav"
    assert call("render", "CN", "busy", "--out", str(path), "--seconds", "2") == 0
    samples, rate_hz = soundfile.read(path, dtype="int16")
    assert (rate_hz, len(samples)) == (8000, 16000)
    assert samples.any()


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (1004, ("show", "QQ")),
        (1004, ("render", "FR", "howler", "--out", "x.wav")),
        (5008, ("render", "CN", "busy", "--out", "/nowhere/x.wav")),
        (1004, ("render", "CN", "busy", "--out", "x.wav", "--level-dbm0", "9")),
    ],
)
def test_what_will_not_do_is_told_on_one_line(
    code: int,
    words: tuple[str, ...],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert call(*words) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"thirdring-device plans: {code}: ")
    assert error.count("\n") == 1
