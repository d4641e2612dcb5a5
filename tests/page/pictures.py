"""Takes the pictures of the page in docs/pictures: a call with speech on the simulator board.

``python -m tests.page.pictures``; ``nox -s page_pictures`` does so. Desktop and phone, light and dark, both
languages, each from the same unit.
"""

import functools
import io
import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import soundfile
from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright
from scipy.signal import resample_poly

from tests.integration.conftest import Unit
from tests.page.conftest import ARGUMENTS, CHROMIUM, SETTINGS, Visitor, change_first_password
from tests.peers import BaresipPeer, KamailioRegistrar, wait_until
from thirdring.protocol.events import CallEnded, Record, RingBurst, Verdict
from thirdring_device.demo.speech import make_conversation

PICTURES = Path(__file__).parents[2] / "docs/pictures"
MOST_BYTES = 200_000
COLOURS = 128
SELF_TEST_MS = 60_000
BACKUP = {
    "kind": "thirdring settings",
    "format": 1,
    "version": "0.1.0",
    "made_utc": "2026-11-02T08:15:00Z",
    "settings": {
        "firm.name": "Acme Orders",
        "recording.keep_days": 90,
        "norms.hold.limit_s": 120.0,
        "trunk.server": "sip.example.com",
    },
    "left_out": ["trunk.password"],
}
SPEAKING = """[...document.querySelectorAll(".meter .bar")]
    .some((bar) => Number(/[0-9.]+/.exec(bar.style.transform)) > 0.5)"""
CUSTOMERS = (
    ("13800138000", "王敏 Wang Min", "Northwind"),
    ("13911112222", "李雷 Li Lei", "Contoso"),
    ("01062345678", "韩梅梅 Han Meimei", "Fabrikam"),
)
DESKTOP = {"viewport": {"width": 1280, "height": 800}}
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
LANGUAGES = {"en": "en-GB", "zh": "zh-CN"}


def keep(page: Page, name: str) -> None:
    """Write a picture with few colours, so that it stays small."""
    shot = Image.open(io.BytesIO(page.screenshot(animations="disabled")))
    path = PICTURES / f"page-{name}.png"
    shot.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
    assert path.stat().st_size < MOST_BYTES, path


class Crowd:
    """The same moment in every language, size and colour: one browser window for each."""

    def __init__(self, browser: Browser, unit: Unit) -> None:
        self.visitors = {
            (language, size, scheme): Visitor(browser, unit, locale=tag, color_scheme=scheme, **options)
            for language, tag in LANGUAGES.items()
            for size, options, scheme in (("desktop", DESKTOP, "light"), ("phone", PHONE, "dark"))
        }
        self.visitors["en", "desktop", "dark"] = Visitor(browser, unit, color_scheme="dark", **DESKTOP)
        for somebody in self.visitors.values():
            somebody.sign_in()

    def take(
        self,
        view: str,
        name: str,
        ready: str,
        until: str = "true",
        do: Callable[[Page], None] = lambda _: None,
    ) -> None:
        for (language, size, scheme), somebody in self.visitors.items():
            somebody.go(view)
            do(somebody.page)
            expect(somebody.page.locator(ready).first).to_be_visible(timeout=SELF_TEST_MS)
            wait_until(functools.partial(somebody.page.evaluate, until), until)
            keep(somebody.page, f"{name}-{language}-{size}-{scheme}")


def call(unit: Unit, folder: Path, number: str, ring: int, language: str, crowd: Crowd | None = None) -> None:
    """Have somebody call, answer at a ring, let both speak to the end."""
    folder.mkdir()
    conversation = make_conversation(folder, language)
    after = unit.desk.state().last_event

    def rung(record: Record) -> bool:
        return isinstance(record.event, RingBurst) and record.event.ring == ring

    speech, rate_hz = soundfile.read(conversation.customer)
    narrow = folder / "narrow.wav"
    soundfile.write(narrow, resample_poly(speech, 8000, rate_hz), 8000, "PCM_16")
    with BaresipPeer(folder, speaks=narrow, user=number) as peer:
        peer.dial(f"sip:desk@{unit.target}")
        unit.desk.wait_for(rung, timeout_s=30.0, after=after)
        if crowd:
            crowd.take("desk", "ringing", ".opener q")
        call_id = unit.desk.answer()
        unit.desk.wait_for("media_started", timeout_s=10.0, after=after)
        unit.desk.speak(str(conversation.agent))
        if crowd:
            unit.desk.wait_for("levels", timeout_s=10.0, after=after)
            unit.desk.wait_for("talk_spurt", timeout_s=20.0, after=after)
            crowd.take("desk", "talk", ".meter .needle", SPEAKING)
        unit.desk.wait_for(
            lambda r: isinstance(r.event, CallEnded), timeout_s=conversation.duration_s + 20.0, after=after
        )
    unit.desk.wait_for(lambda r: isinstance(r.event, Verdict), timeout_s=10.0, after=after)
    unit.desk.take_notes(
        call_id, name={one[0]: one[1] for one in CUSTOMERS}[number], matter="Delivery", read_back=True
    )


def main() -> None:
    """Take them all."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        unit = Unit(
            folder,
            extra=SETTINGS.replace("agc = false", "agc = true").replace('"Acme"', '"Acme"\nagent = "Lin"'),
        )
        unit.start()
        try:
            change_first_password(unit)
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
                pictures(browser, unit, folder)
                browser.close()
        finally:
            unit.stop()


def pictures(browser: Browser, unit: Unit, folder: Path) -> None:
    for number, customer, firm in CUSTOMERS:
        unit.desk.save_contact(number, customer, firm=firm)
    for place, (number, _, _) in enumerate(CUSTOMERS[1:]):
        call(unit, folder / f"call-{place}", number, 1, "en")
    unit.desk.set_agent_state("ready")
    crowd = Crowd(browser, unit)
    call(unit, folder / "shown", CUSTOMERS[0][0], 2, "en", crowd)
    crowd.take("calls", "calls", ".calls-table")
    call_id = unit.desk.calls()[0].call_id
    crowd.take(f"calls/{call_id}", "report", ".lane i.agent")
    crowd.take("wall", "wall", ".scores li")
    crowd.take("technician", "technician", ".cards .good")
    crowd.take("technician/selftest", "selftest", "[data-table='measured']", do=run_self_test)
    (folder / "set-up").mkdir()
    set_up(crowd, unit, folder / "set-up")
    backup = folder / "backup.json"
    backup.write_text(json.dumps(BACKUP), encoding="utf-8")
    crowd.take(
        "technician/backup", "restore", "[data-table='changes']", do=functools.partial(compare, backup)
    )


def set_up(crowd: Crowd, unit: Unit, folder: Path) -> None:
    """A trunk that refuses the password, and a headset that is spoken into."""
    conversation = make_conversation(folder, "en")
    with KamailioRegistrar(folder) as registrar:
        crowd.take(
            "technician/setup", "setup-trunk", ".told strong", do=functools.partial(try_trunk, registrar)
        )

    def test_headset(page: Page) -> None:
        page.locator(".steps li:nth-child(4) button").click()
        unit.desk.speak("")
        unit.desk.speak(str(conversation.agent))
        page.locator("[data-do='headset-test']").click()

    listening = "document.querySelector('[data-test=listening]') && (" + SPEAKING + ")"
    crowd.take("technician/setup", "setup-headset", ".meter .needle", listening, do=test_headset)
    unit.desk.speak("")


def try_trunk(registrar: KamailioRegistrar, page: Page) -> None:
    page.locator(".steps li:nth-child(3) button").click()
    page.locator("select[name='trunk.mode']").select_option("registered")
    page.locator("input[name='trunk.server']").fill(registrar.server)
    page.locator("input[name='trunk.password']").fill("guessed")
    page.locator("[data-do='try']").click()


def run_self_test(page: Page) -> None:
    page.locator(".selftest .main").click()


def compare(backup: Path, page: Page) -> None:
    page.locator("input[name=backup]").set_input_files(backup)


if __name__ == "__main__":
    main()
