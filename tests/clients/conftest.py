"""A whole appliance for unmodified modem software to use, and how its last call ended."""

from collections.abc import Iterator

import pytest

from tests.integration.conftest import Unit
from tests.peers import free_port
from thirdring import CallEnded


@pytest.fixture(scope="module")
def trunk_port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def unit(tmp_path_factory: pytest.TempPathFactory, trunk_port: int) -> Iterator[Unit]:
    extra = f'[trunk]\nmode = "static"\nserver = "127.0.0.1:{trunk_port}"\n'
    running = Unit(tmp_path_factory.mktemp("unit"), extra)
    running.start()
    yield running
    running.stop()


def last_call(unit: Unit) -> CallEnded:
    """Return the end of the newest call, once no call is left."""
    unit.free()
    newest = unit.desk.calls(limit=1)[0].call_id
    ends = [r.event for r in unit.desk.call_events(newest) if isinstance(r.event, CallEnded)]
    assert len(ends) == 1
    return ends[0]
