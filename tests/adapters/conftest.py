from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.adapters.desk_process import DeskProcess


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskProcess]:
    """A desk on a static trunk that takes calls from loopback, shared by the tests of a module."""
    with DeskProcess(tmp_path_factory.mktemp("desk")) as process:
        yield process


@pytest.fixture
def peer_dir(tmp_path: Path) -> Path:
    return tmp_path
