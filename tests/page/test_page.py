"""The page against the real appliance, in Debian's Chromium, with real SIP calls."""

import re
from pathlib import Path

import httpx
import pytest
import soundfile
from playwright.sync_api import Browser, Locator, Page, expect

from tests.dsp import signals
from tests.integration.conftest import Unit
from tests.page.conftest import COLLEAGUE, Visitor, accessible, caller
from tests.peers import BaresipPeer

pytestmark = pytest.mark.sip

VIEWS = (
    *("desk", "calls", "calls/callbacks", "calls/contacts"),
    *("wall", "technician", "technician/setup", "technician/settings", "technician/access", "technician/log"),
)


def test_a_first_password_is_changed_and_an_agent_sees_no_technicians_view(
    browser: Browser, unit: Unit
) -> None:
    first, own = "k7mq-x2wp-9dfa", "seven quiet rivers"
    token = (unit.state_dir / "api-token").read_text(encoding="utf-8").strip()
    httpx.put(
        f"http://127.0.0.1:{unit.http_port}/v1/accounts/agent/password",
        json={"password": first},
        headers={"authorization": f"Bearer {token}"},
    ).raise_for_status()
    somebody = Visitor(browser, unit)
    page = somebody.page
    page.goto(somebody.address)
    somebody.give("agent", "wrong")
    expect(page.get_by_role("alert")).to_contain_text("6003")
    accessible(page)
    somebody.give("agent", first)
    expect(page.get_by_role("heading", name="A password of your own")).to_be_visible()
    accessible(page)
    page.locator("input[name=old]").fill(first)
    page.locator("input[name=new]").fill(own)
    page.locator("input[name=again]").fill(own)
    page.keyboard.press("Enter")
    expect(page.locator(".desk")).to_be_visible()
    assert page.evaluate("[sessionStorage.length, document.cookie]") == [0, ""]
    expect(page.get_by_role("link", name="Wall")).to_be_visible()
    expect(page.get_by_role("link", name="Technician")).to_have_count(0)
    somebody.go("technician/logs")
    expect(page.locator(".desk")).to_be_visible()
    expect(page.get_by_role("heading", name="Technician")).to_have_count(0)
    page.reload()
    expect(page.locator(".desk")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.get_by_text("With an API token instead").click()
    page.locator("input[name=token]").fill("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("The appliance does not know this token.")
    somebody.context.close()


def test_a_call_from_its_first_ring_to_its_notes(visitor: Visitor, unit: Unit, tmp_path: Path) -> None:
    visitor.sign_in()
    page = visitor.page
    chinese = page.get_by_role("button", name="将页面切换为中文")
    english = page.get_by_role("button", name="Switch the page to English")
    with caller(unit, tmp_path, "be_held_and_taken_back") as peer:
        advice = page.locator(".advice")
        expect(advice).to_have_attribute("data-ring", "1")
        expect(advice).to_contain_text("Ring 1")
        expect(page.locator(".opener q")).to_contain_text("Acme")
        accessible(page)
        chinese.click()
        expect(advice).to_contain_text("第 1 声")
        expect(page.locator(".opener q")).to_contain_text("请问有什么可以帮您")
        expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
        expect(advice).to_have_attribute("data-ring", "2")
        expect(advice).to_contain_text("第 2 声")
        english.click()
        expect(advice).to_contain_text("Ring 2 · Please answer now")

        page.keyboard.press("a")
        expect(page.locator(".call.active")).to_be_visible()
        call_id = str(page.locator(".call.active").get_attribute("data-call"))
        expect(page.locator("[data-rule='answer.rings'].met")).to_be_visible()
        expect(page.locator("[data-prompt='greet_now']")).to_contain_text("Greet the caller now")
        expect(page.locator(".badges .rec")).to_have_text("Recording")
        accessible(page)
        page.keyboard.press("h")
        countdown = page.locator("[data-countdown='hold']")
        expect(countdown).to_contain_text("come back within")
        left = countdown.locator("strong").inner_text()
        assert re.fullmatch(r"[23]:\d\d", left), left
        expect(countdown.locator("strong")).not_to_have_text(left)
        assert clock_s(countdown.locator("strong").inner_text()) < clock_s(left)
        chinese.click()
        expect(countdown).to_contain_text("请在此时间内回到客户")
        english.click()
        page.keyboard.press("h")
        expect(page.locator("[data-countdown='hold']")).to_have_count(0)
        page.keyboard.press("m")
        expect(page.locator("[data-countdown='mute']")).to_be_visible()
        page.keyboard.press("m")
        expect(page.locator("[data-countdown='mute']")).to_have_count(0)

        page.keyboard.press("e")
        expect(page.locator("[data-do='e']")).to_contain_text("Customer still there")
        page.keyboard.press("e")
        expect(page.locator(".call.ended")).to_contain_text("agent: hung up")
        peer.wait()

    expect(page.locator("[data-prompt='take_notes']")).to_be_visible()
    chinese.click()
    expect(page.get_by_label("事由", exact=True)).to_be_visible()
    expect(page.locator("form.notes .hint")).to_have_text("尚待填写：姓名, 事由")
    english.click()
    expect(page.locator("form.notes .hint")).to_have_text("Still to be filled in: Name, Matter")
    page.get_by_label("Name", exact=True).fill("王女士")
    page.get_by_label("Matter").fill("Asks for 3 boxes by Friday")
    page.get_by_label("Read back to the customer").check()
    page.get_by_role("button", name="Save the notes").click()
    expect(page.locator(".toast")).to_have_text("Saved")
    (notes,) = unit.desk.notes(call_id)
    assert (notes.name, notes.matter, notes.read_back) == ("王女士", "Asks for 3 boxes by Friday", True)
    accessible(page)
    page.get_by_role("button", name="Ready for the next call").click()
    expect(page.get_by_role("heading", name="Ready for a call")).to_be_visible()
    expect(page.get_by_role("combobox", name="State")).to_have_value("ready")

    visitor.go("calls")
    page.get_by_role("cell", name="Caller").first.wait_for()
    page.locator(".calls-table a").first.click()
    expect(page.locator(".timeline .lane i.ring")).to_have_count(2)
    expect(page.locator("[data-rule='answer.greeting']")).to_contain_text("broken")
    expect(page.locator("audio")).to_be_visible()
    accessible(page)


def test_shouting_shows_at_once_and_the_customer_is_transferred_with_consent(
    visitor: Visitor, unit: Unit, tmp_path: Path
) -> None:
    shouted = signals.to_int16(
        signals.at_active_level(signals.prompts(4, sample_rate_hz=16_000), -10.0, 16_000)
    )
    soundfile.write(tmp_path / "shouted.wav", shouted, 16_000, "PCM_16")
    unit.desk.save_contact(COLLEAGUE, "Han Meimei", firm="Billing")
    unit.desk.save_contact("10086", "Somebody else")
    visitor.sign_in()
    page = visitor.page
    plus = r"\\+"  # SIPp takes one backslash for itself and the other one into its regular expression
    with caller(unit, tmp_path, "be_transferred", handed_to=f"{plus}86{COLLEAGUE}") as peer:
        expect(page.locator(".advice")).to_have_attribute("data-ring", "1")
        page.keyboard.press("a")
        expect(page.locator(".call.active")).to_be_visible()
        unit.desk.speak(str(tmp_path / "shouted.wav"))
        expect(page.locator(".meter.agent .reading")).to_contain_text("too loud")
        mark = page.locator("[data-rule='voice.level']:not(.met)")
        expect(mark).to_contain_text("Neither too loud")
        page.get_by_role("button", name="将页面切换为中文").click()
        expect(mark).to_contain_text("音量适中")
        expect(page.locator(".meter.agent .reading")).to_contain_text("太大")
        page.locator("[data-do='t']").click()
        expect(page.get_by_role("form", name="转接客户")).to_be_visible()
        page.get_by_role("button", name="Switch the page to English").click()
        page.get_by_label("Number, or a contact").fill("billing")
        picks = page.get_by_role("list", name="Contacts").get_by_role("button")
        expect(picks).to_have_count(1)
        picks.first.click()
        expect(page.get_by_label("Number, or a contact")).to_have_value(f"+86{COLLEAGUE}")
        page.get_by_label("The customer was told and agrees").check()
        accessible(page)
        page.get_by_role("button", name="Transfer", exact=True).last.click()
        expect(page.locator(".call.ended")).to_contain_text("transferred")
        peer.wait()
    for number in (COLLEAGUE, "10086"):
        unit.desk.remove_contact(number)
    verdict = page.locator("[data-rule='transfer.consent']")
    expect(verdict).to_have_class("met")


def test_the_wall_counts_a_call_as_soon_as_it_has_ended(visitor: Visitor, unit: Unit, tmp_path: Path) -> None:
    visitor.sign_in()
    visitor.go("wall")
    page = visitor.page
    expect(page.locator(".tiles")).to_be_visible()
    offered, answered = (int(tile(page, name).inner_text()) for name in ("Calls offered", "Answered"))
    now = page.locator(".now strong")
    after = unit.desk.state().last_event
    with caller(unit, tmp_path, "call_and_hang_up", hold_ms=1500) as peer:
        unit.desk.wait_for("ring_burst", timeout_s=30.0, after=after)
        expect(now).to_have_text("Ringing")
        unit.desk.answer()
        expect(now).to_have_text("Talking")
        peer.wait()
    expect(tile(page, "Calls offered")).to_have_text(str(offered + 1))
    expect(tile(page, "Answered")).to_have_text(str(answered + 1))
    expect(page.locator(".service strong")).to_contain_text("%")
    expect(page.locator("[data-rule='answer.rings'] small")).to_have_text(re.compile(r"\d+/\d+"))
    page.get_by_role("button", name="将页面切换为中文").click()
    expect(tile(page, "来电")).to_have_text(str(offered + 1))
    expect(tile(page, "平均接听时间")).to_contain_text("秒")
    expect(page.locator("[data-rule='answer.rings']")).to_contain_text("三声内接听")


def tile(page: Page, name: str) -> Locator:
    term = page.locator("dt").get_by_text(name, exact=True)
    return page.locator(".tiles > div", has=term).locator("dd")


def clock_s(text: str) -> int:
    minutes, seconds = text.split(":")
    return 60 * int(minutes) + int(seconds)


def test_a_second_call_is_taken_swapped_and_joined_and_digits_are_sent(
    visitor: Visitor, unit: Unit, tmp_path: Path
) -> None:
    tone = tmp_path / "tone.wav"
    soundfile.write(tone, signals.tone(440.0, 60.0, -20.0), 8000, "PCM_16")
    visitor.sign_in()
    page = visitor.page
    with (
        BaresipPeer(tmp_path, speaks=tone, user="1001") as first,
        BaresipPeer(tmp_path, speaks=tone, user="1002") as second,
    ):
        first.dial(f"sip:desk@{unit.target}")
        expect(page.locator(".advice")).to_have_attribute("data-ring", "1")
        page.keyboard.press("a")
        expect(page.locator(".call.active h2")).to_have_text("1001")
        page.keyboard.press("k")
        page.keyboard.press("5")
        expect(page.locator(".keypad [role=status]")).to_have_text("Sent: 5")
        page.keyboard.press("k")
        second.dial(f"sip:desk@{unit.target}")
        expect(page.locator(".others")).to_contain_text("A second call waits · Ring 1")
        accessible(page)
        page.keyboard.press("a")
        expect(page.locator(".call.active h2")).to_have_text("1002")
        expect(page.locator(".others")).to_contain_text("On hold")
        page.keyboard.press("s")
        expect(page.locator(".call.active h2")).to_have_text("1001")
        page.keyboard.press("c")
        expect(page.locator(".call.active .badges")).to_contain_text("Conference")
        expect(page.locator("[data-do='c']")).to_be_disabled()
        for call in unit.desk.state().calls:
            unit.desk.hangup(call.call_id)
        expect(page.locator(".call.ended")).to_be_visible()


def test_the_page_comes_back_with_an_engine_that_was_killed(
    visitor: Visitor, unit: Unit, tmp_path: Path
) -> None:
    visitor.sign_in()
    page = visitor.page
    with caller(unit, tmp_path):
        expect(page.locator(".advice")).to_have_attribute("data-ring", "1")
        page.keyboard.press("a")
        expect(page.locator(".call.active")).to_be_visible()
        unit.kill_engine()
        expect(page.locator(".call.ended")).to_contain_text("appliance restarted")
    with caller(unit, tmp_path, "call_and_cancel", hold_ms=3000) as peer:
        expect(page.locator(".advice")).to_have_attribute("data-ring", "1")
        peer.wait()
    expect(page.locator(".call.ended")).to_contain_text("cancelled while ringing")


@pytest.mark.parametrize(("language", "scheme"), [("en-GB", "light"), ("zh-CN", "dark")])
def test_every_view_can_be_used_by_everybody(
    browser: Browser, unit: Unit, language: str, scheme: str
) -> None:
    somebody = Visitor(browser, unit, locale=language, color_scheme=scheme)
    somebody.sign_in()
    for view in VIEWS:
        somebody.go(view)
        expect(somebody.page.locator("main h1")).to_be_attached()
        expect(somebody.page.locator("main .card").first).to_be_visible()
        accessible(somebody.page)
    somebody.context.close()
    assert somebody.faults == []


def test_the_page_fits_a_telephone(browser: Browser, unit: Unit) -> None:
    somebody = Visitor(browser, unit, viewport={"width": 360, "height": 740}, is_mobile=True, has_touch=True)
    somebody.sign_in()
    for view in VIEWS:
        somebody.go(view)
        expect(somebody.page.locator("main .card").first).to_be_visible()
        assert somebody.page.evaluate("document.documentElement.scrollWidth") <= 360, view
    somebody.context.close()


def test_a_setting_is_changed_and_counts_at_once(visitor: Visitor, unit: Unit) -> None:
    visitor.sign_in()
    visitor.go("technician/settings")
    page = visitor.page
    page.get_by_label("Search settings").fill("max_rings")
    page.locator("[id='setting-norms.answer.max_rings']").fill("4")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".toast")).to_have_text("Saved")
    changed = {one.name: one.value for one in unit.desk.settings()}
    assert changed["norms.answer.max_rings"] == 4
    page.locator("[id='setting-norms.answer.max_rings']").fill("99")
    page.get_by_role("button", name="Save").click()
    assert page.evaluate("document.querySelector(':invalid') !== null"), "the browser knows the bounds"


def test_a_contact_is_added_and_removed(visitor: Visitor, unit: Unit) -> None:
    visitor.sign_in()
    visitor.go("calls/contacts")
    page = visitor.page
    page.get_by_role("button", name="Add a contact").click()
    page.get_by_label("Number", exact=True).fill("01012345678")
    page.get_by_label("Name", exact=True).fill("Li Lei")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".rows")).to_contain_text("Li Lei")
    page.get_by_role("button", name="Edit: Li Lei").click()
    page.get_by_role("button", name="Remove").click()
    expect(page.locator(".empty")).to_have_text("No contacts yet.")
    assert unit.desk.contacts() == []
