import ast
import importlib
import inspect
import subprocess
import sys
from pathlib import Path
from typing import Literal, get_origin

import pytest

import thirdring
from thirdring import Appliance, AsyncAppliance
from thirdring.protocol import errors, events, figures, views

HEAVY = {"fastapi", "starlette", "pydantic", "uvicorn", "numpy", "scipy", "soundfile"}
OURS = {"thirdring_device", "thirdring_dsp", "thirdring_hil"}


def loaded_after(statement: str) -> set[str]:
    """Top-level modules that a bare interpreter has loaded after ``statement``."""
    program = f"{statement}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_the_package_loads_next_to_nothing() -> None:
    loaded = loaded_after("import thirdring") - loaded_after("import importlib, typing")
    assert loaded == {"thirdring"}


@pytest.mark.parametrize(
    "statement",
    [
        "from thirdring import *",
        "from thirdring import Appliance; import thirdring.transports.http",
        "import thirdring.cli",
    ],
)
def test_the_sdk_never_loads_the_device(statement: str) -> None:
    assert not loaded_after(statement) & (HEAVY | OURS)


def test_exported_members_equal_all() -> None:
    for name in thirdring.__all__:
        assert getattr(thirdring, name) is not None
    modules = (errors, events, figures, views)
    exported = {name for module in modules for name in module.__all__ if name[0].isupper()}
    words = {name for name in events.__all__ if get_origin(getattr(events, name)) is Literal}
    internal = {"RECORD_KEYS", "FiguresBy"} | words
    assert set(thirdring.__all__) == (exported - internal) | {
        "Appliance",
        "AsyncAppliance",
        "FoundAppliance",
        "Reconnect",
        "discover",
    }
    assert set(thirdring.__all__) <= set(dir(thirdring))
    assert list(thirdring.__all__) == sorted(thirdring.__all__, key=lambda name: (not name.isupper(), name))


def test_unknown_member_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="Teapot"):
        thirdring.Teapot  # noqa: B018


@pytest.mark.parametrize("name", [m for m in dir(AsyncAppliance) if not m.startswith("_")])
def test_sync_and_async_appliance_have_the_same_methods(name: str) -> None:
    one, other = getattr(AsyncAppliance, name), getattr(Appliance, name)
    assert inspect.signature(one).parameters == inspect.signature(other).parameters
    assert {m for m in dir(Appliance) if not m.startswith("_")} == {
        m for m in dir(AsyncAppliance) if not m.startswith("_")
    }


@pytest.mark.parametrize("module", ["errors", "events", "commands", "views", "codec"])
def test_modules_export_what_they_define(module: str) -> None:
    loaded = importlib.import_module(f"thirdring.protocol.{module}")
    for name in loaded.__all__:
        assert hasattr(loaded, name)


def test_the_sdk_imports_nothing_that_windows_lacks() -> None:
    lacking = {"fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty"}
    folder = Path(thirdring.__file__).parent
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = {alias.name for alias in node.names} if isinstance(node, ast.Import) else set()
            names |= {node.module or ""} if isinstance(node, ast.ImportFrom) else set()
            assert not {name.partition(".")[0] for name in names} & lacking, file
