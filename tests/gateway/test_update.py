"""Updates over HTTP on a board that installs them, and on one that does not."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.gateway.desk import Desk, at_the_desk
from tests.gateway.test_api import assert_problem
from tests.gateway.test_roles import A_CALL
from tests.update.two_slots import two_slots
from thirdring.protocol.codec import to_fields
from thirdring_device.gateway.api import app as app_module
from thirdring_device.update import state as state_module
from thirdring_device.update.state import Progress, Request, Trial, UpdateFolder

URL = "http://127.0.0.1:9/box.raucb"
OF_UPDATES = {7030, 7031, 7035, 7037, 7038}
"""Errors that the API documents for updates only; all are brought about here."""
BUNDLE = bytes(range(256)) * 1024
"""Four times what any other request may have."""


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> UpdateFolder:
    """A board with two slots, started from B."""
    rauc = two_slots(tmp_path, "B")
    monkeypatch.setattr(app_module, "Rauc", lambda: rauc)
    return UpdateFolder(tmp_path)


def with_gateway(folder: Path, scenario: Any) -> None:
    async def run(desk: Desk) -> None:
        async with desk.gateway() as http:
            http.timeout = httpx.Timeout(60.0)
            await scenario(desk, http)

    at_the_desk(folder, run)


def test_a_url_is_handed_to_who_installs(tmp_path: Path, box: UpdateFolder) -> None:
    async def scenario(desk: Desk, http: httpx.AsyncClient) -> None:
        answer = await http.post("/v1/unit/update", json={"url": URL, "force": True})
        assert answer.status_code == 202
        told = answer.json()
        assert (told["supported"], told["running"], told["slot"]) == (True, "0.2.0+abc", "B")
        assert told["phase"] == "waiting"
        assert_problem(await http.post("/v1/unit/update", json={"url": URL}), 7031)
        assert box.take() == Request(url=URL, force=True)

    with_gateway(tmp_path, scenario)


def test_a_file_arrives_whole(tmp_path: Path, box: UpdateFolder) -> None:
    async def scenario(desk: Desk, http: httpx.AsyncClient) -> None:
        answer = await http.put("/v1/unit/update/bundle", params={"wait": True}, content=BUNDLE)
        assert answer.status_code == 202
        assert box.incoming.read_bytes() == BUNDLE
        assert box.take() == Request(wait=True)

    with_gateway(tmp_path, scenario)


def test_progress_and_failure_are_told(tmp_path: Path, box: UpdateFolder) -> None:
    async def scenario(desk: Desk, http: httpx.AsyncClient) -> None:
        assert (await http.get("/v1/unit/update")).json()["phase"] == "idle"
        box.make()
        with box.running():
            box.tell(Progress(phase="installing", percent=40, version="0.3.0"))
            told = (await http.get("/v1/unit/update")).json()
            assert (told["phase"], told["percent"], told["version"]) == ("installing", 40, "0.3.0")
        told = (await http.get("/v1/unit/update")).json()
        assert (told["phase"], told["code"]) == ("failed", 7039)
        box.begin_trial(Trial(left_slot="A", version="0.3.0", written=True))
        assert_problem(await http.post("/v1/unit/update", json={"url": URL}), 7031)

    with_gateway(tmp_path, scenario)


def test_a_call_goes_first_unless_the_update_is_to_wait(tmp_path: Path, box: UpdateFolder) -> None:
    async def scenario(desk: Desk, http: httpx.AsyncClient) -> None:
        desk.engine.handlers["get_state"] = lambda _: {**desk.state(), "calls": [to_fields(A_CALL)]}
        assert_problem(await http.post("/v1/unit/update", json={"url": URL}), 7037)
        assert_problem(await http.put("/v1/unit/update/bundle", content=BUNDLE), 7037)
        assert (await http.post("/v1/unit/update", json={"url": URL, "wait": True})).status_code == 202

    with_gateway(tmp_path, scenario)


def test_a_file_that_has_no_room_or_stops_on_its_way_is_refused(
    tmp_path: Path, box: UpdateFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        """A body whose length nobody has announced."""
        yield BUNDLE

    async def scenario(desk: Desk, http: httpx.AsyncClient) -> None:
        assert_problem(await http.put("/v1/unit/update/bundle", content=pieces()), 7038)
        with monkeypatch.context() as full:
            full.setattr(state_module, "SPARE_BYTES", 2**62)
            assert_problem(await http.put("/v1/unit/update/bundle", content=BUNDLE), 7035)
        assert box.take() is None
        assert not box.incoming.exists()
        assert (await http.put("/v1/unit/update/bundle", content=BUNDLE)).status_code == 202

    with_gateway(tmp_path, scenario)


def test_what_is_no_url_is_refused(tmp_path: Path, box: UpdateFolder) -> None:
    async def scenario(desk: Desk, http: httpx.AsyncClient) -> None:
        for url in ("file:///etc/passwd", "box.raucb", ""):
            assert_problem(await http.post("/v1/unit/update", json={"url": url}), 1001)

    with_gateway(tmp_path, scenario)


def test_a_board_without_slots_says_so(tmp_path: Path) -> None:
    async def scenario(desk: Desk, http: httpx.AsyncClient) -> None:
        assert not (await http.get("/v1/unit/update")).json()["supported"]
        assert_problem(await http.post("/v1/unit/update", json={"url": URL}), 7030)
        assert_problem(await http.put("/v1/unit/update/bundle", content=BUNDLE), 7030)

    with_gateway(tmp_path, scenario)
