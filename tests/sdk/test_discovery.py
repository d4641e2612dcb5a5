"""Found by mDNS, on loopback."""

import asyncio
import contextlib
import json
import socket
from pathlib import Path

import pytest

from tests.integration.conftest import Unit
from tests.peers import free_port
from thirdring import Appliance, FoundAppliance, discover
from thirdring.cli import main
from thirdring_device.gateway.announce import announce, is_announced
from thirdring_device.settings import GatewaySettings

LOOPBACK = ["127.0.0.1"]
DEADLINE_S = 30.0


async def found_at(port: int, *, there: bool = True, scheme: str = "http") -> FoundAppliance | None:
    """Look until the appliance on ``port`` is there, or no longer is; other tests announce theirs, too."""
    url = f"{scheme}://127.0.0.1:{port}"
    async with asyncio.timeout(DEADLINE_S):
        while True:
            seen = await asyncio.to_thread(discover, interfaces=LOOPBACK)
            found = [appliance for appliance in seen if appliance.url == url]
            if bool(found) == there:
                return found[0] if found else None


def test_appliances_are_found_by_name_and_gone_when_they_end(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        ports = [free_port(), free_port()]
        tasks, found = [], []
        for port, tls, scheme in zip(ports, ("off", "own"), ("http", "https"), strict=True):
            # Each machine has a name of its own. That a name is taken is not told reliably to one that shares
            # its port with others on the same machine: the answer may reach any of them (RFC 6762, 5.4).
            monkeypatch.setattr(socket, "gethostname", lambda name=f"desk-{port}.example": name)
            settings = GatewaySettings(host="127.0.0.1", port=port, tls=tls)
            tasks.append(asyncio.create_task(announce(settings, "0.1.0")))
            found.append(await found_at(port, scheme=scheme))
        assert {appliance.version for appliance in found if appliance} == {"0.1.0"}
        assert [appliance.name for appliance in found if appliance] == [f"Thirdring desk-{n}" for n in ports]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert await found_at(ports[0], there=False) is None

    asyncio.run(run())


def test_what_is_found_is_connected_to(tmp_path: Path) -> None:
    unit = Unit(tmp_path)
    text = unit.settings.read_text(encoding="utf-8")
    unit.settings.write_text(text.replace("[gateway]\n", '[gateway]\nannounce = "on"\n'), encoding="utf-8")
    unit.start()
    with contextlib.ExitStack() as stack:
        stack.callback(unit.stop)
        found = asyncio.run(found_at(unit.http_port))
        assert found is not None
        with Appliance(found.url, token_file=unit.state_dir / "api-token") as desk:
            assert desk.state().version == found.version


@pytest.mark.parametrize(
    ("host", "setting", "announced"),
    [
        ("127.0.0.1", "auto", False),
        ("localhost", "auto", False),
        ("[::1]", "auto", False),
        ("0.0.0.0", "auto", True),
        ("192.168.1.9", "auto", True),
        ("desk.example", "auto", True),
        ("0.0.0.0", "off", False),
        ("127.0.0.1", "on", True),
    ],
)
def test_only_who_is_reached_from_outside_is_announced(host: str, setting: str, announced: bool) -> None:
    assert is_announced(GatewaySettings(host=host, announce=setting)) is announced


def test_a_host_that_cannot_be_listened_on_is_not_announced() -> None:
    asyncio.run(announce(GatewaySettings(host="192.0.2.1"), "0.1.0"))


def test_the_command_finds_too(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    found = FoundAppliance(name="Thirdring desk7", url="http://192.0.2.7:8080", version="0.1.0")
    monkeypatch.setattr("thirdring.cli_alone.discover", lambda within_s: [found])
    assert main(["find"]) == 0
    assert "http://192.0.2.7:8080" in capsys.readouterr().out
    assert main(["--json", "find", "--within-s", "1"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["name"] == "Thirdring desk7"
