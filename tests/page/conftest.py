"""Debian's Chromium on the page of a real appliance."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from tests.integration.conftest import Unit
from tests.peers import SippPeer

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)
CALLER, COLLEAGUE = "13800138000", "13900001111"
SERVER = "127.0.0.1:9"
WAIT_MS = 15_000
PASSWORD = "a tram to the sea"  # noqa: S105 - of a unit that lives for one module
SETTINGS = f"""
[trunk]
server = "{SERVER}"
[firm]
name = "Acme"
time_zone = "UTC"
[audio]
agc = false
[recording]
enabled = true
reserve_mb = 1
"""


class Visitor:
    """Somebody in front of the page, with a browser of his own."""

    def __init__(self, browser: Browser, unit: Unit, **options: Any) -> None:
        self.address = f"http://127.0.0.1:{unit.http_port}/"
        self.context: BrowserContext = browser.new_context(**{"locale": "en-GB", **options})
        self.context.set_default_timeout(WAIT_MS)
        self.page: Page = self.context.new_page()
        self.faults: list[str] = []
        self.page.on("pageerror", lambda fault: self.faults.append(str(fault)))
        self.page.on("console", self._said)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error" and "status of 401" not in message.text:  # that nobody is signed in yet
            self.faults.append(message.text)

    def give(self, role: str, password: str) -> None:
        """Type role and password and send them."""
        self.page.locator("select[name=username]").select_option(role)
        self.page.locator("input[name=password]").fill(password)
        self.page.keyboard.press("Enter")

    def sign_in(self) -> None:
        self.page.goto(self.address)
        self.give("technician", PASSWORD)
        expect(self.page.locator(".desk")).to_be_visible()

    def go(self, view: str) -> None:
        self.page.goto(f"{self.address}#/{view}")


def accessible(page: Page) -> None:
    """Hold what the page shows now against axe-core."""
    found = Axe().run(page).response["violations"]
    told = [(rule["id"], [node["html"][:200] for node in rule["nodes"]]) for rule in found]
    assert told == []


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, for one module only: while it is there its event loop runs in this thread."""
    expect.set_options(timeout=WAIT_MS)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield running
        running.close()


@pytest.fixture(scope="module")
def unit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Unit]:
    running = Unit(tmp_path_factory.mktemp("page"), extra=SETTINGS)
    running.start()
    change_first_password(running)
    yield running
    running.stop()


def change_first_password(unit: Unit) -> None:
    """Give the technician the password that the tests know."""
    command = [sys.executable, "-m", "thirdring_device.cli", "password", "--state", str(unit.state_dir)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    first = printed.partition(": ")[2].partition(" ")[0]
    with httpx.Client(base_url=f"http://127.0.0.1:{unit.http_port}/v1", timeout=20) as http:
        begun = http.post("/session", json={"role": "technician", "password": first})
        csrf = {"x-csrf-token": begun.raise_for_status().json()["csrf_token"]}
        changed = {"old": first, "new": PASSWORD}
        http.put("/session/password", json=changed, headers=csrf).raise_for_status()


@pytest.fixture
def visitor(browser: Browser, unit: Unit) -> Iterator[Visitor]:
    somebody = Visitor(browser, unit)
    yield somebody
    somebody.context.close()
    assert somebody.faults == []


def caller(
    unit: Unit,
    directory: Path,
    scenario: str = "call_until_bye",
    hold_ms: int = 300,
    handed_to: str = COLLEAGUE,
) -> SippPeer:
    keys = {"caller": CALLER, "target": f"{handed_to}@{SERVER}"}
    return SippPeer(scenario, directory, target=unit.target, keys=keys, hold_ms=hold_ms)
