"""Debian's Chromium on the page of a real appliance."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.integration.conftest import Unit
from tests.peers import SippPeer

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)
CALLER = "13800138000"
WAIT_MS = 15_000


class Visitor:
    """Somebody in front of the page: a browser of his own, signed in."""

    def __init__(self, browser: Browser, unit: Unit, **options: Any) -> None:
        self.address = f"http://127.0.0.1:{unit.http_port}/"
        self.context: BrowserContext = browser.new_context(**{"locale": "en-GB", **options})
        self.context.set_default_timeout(WAIT_MS)
        self.page: Page = self.context.new_page()
        self.faults: list[str] = []
        self.page.on("pageerror", lambda fault: self.faults.append(str(fault)))
        self.page.on("console", lambda said: self.faults.append(said.text) if said.type == "error" else None)
        self.token = (unit.state_dir / "api-token").read_text(encoding="utf-8").strip()

    def sign_in(self) -> None:
        self.page.goto(self.address)
        self.page.locator("input[name=token]").fill(self.token)
        self.page.keyboard.press("Enter")
        expect(self.page.locator(".desk")).to_be_visible()

    def go(self, view: str) -> None:
        self.page.goto(f"{self.address}#/{view}")


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
    running = Unit(
        tmp_path_factory.mktemp("page"),
        extra='[firm]\nname = "Acme"\ntime_zone = "UTC"\n[recording]\nenabled = true\nreserve_mb = 1\n',
    )
    running.start()
    yield running
    running.stop()


@pytest.fixture
def visitor(browser: Browser, unit: Unit) -> Iterator[Visitor]:
    somebody = Visitor(browser, unit)
    yield somebody
    somebody.context.close()
    assert somebody.faults == []


def caller(unit: Unit, directory: Path, scenario: str = "call_until_bye", hold_ms: int = 300) -> SippPeer:
    return SippPeer(scenario, directory, target=unit.target, keys={"caller": CALLER}, hold_ms=hold_ms)
