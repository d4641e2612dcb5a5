"""The technician's command: environment files, suites run, certificate written."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.at.bench import served
from tests.peers import wait_until
from thirdring_hil.certificate import certificate, suite_verdicts, verdict
from thirdring_hil.environment import Environment, EnvironmentFault, load
from thirdring_hil.measurements import OutOfLimits, Recorder
from thirdring_hil.pictures import levels_svg, response_svg

ROOT = Path(__file__).parents[2]
ENVIRONMENTS = ROOT / "hil" / "environments"

SUITE = """
def test_level(target, line, measure, draw):
    assert line.ask("AT") == ["OK"]
    draw("mouth_response", "Hz", "dB", [(300, -0.2), (1020, 0.0), (3400, -1.0)], [-3, -0.5, -3], [0.5] * 3)
    measure("mouth_gain", LEVEL, "dB", -0.5, 0.5, "ITU-T G.712 <gain>")
"""


def outcome(suite: str, how: str) -> dict[str, Any]:
    return {"target": "t", "suite": suite, "test": "test_x", "outcome": how, "duration_s": 1.0, "reason": ""}


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "thirdring_hil.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def test_a_suite_passes_when_nothing_failed_and_something_passed() -> None:
    rows = [outcome("a", "passed"), outcome("a", "skipped"), outcome("b", "skipped"), outcome("c", "skipped")]
    rows += [outcome("c", "passed"), outcome("d", "passed"), outcome("d", "failed")]
    assert suite_verdicts(rows) == {"a": "passed", "b": "skipped", "c": "passed", "d": "failed"}
    assert verdict(rows) == "failed"
    assert verdict(rows[:5]) == "passed"
    assert verdict([outcome("b", "skipped")]) == "failed", "nothing was tested"


@pytest.mark.parametrize(("level", "code", "word"), [(0.1, 0, "PASS"), (-3.0, 1, "FAIL")])
def test_a_run_says_pass_or_fail_and_leaves_a_certificate(
    tmp_path: Path, level: float, code: int, word: str
) -> None:
    suites, out = tmp_path / "suites", tmp_path / "out"
    suites.mkdir()
    (suites / "test_way_of_sound.py").write_text(SUITE.replace("LEVEL", str(level)), encoding="utf-8")
    with served(tmp_path) as console:
        environment = tmp_path / "bench.toml"
        environment.write_text(f'[target]\nname = "desk <7>"\nconsole = "{console.path}"\n', encoding="utf-8")
        arguments = ["--target", str(environment), "--output", str(out), "--suites-from", str(suites)]
        done = run("run", *arguments)
    assert done.returncode == code, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == word
    assert f"{word}  way of sound" in done.stdout
    record = json.loads((out / "record.json").read_text(encoding="utf-8"))
    assert record["measurements"][0]["value"] == level
    (unit,) = record["units"].values()
    page = (out / f"certificate-{unit['serial_number']}.html").read_text(encoding="utf-8")
    assert f">{word}</div>" in page
    assert "desk &lt;7&gt;" in page
    assert "ITU-T G.712 &lt;gain&gt;" in page
    assert page.count("<svg") == 2, "level and frequency response"
    assert "http" not in page.replace("http-equiv", ""), "the page needs nothing else"
    assert (out / "junit.xml").exists()


LONG = """
import signal
from pathlib import Path

import pytest

@pytest.fixture
def board():
    yield
    Path("{folder}/ended").touch()

def test_long(target, board):
    Path("{folder}/begun").touch()
    signal.pause()
"""


def test_a_run_that_is_ended_ends_what_it_has_started(tmp_path: Path) -> None:
    suites = tmp_path / "suites"
    suites.mkdir()
    (suites / "test_long.py").write_text(LONG.format(folder=tmp_path), encoding="utf-8")
    with served(tmp_path) as console:
        command = [sys.executable, "-m", "thirdring_hil.cli", "run", "--target", str(console.path)]
        command += ["--output", str(tmp_path / "out"), "--suites-from", str(suites)]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
            wait_until((tmp_path / "begun").exists, "it has begun", 30.0)
            running.terminate()
            assert running.wait(30.0) != 0
    assert (tmp_path / "ended").exists()


def test_only_limits_of_durations_are_wider_on_a_slow_board_and_it_is_told() -> None:
    recorder = Recorder()
    measure = recorder.measure("test_x", "t", [], slowness=2)
    measure("answer_to_connected", 1.4, "s", 0.0, 0.75, "E.721")
    for name, value, unit, low, high in (("interval", 5.6, "s", 4.5, 5.5), ("gain", 0.6, "dB", -0.5, 0.5)):
        with pytest.raises(OutOfLimits):
            measure(name, value, unit, low, high)
    assert [taken.high for taken in recorder.measurements] == [1.5, 5.5, 0.5]
    assert recorder.measurements[0].reason == "E.721; 2 times that in emulation"
    says: dict[str, object] = {"serial_number": "1", "firmware": "2", "board": "b", "sip_stack": "s"}
    said = "2 times as wide: emulated on another processor"
    for slowness in (1, 2):
        recorder.units["t"] = says | {"slowness": slowness}
        assert (said in certificate(recorder.record(), "t")) == (slowness == 2)


def test_what_cannot_be_run_is_said_and_nothing_starts(tmp_path: Path) -> None:
    done = run("run", "--target", str(tmp_path / "none.toml"), "--output", str(tmp_path))
    assert done.returncode == 2
    assert "none.toml" in done.stderr
    done = run("run", "--target", "simulator", "--suites", "no such", "--output", str(tmp_path))
    assert done.returncode == 2
    assert "no_such" in done.stderr


def test_the_environment_files_that_come_along_are_good() -> None:
    assert load(str(ENVIRONMENTS / "simulator.toml")) == load("simulator")
    cable = load(str(ENVIRONMENTS / "cable.toml"))
    assert (cable.console, cable.sip, cable.restart) == ("/dev/ttyUSB0", ("192.0.2.17", 5060), ())
    assert load("/dev/ttyUSB0") == Environment("/dev/ttyUSB0", "serial", console="/dev/ttyUSB0")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "[target]"),
        ('[target]\nname = "x"\n', "console is missing"),
        ('[target]\nconsole = "x"\nsip = "host"\n', "HOST:PORT"),
        ('[target]\nconsole = "x"\ncolour = "red"\n', "colour"),
        ("[target]\nconsole = 7\n", "console must be a string"),
        ('[target]\nconsole = "x"\nrestart = "now"\n', "restart must be a list"),
        ('[target]\nkind = "ship"\n', "kind"),
        ("[target", "TOML"),
    ],
)
def test_a_bad_environment_file_is_refused(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "bench.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(EnvironmentFault, match=r"bench\.toml|HOST") as refused:
        load(str(file))
    if says != "TOML":
        assert says in str(refused.value)


def test_pictures_hold_every_point_and_its_limits() -> None:
    curve = {
        "name": "mouth",
        "x_unit": "Hz",
        "y_unit": "dB",
        "points": [[300, 0.0], [1020, 0.0], [3400, -9.0]],
        "low": [-3, -1, -3],
        "high": [1, 1, 1],
    }
    picture = response_svg(curve)
    assert picture.count("<circle") == 3
    assert picture.count('class="limit"') == 2
    assert levels_svg([]) == ""
    gain = {"name": "mouth_gain", "value": -3.0, "low": -0.5, "high": 0.5}
    assert levels_svg([gain, {**gain, "value": None}]).count("<circle") == 1


def test_the_certificate_of_a_target_has_nothing_of_another_one() -> None:
    unit = {"serial_number": "1", "firmware": "0.1", "board": "b", "sip_stack": "s"}
    record = {
        "started_utc": "now",
        "finished_utc": "then",
        "units": {"t": unit, "u": {**unit, "serial_number": "2"}},
        "outcomes": [outcome("a", "passed"), {**outcome("b", "failed"), "target": "u"}],
        "measurements": [],
        "curves": [],
    }
    assert "FAIL" not in certificate(record, "t")
    assert ">FAIL</div>" in certificate(record, "u")
