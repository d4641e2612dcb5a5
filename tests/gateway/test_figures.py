"""Key figures, staffing, forecast and the agent's state over HTTP, the SDK and the host's command."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.gateway.desk import Desk
from tests.gateway.test_api import assert_problem, with_gateway
from tests.sdk.ways import desk_in_background
from thirdring import Appliance, CallAlerting, CallAnswered, CallEnded, CallIncoming, RequestError
from thirdring.cli import main
from thirdring.protocol.codec import from_fields
from thirdring.protocol.commands import SetAgentState
from thirdring.protocol.events import SettingsChanged
from thirdring.protocol.figures import FORMULAS, FiguresReport

DAY = {"from": "2026-05-04", "to": "2026-05-05"}
"""The fake engine's clock stands at 09:00 UTC of this day, 17:00 in Shanghai."""


async def answered_and_given_up(desk: Desk) -> None:
    for number, wait_s in enumerate((4.0, 25.0, 12.0)):
        about: dict[str, Any] = {"call_id": f"f{number}"}
        await desk.engine.emit(CallIncoming(at_s=10.0, number="13800138000", **about))
        await desk.engine.emit(CallAlerting(at_s=10.0, **about))
        if number < 2:
            await desk.engine.emit(CallAnswered(at_s=10.0 + wait_s, **about))
        await desk.engine.emit(CallEnded(at_s=10.0 + wait_s + 60.0, by="customer", cause="hangup", **about))


def test_figures_by_the_hour(tmp_path: Path) -> None:
    async def scenario(desk: Desk, http: httpx.AsyncClient) -> None:
        await answered_and_given_up(desk)
        await desk.one_call()
        body = (await http.get("/v1/figures", params=DAY)).json()
        report = from_fields(FiguresReport, body)
        assert (report.time_zone, report.by, len(report.rows)) == ("Asia/Shanghai", "hour", 24)
        assert report.rows[17].label == "2026-05-04T17:00+08:00"
        assert [row.offered for row in report.rows] == [0] * 17 + [3] + [0] * 6
        total = report.total
        assert (total.answered, total.abandoned, total.answered_in_time) == (2, 1, 1)
        assert total.service_level_percent == pytest.approx(33.333)
        assert total.average_speed_of_answer_s == 14.5
        assert total.norms["answer.rings"].met_percent == 100.0

    with_gateway(tmp_path, scenario)


def test_a_time_zone_that_is_changed_counts_at_once(tmp_path: Path) -> None:
    async def scenario(desk: Desk, http: httpx.AsyncClient) -> None:
        changes = {"firm.time_zone": "Europe/Berlin", "figures.repeat_days": 9}
        await desk.engine.emit(SettingsChanged(at_s=1.0, changes=changes))
        while (await http.get("/v1/figures", params=DAY)).json()["time_zone"] != "Europe/Berlin":
            await asyncio.sleep(0.02)
        assert (await http.get("/v1/calls", params={"from": "2026-05-04"})).is_success

    with_gateway(tmp_path, scenario)


@pytest.mark.parametrize(
    "query",
    [
        {"from": "yesterday"},
        {"from": "2026-05-05", "to": "2026-05-04"},
        {"from": "2026-01-01", "to": "2026-12-31", "by": "hour"},
        {"from": "0001-01-01"},
    ],
)
def test_times_that_make_no_sense_are_refused(tmp_path: Path, query: dict[str, str]) -> None:
    async def scenario(desk: Desk, http: httpx.AsyncClient) -> None:
        assert_problem(await http.get("/v1/figures", params=query), 1004)

    with_gateway(tmp_path, scenario)


def test_staffing_and_forecast(tmp_path: Path) -> None:
    async def scenario(desk: Desk, http: httpx.AsyncClient) -> None:
        needed = (await http.get("/v1/staffing", params={"calls_per_h": 100})).json()
        assert (needed["load_erlang"], needed["agents"], needed["scheduled"]) == (5.0, 8, 12)
        absurd = {"calls_per_h": 100000, "handling_time_s": 7200}
        assert_problem(await http.get("/v1/staffing", params=absurd), 1004)
        assert_problem(await http.get("/v1/staffing"), 1001)
        forecast = (await http.get("/v1/forecast")).json()
        assert len(forecast["hours"]) == 168

    with_gateway(tmp_path, scenario)


def test_the_agents_state_is_a_command(tmp_path: Path) -> None:
    async def scenario(desk: Desk, http: httpx.AsyncClient) -> None:
        desk.engine.handlers["set_agent_state"] = lambda _: {"state": "break", "agent": "Li Lei"}
        response = await http.post("/v1/agent", json={"state": "break", "agent": "Li Lei"})
        assert response.json() == {"state": "break", "agent": "Li Lei"}
        assert desk.engine.commands[-1] == SetAgentState(state="break", agent="Li Lei", source="http")
        assert_problem(await http.post("/v1/agent", json={"state": "talking"}), 1001)

    with_gateway(tmp_path, scenario)


def test_the_hosts_command_shows_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with desk_in_background(tmp_path) as (desk, run):
        monkeypatch.setenv("THIRDRING_URL", desk.url)
        monkeypatch.setenv("THIRDRING_TOKEN", desk.token)
        monkeypatch.delenv("THIRDRING_TOKEN_FILE", raising=False)
        run(answered_and_given_up(desk))
        run(desk.one_call())

        def shows(line: str) -> str:
            assert main(line.split()) == 0
            return capsys.readouterr().out

        day = "figures --from 2026-05-04 --to 2026-05-05 --by day"
        last = shows(day).splitlines()[2].split()
        assert last[:8] == ["all", "3", "2", "1", "0", "33.3", "33.3", "14.5"]
        assert "answer.rings  100" in shows(f"{day} --norms")
        body = json.loads(shows(f"--json {day}"))
        assert set(FORMULAS) < set(body["total"])
        assert "agents                      8" in shows("staffing 100")
        assert "mean of 0 weeks" in shows("forecast")
        desk.engine.handlers["set_agent_state"] = lambda _: {"state": "away", "agent": ""}
        assert shows("agent away") == "ready\n"
        with Appliance(desk.url, desk.token) as appliance:
            assert appliance.set_agent_state("away") == "away"
            assert appliance.figures("2026-05-04", by="all").total.offered == 3
            assert appliance.staffing(100.0, 180.0, 20.0, 80.0).agents == 8
            assert len(appliance.forecast().hours) == 168
            with pytest.raises(RequestError, match="1004"):
                appliance.figures("never")
