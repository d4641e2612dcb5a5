"""Every error that the OpenAPI document names, brought about by a request: code -> request."""

import contextlib
import socket
import sqlite3
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from tests.gateway.desk import Desk, at_the_desk
from tests.gateway.test_api import assert_problem
from tests.gateway.test_update import OF_UPDATES
from tests.integration.conftest import Unit
from tests.peers import BaresipPeer, wait_until
from thirdring.protocol.events import Prompt, RingBurst
from thirdring_device.adapters.recording.key import KEY_FILE, read_or_make_key
from thirdring_device.adapters.sip.tls import tls_library
from thirdring_device.adapters.store.schema import APPLICATION_ID
from thirdring_device.settings import changed

OF_THE_ENGINE = {
    *(1003, 1004, 1008, 1009, 1010),
    *(2000, 2001, 2002, 2003, 2004, 2005, 2006, 2007, 2008, 2009, 2010, 2011, 2012),
    *(2013, 2014, 2020, 3000, 3001, 3004, 3006, 3013, 4000, 4001, 4002),
    *(4020, 4021, 4022, 4023, 4024, 4025, 4027, 5004, 5005, 5010),
}
OF_AN_OLD_STACK = {3005}
"""Where the SIP stack's OpenSSL is one that gets no security fixes any more."""
OF_THE_GATEWAY = {
    *(1000, 1001, 1002, 1007, 5001, 5002, 5006, 5009),
    *(6000, 6001, 6002, 6003, 6004, 6005, 6006, 7000, 7001, 7002, 7003),
}

JSON = {"content-type": "application/json"}

Answer = tuple[int, httpx.Response]


def documented(document: dict[str, Any]) -> set[int]:
    """Return the codes that the document's operations name."""
    return {
        int(code)
        for item in document["paths"].values()
        for operation in item.values()
        for response in operation["responses"].values()
        for code in response.get("content", {}).get("application/problem+json", {}).get("examples", {})
    }


class Requests:
    """Short ways to ask a unit."""

    def __init__(self, unit: Unit) -> None:
        token = (unit.state_dir / "api-token").read_text().strip()
        headers = {"authorization": f"Bearer {token}"}
        url = f"http://127.0.0.1:{unit.http_port}"
        self.http = httpx.Client(base_url=url, headers=headers, trust_env=False)

    def post(self, path: str, /, **body: Any) -> httpx.Response:
        return self.http.post(f"/v1/{path}", json=body)

    def dial(self, number: str, key: str | None = None) -> httpx.Response:
        headers = {} if key is None else {"idempotency-key": key}
        return self.http.post("/v1/dial", json={"number": number}, headers=headers)

    def set(self, name: str, value: Any, **headers: str) -> httpx.Response:
        return self.http.patch("/v1/settings", json={name: value}, headers=headers)


@contextlib.contextmanager
def running(folder: Path, extra: str) -> Iterator[tuple[Unit, Requests]]:
    folder.mkdir()
    unit = Unit(folder, extra)
    unit.start()
    asked = Requests(unit)
    try:
        yield unit, asked
    finally:
        asked.http.close()
        unit.stop()


def without_a_call(ask: Requests) -> Iterator[Answer]:
    yield 2001, ask.post("answer")
    yield 2002, ask.post("hangup")
    yield 2007, ask.post("swap")
    yield 2008, ask.post("redial")
    yield 2005, ask.dial("abc")
    yield 2006, ask.post("dtmf", digits="Z")
    yield 1004, ask.post("dtmf", digits="1", duration_ms=1)
    yield 2000, ask.post("calls/none/hangup")
    yield 1003, ask.post("contacts/remove", number="10086")
    yield 4000, ask.post("speak", path="/none.wav")
    yield 4024, ask.http.get("/v1/calls/none/recording")
    yield 5004, ask.set("no.such", 1)
    yield 5005, ask.set("dialplan.calls_per_hour", -1)
    yield 5010, ask.post("settings/compare", kind="something else")
    yield 1010, ask.post("factory-reset", serial_number="0")
    yield 1008, ask.set("recording.enabled", False, **{"if-match": '"old"'})


def by_the_dial_plan(unit: Unit, ask: Requests) -> Iterator[Answer]:
    """Dial where nobody answers: the call stays until it is given up."""
    ask.set("dialplan.deny", ["10010"])
    yield 2009, ask.dial("10010")
    yield 2010, ask.dial("+442079460000")
    yield 2011, ask.dial("09001234567")
    hour = (datetime.now(ZoneInfo("Europe/Berlin")).hour + 12) % 24
    for day in ("weekday", "weekend"):
        assert ask.set(f"norms.outbound.{day}_hours", [f"{hour:02}:00-{hour:02}:01"]).is_success
    ask.set("norms.outbound.ask_hours", True)
    yield 2013, ask.dial("03012345678")
    ask.set("norms.outbound.ask_hours", False)
    ask.set("norms.outbound.ask_prepared", True)
    yield 2014, ask.dial("03012345678")
    ask.set("norms.outbound.ask_prepared", False)
    after = unit.desk.state().last_event
    assert ask.dial("03012345678", key="once").status_code == 202
    unit.desk.wait_for("call_outgoing", timeout_s=20.0, after=after)
    yield 1009, ask.dial("03012345679", key="once")
    yield 2003, ask.dial("03012345678")
    ask.post("hangup")
    unit.free()
    ask.set("dialplan.calls_per_hour", 1)
    yield 2012, ask.dial("03012345678")


def when_set_up(ask: Requests, silent: socket.socket) -> Iterator[Answer]:
    """Try a trunk that says nothing twice at a time; start with what the engine could not start with."""
    with ThreadPoolExecutor(2) as two:
        tries = [two.submit(ask.http.post, "/v1/trunk/test", json={}, timeout=40.0) for _ in range(2)]
        yield 3013, next(done.result() for done in as_completed(tries) if not done.result().is_success)
    ask.set("sip.port", silent.getsockname()[1])
    yield 3004, ask.post("restart")
    old = not getattr(tls_library(), "maintained", False)
    ask.http.patch("/v1/settings", json={"trunk.transport": "tls", "trunk.tls_ca_file": "/none.pem"})
    if old:
        yield 3005, ask.post("restart")
        ask.set("trunk.allow_old_tls", True)
    yield 3006, ask.post("restart")


def with_calls(unit: Unit, ask: Requests, peer: BaresipPeer) -> Iterator[Answer]:
    def rings() -> str:
        after = unit.desk.state().last_event
        peer.dial(f"sip:desk@{unit.target}")
        return unit.desk.wait_for(
            lambda record: isinstance(record.event, RingBurst), timeout_s=30.0, after=after
        ).event.call_id

    call_id = rings()
    yield 2004, ask.post("hold", call_id=call_id)
    after = unit.desk.state().last_event
    unit.desk.answer(call_id)
    unit.desk.wait_for("call_answered", timeout_s=20.0, after=after)
    yield 2020, ask.post("recording/pause", call_id=call_id)
    unit.desk.hangup(call_id)
    unit.free()
    ask.set("recording.enabled", True)
    call_id = rings()
    after = unit.desk.state().last_event
    unit.desk.answer(call_id)
    unit.desk.wait_for("recording_started", timeout_s=20.0, after=after)
    path = f"/v1/calls/{call_id}/recording"
    yield 4025, ask.http.get(path)
    unit.desk.hangup(call_id)
    unit.desk.wait_for("recording_ended", timeout_s=20.0, after=after)
    wait_until(lambda: ask.http.get(path).is_success, "the recording can be read")
    yield 4027, ask.http.get(path, headers={"range": "bytes=99999999-"})

    file = unit.state_dir / "recordings" / f"{call_id}.sealed"
    whole = file.read_bytes()
    file.write_bytes(whole[:-1])
    yield 4023, ask.http.get(path)
    file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    yield 4022, ask.http.get(path)
    file.write_bytes(whole)
    key = unit.state_dir / KEY_FILE
    key.rename(unit.state_dir / "kept")
    yield 4020, ask.http.get(path)
    read_or_make_key(key)
    yield 4021, ask.http.get(path)
    (unit.state_dir / "kept").replace(key)


@pytest.mark.sip
def test_every_error_of_the_engine_is_brought_about(tmp_path: Path, tone: Path) -> None:
    seen = set()

    def check(answers: Iterator[Answer]) -> None:
        for code, response in answers:
            assert_problem(response, code)
            seen.add(code)

    with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as silent:
        silent.bind(("127.0.0.1", 0))
        server = f'server = "127.0.0.1:{silent.getsockname()[1]}"\n'
        with running(tmp_path / "a", f'[trunk]\n{server}country = "DE"\n') as (unit, ask):
            check(without_a_call(ask))
            check(when_set_up(ask, silent))
            check(by_the_dial_plan(unit, ask))
            with BaresipPeer(tmp_path, speaks=tone) as peer:
                check(with_calls(unit, ask, peer))
        registered = f'[trunk]\nmode = "registered"\nuser = "1001"\n{server}'
        with running(tmp_path / "b", registered) as (_, ask):
            check(iter([(3001, ask.dial("03012345678"))]))
    with running(tmp_path / "c", '[headset]\nbuttons = "off"\ndevice = "plughw:CARD=Gone"\n') as (_, ask):
        check(iter([(3000, ask.dial("03012345678")), (4002, ask.post("headset/press", button="hook"))]))
        wait_until(lambda: not ask.http.get("/v1/headset").json()["present"], "the headset is missed")
        check(iter([(4001, ask.post("headset/test"))]))
    assert seen - OF_AN_OLD_STACK == OF_THE_ENGINE


async def refusals(desk: Desk, http: httpx.AsyncClient) -> AsyncIterator[Answer]:
    """Errors of the gateway itself, in an order in which none hides the next."""
    yield 1000, await http.post("/v1/dial", content=b"{", headers=JSON)
    yield 1001, await http.post("/v1/dial", json={})
    yield 1002, await http.get("/v1/dial")
    yield 1007, await http.post("/v1/dial", content=b" " * 70_000)
    yield 6000, await http.get("/v1/state", headers={"authorization": ""})
    yield 6001, await http.get("/v1/state", headers={"host": "evil.example"})
    made = (await http.post("/v1/tokens", json={"name": "a", "role": "agent"})).json()["token"]
    yield 6002, await http.get("/v1/tokens", headers={"authorization": f"Bearer {made}"})
    async with httpx.AsyncClient(base_url=desk.url, trust_env=False) as browser:
        first = (desk.state_dir / "first-password").read_text().strip()
        wrong = {"role": "technician", "password": "wrong"}
        begun = await browser.post("/v1/session", json={**wrong, "password": first})
        yield 6004, await browser.get("/v1/state")
        yield 6006, await browser.delete("/v1/session")
        assert begun.is_success
        for _ in range(5):
            yield 6003, await browser.post("/v1/session", json=wrong)
        yield 6005, await browser.post("/v1/session", json=wrong)
    await desk.one_call()
    await desk.engine.emit(Prompt(at_s=1.0, call_id="c1", key="opener", rule="answer.rings"))
    desk.engine.handlers["get_settings"] = lambda _: {"settings": []}
    prompts = desk.state_dir / "prompts"
    prompts.mkdir()
    for language in ("en", "zh"):
        (prompts / f"{language}.json").write_text("{")
    yield 5009, await http.get("/v1/prompts", params={"call_id": "c1", "language": "en"})
    await desk.engine.stop()
    yield 7000, await http.post("/v1/hold")
    await desk.engine.start()
    with contextlib.closing(sqlite3.connect(desk.state_dir / "access.sqlite3")) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield 5006, await http.post("/v1/tokens", json={"name": "b", "role": "agent"})
    journal = desk.state_dir / "journal.sqlite3"
    newer = desk.state_dir / "newer"
    with contextlib.closing(sqlite3.connect(newer)) as base:
        base.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        base.execute("PRAGMA user_version = 999")
    for file in desk.state_dir.glob("journal.sqlite3*"):
        file.unlink()  # with what SQLite has written beside it
    newer.rename(journal)
    yield 5002, await http.get("/v1/calls")
    (desk.state_dir / "junk").write_bytes(b"no journal " * 1000)
    (desk.state_dir / "junk").replace(journal)
    yield 5001, await http.get("/v1/calls")


def test_every_error_of_the_gateway_is_brought_about(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = set()

    def broken(*_: Any) -> None:
        raise ZeroDivisionError

    async def scenario(desk: Desk) -> None:
        async with desk.gateway() as http:
            async for code, response in refusals(desk, http):
                assert_problem(response, code)
                seen.add(code)
            monkeypatch.setattr("thirdring_device.gateway.figures.KeyFigures.staffing", broken)
            assert_problem(await http.get("/v1/staffing?calls_per_h=1"), 7002)
            document = (await http.get("/openapi.json")).json()
        desk.engine.deaf.add("hold")
        desk.command_timeout_s = 0.5
        async with desk.gateway() as http:
            assert_problem(await http.post("/v1/hold"), 7001)
        assert documented(document) <= OF_THE_ENGINE | OF_AN_OLD_STACK | OF_THE_GATEWAY | OF_UPDATES
        desk.settings = changed(desk.settings, {"gateway.requests_per_s": 1.0})
        async with desk.gateway() as http:
            answers = [await http.get("/healthz") for _ in range(4)]
            assert_problem(answers[-1], 7003)
        seen.update({7001, 7002, 7003})

    at_the_desk(tmp_path, scenario)
    assert seen == OF_THE_GATEWAY
