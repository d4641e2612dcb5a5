"""Notes, contacts and call-backs over HTTP and the SDK, on the engine's own work and a real journal."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.gateway.desk import Desk
from tests.gateway.test_api import assert_problem, with_gateway
from tests.sdk.ways import desk_in_background
from thirdring import Appliance, CallIncoming, Prompt, Record, RequestError
from thirdring.cli import main
from thirdring.protocol.commands import Command
from thirdring.protocol.events import Event
from thirdring_device.adapters.numbers import classify
from thirdring_device.core.desk import Desk as CoreDesk
from thirdring_device.core.dialplan import DialPlan, DialPlanSettings
from thirdring_device.core.judged import DeskSettings
from thirdring_device.engine.work import WORK_COMMANDS, DeskWork
from thirdring_device.settings import Settings


class Worker:
    """The engine's work behind the fake engine's socket."""

    def __init__(self, desk: Desk) -> None:
        self.core = CoreDesk(DeskSettings(5.0), DialPlan(DialPlanSettings(country="CN"), classify))
        self.journal = desk.journal
        self.work = DeskWork(desk.journal, self.core, Settings)
        for command in WORK_COMMANDS:
            desk.engine.handlers[command.name] = self.execute

    def take(self, *events: Event) -> None:
        for event in events:
            (record,) = self.journal.append([event])
            self.journal.append(self.core.handle(Record(record.number, record.utc, event)).events)

    def execute(self, command: Command) -> dict[str, Any]:
        self.take(self.work.fact(command, 1.0))
        return self.work.answer(command)


NOTES = {"call_id": "c1", "customer": "王女士", "matter": "账单", "call_back_utc": "2026-05-05T10:00"}


def test_notes_promise_a_call_back(tmp_path: Path) -> None:
    async def scenario(desk: Desk, http: httpx.AsyncClient) -> None:
        Worker(desk)
        await desk.one_call()
        assert (await http.post("/v1/notes", json=NOTES)).json() == {"call_id": "c1"}
        (notes,) = (await http.get("/v1/notes", params={"call_id": "c1"})).json()
        assert (notes["name"], notes["number"]) == ("王女士", "13800138000")
        assert notes["call_back_utc"] == "2026-05-05T02:00:00Z"
        (listed,) = (await http.get("/v1/call_backs")).json()
        assert (listed["number"], listed["why"], listed["name"]) == ("13800138000", "promised", "王女士")
        assert listed["due_utc"] == "2026-05-05T02:00:00Z"
        assert (await http.post("/v1/call_backs/done", json={"call_id": "c1"})).status_code == 200
        assert (await http.get("/v1/call_backs")).json() == []
        (done,) = (await http.get("/v1/call_backs", params={"done": True})).json()
        assert done["done_utc"]
        assert_problem(await http.post("/v1/call_backs/done", json={"call_id": "c1"}), 2000)
        assert_problem(await http.post("/v1/notes", json={**NOTES, "call_id": "none"}), 2000)
        assert_problem(await http.post("/v1/notes", json={**NOTES, "call_back_utc": "soon"}), 1004)
        assert_problem(await http.post("/v1/notes", json={**NOTES, "matter": "x" * 2001}), 1001)

    with_gateway(tmp_path, scenario)


def test_notes_without_the_promise_take_the_call_back_off(tmp_path: Path) -> None:
    async def scenario(desk: Desk, http: httpx.AsyncClient) -> None:
        Worker(desk)
        await desk.one_call()
        await http.post("/v1/notes", json=NOTES)
        await http.post("/v1/notes", json={**NOTES, "call_back_utc": ""})
        assert (await http.get("/v1/call_backs")).json() == []
        assert len((await http.get("/v1/notes")).json()) == 1

    with_gateway(tmp_path, scenario)


def test_contacts_are_known_by_any_spelling_of_their_number(tmp_path: Path) -> None:
    async def scenario(desk: Desk, http: httpx.AsyncClient) -> None:
        worker = Worker(desk)
        await desk.one_call()
        worker.take(CallIncoming(at_s=70.0, call_id="c2", number="+8613800138000"))
        contact = {"number": "138 0013 8000", "contact": "王女士", "firm": "海天"}
        assert (await http.post("/v1/contacts", json=contact)).status_code == 200
        for number in ("", "13800138000", "+8613800138000"):
            (found,) = (await http.get("/v1/contacts", params={"number": number})).json()
            assert (found["number"], found["name"], found["calls"]) == ("+8613800138000", "王女士", 2)
        assert (await http.get("/v1/contacts", params={"number": "10086"})).json() == []
        await http.post("/v1/contacts", json={**contact, "contact": "王先生"})
        assert [c["name"] for c in (await http.get("/v1/contacts")).json()] == ["王先生"]
        assert (await http.post("/v1/contacts/remove", json={"number": "13800138000"})).status_code == 200
        assert_problem(await http.post("/v1/contacts/remove", json={"number": "13800138000"}), 1003)
        assert_problem(await http.post("/v1/contacts", json={**contact, "number": "who"}), 2005)

    with_gateway(tmp_path, scenario)


def test_contacts_come_and_go_as_csv(tmp_path: Path) -> None:
    async def scenario(desk: Desk, http: httpx.AsyncClient) -> None:
        Worker(desk)
        table = '\ufeff号码;姓名;备注\r\n13800138000;王女士;"说 ""急"""\r\n\r\n+4930123456;Li, Lei;\r\n'
        headers = {"content-type": "text/csv"}
        sent = await http.post("/v1/contacts.csv", content=table.encode(), headers=headers)
        assert sent.json() == {"saved": 2}
        text = (await http.get("/v1/contacts.csv")).text
        assert text == (
            "number,name,firm,post,remark\r\n"
            '+4930123456,"Li, Lei",,,\r\n'
            '+8613800138000,王女士,,,"说 ""急"""\r\n'
        )
        again = await http.post("/v1/contacts.csv", content=text.encode(), headers=headers)
        assert again.json() == {"saved": 2}
        assert (await http.get("/v1/contacts.csv")).text == text
        for bad in (b"who,what\r\n1,2\r\n", b"number,name\r\n1\r\n", b"number,name\r\n,x\r\n", b"\xff"):
            assert_problem(await http.post("/v1/contacts.csv", content=bad, headers=headers), 1004)

    with_gateway(tmp_path, scenario)


def test_the_hosts_command_lists_the_agents_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with desk_in_background(tmp_path) as (desk, run):
        Worker(desk)
        run(desk.one_call())
        monkeypatch.setenv("THIRDRING_URL", desk.url)
        monkeypatch.setenv("THIRDRING_TOKEN", desk.token)
        monkeypatch.delenv("THIRDRING_TOKEN_FILE", raising=False)
        with Appliance(desk.url, desk.token) as appliance:
            appliance.take_notes("c1", name="Wang", matter="a bill", call_back="2026-05-05T10:00")
            appliance.save_contact("13800138000", "Wang", firm="Haitian")

        def shows(line: str) -> str:
            assert main(line.split()) == 0
            return capsys.readouterr().out

        assert "a bill" in shows("notes")
        assert "Haitian" in shows("contacts 13800138000")
        assert "2026-05-05T02:00:00Z" in shows("call-backs")
        assert shows("call-backs --done") == ""
        assert json.loads(shows("--json notes c1"))[0]["name"] == "Wang"


def test_the_sdk_keeps_notes_and_contacts(tmp_path: Path) -> None:
    with desk_in_background(tmp_path) as (desk, run):
        Worker(desk)
        run(desk.one_call())
        with Appliance(desk.url, desk.token) as appliance:
            appliance.take_notes("c1", name="Wang", matter="a bill", call_back="2026-05-05T10:00+08:00")
            (notes,) = appliance.notes("c1")
            assert (notes.name, notes.matter, notes.read_back) == ("Wang", "a bill", False)
            (listed,) = appliance.call_backs()
            assert (listed.call_id, listed.done_utc) == ("c1", None)
            appliance.finish_call_back("c1")
            assert appliance.call_backs() == []
            assert len(appliance.call_backs(done=True)) == 1
            appliance.save_contact("13800138000", "Wang", firm="Haitian")
            (contact,) = appliance.contacts("13800138000")
            assert (contact.firm, contact.calls) == ("Haitian", 1)
            appliance.remove_contact("13800138000")
            assert appliance.contacts() == []
            with pytest.raises(RequestError, match="1003"):
                appliance.remove_contact("13800138000")


def test_prompts_in_words_follow_the_language_that_is_set(tmp_path: Path) -> None:
    settings = {
        "firm.language": "zh",
        "firm.time_zone": "Asia/Shanghai",
        "firm.name": "Haitian",
        "firm.department": "Service",
        "firm.agent": "Li Lei",
        "firm.internal_digits": 5,
        "trunk.country": "CN",
    }

    async def scenario(desk: Desk, http: httpx.AsyncClient) -> None:
        Worker(desk)
        desk.engine.handlers["get_settings"] = lambda _: {
            "settings": [{"name": name, "value": value} for name, value in settings.items()]
        }
        await desk.one_call()
        await desk.engine.emit(Prompt(at_s=1.0, call_id="c1", key="opener", rule="answer.rings"))
        shown = (await http.get("/v1/prompts", params={"call_id": "c1"})).json()
        (text,) = (prompt["text"] for prompt in shown)
        assert text == "劳动节快乐！HaitianService，我是Li Lei，请问有什么可以帮您？"
        await http.post("/v1/contacts", json={"number": "13800138000", "contact": "王芳"})
        settings["firm.language"] = "en"
        (prompt,) = (await http.get("/v1/prompts", params={"call_id": "c1"})).json()
        assert prompt["text"].startswith("Hello 王芳, happy Labor Day! Haitian, Service, Li Lei")
        assert (prompt["language"], prompt["rule"]) == ("en", "answer.rings")
        (prompt,) = (await http.get("/v1/prompts", params={"call_id": "c1", "language": "zh"})).json()
        assert prompt["text"].startswith("王芳您好，劳动节快乐")
        assert_problem(await http.get("/v1/prompts", params={"call_id": "none"}), 2000)
        assert_problem(await http.get("/v1/prompts", params={"call_id": "c1", "language": "fr"}), 1004)
        (tmp_path / "prompts").mkdir()
        (tmp_path / "prompts" / "en.json").write_text("{")
        assert_problem(await http.get("/v1/prompts", params={"call_id": "c1"}), 5009)

    with_gateway(tmp_path, scenario)
