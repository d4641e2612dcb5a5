"""A call's report: a click on its timeline plays the recording from there, for whom may listen."""

import re

import httpx
import pytest
import soundfile
from playwright.sync_api import Browser, Response, expect

from tests.dsp import signals
from tests.integration.conftest import Unit
from tests.page.conftest import Visitor, accessible, caller
from tests.peers import wait_until

pytestmark = pytest.mark.sip

TALK_MS = 5000


@pytest.fixture(scope="module")
def recorded(unit: Unit, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A call in which the agent spoke, and whose recording is finished."""
    folder = tmp_path_factory.mktemp("recorded")
    speech = signals.at_active_level(signals.prompts(4, sample_rate_hz=16_000), -26.0, 16_000)
    soundfile.write(folder / "speech.wav", signals.to_int16(speech), 16_000, "PCM_16")
    after = unit.desk.state().last_event
    with caller(unit, folder, "call_and_hang_up", hold_ms=TALK_MS) as peer:
        unit.desk.wait_for("ring_burst", timeout_s=30.0, after=after)
        call_id = unit.desk.answer()
        unit.desk.wait_for("media_started", timeout_s=20.0, after=after)
        unit.desk.speak(str(folder / "speech.wav"))
        peer.wait()
    unit.desk.wait_for("recording_ended", timeout_s=20.0, after=after)
    unit.free()
    return call_id


def test_a_click_on_the_timeline_plays_the_recording_from_there(
    visitor: Visitor, unit: Unit, recorded: str
) -> None:
    visitor.sign_in()
    page = visitor.page
    answers: list[Response] = []

    def seen(answer: Response) -> None:
        if answer.url.endswith("/recording"):
            answers.append(answer)

    page.on("response", seen)
    visitor.go(f"calls/{recorded}")
    sound = page.locator("audio")
    expect(sound).to_be_visible()
    expect(page.locator(".can-play")).to_have_attribute("title", "Play the recording from here")
    assert answers == [], "nothing is fetched, and nobody noted as a listener, before somebody listens"
    accessible(page)

    track = page.locator(".lane .track").first
    box = track.bounding_box()
    assert box is not None
    duration_s = unit_report(unit, recorded)["duration_s"]
    media_at_s = unit_report(unit, recorded)["media_at_s"]
    fraction = (media_at_s + 3.0) / duration_s
    track.click(position={"x": fraction * box["width"], "y": box["height"] / 2})
    at_s = "document.querySelector('audio').currentTime"
    begun_s = float(page.evaluate(at_s))
    wait_until(lambda: not page.evaluate("document.querySelector('audio').paused"), "it plays")
    wait_until(lambda: float(page.evaluate(at_s)) > max(begun_s, 3.0), "it goes on from there")
    assert 2.8 < begun_s < 4.5, "from where the click was"
    assert page.evaluate("document.querySelector('audio').error") is None
    assert answers, "its bytes were fetched"
    assert {answer.status for answer in answers} == {206}
    ranges = [re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", answer.headers["content-range"]) for answer in answers]
    fetched = sum(int(one[2]) - int(one[1]) + 1 for one in ranges if one)
    assert fetched > 16_000, "more than a header"
    page.evaluate("document.querySelector('audio').pause()")
    listened = [one for one in unit.desk.call_events(recorded) if one.event.kind == "recording_read"]
    assert len(listened) >= 1


def test_the_report_speaks_chinese_and_plays_there_too(browser: Browser, unit: Unit, recorded: str) -> None:
    somebody = Visitor(browser, unit, locale="zh-CN", color_scheme="dark")
    somebody.sign_in()
    somebody.go(f"calls/{recorded}")
    page = somebody.page
    expect(page.locator(".can-play")).to_have_attribute("title", "从此处播放录音")
    expect(page.locator("#recording-title")).to_have_text("录音")
    accessible(page)
    somebody.context.close()
    assert somebody.faults == []


def test_an_agent_has_no_recording_to_play(browser: Browser, unit: Unit, recorded: str) -> None:
    token = (unit.state_dir / "api-token").read_text(encoding="utf-8").strip()
    headers = {"authorization": f"Bearer {token}"}
    url = f"http://127.0.0.1:{unit.http_port}/v1"
    made = httpx.post(f"{url}/tokens", json={"name": "a desk", "role": "agent"}, headers=headers)
    agents = {"authorization": f"Bearer {made.raise_for_status().json()['token']}"}
    assert httpx.get(f"{url}/calls/{recorded}/recording", headers=agents).status_code == 403
    somebody = Visitor(browser, unit)
    page = somebody.page
    page.goto(somebody.address)
    page.get_by_text("With an API token instead").click()
    page.locator("input[name=token]").fill(made.json()["token"])
    page.keyboard.press("Enter")
    expect(page.locator(".desk")).to_be_visible()
    somebody.go(f"calls/{recorded}")
    expect(page.locator(".timeline .lane i.agent").first).to_be_visible()
    expect(page.locator("audio")).to_have_count(0)
    expect(page.locator(".can-play")).to_have_count(0)
    somebody.context.close()
    assert somebody.faults == []


def test_who_signed_in_by_token_fetches_the_recording_first(
    browser: Browser, unit: Unit, recorded: str
) -> None:
    somebody = Visitor(browser, unit)
    page = somebody.page
    page.goto(somebody.address)
    page.get_by_text("With an API token instead").click()
    page.locator("input[name=token]").fill((unit.state_dir / "api-token").read_text(encoding="utf-8").strip())
    page.keyboard.press("Enter")
    expect(page.locator(".desk")).to_be_visible()
    somebody.go(f"calls/{recorded}")
    expect(page.locator(".can-play")).to_have_count(0)
    page.get_by_role("button", name="Fetch the recording").click()
    expect(page.locator("audio")).to_be_visible()
    expect(page.locator(".can-play")).to_have_count(1)
    somebody.context.close()
    assert somebody.faults == []


def unit_report(unit: Unit, call_id: str) -> dict[str, float]:
    token = (unit.state_dir / "api-token").read_text(encoding="utf-8").strip()
    answer = httpx.get(
        f"http://127.0.0.1:{unit.http_port}/v1/calls/{call_id}/report",
        headers={"authorization": f"Bearer {token}"},
    )
    report: dict[str, float] = answer.raise_for_status().json()
    return report
