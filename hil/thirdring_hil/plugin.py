"""Pytest plugin of the hardware-in-the-loop bench.

``pytest hil/suites --targets simulator,/dev/ttyUSB0,bench.toml`` runs every test that asks for ``target``
once a target. ``@pytest.mark.needs("sip")`` skips it where the target lacks something. Per test and target
there is a log of both ends in the folder ``--hil-output``, beside ``record.json``.
"""

import contextlib
import dataclasses
import logging
import re
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from thirdring.appliance import Appliance
    from thirdring_hil.ear import Ear
    from thirdring_hil.headset import Headset
    from thirdring_hil.line import RawLine
    from thirdring_hil.measurements import Draw, Measure, Recorder
    from thirdring_hil.target import Target

__all__ = ["appliance", "bench_log", "draw", "ear", "headset", "line", "measure", "target"]

LINE_LOGGERS: Final = ("thirdring.transports.serial_line", "thirdring_hil.line", "thirdring_hil.peer")
RECORDER: "Final[pytest.StashKey[Recorder]]" = pytest.StashKey()

NAMES: "Final[pytest.StashKey[dict[str, str]]]" = pytest.StashKey()
"""Names of the opened targets, by what ``--targets`` calls them."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the bench's options."""
    group = parser.getgroup("hil", "hardware in the loop")
    group.addoption(
        "--targets",
        default="simulator",
        metavar="NAMES",
        help="comma-separated: simulator, qemu-amd64, qemu-arm64, environment files (.toml), serial ports",
    )
    group.addoption(
        "--sip-address",
        metavar="HOST:PORT",
        help="where the appliance on the cable takes SIP calls; without it, tests that call are skipped",
    )
    group.addoption(
        "--features", default="", metavar="NAMES", help="comma-separated: what else the bench's targets have"
    )
    group.addoption(
        "--hil-output",
        default="out/hil",
        metavar="DIR",
        help="folder of logs and record.json (default: %(default)s)",
    )
    group.addoption(
        "--soak-calls",
        type=int,
        default=5,
        metavar="N",
        help="calls in a row of the soak suite (default: %(default)s)",
    )
    group.addoption(
        "--power-cuts",
        type=int,
        default=1,
        metavar="N",
        help="power cuts of the faults suite, each in a call (default: %(default)s)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    from thirdring_hil.measurements import Recorder

    config.addinivalue_line("markers", "needs(*features): skip where the target lacks one of the features")
    config.stash[RECORDER] = Recorder()
    config.stash[NAMES] = {}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run every test that uses ``target`` once a target."""
    if "target" in metafunc.fixturenames:
        names = [name for name in metafunc.config.getoption("--targets").split(",") if name]
        if not names:
            raise pytest.UsageError("--targets names no target")
        metafunc.parametrize("target", names, indirect=True, scope="session")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note how each of the bench's tests ended."""
    report = yield
    if "target" in getattr(item, "fixturenames", ()):
        _note(item.config.stash[RECORDER], item, report)
    return report


def _note(recorder: "Recorder", item: pytest.Item, report: pytest.TestReport) -> None:
    from thirdring_hil.measurements import Outcome

    if report.when != "call" and report.passed:
        return
    reason = ""
    if report.skipped and isinstance(report.longrepr, tuple):
        reason = report.longrepr[2].removeprefix("Skipped: ")
    elif report.failed:
        crash = getattr(report.longrepr, "reprcrash", None)
        reason = crash.message if crash is not None else str(report.longrepr)
    suite = item.path.stem.removeprefix("test_").replace("_", " ")
    target = _target_name(item)
    recorder.outcomes.append(Outcome(target, suite, item.name, report.outcome, report.duration, reason))


def _target_name(item: pytest.Item) -> str:
    """Return the name that the test's target has in the record; the option's own where it never opened."""
    asked = str(getattr(item, "callspec").params["target"])  # noqa: B009 - items of pytest have no type for it
    names = item.config.stash[NAMES]
    return names.get(asked, asked)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the record, if there is anything in it."""
    recorder = session.config.stash.get(RECORDER, None)
    if recorder is not None and recorder.outcomes:
        from thirdring_hil.measurements import RECORD_FILE

        recorder.write(_output(session.config) / RECORD_FILE)


def _output(config: pytest.Config) -> Path:
    """Return the folder of this run; each worker of pytest-xdist has one of its own."""
    folder = Path(config.getoption("--hil-output"))
    worker = getattr(config, "workerinput", None)
    return folder / worker["workerid"] if worker is not None else folder


@pytest.fixture(scope="session")
def target(request: pytest.FixtureRequest) -> "Iterator[Target]":
    """Hand out the appliance under test."""
    from thirdring_hil.environment import EnvironmentFault, address, load
    from thirdring_hil.target import open_target

    option = request.config.getoption
    try:
        environment = load(request.param)
        if environment.sip is None and option("--sip-address"):
            environment = dataclasses.replace(environment, sip=address(option("--sip-address")))
    except EnvironmentFault as reason:
        raise pytest.UsageError(str(reason)) from reason
    more = frozenset(name for name in option("--features").split(",") if name)
    environment = dataclasses.replace(environment, features=environment.features | more)
    with open_target(environment, _output(request.config)) as target:
        request.config.stash[NAMES][request.param] = target.name
        unit = dataclasses.asdict(target.unit) | {"slowness": target.slowness}
        request.config.stash[RECORDER].units[target.name] = unit
        yield target


@pytest.fixture(autouse=True)
def _needs(request: pytest.FixtureRequest) -> None:
    """Skip what the target cannot do."""
    marks = list(request.node.iter_markers("needs"))
    if marks and "target" in request.fixturenames:
        target: Target = request.getfixturevalue("target")
        if lacking := target.lacking(*(name for mark in marks for name in mark.args)):
            pytest.skip(lacking)


@pytest.fixture
def bench_log(request: pytest.FixtureRequest, target: "Target") -> Iterator[Path]:
    """Keep the log of this test: what went over the line both ways, then what the device said."""
    folder = _output(request.config)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / (re.sub(r"[^\w.-]+", "_", request.node.name) + ".log")
    handler = logging.FileHandler(path, mode="w", encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s.%(msecs)03d host %(message)s", "%H:%M:%S"))
    loggers = [logging.getLogger(name) for name in LINE_LOGGERS]
    levels = [logger.level for logger in loggers]
    device_start = target.device_log.stat().st_size if target.device_log else 0
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
        logger.addHandler(handler)
    try:
        yield path
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.removeHandler(handler)
            logger.setLevel(level)
        handler.close()
        if target.device_log:
            with target.device_log.open("rb") as log, path.open("ab") as both:
                log.seek(device_start)
                both.writelines(b"device " + text for text in log)


@pytest.fixture
def appliance(target: "Target", bench_log: Path) -> "Iterator[Appliance]":
    """Open the SDK on the target's console; no call is left when the test begins and ends."""
    from thirdring.appliance import Appliance
    from thirdring.protocol.errors import CallError

    with Appliance(target.url) as appliance:
        for _ in range(2):
            with contextlib.suppress(CallError):
                appliance.hangup()
        yield appliance
        with contextlib.suppress(CallError):
            appliance.hangup()


@pytest.fixture
def line(target: "Target", bench_log: Path) -> "Iterator[RawLine]":
    """Open the target's raw line, reset and without echo; not together with ``appliance``."""
    from thirdring_hil.line import RawLine

    with contextlib.closing(RawLine(target.console)) as line:
        line.send(b"\x1b")
        line.ask("ATZ")
        line.ask("ATE0")
        yield line
        line.send(b"\x1b")
        line.ask("ATH")
        line.ask("ATZ")


@pytest.fixture
def measure(request: pytest.FixtureRequest, target: "Target") -> "Measure":
    """``measure(name, value, unit, low, high)``: into JUnit and JSON; out of limits fails the test."""
    recorder = request.config.stash[RECORDER]
    return recorder.measure(request.node.name, target.name, request.node.user_properties, target.slowness)


@pytest.fixture
def draw(request: pytest.FixtureRequest, target: "Target") -> "Draw":
    """``draw(name, x_unit, y_unit, points, low, high)``: a curve for the record and the certificate."""
    recorder = request.config.stash[RECORDER]
    return recorder.draw(request.node.name, target.name)


@pytest.fixture
def ear(target: "Target", headset: "Headset") -> "Ear":
    """Hand out what the agent hears on a simulated headset whose state folder the bench can read."""
    from thirdring_hil.ear import Ear

    assert target.state_dir is not None, "asked for by needs('shared_files')"  # noqa: S101
    return Ear(target.state_dir)


@pytest.fixture
def headset(target: "Target", appliance: "Appliance") -> "Iterator[Headset]":
    """Hand out the headset: the simulated one of the unit, or the USB headset in the bench's hand."""
    from thirdring_hil.headset import SimulatedHeadset

    if target.headset is None:
        yield SimulatedHeadset(appliance)
        return
    with target.headset.plugged():
        yield target.headset
