"""A whole appliance with a trunk, and the SDK's connection to it over each way in turn."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.integration.conftest import Unit
from tests.peers import free_port, wait_until
from tests.receiver import Receiver
from tests.sdk.ways import WAYS, Way
from thirdring import Appliance

SETTINGS = """\
[trunk]
server = "127.0.0.1:{port}"
[recording]
enabled = true
encrypted = false
reserve_mb = 1
[firm]
language = "en"
[hooks]
urls = ["{hook}"]
events = ["settings_changed"]
networks = ["127.0.0.0/8"]
retry_first_s = 0.1
retry_longest_s = 0.2
keep_h = 0.0
"""


@pytest.fixture(params=WAYS)
def way_name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def trunk_port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def receiver() -> Receiver:
    """Where the appliance posts changes of settings to; serves when a test lets it."""
    return Receiver()


@pytest.fixture(scope="module")
def unit(tmp_path_factory: pytest.TempPathFactory, trunk_port: int, receiver: Receiver) -> Iterator[Unit]:
    extra = SETTINGS.format(port=trunk_port, hook=receiver.url)
    running = Unit(tmp_path_factory.mktemp("unit"), extra=extra)
    running.start()
    yield running
    running.stop()


@pytest.fixture
def way(unit: Unit, way_name: str) -> Way:
    way = Way(way_name, unit.state_dir, unit.http_port)
    wait_until((unit.state_dir / "console").exists, "the console is there", 20.0)
    return way


@pytest.fixture
def desk(way: Way) -> Iterator[Appliance]:
    with way.appliance() as appliance:
        yield appliance


@pytest.fixture
def tone(tmp_path: Path) -> Path:
    """Half a minute of a 440 Hz tone for a customer to send."""
    path = tmp_path / "tone.wav"
    soundfile.write(path, 0.2 * np.sin(2 * np.pi * 440 * np.arange(8000 * 30) / 8000), 8000)
    return path
