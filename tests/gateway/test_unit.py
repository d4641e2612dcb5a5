"""What the technician sees over HTTP: the unit, its self-test, its log, what was said on its consoles."""

import io
import json
import logging
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.gateway.desk import Desk, at_the_desk
from tests.gateway.test_api import assert_problem
from tests.gateway.test_roles import A_CALL, HEADSET
from thirdring.protocol.codec import to_fields
from thirdring.protocol.commands import SetSettings
from thirdring_device.factory_reset import FLAG
from thirdring_device.gateway.at.transcript import Transcript, shown_line
from thirdring_device.logs import keep_log, mask, read_logs
from thirdring_device.settings import changed, save_changes, setting_views

PASSWORD = "sesame-7"  # noqa: S105 - of nothing


def with_gateway(tmp_path: Path, scenario: Any) -> None:
    async def run(desk: Desk) -> None:
        desk.settings = changed(desk.settings, {"trunk.password": PASSWORD})
        desk.engine.handlers["get_headset"] = lambda _: {**HEADSET, "sound": "simulated", "present": True}
        # What was before the self-test does not count: the long tick of 190 ms.
        reads = iter([[[20.1, 500], [190.0, 40]], [[20.1, 598], [21.0, 2], [190.0, 40]]] * 2)
        desk.engine.handlers["get_metrics"] = lambda _: {"frame_interval": {"bins_ms": next(reads)}}
        desk.engine.handlers["get_settings"] = lambda _: {
            "settings": [to_fields(view) for view in setting_views(desk.settings)]
        }
        async with desk.gateway() as http:
            http.timeout = httpx.Timeout(60.0)
            await scenario(desk, http)

    at_the_desk(tmp_path, run)


@pytest.fixture
def a_log(tmp_path: Path) -> Iterator[Path]:
    """A state folder with two lines of the engine, one of the gateway, and secrets in them."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    levels = [handler.level for handler in before]
    keep_log(tmp_path, "engine")
    log = logging.getLogger("thirdring_device.engine")
    log.info("engine ready: %s", "SIP on port 5060")
    try:
        raise ValueError(f"no {PASSWORD} here")
    except ValueError:
        log.exception("REGISTER failed")
    kept = [handler for handler in root.handlers if handler not in before]
    (tmp_path / "logs" / "gateway.log").write_text(
        "2020-01-01T00:00:00.000Z WARNING thirdring_device.gateway: Authorization: Bearer abcdefgh123\n",
        encoding="utf-8",
    )
    yield tmp_path
    for handler in kept:
        root.removeHandler(handler)
        handler.close()
    for handler, its_level in zip(before, levels, strict=True):
        handler.setLevel(its_level)
    root.setLevel(level)


def test_the_unit_says_what_it_is(tmp_path: Path) -> None:
    async def scenario(desk: Desk, http: httpx.AsyncClient) -> None:
        unit = (await http.get("/v1/unit")).raise_for_status().json()
        assert (unit["version"], unit["board"]) == ("0.1.0", "simulator")
        update = unit["update"]
        assert (update["supported"], update["running"], update["phase"]) == (False, "0.1.0", "idle")
        machine = unit["machine"]
        assert machine["kernel"].startswith("Linux ")
        assert 0 < machine["disk_free_mb"] <= machine["disk_mb"]
        assert machine["up_s"] > 0

    with_gateway(tmp_path, scenario)


@pytest.mark.sip
def test_the_self_test_measures_and_says_by_which_limits(tmp_path: Path) -> None:
    async def scenario(desk: Desk, http: httpx.AsyncClient) -> None:
        found = (await http.post("/v1/selftest")).raise_for_status().json()
        items = {item["name"]: item for item in found["items"]}
        assert items["trunk"]["finding"] == "static"
        assert items["stack"]["finding"]
        assert abs(items["sound.level_error"]["value"]) <= 0.5
        assert (items["sound.keys_heard"]["value"], items["sound.keys_heard"]["low"]) == (16.0, 16.0)
        assert items["sound.tick_p99"]["value"] == 21.0
        assert items["sound.tick_p99"]["high"] == 40.0
        for name in ("sound.frame", "disk.sync", "disk.free", "memory.available", "engine.answer"):
            one = items[name]
            kept = (one["low"] is None or one["value"] >= one["low"]) and (
                one["high"] is None or one["value"] <= one["high"]
            )
            assert one["value"] > 0, name
            assert one["result"] == ("ok" if kept else "failed"), name
        assert found["passed"] == all(item["result"] != "failed" for item in found["items"])
        assert not list(tmp_path.glob("self-test*"))

    with_gateway(tmp_path, scenario)


def test_no_self_test_runs_in_a_call(tmp_path: Path) -> None:
    async def scenario(desk: Desk, http: httpx.AsyncClient) -> None:
        desk.engine.handlers["get_state"] = lambda _: {**desk.state(), "calls": [to_fields(A_CALL)]}
        assert_problem(await http.post("/v1/selftest"), 2003)

    with_gateway(tmp_path, scenario)


def test_the_support_file_has_no_secret(a_log: Path) -> None:
    async def scenario(desk: Desk, http: httpx.AsyncClient) -> None:
        save_changes(a_log, {"trunk.password": "swordfish-9", "trunk.server": "sip.example.net"})
        answer = (await http.get("/v1/support")).raise_for_status()
        assert answer.headers["content-disposition"].startswith('attachment; filename="thirdring-support-')
        with tarfile.open(fileobj=io.BytesIO(answer.content)) as bundle:
            parts = {member.name: bundle.extractfile(member) for member in bundle}
            texts = {name: part.read().decode() for name, part in parts.items() if part is not None}
        assert "sip.example.net" in texts["thirdring-support/settings.json"]
        assert "REGISTER failed" in texts["thirdring-support/log.txt"]
        assert not [name for name, text in texts.items() if "swordfish-9" in text]

    with_gateway(a_log, scenario)


def test_a_reset_wants_the_serial_number_and_no_call(tmp_path: Path) -> None:
    async def scenario(desk: Desk, http: httpx.AsyncClient) -> None:
        serial = (await http.get("/v1/unit")).json()["machine"]["serial_number"]
        flag = tmp_path / FLAG
        assert_problem(await http.post("/v1/factory-reset", json={"serial_number": "0"}), 1010)
        assert_problem(await http.post("/v1/factory-reset", json={}), 1001)
        desk.engine.handlers["get_state"] = lambda _: {**desk.state(), "calls": [to_fields(A_CALL)]}
        assert_problem(await http.post("/v1/factory-reset", json={"serial_number": serial}), 2003)
        assert not flag.exists()
        desk.engine.handlers["get_state"] = lambda _: desk.state()
        done = await http.post("/v1/factory-reset", json={"serial_number": serial})
        assert (done.status_code, done.json()) == (202, {"resetting": True})
        assert flag.exists()

    with_gateway(tmp_path, scenario)


def test_the_log_is_kept_masked_and_filtered(a_log: Path) -> None:
    async def scenario(desk: Desk, http: httpx.AsyncClient) -> None:
        lines = (await http.get("/v1/logs")).json()
        assert [line["level"] for line in lines[:3]] == ["warning", "info", "error"]
        assert lines[0]["text"] == "Authorization: ***"
        assert lines[2]["text"].startswith("REGISTER failed\nTraceback")
        assert lines[2]["text"].endswith("ValueError: no *** here")
        (bad,) = (await http.get("/v1/logs", params={"level": "error", "contains": "register"})).json()
        assert bad["process"] == "engine"
        (one,) = (await http.get("/v1/logs", params={"process": "gateway", "limit": 1})).json()
        assert one["logger"] == "thirdring_device.gateway"
        assert (await http.get("/v1/logs", params={"level": "loud"})).status_code == 422
        save_changes(a_log, {"trunk.password": "REGISTER"})  # changed while running
        assert "REGISTER" not in (await http.get("/v1/logs")).text

    with_gateway(a_log, scenario)


def test_a_log_grows_no_further_and_a_damaged_one_is_read_all_the_same(a_log: Path) -> None:
    log = logging.getLogger("thirdring_device.engine")
    for _ in range(3000):
        log.warning("%s", "x" * 200)
    folder = a_log / "logs"
    assert sum(file.stat().st_size for file in folder.iterdir()) < 400_000
    (folder / "gateway.log").write_bytes(b"\xff\xfe no line of ours\n")
    assert {line.process for line in read_logs(a_log)} == {"engine"}


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("password='swordfish' wrong", "password=*** wrong"),
        ('{"token": "abc"}', '{"token": ***}'),
        ('AT#SET="trunk.password","two words","trunk.user"', 'AT#SET="trunk.password",***,"trunk.user"'),
        ("https://me:pass@example.com/x", "https://me:***@example.com/x"),
        ("whsec_MfKQ9r8GKYqrTwjU", "whsec_***"),
        ("nothing to hide on port 5060", "nothing to hide on port 5060"),
    ],
)
def test_what_looks_like_a_secret_is_masked(text: str, masked: str) -> None:
    assert mask(text) == masked


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ('#LOGIN="sesame-7"', "#LOGIN=***"),
        ('+CMEE=1;#PASSWORD="a","b"', "+CMEE=***"),
        ('#SET="trunk.password","x"', "#SET=***"),
        ('#DO={"command":"set_settings","changes":{"trunk.password":"x"}}', "#DO=***"),
        ('#LOGN="sesame-7"', "#LOGN=***"),
        ('#LOGIN="sesame-7', "#LOGIN=***"),
        ('#SET="norms.answer.max_rings",4', '#SET="norms.answer.max_rings",4'),
        ("D10086;", "D10086;"),
    ],
)
def test_a_console_line_is_shown_without_its_secrets(line: str, shown: str) -> None:
    assert shown_line(line, locked=False) == shown


def test_of_a_locked_console_no_argument_is_shown() -> None:
    assert shown_line('#SET="norms.answer.max_rings",4', locked=True) == "#SET=***"


def test_the_transcript_is_bounded_and_masked(tmp_path: Path) -> None:
    transcript = Transcript()
    transcript.typed("console", "#GET", locked=False)
    transcript.answered("console", f'\r\n#GET: "x","{PASSWORD}"\r\n\r\nOK\r\n')
    for _ in range(600):
        transcript.answered("/dev/ttyAMA0", "y" * 1000)
    assert len(transcript.newest(1000)) == 500
    assert all(len(said.text) < 410 for said in transcript.newest(1000))

    async def scenario(desk: Desk, http: httpx.AsyncClient) -> None:
        spoken = desk.options["transcript"]
        spoken.typed("console", "#GET", locked=False)
        spoken.answered("console", f'\r\n#GET: "x","{PASSWORD}"\r\n\r\nOK\r\n')
        lines = (await http.get("/v1/transcript")).json()
        assert [(line["side"], line["text"]) for line in lines] == [
            ("host", "AT#GET"),
            ("unit", '#GET: "x","***"'),
            ("unit", "OK"),
        ]
        assert len((await http.get("/v1/transcript", params={"limit": 1})).json()) == 1

    async def run(desk: Desk) -> None:
        desk.settings = changed(desk.settings, {"trunk.password": PASSWORD})
        desk.options["transcript"] = Transcript()
        async with desk.gateway() as http:
            await scenario(desk, http)

    at_the_desk(tmp_path, run)


def test_a_backup_has_every_setting_but_the_passwords(tmp_path: Path) -> None:
    async def scenario(desk: Desk, http: httpx.AsyncClient) -> None:
        answer = (await http.get("/v1/settings/backup")).raise_for_status()
        assert answer.headers["content-disposition"].startswith('attachment; filename="thirdring-')
        backup = answer.json()
        assert backup["left_out"] == ["trunk.password"]
        assert len(backup["settings"]) == len(setting_views(desk.settings)) - 1
        assert PASSWORD not in answer.text
        same = (await http.post("/v1/settings/compare", json=backup)).raise_for_status().json()
        assert (same["changes"], same["unknown"]) == ([], [])

        backup["settings"] |= {"firm.name": "Northwind", "of.another.version": 1, "trunk.password": "x"}
        found = (await http.post("/v1/settings/compare", json=backup)).json()
        assert found["changes"] == [{"name": "firm.name", "now": "", "then": "Northwind", "live": True}]
        assert found["unknown"] == ["of.another.version"]
        assert found["etag"] == (await http.get("/v1/settings")).headers["etag"]
        assert not [command for command in desk.engine.commands if isinstance(command, SetSettings)]

    with_gateway(tmp_path, scenario)


def test_another_file_changes_nothing(tmp_path: Path) -> None:
    async def scenario(desk: Desk, http: httpx.AsyncClient) -> None:
        good = {"kind": "thirdring settings", "format": 1, "settings": {"sip.port": 5061}}
        for wrong in (
            {"kind": "something else"},
            {**good, "format": 2},
            {**good, "settings": []},
            {**good, "version": "\ud800"},
        ):
            text = json.dumps(wrong)  # with the surrogate written out, which httpx would not
            headers = {"content-type": "application/json"}
            assert_problem(await http.post("/v1/settings/compare", content=text, headers=headers), 5010)
        bad = {**good, "settings": {"sip.port": 99_999}}
        assert_problem(await http.post("/v1/settings/compare", json=bad), 5005)
        assert (await http.post("/v1/settings/compare", json=[])).status_code == 422
        assert not [command for command in desk.engine.commands if isinstance(command, SetSettings)]

    with_gateway(tmp_path, scenario)


def test_settings_are_explained_in_the_language_asked_for(tmp_path: Path) -> None:
    async def scenario(desk: Desk, http: httpx.AsyncClient) -> None:
        english = await http.get("/v1/settings")
        chinese = await http.get("/v1/settings", params={"language": "zh"})
        told = {one["name"]: one for one in chinese.json()["settings"]}
        assert told["gateway.port"]["description"] == "TCP 端口"
        assert told["trunk.password"]["value"] == "***"
        assert chinese.headers["etag"] == english.headers["etag"]
        assert (await http.get("/v1/settings", params={"language": "xx"})).status_code == 422

    with_gateway(tmp_path, scenario)
