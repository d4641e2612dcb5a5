"""Pytest plugin of the hardware-in-the-loop bench.

``pytest hil/suites --targets simulator,/dev/ttyUSB0`` runs every test that asks for ``target`` once a target.
``@pytest.mark.needs("sip")`` skips it where the target lacks something. Per test and target there is a log
of both ends in the folder ``--hil-output``, beside ``measurements.json``.
"""

import contextlib
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from thirdring.appliance import Appliance
    from thirdring_hil.line import RawLine
    from thirdring_hil.measurements import Measure, Recorder
    from thirdring_hil.target import Target

__all__ = ["appliance", "bench_log", "line", "measure", "target"]

LINE_LOGGERS: Final = ("thirdring.transports.serial_line", "thirdring_hil.line", "thirdring_hil.peer")
RECORDER: "Final[pytest.StashKey[Recorder]]" = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the bench's options."""
    group = parser.getgroup("hil", "hardware in the loop")
    group.addoption(
        "--targets",
        default="simulator",
        metavar="NAMES",
        help="comma-separated: simulator, or serial ports of appliances such as /dev/ttyUSB0",
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
        help="folder of logs and measurements.json (default: %(default)s)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    from thirdring_hil.measurements import Recorder

    config.addinivalue_line("markers", "needs(*features): skip where the target lacks one of the features")
    config.stash[RECORDER] = Recorder()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run every test that uses ``target`` once a target."""
    if "target" in metafunc.fixturenames:
        names = [name for name in metafunc.config.getoption("--targets").split(",") if name]
        if not names:
            raise pytest.UsageError("--targets names no target")
        metafunc.parametrize("target", names, indirect=True, scope="session")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the measurements, if there are any."""
    recorder = session.config.stash.get(RECORDER, None)
    if recorder is not None and recorder.measurements:
        recorder.write(Path(session.config.getoption("--hil-output")) / "measurements.json")


def _sip_address(text: str | None) -> tuple[str, int] | None:
    if not text:
        return None
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal():
        raise pytest.UsageError(f"--sip-address {text} is not HOST:PORT")
    return host, int(port)


@pytest.fixture(scope="session")
def target(request: pytest.FixtureRequest) -> "Iterator[Target]":
    """Hand out the appliance under test."""
    from thirdring_hil.target import SIMULATOR, cable, simulator

    option = request.config.getoption
    if request.param == SIMULATOR:
        opened = simulator(Path(option("--hil-output")))
    else:
        features = frozenset(name for name in option("--features").split(",") if name)
        opened = cable(request.param, _sip_address(option("--sip-address")), features)
    with opened as target:
        yield target


@pytest.fixture(autouse=True)
def _needs(request: pytest.FixtureRequest) -> None:
    """Skip what the target cannot do."""
    marks = list(request.node.iter_markers("needs"))
    if marks and "target" in request.fixturenames:
        target: Target = request.getfixturevalue("target")
        missing = {name for mark in marks for name in mark.args} - target.features
        if missing:
            pytest.skip(f"{target.name} has no {', '.join(sorted(missing))}")


@pytest.fixture
def bench_log(request: pytest.FixtureRequest, target: "Target") -> Iterator[Path]:
    """Keep the log of this test: what went over the line both ways, then what the device said."""
    folder = Path(request.config.getoption("--hil-output"))
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
    return recorder.measure(request.node.name, target.name, request.node.user_properties)
