import re
from collections import defaultdict
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.routing import iter_route_contexts
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.gateway.desk import Desk, at_the_desk
from tests.gateway.test_api import assert_problem
from thirdring.protocol.codec import to_fields
from thirdring.protocol.commands import Command
from thirdring.protocol.errors import error
from thirdring.protocol.views import CallView
from thirdring_device.gateway.api.app import create_app
from thirdring_device.gateway.api.roles import ACCESS, ROLES, is_guarded, may, needed
from thirdring_device.gateway.engine_client import EngineClient
from thirdring_device.gateway.journal import JournalView
from thirdring_device.settings import changed

A_CALL = CallView(
    call_id="c1",
    index=1,
    direction="incoming",
    state="active",
    number="13800138000",
    display_name="",
    rings=1,
    started_utc="2026-05-04T09:00:00.000Z",
)
HEADSET_TEST = {"state": "idle", "listen_s": 5.0}
HEADSET = {"device": "", "leds": [], "family": "", "buttons": []}


def saying(answer: Any, _: Command) -> Any:
    return answer


def no_recording(_: Command) -> dict[str, Any]:
    raise error(4024)


def a_willing_engine(desk: Desk) -> None:
    """Let the engine say something sensible to every command."""
    answers: dict[str, Any] = {
        "get_settings": {"settings": []},
        "get_headset": HEADSET,
        "get_metrics": {"frame_interval": {"count": 0}},
        "press_button": HEADSET,
        "test_headset": HEADSET_TEST,
        "get_headset_test": HEADSET_TEST,
        "restart": {"restarting": True},
        "list_recordings": {"recordings": []},
        "set_agent_state": {"state": "ready", "agent": ""},
        "get_state": {**desk.state(), "calls": [to_fields(A_CALL)]},  # in which no self-test runs
    }
    handlers = desk.engine.handlers
    desk.engine.handlers = defaultdict(lambda: lambda _: {"call_id": "c1"}, handlers)
    desk.engine.handlers["read_recording"] = no_recording
    for name, answer in answers.items():
        desk.engine.handlers[name] = partial(saying, answer)


def an_address(path: str) -> str:
    return re.sub(r"\{\w+\}", "agent", path)


async def token(http: httpx.AsyncClient, role: str) -> dict[str, str]:
    made = await http.post("/v1/tokens", json={"name": role, "role": role})
    assert made.status_code == 201
    return {"authorization": f"Bearer {made.json()['token']}"}


def test_every_endpoint_answers_every_role_as_the_table_says(tmp_path: Path) -> None:
    async def scenario(desk: Desk) -> None:
        a_willing_engine(desk)
        desk.settings = changed(desk.settings, {"gateway.requests_per_s": 100_000.0})
        async with desk.gateway() as http:
            roles = {role: await token(http, role) for role in ROLES}
            for key, need in ACCESS.items():
                method, path = key.split(" ", 1)
                if method == "WEBSOCKET":
                    continue
                nobody = await http.request(method, an_address(path), headers={"authorization": ""})
                if need == "public":
                    assert nobody.status_code not in (401, 403), key
                else:
                    assert_problem(nobody, 6000)
                for role in ROLES:
                    answer = await http.request(method, an_address(path), headers=roles[role])
                    if may(role, need):
                        assert answer.status_code not in (401, 403), (key, role)
                        assert answer.status_code < 500, (key, role, answer.text)
                    else:
                        assert_problem(answer, 6002)

    at_the_desk(tmp_path, scenario)


def test_who_must_change_the_first_password_may_do_nothing_else(tmp_path: Path) -> None:
    async def scenario(desk: Desk) -> None:
        a_willing_engine(desk)
        async with desk.gateway(), httpx.AsyncClient(base_url=desk.url, trust_env=False) as browser:
            password = (tmp_path / "first-password").read_text().strip()
            begun = await browser.post("/v1/session", json={"role": "technician", "password": password})
            browser.headers["x-csrf-token"] = begun.json()["csrf_token"]
            for key, need in ACCESS.items():
                method, path = key.split(" ", 1)
                if need not in ("public", "signed in") and method != "WEBSOCKET":
                    assert_problem(await browser.request(method, an_address(path)), 6004)
            assert (await browser.get("/v1/session")).json()["must_change_password"]

    at_the_desk(tmp_path, scenario)


def test_the_event_stream_is_for_those_whom_the_table_names(tmp_path: Path) -> None:
    async def scenario(desk: Desk) -> None:
        async with desk.gateway() as http:
            address = f"ws://127.0.0.1:{desk.port}/v1/events"
            with pytest.raises(InvalidStatus) as refused:
                async with connect(address, proxy=None):
                    pass
            assert refused.value.response.status_code == 401
            for role in ROLES:
                async with connect(address, proxy=None, additional_headers=await token(http, role)):
                    pass

    at_the_desk(tmp_path, scenario)


def test_every_route_has_a_role_and_every_role_a_route(tmp_path: Path) -> None:
    async def scenario(desk: Desk) -> None:
        client = EngineClient(desk.engine.path)
        reader = JournalView(tmp_path / "journal.sqlite3")
        app = create_app(desk.settings, tmp_path, client, reader)
        routes = set()
        for route in iter_route_contexts(app.routes):
            for method in route.methods or ["WEBSOCKET"]:
                routes.add(f"{method} {route.path}")
        missing = {key for key in routes if is_guarded(key.split(" ", 1)[1])} - ACCESS.keys()
        assert not missing, f"add these to gateway/api/roles.py: {sorted(missing)}"
        assert ACCESS.keys() <= routes
        async with app.router.lifespan_context(app):
            pass
        await client.close()
        reader.close()

    at_the_desk(tmp_path, scenario)


def test_what_is_not_in_the_table_is_for_the_technician() -> None:
    for method, path in (
        ("GET", "/v1/nothing"),
        ("PUT", "/v1/state"),
        ("GET", "/v1/state/"),
        ("GET", "/v1/state\n"),
        ("GET", "/v1/calls/a/b/report"),
        ("WEBSOCKET", "/v1/state"),
    ):
        assert needed(method, path) == "technician"
    assert needed("GET", "/v1/calls/a/report") == "agent"
    assert needed("GET", "/assets/page.js") == "public"
