"""The technician's views against the real appliance: self-test, consoles, log, backup and restore."""

import json
import os
import re
import tarfile
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.integration.conftest import Unit
from tests.page.conftest import Visitor, accessible, caller
from tests.peers import wait_until
from thirdring.protocol.errors import ThirdringError

pytestmark = pytest.mark.sip

SELFTEST_MS = 60_000
VIEWS = ("selftest", "backup", "logs", "transcript", "care")


def on_a_telephone_in_the_dark(page: Page) -> None:
    """Hold the same contents against axe-core on a small dark screen, and see that they fit."""
    page.set_viewport_size({"width": 360, "height": 740})
    page.emulate_media(color_scheme="dark")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    accessible(page)


def test_the_self_test_shows_measurements_with_their_limits(visitor: Visitor) -> None:
    visitor.sign_in()
    visitor.go("technician/selftest")
    page = visitor.page
    page.get_by_role("button", name="Run the self-test").click()
    expect(page.get_by_role("status").get_by_text("It runs: a few seconds")).to_be_visible()
    expect(page.get_by_role("button", name="Run the self-test")).to_be_disabled()
    level = page.locator("[data-item='sound.level_error']")
    expect(level).to_contain_text("Pass", timeout=SELFTEST_MS)
    expect(level).to_contain_text("-0.5 to 0.5")
    expect(page.locator("[data-item='sound.keys_heard']")).to_contain_text("16 keys")
    expect(page.locator("[data-item='disk.free'] .state")).to_be_visible()
    expect(page.locator("[data-item='trunk']")).to_contain_text("static")
    accessible(page)
    on_a_telephone_in_the_dark(page)
    page.get_by_role("button", name="将页面切换为中文").click()
    expect(level).to_contain_text("合格")
    expect(level).to_contain_text("电平表")
    page.get_by_role("button", name="Switch the page to English").click()


def test_a_self_test_is_refused_in_a_call(visitor: Visitor, unit: Unit, tmp_path: Path) -> None:
    visitor.sign_in()
    visitor.go("technician/selftest")
    with caller(unit, tmp_path):
        unit.desk.wait_for("ring_burst", timeout_s=30.0)
        call_id = unit.desk.answer()
        visitor.page.get_by_role("button", name="Run the self-test").click()
        expect(visitor.page.locator(".toast.bad")).to_contain_text("2003")
        unit.desk.hangup(call_id)
    unit.free()
    visitor.faults.clear()  # Chromium tells of the 409


def test_board_machine_and_update_are_told(visitor: Visitor) -> None:
    visitor.sign_in()
    visitor.go("technician")
    page = visitor.page
    board = page.locator("section", has=page.locator("#board-title"))
    expect(board).to_contain_text("simulator")
    expect(board).to_contain_text("Linux")
    expect(page.locator("[data-update='no']")).to_contain_text("No update is installed by this unit’s board")


def test_what_is_said_on_a_console_shows_without_its_password(visitor: Visitor, unit: Unit) -> None:
    console = os.open(unit.state_dir / "console", os.O_RDWR | os.O_NOCTTY)
    try:
        for line in (b"AT+GMM\r", b'AT#LOGIN="swordfish-9"\r'):
            os.write(console, line)
        visitor.sign_in()
        visitor.go("technician/transcript")
        transcript = visitor.page.locator(".transcript")
        expect(transcript).to_contain_text("AT+GMM")
        expect(transcript).to_contain_text("AT#LOGIN=***")
        expect(transcript.locator("li.unit").first).to_contain_text("Thirdring")
        expect(transcript).not_to_contain_text("swordfish")
        accessible(visitor.page)
    finally:
        os.close(console)


def test_help_is_a_file_and_a_reset_wants_the_serial_number(visitor: Visitor) -> None:
    visitor.sign_in()
    visitor.go("technician/care")
    page = visitor.page
    with page.expect_download() as told:
        page.get_by_role("button", name="Download the file").click()
    with tarfile.open(told.value.path()) as bundle:
        assert "thirdring-support/settings.json" in bundle.getnames()
    wipe = page.get_by_role("button", name="Wipe everything")
    typed = page.locator("input[name=serial-number]")
    typed.fill("1234")
    expect(wipe).to_be_disabled()
    typed.fill(page.get_by_text("To confirm, type").inner_text().split()[-1])
    expect(wipe).to_be_enabled()


def test_the_log_shows_and_is_filtered(visitor: Visitor) -> None:
    visitor.sign_in()
    visitor.go("technician/logs")
    page = visitor.page
    log = page.get_by_role("list", name="Log")
    expect(log).to_contain_text("engine ready")
    page.get_by_label("Contains").fill("no such words")
    expect(page.locator(".empty")).to_have_text("Nothing of this kind has been logged.")
    page.get_by_label("Contains").fill("ENGINE READY")
    expect(log.locator("li")).to_have_count(1)
    page.get_by_label("This level and worse").select_option("error")
    expect(page.locator(".empty")).to_be_visible()


def test_settings_are_backed_up_compared_and_restored(visitor: Visitor, unit: Unit, tmp_path: Path) -> None:
    unit.desk.set_settings({"firm.department": "Orders", "trunk.password": "swordfish-9"})
    visitor.sign_in()
    visitor.go("technician/backup")
    page = visitor.page
    with page.expect_download() as downloading:
        page.get_by_role("button", name="Download the settings").click()
    file = tmp_path / "backup.json"
    downloading.value.save_as(file)
    assert re.fullmatch(r"thirdring-\d{4}-\d\d-\d\d\.json", downloading.value.suggested_filename)
    kept = json.loads(file.read_text(encoding="utf-8"))
    assert kept["settings"]["firm.department"] == "Orders"
    assert kept["left_out"] == ["trunk.password"]
    assert "swordfish" not in file.read_text(encoding="utf-8")

    unit.desk.set_settings({"firm.department": "Returns", "firm.agent": "Wei"})
    page.locator("input[name=backup]").set_input_files(file)
    changes = page.locator("[data-table='changes'] tbody tr")
    expect(changes).to_have_count(2)
    department = page.locator("[data-item='firm.department']")
    expect(department.locator("td")).to_have_text(["Returns", "Orders"])
    expect(page.get_by_role("status").get_by_text("Not in the file: trunk.password")).to_be_visible()
    assert values(unit)["firm.department"] == "Returns", "nothing changes before it is agreed to"
    accessible(page)
    on_a_telephone_in_the_dark(page)
    page.locator("[data-item='firm.agent']").get_by_role("checkbox").uncheck()
    page.get_by_role("button", name="Change these: 1").click()
    expect(page.locator(".toast")).to_have_text("Saved")
    assert (values(unit)["firm.department"], values(unit)["firm.agent"]) == ("Orders", "Wei")
    assert values(unit)["trunk.password"] == "***"


def test_a_wrong_file_is_refused_by_number_and_nothing_is_lost(
    visitor: Visitor, unit: Unit, tmp_path: Path
) -> None:
    before = values(unit)
    visitor.sign_in()
    visitor.go("technician/backup")
    page = visitor.page
    for name, content, code in (
        ("contacts.csv", "number,name\n1,2\n", "5010"),
        ("other.json", '{"kind": "something else"}', "5010"),
        ("bounds.json", '{"kind": "thirdring settings", "format": 1, "settings": {"sip.port": 0}}', "5005"),
        ("large.json", " " * 70_000, "1007"),
    ):
        file = tmp_path / name
        file.write_text(content, encoding="utf-8")
        page.locator("input[name=backup]").set_input_files(file)
        expect(page.locator(".toast.bad")).to_contain_text(code)
        expect(page.locator("[data-table='changes']")).to_have_count(0)
    page.get_by_role("button", name="将页面切换为中文").click()
    page.locator("input[name=backup]").set_input_files(tmp_path / "other.json")
    expect(page.locator(".toast.bad")).to_contain_text("5010: 这不是设置的备份")
    assert values(unit) == before
    visitor.faults.clear()  # Chromium tells of each 422


def values(unit: Unit) -> dict[str, object]:
    return {one.name: one.value for one in unit.desk.settings()}


@pytest.mark.parametrize(
    ("language", "scheme", "width"),
    [("en-GB", "light", 1280), ("zh-CN", "dark", 1280), ("zh-CN", "light", 360)],
)
def test_the_views_can_be_used_by_everybody(
    browser: Browser, unit: Unit, language: str, scheme: str, width: int
) -> None:
    somebody = Visitor(
        browser, unit, locale=language, color_scheme=scheme, viewport={"width": width, "height": 800}
    )
    somebody.sign_in()
    for view in VIEWS:
        somebody.go(f"technician/{view}")
        expect(somebody.page.locator("main .card").first).to_be_visible()
        expect(somebody.page.get_by_text("正在载入" if language == "zh-CN" else "Loading")).to_have_count(0)
        accessible(somebody.page)
        assert somebody.page.evaluate("document.documentElement.scrollWidth") <= width, view
    somebody.context.close()
    assert somebody.faults == []


def test_the_engine_is_started_anew_when_a_setting_waits_for_it(visitor: Visitor, unit: Unit) -> None:
    visitor.sign_in()
    visitor.go("technician/settings")
    page = visitor.page
    page.get_by_label("Search settings").fill("sip.max_calls")
    page.locator("[id='setting-sip.max_calls']").fill("3")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".toast")).to_contain_text("from the next start on")
    accessible(page)
    after = unit.desk.state().last_event
    page.get_by_role("button", name="Start the engine anew").click()
    expect(page.locator(".toast")).to_contain_text("The engine starts anew")
    expect(page.locator(".restart")).to_have_count(0)
    unit.desk.wait_for("engine_started", timeout_s=30.0, after=after)
    wait_until(lambda: answers(unit), "it answers", 30.0)
    assert values(unit)["sip.max_calls"] == 3
    visitor.faults.clear()  # Chromium tells of what was asked while no engine was there


def answers(unit: Unit) -> bool:
    try:
        return bool(unit.desk.state().version)
    except ThirdringError:
        return False


def test_settings_are_explained_in_the_chosen_language(visitor: Visitor) -> None:
    visitor.sign_in()
    visitor.go("technician/settings")
    page = visitor.page
    hint = page.locator("[id='setting-norms.answer.max_rings-hint']")
    page.get_by_label("Search settings").fill("max_rings")
    expect(hint).to_contain_text("rings within which a call is answered")
    page.get_by_role("button", name="将页面切换为中文").click()
    expect(hint).to_contain_text("须在此响铃次数内接听")
    page.get_by_label("搜索设置").fill("响铃次数")
    expect(hint).to_be_visible()
