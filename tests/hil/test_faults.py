"""The bench finds what is broken: two faults here, all against all suites by ``nox -s hil_faults``."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"hil_faults_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def prove(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setattr(sys, "path", [*sys.path])
    return load(ROOT / "hil" / "faults" / "prove.py")


@pytest.mark.sip
@pytest.mark.parametrize(
    ("fault", "suite", "other"),
    [("late_180", "telephone", "console"), ("dropped_digit", "tones", "limiter")],
)
def test_a_fault_fails_the_suite_that_is_there_for_it_and_no_other(
    prove: ModuleType, tmp_path: Path, fault: str, suite: str, other: str
) -> None:
    assert prove.CAUGHT_BY[fault] == suite
    found = prove.find(fault, [suite, other], tmp_path)
    device = (tmp_path / fault / "simulator-device.log").read_text(encoding="utf-8")
    assert (found.failed, found.passed) == ({suite}, {other}), "\n".join([*found.reasons, device])


def test_no_package_has_the_faults() -> None:
    """What setup installs are the folders of packages; the faults are in none of them."""
    for folder in ("device/thirdring_device", "sdk/thirdring", "dsp/thirdring_dsp", "hil/thirdring_hil"):
        for path in (ROOT / folder).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            assert "late_180" not in text, path
            assert "hil/faults" not in text, path
