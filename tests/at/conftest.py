from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.at.bench import Host, ServedConsole, served


@pytest.fixture
def console(tmp_path: Path) -> Iterator[ServedConsole]:
    with served(tmp_path) as console:
        yield console


@pytest.fixture
def host(console: ServedConsole) -> Iterator[Host]:
    host = Host(console.path)
    assert host.ask("ATE0") == ["ATE0\r", "OK"]
    yield host
    host.close()
