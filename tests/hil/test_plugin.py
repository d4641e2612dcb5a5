"""The bench's plugin, run as its users run it, against a console on a pty."""

import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

from tests.at.bench import ServedConsole, served
from thirdring_hil.g711 import a_law_decode, a_law_encode
from thirdring_hil.measurements import Measurement, OutOfLimits, Recorder, Row, measure_all

ROOT = Path(__file__).parents[2]

SUITE = """
import pytest

def test_in_limits(target, line, measure):
    assert line.ask("AT+CGMI") == ["Thirdring", "OK"]
    measure("level", -26.5, "dBov", -32, -20)

def test_out_of_limits(target, measure):
    measure("delay", 0.3, "s", None, 0.2)

@pytest.mark.needs("hook_switch")
def test_with_a_hook_switch(target):
    raise AssertionError

def test_over_the_sdk(appliance):
    assert appliance.state().storage == "ok"

def test_without_a_target():
    pass
"""


def run_suite(console: ServedConsole, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    suite = folder / "test_suite.py"
    suite.write_text(SUITE, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-c", str(ROOT / "pyproject.toml"), "--rootdir", str(folder)]
    command += ["-p", "no:cacheprovider", "--targets", str(console.path), "--hil-output", str(folder / "out")]
    return subprocess.run(
        [*command, *arguments, str(suite)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_a_session_leaves_junit_json_and_logs(tmp_path: Path) -> None:
    with served(tmp_path) as console:
        done = run_suite(console, tmp_path, "--junitxml", str(tmp_path / "junit.xml"))
    assert "1 failed, 3 passed, 1 skipped" in done.stdout, done.stdout + done.stderr
    assert "delay is 0.3 s, limits None to 0.2" in done.stdout
    assert "has no hook_switch" in done.stdout
    taken = json.loads((tmp_path / "out" / "record.json").read_text(encoding="utf-8"))["measurements"]
    assert [(item["name"], item["value"], item["unit"], item["passed"]) for item in taken] == [
        ("level", -26.5, "dBov", True),
        ("delay", 0.3, "s", False),
    ]
    root = ET.parse(tmp_path / "junit.xml").getroot()  # noqa: S314 - we have just written it
    properties = {item.get("name"): item.get("value") for item in root.iter("property")}
    assert properties["level"] == "-26.5"
    assert properties["level.high"] == "-20"
    assert properties["delay.unit"] == "s"
    logs = {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "out").glob("*.log")}
    assert any("AT+CGMI" in text and "Thirdring" in text for text in logs.values())
    assert any("get_state" in text for text in logs.values())


@pytest.mark.parametrize(
    ("value", "low", "high", "passed"),
    [
        (1, 1, 1, True),
        (1, None, None, True),
        (1, 2, None, False),
        (1, None, 0, False),
        (float("nan"), None, None, False),
        (float("-inf"), None, 0, False),
    ],
)
def test_limits_are_inclusive_and_no_number_never_passes(
    value: float, low: float | None, high: float | None, passed: bool
) -> None:
    assert Measurement("t", "x", "n", value, "s", low, high).passed is passed


def test_a_value_that_is_no_number_is_recorded_as_null(tmp_path: Path) -> None:
    recorder = Recorder()
    with pytest.raises(OutOfLimits):
        recorder.measure("t", "x", [])("level", float("-inf"), "dBov", -30, 0)
    recorder.write(tmp_path / "new" / "m.json")
    (taken,) = json.loads((tmp_path / "new" / "m.json").read_text(encoding="utf-8"))["measurements"]
    assert taken["value"] is None


def test_a_law_is_decoded_by_the_standard_and_encoded_to_the_nearest() -> None:
    assert a_law_decode(b"\xd5\x55\xaa\x2a").tolist() == [8, -8, 32256, -32256]
    every = bytes(range(256))
    assert a_law_encode(a_law_decode(every)) == every
    samples = np.arange(-32000, 32000, 37, dtype=np.int16)
    wrong = np.abs(a_law_decode(a_law_encode(samples)).astype(np.int32) - samples)
    assert np.all(wrong <= np.maximum(8, np.abs(samples.astype(np.int32)) / 16))


def test_all_are_recorded_even_when_one_is_out_of_its_limits() -> None:
    recorder = Recorder()
    rows: list[Row] = [
        ("a", 2.0, "s", 0.0, 1.0, "w"),
        ("b", 0.5, "s", 0.0, 1.0, "w"),
        ("c", 3.0, "s", 0.0, 1.0, "w"),
    ]
    with pytest.raises(OutOfLimits, match=r"a is 2 s.*c is 3 s"):
        measure_all(recorder.measure("t", "x", []), rows)
    assert [taken.passed for taken in recorder.measurements] == [False, True, False]
