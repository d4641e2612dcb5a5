"""The page's set-up, from factory state to the first answered call over a registered trunk."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile
from playwright.sync_api import Browser, Page, expect

from tests.dsp import signals
from tests.integration.conftest import Unit
from tests.page.conftest import PASSWORD, Visitor, accessible
from tests.peers import KamailioRegistrar, SippPeer
from thirdring.protocol.events import record_to_json

pytestmark = pytest.mark.sip

PHONE = {"width": 360, "height": 740}
DESKTOP = {"width": 1280, "height": 720}
LONGEST_S = 180.0


@pytest.fixture
def new_unit(tmp_path: Path) -> Iterator[Unit]:
    running = Unit(tmp_path)
    running.start()
    yield running
    running.stop()


@pytest.fixture
def newcomer(browser: Browser, new_unit: Unit) -> Iterator[Visitor]:
    somebody = Visitor(browser, new_unit, viewport=DESKTOP)
    yield somebody
    somebody.context.close()
    assert somebody.faults == []


class Clock:
    """Time that the newcomer spends, without that for our looking at what is shown."""

    def __init__(self) -> None:
        self._begin_s = time.monotonic()
        self._looked_s = 0.0

    def look(self, page: Page) -> None:
        """See that everybody can use what is shown: light, dark, on a telephone."""
        begin_s = time.monotonic()
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            accessible(page)
        page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]
        self._looked_s += time.monotonic() - begin_s

    @property
    def spent_s(self) -> float:
        return time.monotonic() - self._begin_s - self._looked_s


def heading(page: Page, name: str) -> None:
    expect(page.get_by_role("heading", name=name)).to_be_focused()


def wait_for_new_engine(unit: Unit, after: int) -> None:
    """Wait for what the page waits for: a try, an engine that ends, another that starts and registers."""
    unit.desk.wait_for("engine_started", timeout_s=60.0, after=after)
    registered = {"kind": "trunk_changed", "state": "registered"}
    unit.desk.wait_for(
        lambda record: registered.items() <= record_to_json(record).items(), timeout_s=30.0, after=after
    )


def test_from_factory_state_to_the_first_answered_call(
    new_unit: Unit, newcomer: Visitor, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    speech = signals.to_int16(
        signals.at_active_level(signals.prompts(8, sample_rate_hz=16_000), -26.0, 16_000)
    )
    soundfile.write(tmp_path / "speech.wav", speech, 16_000, "PCM_16")
    first = (new_unit.state_dir / "first-password").read_text(encoding="utf-8").strip()
    page = newcomer.page
    steps: list[str] = []
    with KamailioRegistrar(tmp_path) as kamailio:
        page.goto(newcomer.address)
        clock = Clock()
        newcomer.give("technician", first)

        heading(page, "Which language do you speak?")
        clock.look(page)
        page.get_by_role("radio", name="中文").check()
        heading_zh = page.get_by_role("heading", name="您使用哪种语言？")
        expect(heading_zh).to_be_visible()
        page.get_by_role("radio", name="English").check()
        page.keyboard.press("Enter")
        steps.append(f"language {clock.spent_s:.1f} s")

        heading(page, "A password of your own")
        clock.look(page)
        page.locator("input[name=old]").fill(first)
        page.locator("input[name=new]").fill(PASSWORD)
        page.locator("input[name=again]").fill(PASSWORD + "?")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_have_text("The two new passwords differ.")
        page.locator("input[name=again]").fill(PASSWORD)
        page.keyboard.press("Enter")
        steps.append(f"password {clock.spent_s:.1f} s")

        heading(page, "Your telephone line")
        expect(page.get_by_role("navigation", name="Step 3 of 6")).to_be_visible()
        clock.look(page)
        page.get_by_label("Server of the trunk").fill(kamailio.server)
        page.get_by_label("Password", exact=True).fill("guessed")
        page.keyboard.press("Enter")
        told = page.locator(".told")
        expect(told).to_have_attribute("data-code", "3002")
        expect(told).to_contain_text("Wrong user name or password. The server was found and answers.")
        expect(told).to_contain_text("Error 3002 · SIP 401")
        page.get_by_role("button", name="将页面切换为中文").click()
        expect(told).to_contain_text("用户名或密码不对。")
        page.get_by_role("button", name="Switch the page to English").click()
        clock.look(page)
        assert new_unit.desk.state().trunk == "static", "nothing was kept"
        page.get_by_label("Password", exact=True).fill("right")
        after = new_unit.desk.state().last_event
        page.keyboard.press("Enter")
        wait_for_new_engine(new_unit, after)
        heading(page, "Can you be heard?")
        assert new_unit.desk.state().trunk == "registered"
        steps.append(f"trunk {clock.spent_s:.1f} s")

        new_unit.desk.speak(str(tmp_path / "speech.wav"))
        page.get_by_role("button", name="Start the test").click()
        test = page.locator("[data-test]")
        expect(test).to_have_attribute("data-test", "listening")
        expect(test).to_have_attribute("data-test", "playing")
        expect(test).to_have_attribute("data-test", "idle")
        expect(test).to_have_attribute("data-verdict", "good")
        expect(page.get_by_role("meter", name="You")).to_have_attribute("aria-valuenow", "-26")
        clock.look(page)
        page.get_by_role("button", name="Next").click()
        steps.append(f"headset {clock.spent_s:.1f} s")

        heading(page, "Where is this desk?")
        page.get_by_label("Name of the firm").fill("Northwind")
        expect(page.get_by_label("Country of the line")).to_have_value("CN")
        page.get_by_label("Country of the line").select_option("DE")
        expect(page.get_by_text("Next holidays:")).to_contain_text("25 Dec")
        page.get_by_label("Time zone").select_option("Europe/Berlin")
        page.get_by_label("Monday to Friday").fill("9 to 5")
        clock.look(page)
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_have_text("Hours look like 09:00-12:00.")
        page.get_by_label("Monday to Friday").fill("09:00-12:00, 13:00-17:00")
        after = new_unit.desk.state().last_event
        page.keyboard.press("Enter")
        wait_for_new_engine(new_unit, after)
        heading(page, "Ready for the first call")
        steps.append(f"place {clock.spent_s:.1f} s")
        expect(page.locator(".stand")).to_contain_text("Trunk registered")
        clock.look(page)
        page.get_by_role("link", name="To the desk").click()
        expect(page.locator(".desk")).to_be_visible()

        keys = {"caller": "100"}
        with SippPeer(
            "call_through_proxy", tmp_path, target=kamailio.server, number="desk", keys=keys, hold_ms=5000
        ) as peer:
            expect(page.locator(".advice")).to_have_attribute("data-ring", "1")
            page.keyboard.press("a")
            expect(page.locator(".call.active")).to_be_visible()
            spent_s = clock.spent_s
            peer.wait()
            expect(page.locator(".call.ended")).to_contain_text("customer")
    with capsys.disabled():
        path = f"from signing in to the first answered call: {spent_s:.1f} s ({', '.join(steps)})"
        sys.stdout.write(f"\n{path}\n")
    assert spent_s < LONGEST_S
    kept = {one.name: one.value for one in new_unit.desk.settings()}
    assert (kept["firm.name"], kept["firm.language"], kept["firm.set_up"]) == ("Northwind", "en", True)
    assert (kept["trunk.country"], kept["firm.time_zone"]) == ("DE", "Europe/Berlin")
    assert kept["norms.outbound.weekday_hours"] == ["09:00-12:00", "13:00-17:00"]


def test_the_set_up_may_be_left_and_entered_again(new_unit: Unit, newcomer: Visitor) -> None:
    first = (new_unit.state_dir / "first-password").read_text(encoding="utf-8").strip()
    page = newcomer.page
    page.goto(newcomer.address)
    newcomer.give("technician", first)
    page.get_by_role("button", name="Next").click()
    page.locator("input[name=old]").fill(first)
    page.locator("input[name=new]").fill(PASSWORD)
    page.locator("input[name=again]").fill(PASSWORD)
    page.keyboard.press("Enter")
    heading(page, "Your telephone line")
    page.get_by_label("Server of the trunk").fill("nowhere.invalid")
    page.get_by_role("button", name="Try it now").click()
    expect(page.locator(".told")).to_contain_text("The server's name is not found.")
    newcomer.go("desk")
    expect(page.locator(".desk")).to_be_visible()
    page.reload()
    expect(page.locator(".desk")).to_be_visible()
    newcomer.go("technician/setup")
    page.get_by_role("button", name="Password").click()
    expect(page.get_by_text("You have a password of your own already.")).to_be_visible()
    page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="Later").click()
    heading(page, "Can you be heard?")
    page.get_by_role("button", name="Back").click()
    heading(page, "Your telephone line")
    page.get_by_role("button", name="Sign out").click()
    newcomer.give("technician", PASSWORD)
    # Still nobody has gone through it: it shows itself at the next sign-in.
    heading(page, "Your telephone line")
