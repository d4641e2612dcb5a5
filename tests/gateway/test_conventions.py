import asyncio
import json
import math
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from websockets.asyncio.client import connect

from tests.gateway.desk import Desk, at_the_desk
from tests.gateway.test_api import assert_problem, with_gateway
from thirdring.protocol.commands import Command
from thirdring.protocol.errors import ThirdringError, error
from thirdring.protocol.events import CallEnded, CallOutgoing, Verdict
from thirdring_device.gateway.api.etags import matches
from thirdring_device.gateway.api.idempotency import KEEP_S, OnceOnly
from thirdring_device.gateway.api.metrics import Metrics
from thirdring_device.gateway.api.rate import RateLimit
from thirdring_device.settings import changed

KEY = {"idempotency-key": "b7f2c1"}


class Dialler:
    """Counts the calls that are placed."""

    def __init__(self, desk: Desk) -> None:
        self.placed = 0
        desk.engine.handlers["dial"] = self

    def __call__(self, _: Command) -> dict[str, Any]:
        self.placed += 1
        return {"call_id": f"c{self.placed}"}


def test_the_same_key_places_one_call(tmp_path: Path) -> None:
    async def scenario(desk: Desk, http: httpx.AsyncClient) -> None:
        dialler = Dialler(desk)
        body = {"number": "10086"}
        answers = await asyncio.gather(*(http.post("/v1/dial", json=body, headers=KEY) for _ in range(5)))
        assert {(answer.status_code, answer.json()["call_id"]) for answer in answers} == {(202, "c1")}
        assert dialler.placed == 1
        assert_problem(await http.post("/v1/dial", json={"number": "10010"}, headers=KEY), 1009)
        other = {"idempotency-key": "another"}
        assert (await http.post("/v1/dial", json=body, headers=other)).json() == {"call_id": "c2"}
        assert (await http.post("/v1/dial", json=body)).json() == {"call_id": "c3"}
        made = (await http.post("/v1/tokens", json={"name": "other", "role": "agent"})).json()
        of_another = {**KEY, "authorization": f"Bearer {made['token']}"}
        assert (await http.post("/v1/dial", json=body, headers=of_another)).json() == {"call_id": "c4"}

    with_gateway(tmp_path, scenario)


def test_a_refusal_is_given_again_but_an_engine_that_was_away_is_asked_again(tmp_path: Path) -> None:
    async def scenario(desk: Desk, http: httpx.AsyncClient) -> None:
        def refuse(_: Command) -> dict[str, Any]:
            raise error(2003)

        async def dial(key: str) -> httpx.Response:
            return await http.post("/v1/dial", json={"number": "10086"}, headers={"idempotency-key": key})

        desk.engine.handlers["dial"] = refuse
        assert_problem(await dial("a"), 2003)
        dialler = Dialler(desk)
        assert_problem(await dial("a"), 2003)
        await desk.engine.stop()
        assert_problem(await dial("b"), 7000)
        await desk.engine.start()
        assert (await dial("b")).json() == {"call_id": "c1"}
        assert dialler.placed == 1
        assert_problem(await dial("k" * 129), 1001)

    with_gateway(tmp_path, scenario)


def test_keys_are_kept_for_a_day_and_only_so_many() -> None:
    now_s = 0.0
    acted: list[str] = []

    async def scenario() -> None:
        nonlocal now_s
        once = OnceOnly[int](lambda: now_s)

        async def run(key: str) -> int:
            async def act() -> int:
                acted.append(key)
                return len(acted)

            return await once.run("me", key, "dial", act)

        assert [await run("a"), await run("a")] == [1, 1]
        now_s = KEEP_S - 1.0
        assert await run("a") == 1
        now_s = KEEP_S
        assert await run("a") == 2
        for number in range(1000):
            await run(str(number))
        assert await run("999") == 1002
        assert await run("a") == 1003

    asyncio.run(scenario())


def test_settings_that_were_changed_meanwhile_are_not_overwritten(tmp_path: Path) -> None:
    values: dict[str, Any] = {"firm.name": "Haitian"}

    def listed(_: Command) -> dict[str, Any]:
        return {"settings": [{**SETTING, "name": name, "value": value} for name, value in values.items()]}

    def set_settings(command: Any) -> dict[str, Any]:
        values.update(command.changes)
        return {"restart_required": False}

    async def scenario(desk: Desk, http: httpx.AsyncClient) -> None:
        desk.engine.handlers.update(get_settings=listed, set_settings=set_settings)
        path = "/v1/settings"
        tag = (await http.get(path)).headers["etag"]
        known = await http.get(path, headers={"if-none-match": tag})
        assert (known.status_code, known.content, known.headers["etag"]) == (304, b"", tag)
        first = await http.patch(path, json={"firm.name": "A"}, headers={"if-match": tag})
        assert first.is_success
        second = await http.patch(path, json={"firm.name": "B"}, headers={"if-match": tag})
        assert_problem(second, 1008)
        assert values["firm.name"] == "A"
        assert (await http.get(path, headers={"if-none-match": tag})).status_code == 200
        assert (await http.patch(path, json={"firm.name": "C"}, headers={"if-match": "*"})).is_success
        assert (await http.patch(path, json={"firm.name": "D"})).is_success

    with_gateway(tmp_path, scenario)


SETTING: dict[str, Any] = {
    "default": "",
    "unit": "",
    "low": None,
    "high": None,
    "choices": [],
    "live": True,
    "description": "",
}


def test_entity_tags_are_compared_as_a_list() -> None:
    assert matches('"a", W/"b"', '"b"')
    assert not matches('"a"', '"b"')
    assert not matches(None, '"b"')


def test_calls_are_filtered(tmp_path: Path) -> None:
    async def scenario(desk: Desk, http: httpx.AsyncClient) -> None:
        await desk.one_call("c1")
        emit = desk.engine.emit
        await emit(CallOutgoing(at_s=1.0, call_id="c2", number="10086"))
        await emit(CallEnded(at_s=9.0, call_id="c2", by="agent", cause="hangup"))
        await emit(
            Verdict(at_s=9.0, call_id="c2", rule="x.y", verdict="breached", value=1.0, unit="", threshold=0.0)
        )

        async def found(**params: Any) -> list[str]:
            response = await http.get("/v1/calls", params=params)
            return [call["call_id"] for call in response.json()]

        assert await found() == ["c2", "c1"]
        assert await found(direction="incoming") == ["c1"]
        assert await found(number="0086") == ["c2"]
        assert await found(answered=True) == ["c1"]
        assert await found(answered=False, direction="incoming") == []
        assert await found(verdict="breached") == ["c2"]
        assert await found(rule="answer.rings") == ["c1"]
        assert await found(rule="answer.rings", verdict="breached") == []
        assert await found(**{"from": "2026-05-04T00:00Z", "to": "2026-05-05T00:00Z"}) == ["c2", "c1"]
        assert await found(to="2026-05-04T00:00Z") == []
        assert await found(before="c2", direction="incoming") == ["c1"]
        assert_problem(await http.get("/v1/calls?from=yesterday"), 1004)
        assert_problem(await http.get("/v1/calls?verdict=guilty"), 1001)

    with_gateway(tmp_path, scenario)


def test_who_asks_too_often_is_told_when_to_come_again(tmp_path: Path) -> None:
    async def scenario(desk: Desk) -> None:
        desk.settings = changed(desk.settings, {"gateway.requests_per_s": 1.0})
        async with desk.gateway() as http:
            answers = [await http.get("/healthz") for _ in range(4)]
            assert answers[0].is_success
            assert_problem(answers[-1], 7003)
            assert answers[-1].headers["retry-after"] == "1"

    at_the_desk(tmp_path, scenario)


def test_a_client_gets_its_rate_and_two_seconds_of_it_at_once() -> None:
    now_s = 0.0
    rate = RateLimit(10.0, lambda: now_s)
    for _ in range(20):
        rate.take("a")
    with pytest.raises(ThirdringError, match="7003"):
        rate.take("a")
    rate.take("b")
    now_s = 0.1
    rate.take("a")
    with pytest.raises(ThirdringError, match="7003"):
        rate.take("a")


def test_ready_when_the_engine_answers_and_the_journal_can_be_read(tmp_path: Path) -> None:
    async def scenario(desk: Desk, http: httpx.AsyncClient) -> None:
        ready = await http.get("/readyz", headers={"authorization": ""})
        assert ready.json() == {"trunk": "static", "storage": "ok"}
        await desk.engine.stop()
        assert_problem(await http.get("/readyz"), 7000)
        await desk.engine.start()

    with_gateway(tmp_path, scenario)


async def series(http: httpx.AsyncClient, **headers: str) -> dict[str, float]:
    """Return the samples of /metrics: name and labels' values to value."""
    response = await http.get("/metrics", headers=headers)
    assert response.headers["content-type"].startswith("text/plain; version=")
    return {
        " ".join((sample.name, *sample.labels.values())): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }


def test_metrics_tell_of_gateway_engine_and_norms(tmp_path: Path) -> None:
    async def scenario(desk: Desk, http: httpx.AsyncClient) -> None:
        ticks = {"count": 9, "p50_ms": 20.0, "p99_ms": 21.0, "p99_9_ms": 22.0, "max_ms": 23.0, "bins_ms": []}
        desk.engine.handlers["get_metrics"] = lambda _: {"frame_interval": ticks}
        async with connect(
            f"ws://127.0.0.1:{desk.port}/v1/events",
            proxy=None,
            additional_headers={"authorization": f"Bearer {desk.token}"},
        ) as stream:
            await desk.one_call()
            for _ in range(4):
                await stream.recv()
            await http.get("/v1/calls/c1")
            await http.get("/v1/nothing")
            found = await series(http)
        assert found["thirdring_events_total call_incoming"] == 1
        assert found["thirdring_verdicts_total answer.rings met"] == 1
        assert found["thirdring_http_requests_total GET /v1/calls/{call_id} 200"] == 1
        assert found["thirdring_http_requests_total other 404"] == 1
        assert found["thirdring_http_request_seconds_count"] == 2
        assert found["thirdring_event_streams"] == 1
        assert (found["thirdring_engine_up"], found["thirdring_trunk_up"]) == (1, 1)
        assert found["thirdring_last_event_number"] == 4
        assert found["thirdring_sound_tick_max_seconds"] == 0.023
        assert found["thirdring_gateway_process_resident_memory_bytes"] > 1e6
        await desk.engine.stop()
        found = await series(http)
        assert found["thirdring_engine_up"] == 0
        assert math.isnan(found["thirdring_trunk_up"])
        await desk.engine.start()

    with_gateway(tmp_path, scenario)


def test_the_dashboard_shows_metrics_that_there_are() -> None:
    dashboard = json.loads((Path(__file__).parents[2] / "docs" / "grafana.json").read_text(encoding="utf-8"))
    shown = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    assert len(shown) > 10
    known = set()
    for family in Metrics().registry.collect():
        kinds = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum")}
        known |= {family.name + suffix for suffix in kinds.get(family.type, ("",))}
    for expression in shown:
        named = set(re.findall(r"thirdring_\w+", expression))
        assert named
        assert named <= known, expression


def test_metrics_are_read_on_the_unit_without_a_token_when_so_set(tmp_path: Path) -> None:
    async def scenario(desk: Desk) -> None:
        async with desk.gateway() as http:
            assert_problem(await http.get("/metrics", headers={"authorization": ""}), 6000)
        desk.settings = changed(desk.settings, {"gateway.metrics": "loopback"})
        async with desk.gateway() as http:
            assert "thirdring_engine_up" in await series(http, authorization="")
            assert_problem(await http.get("/v1/state", headers={"authorization": ""}), 6000)

    at_the_desk(tmp_path, scenario)


def test_contacts_come_in_pages(tmp_path: Path) -> None:
    async def scenario(desk: Desk, http: httpx.AsyncClient) -> None:
        from tests.gateway.test_work import Worker

        Worker(desk)
        for number in ("10010", "10086", "13800138000"):
            await http.post("/v1/contacts", json={"number": number, "contact": "A"})
        numbers: list[str] = []
        while page := (
            await http.get("/v1/contacts", params={"limit": 2, "after": numbers[-1] if numbers else ""})
        ).json():
            numbers += [contact["number"] for contact in page]
        assert len(numbers) == 3
        assert numbers == sorted(numbers)

    with_gateway(tmp_path, scenario)
