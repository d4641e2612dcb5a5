from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.gateway.desk import Desk, at_the_desk
from thirdring.protocol.codec import from_fields
from thirdring.protocol.commands import (
    Answer,
    Command,
    Conference,
    Dial,
    Forward,
    Hangup,
    Hold,
    Mute,
    PauseRecording,
    PressButton,
    Redial,
    Resume,
    ResumeRecording,
    SendDtmf,
    SetSettings,
    Speak,
    Swap,
    Transfer,
    Unmute,
)
from thirdring.protocol.errors import ERRORS, error
from thirdring.protocol.events import EVENT_KINDS
from thirdring.protocol.views import CallDetail, DeskState
from thirdring_device.gateway.api.error_map import CLOSE_CODES, STATUSES
from thirdring_device.settings import changed

Scenario = Callable[[Desk, httpx.AsyncClient], Awaitable[None]]


def with_gateway(tmp_path: Path, scenario: Scenario) -> None:
    async def run(desk: Desk) -> None:
        async with desk.gateway() as http:
            await scenario(desk, http)

    at_the_desk(tmp_path, run)


def assert_problem(response: httpx.Response, code: int) -> None:
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert (body["code"], body["title"]) == (code, ERRORS[code])
    assert body["status"] == response.status_code == STATUSES[code]
    assert set(body) == {"type", "title", "status", "code", "detail"}


def test_every_numbered_error_has_a_status() -> None:
    assert STATUSES.keys() == ERRORS.keys()
    assert CLOSE_CODES.keys() <= ERRORS.keys()


def test_state_is_the_engines(tmp_path: Path) -> None:
    async def scenario(desk: Desk, http: httpx.AsyncClient) -> None:
        response = await http.get("/v1/state")
        assert from_fields(DeskState, response.json()).board == "simulator"

    with_gateway(tmp_path, scenario)


@pytest.mark.parametrize(
    ("path", "body", "command"),
    [
        ("dial", {"number": "10086"}, Dial(number="10086", source="http")),
        ("answer", None, Answer(source="http")),
        ("answer", {"call_id": "c1"}, Answer(call_id="c1", source="http")),
        ("hangup", {}, Hangup(source="http")),
        ("calls/c1/answer", None, Answer(call_id="c1", source="http")),
        ("calls/c1/hangup", None, Hangup(call_id="c1", source="http")),
        ("dtmf", {"digits": "12#"}, SendDtmf(digits="12#", source="http")),
        (
            "dtmf",
            {"digits": "1", "duration_ms": 80.0},
            SendDtmf(digits="1", duration_ms=80, source="http"),
        ),
        ("hold", {}, Hold(source="http")),
        ("resume", {"call_id": "c1"}, Resume(call_id="c1", source="http")),
        ("swap", None, Swap(source="http")),
        ("transfer", {"target": "10086"}, Transfer(target="10086", source="http")),
        ("conference", None, Conference(source="http")),
        ("redial", None, Redial(source="http")),
        ("forward", {"target": "10086"}, Forward(target="10086", source="http")),
        ("mute", None, Mute(source="http")),
        ("unmute", None, Unmute(source="http")),
        ("recording/pause", None, PauseRecording(source="http")),
        ("recording/resume", {"call_id": "c1"}, ResumeRecording(call_id="c1", source="http")),
        ("speak", {"path": "a.wav"}, Speak(path="a.wav", source="http")),
    ],
)
def test_post_becomes_its_command(tmp_path: Path, path: str, body: Any, command: Command) -> None:
    async def scenario(desk: Desk, http: httpx.AsyncClient) -> None:
        desk.engine.handlers[command.name] = lambda _: {"call_id": "c1", "duration_s": 2.5}
        response = await http.post(f"/v1/{path}", json=body)
        assert response.is_success
        assert response.json() == ({"duration_s": 2.5} if path == "speak" else {"call_id": "c1"})
        assert desk.engine.commands == [command]

    with_gateway(tmp_path, scenario)


def test_headset_is_looked_at_and_its_buttons_are_pressed(tmp_path: Path) -> None:
    async def scenario(desk: Desk, http: httpx.AsyncClient) -> None:
        buttons = {"device": "Jabra", "leds": ["ring"], "family": "jabra", "buttons": ["hook"]}
        view = {**buttons, "sound": "usb:0b0e:24c9", "present": False}
        desk.engine.handlers["get_headset"] = lambda _: view
        desk.engine.handlers["press_button"] = lambda _: view
        assert (await http.get("/v1/headset")).json() == view
        assert (await http.post("/v1/headset/press", json={"button": "hook"})).json() == view
        assert desk.engine.commands[-1] == PressButton(button="hook", source="http")

    with_gateway(tmp_path, scenario)


def test_settings_are_read_and_changed(tmp_path: Path) -> None:
    async def scenario(desk: Desk, http: httpx.AsyncClient) -> None:
        desk.engine.handlers["get_settings"] = lambda _: {"settings": []}
        desk.engine.handlers["set_settings"] = lambda _: {"restart_required": True}
        assert (await http.get("/v1/settings")).json() == {"settings": []}
        changes = {"recording.enabled": True, "trunk.peers": ["192.0.2.0/24"]}
        assert (await http.patch("/v1/settings", json=changes)).json() == {"restart_required": True}
        assert desk.engine.commands[-1] == SetSettings(changes=changes, source="http")

    with_gateway(tmp_path, scenario)


def test_calls_come_from_the_journal(tmp_path: Path) -> None:
    async def scenario(desk: Desk, http: httpx.AsyncClient) -> None:
        for name in ("c1", "c2", "c3"):
            await desk.one_call(name)
        await desk.engine.stop()
        newest = (await http.get("/v1/calls", params={"limit": 2})).json()
        assert [call["call_id"] for call in newest] == ["c3", "c2"]
        older = (await http.get("/v1/calls", params={"before": "c2"})).json()
        assert [call["call_id"] for call in older] == ["c1"]
        detail = from_fields(CallDetail, (await http.get("/v1/calls/c2")).json())
        assert (detail.call.talk_s, detail.verdicts[0].verdict) == (53.0, "met")
        norms = (await http.get("/v1/calls/c2/norms")).json()
        assert [norm["rule"] for norm in norms] == ["answer.rings"]
        events = (await http.get("/v1/calls/c2/events")).json()
        assert [event["kind"] for event in events] == [
            "call_incoming",
            "call_answered",
            "call_ended",
            "verdict",
        ]
        page = (await http.get("/v1/events", params={"after": 3, "limit": 2})).json()
        assert [event["seq"] for event in page] == [4, 5]
        for path in ("calls/none", "calls/none/norms", "calls/none/events", "calls?before=none"):
            assert_problem(await http.get(f"/v1/{path}"), 2000)
        await desk.engine.start()

    with_gateway(tmp_path, scenario)


@pytest.mark.parametrize("code", [2003, 2005, 3001, 5000])
def test_errors_of_the_engine_become_problems(tmp_path: Path, code: int) -> None:
    def refuse(_: Command) -> dict[str, Any]:
        raise error(code, "the reason")

    async def scenario(desk: Desk, http: httpx.AsyncClient) -> None:
        desk.engine.handlers["dial"] = refuse
        response = await http.post("/v1/dial", json={"number": "1"})
        assert_problem(response, code)
        assert response.json()["detail"] == "the reason"

    with_gateway(tmp_path, scenario)


def test_without_an_engine_the_answer_is_7000_and_health_says_so(tmp_path: Path) -> None:
    async def scenario(desk: Desk, http: httpx.AsyncClient) -> None:
        assert (await http.get("/healthz")).json() == {"gateway": "ok", "engine": "ok"}
        await desk.engine.stop()
        assert_problem(await http.get("/v1/state"), 7000)
        assert (await http.get("/healthz")).json() == {"gateway": "ok", "engine": "unreachable"}
        await desk.engine.start()
        assert (await http.get("/v1/state")).is_success

    with_gateway(tmp_path, scenario)


def test_an_engine_that_does_not_answer_is_7001(tmp_path: Path) -> None:
    async def scenario(desk: Desk) -> None:
        desk.engine.deaf.add("dial")
        desk.command_timeout_s = 0.5
        async with desk.gateway() as http:
            assert_problem(await http.post("/v1/dial", json={"number": "1"}), 7001)

    at_the_desk(tmp_path, scenario)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"{", 1000),
        (b"\xff\xfe", 1000),
        (b"[" * 60_000, 1000),
        (b"", 1001),
        (b"{}", 1001),
        (b"[]", 1001),
        (b'{"number": 5}', 1001),
        (b'{"number": "1", "reason": null}', 1001),
        (b'{"number": "1", "extra": 1}', 1001),
        (b'{"number": "' + b"1" * 65 + b'"}', 1001),
        (b'{"number": "\\ud800"}', 1001),
        (b'{"number": "' + b"1" * 70_000 + b'"}', 1007),
    ],
)
def test_malformed_dial_reaches_nobody(tmp_path: Path, content: bytes, code: int) -> None:
    async def scenario(desk: Desk, http: httpx.AsyncClient) -> None:
        headers = {"content-type": "application/json"}
        assert_problem(await http.post("/v1/dial", content=content, headers=headers), code)
        assert desk.engine.commands == []

    with_gateway(tmp_path, scenario)


def test_half_a_surrogate_pair_in_a_setting_is_refused(tmp_path: Path) -> None:
    async def scenario(desk: Desk, http: httpx.AsyncClient) -> None:
        response = await http.patch("/v1/settings", content=b'{"trunk.user": "\\ud800"}')
        assert_problem(response, 1001)

    with_gateway(tmp_path, scenario)


def test_a_body_without_length_is_counted_while_it_comes(tmp_path: Path) -> None:
    async def scenario(desk: Desk, http: httpx.AsyncClient) -> None:
        async def endless() -> Any:
            for _ in range(100):
                yield b" " * 1024

        assert_problem(await http.post("/v1/dial", content=endless()), 1007)

    with_gateway(tmp_path, scenario)


def test_unknown_route_method_and_query_are_numbered(tmp_path: Path) -> None:
    async def scenario(desk: Desk, http: httpx.AsyncClient) -> None:
        assert_problem(await http.get("/v1/coffee"), 1003)
        assert_problem(await http.get("/coffee"), 1003)
        refused = await http.get("/v1/dial")
        assert_problem(refused, 1002)
        assert refused.headers["allow"] == "POST"
        assert (await http.put("/v1/settings")).headers["allow"] == "GET, PATCH"
        assert_problem(await http.get("/v1/calls?limit=0"), 1001)
        assert_problem(await http.get("/v1/calls?limit=many"), 1001)
        assert_problem(await http.get(f"/v1/events?after={2**53}"), 1001)
        assert (await http.get(f"/v1/events?after={2**53 - 1}")).json() == []

    with_gateway(tmp_path, scenario)


@pytest.mark.parametrize("given", ["", "Bearer", "Bearer wrong", "Basic dXNlcjpwdw==", "Bearer \xff"])
def test_without_the_token_nothing_under_v1_is_served(tmp_path: Path, given: str) -> None:
    async def scenario(desk: Desk, http: httpx.AsyncClient) -> None:
        headers = httpx.Headers([("authorization", given)], encoding="latin-1")
        for path in ("/v1/state", "/v1/calls", "/v1/coffee"):
            refused = await http.get(path, headers=headers)
            assert_problem(refused, 6000)
            assert refused.headers["www-authenticate"] == "Bearer"
        assert_problem(await http.post("/v1/dial", content=b"{", headers=headers), 6000)
        assert (await http.get(f"/v1/state?token={desk.token}", headers=headers)).status_code == 401
        assert desk.engine.commands == []

    with_gateway(tmp_path, scenario)


@pytest.mark.parametrize(
    ("header", "value", "allowed"),
    [
        ("host", "localhost:8080", True),
        ("host", "LOCALHOST", True),
        ("host", "[::1]:80", True),
        ("host", "evil.example", False),
        ("host", "127.0.0.1.evil.example", False),
        ("host", "[::1", False),
        ("host", "", False),
        ("origin", "http://127.0.0.1:8080", True),
        ("origin", "http://evil.example", False),
        ("origin", "null", False),
    ],
)
def test_foreign_hosts_and_origins_are_refused(
    tmp_path: Path, header: str, value: str, allowed: bool
) -> None:
    async def scenario(desk: Desk, http: httpx.AsyncClient) -> None:
        response = await http.get("/v1/state", headers={header: value})
        if allowed:
            assert response.is_success
        else:
            assert_problem(response, 6001)

    with_gateway(tmp_path, scenario)


@pytest.mark.parametrize(
    ("bound", "host", "allowed"),
    [("desk.example", "desk.example:80", True), ("0.0.0.0", "0.0.0.0:80", False), ("::", "[::]", False)],
)
def test_the_address_listened_on_is_allowed_unless_it_is_every_address(
    tmp_path: Path, bound: str, host: str, allowed: bool
) -> None:
    async def scenario(desk: Desk) -> None:
        desk.settings = changed(desk.settings, {"gateway.host": bound})
        async with desk.gateway() as http:
            response = await http.get("/v1/state", headers={"host": host})
            assert response.is_success == allowed

    at_the_desk(tmp_path, scenario)


def test_every_answer_carries_the_security_headers(tmp_path: Path) -> None:
    async def scenario(desk: Desk, http: httpx.AsyncClient) -> None:
        for path in ("/", "/docs", "/v1/state", "/v1/coffee"):
            headers = (await http.get(path)).headers
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["x-frame-options"] == "DENY"
            assert headers["cache-control"] == "no-store"
            assert "default-src 'none'" in headers["content-security-policy"]
            assert "server" not in headers

    with_gateway(tmp_path, scenario)


def test_the_token_is_made_once_and_for_the_owner_only(tmp_path: Path) -> None:
    async def scenario(desk: Desk) -> None:
        async with desk.gateway():
            first = desk.token
        async with desk.gateway():
            assert desk.token == first
        assert len(first) >= 43
        assert (tmp_path / "api-token").stat().st_mode & 0o777 == 0o600

    at_the_desk(tmp_path, scenario)


def test_openapi_describes_every_route_event_and_error(tmp_path: Path) -> None:
    async def scenario(desk: Desk, http: httpx.AsyncClient) -> None:
        document = (await http.get("/openapi.json", headers={"authorization": ""})).json()
        schemas = document["components"]["schemas"]
        for event in EVENT_KINDS.values():
            assert schemas[f"{event.__name__}Record"]["description"]
        assert set(schemas["Problem"]["properties"]) == {"type", "title", "status", "code", "detail"}
        assert "HTTPValidationError" not in schemas
        operations = [
            (path, operation) for path, item in document["paths"].items() for operation in item.values()
        ]
        assert len(operations) >= 17
        for path, operation in operations:
            assert operation["description"], path
            if path.startswith("/v1"):
                public = operation["x-role"] == "public"
                assert operation["security"] == ([] if public else [{"bearer": []}, {"session": []}]), path
                assert {"401", "403", "422", "500"} <= operation["responses"].keys(), path

    with_gateway(tmp_path, scenario)


def test_docs_page_needs_no_script_and_lists_the_errors(tmp_path: Path) -> None:
    async def scenario(desk: Desk, http: httpx.AsyncClient) -> None:
        page = (await http.get("/docs")).text
        assert "<script" not in page
        assert all(f'id="error-{code}"' in page for code in ERRORS)

    with_gateway(tmp_path, scenario)


def test_a_fault_in_the_gateway_is_7002_and_tells_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise ZeroDivisionError("secret")

    async def scenario(desk: Desk, http: httpx.AsyncClient) -> None:
        monkeypatch.setattr("thirdring_device.gateway.journal.JournalReader.calls", broken)
        response = await http.get("/v1/calls")
        assert_problem(response, 7002)
        assert "secret" not in response.text

    with_gateway(tmp_path, scenario)


def test_report_comes_as_json_text_and_page_in_two_languages(tmp_path: Path) -> None:
    async def scenario(desk: Desk, http: httpx.AsyncClient) -> None:
        await desk.one_call()
        path = "/v1/calls/c1/report"
        made = await http.get(path)
        assert made.json()["call"]["call_id"] == "c1"
        text = await http.get(path, params={"format": "text"})
        assert text.headers["content-type"] == "text/plain; charset=utf-8"
        assert "13800138000" in text.text
        page = await http.get(path, params={"format": "html", "language": "zh"})
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert "王女士" in page.text
        assert 'lang="zh' in page.text
        assert_problem(await http.get("/v1/calls/none/report"), 2000)
        assert_problem(await http.get(path, params={"format": "pdf"}), 1001)

    with_gateway(tmp_path, scenario)
