"""The norms' procedures as real SIP calls with real peers, their limits shortened by settings.

Each says how the call is judged, what the agent is prompted, in order, and what the appliance does by itself.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile
from scipy.signal import resample_poly

from tests.dsp import signals
from tests.integration.conftest import Unit
from tests.integration.likeness import likeness
from tests.integration.story import RATE_HZ, Story, quiet_line, sound_file, told, words
from tests.peers import BaresipPeer, SippPeer, free_port
from thirdring import (
    AgentRequested,
    CallBackListed,
    CallEnded,
    CallError,
    CallReturned,
    HoldEnded,
    HoldStarted,
    MediaStarted,
    NormNoted,
    Prompt,
    SurveyEnded,
    SurveyStarted,
    TalkSpurt,
    TransferProgress,
)

pytestmark = pytest.mark.sip

SETTINGS = """\
[trunk]
server = "127.0.0.1:{port}"
[norms.prompt]
gap_s = 0.0
[norms.answer]
silent_pause_s = 1.0
silent_release = true
poor_caller_asks = 2
[norms.hold]
warn_s = 1.0
limit_s = 5.0
[norms.returns]
caller_s = 5.0
redial_s = 20.0
call_back_s = 20.0
[norms.survey]
answer_s = 20.0
"""


class Trunk(Unit):
    """An appliance and the port where its trunk is, if anybody is there."""

    trunk_port = 0


@pytest.fixture(scope="module")
def unit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trunk]:
    port = free_port()
    running = Trunk(tmp_path_factory.mktemp("unit"), extra=SETTINGS.format(port=port))
    running.trunk_port = port
    text = running.settings.read_text(encoding="utf-8")
    running.settings.write_text(text.replace("[sip]\n", "[sip]\nno_rtp_end_s = 2.0\n"), encoding="utf-8")
    running.start()
    yield running
    running.stop()


@pytest.fixture
def story(unit: Trunk) -> Iterator[Story]:
    yield Story(unit)
    unit.free()
    unit.desk.speak("")


@pytest.mark.interop("silent call: greeted, told, released by the appliance", peer="baresip")
def test_a_silent_line_is_greeted_twice_told_and_released(story: Story, tmp_path: Path) -> None:
    greeting = words(tmp_path)
    with story.answered(BaresipPeer(tmp_path, speaks=quiet_line(tmp_path), answers=False)) as peer:
        for key in ("silent_greet_again", "silent_explain", "silent_hang_up"):
            story.say(greeting)
            prompted_s = story.prompted(key).at_s
        ended = story.until(told(CallEnded, by="agent", cause="hangup"))
        peer.wait_for("CALL_CLOSED")
    asked = [
        r.event.action for r in story.desk.call_events(story.call_id) if isinstance(r.event, AgentRequested)
    ]
    assert asked == ["answer"], "it was the appliance that hung up"
    assert ended.at_s - prompted_s < 1.0
    assert story.prompts("answer.silent_call") == [
        ("silent_greet_again", "warn"),
        ("silent_explain", "warn"),
        ("silent_hang_up", "warn"),
    ]
    verdict = story.verdict("answer.silent_call")
    assert (verdict.verdict, verdict.value, verdict.reason) == ("met", 3.0, "the line was very quiet")
    assert story.verdict("call.release").verdict == "not_applicable"


def test_hanging_up_early_on_a_silent_line_is_a_breach(story: Story, tmp_path: Path) -> None:
    with story.answered(BaresipPeer(tmp_path, speaks=quiet_line(tmp_path), answers=False)):
        story.say(words(tmp_path))
        story.prompted("silent_greet_again")
        story.desk.hangup()
        story.until(told(CallEnded, by="agent"))
    verdict = story.verdict("answer.silent_call")
    assert (verdict.verdict, verdict.value, verdict.threshold) == ("breached", 1.0, 3.0)
    assert story.prompts("answer.silent_call") == [("silent_greet_again", "warn")]


POOR = {
    "answer.weak_caller": (-50.0, -80.0, "customer_level_dbov", -42.0),
    "answer.noisy_caller": (-24.0, -29.0, "customer_snr_db", 10.0),
}
"""Level of the caller's speech and of his noise; what is measured of it, and what it lies below."""


@pytest.mark.interop("weak and noisy callers: asked again and again, then let go", peer="baresip")
@pytest.mark.parametrize("rule", list(POOR))
def test_a_caller_who_cannot_be_understood_is_asked_and_let_go(
    story: Story, tmp_path: Path, rule: str
) -> None:
    level_dbov, noise_dbov, measure, limit = POOR[rule]
    speech = signals.at_active_level(signals.prompts(40), level_dbov)[: 60 * RATE_HZ]
    line = speech + signals.white(len(speech) / RATE_HZ, noise_dbov)
    customer = sound_file(tmp_path / "customer.wav", line)
    asking = words(tmp_path)
    with story.answered(BaresipPeer(tmp_path, speaks=customer, answers=False)):
        story.prompted("ask_louder", rule=rule)
        for key in ("ask_again", "ask_other_phone"):
            story.desk.speak(str(asking))
            story.until_all(told(TalkSpurt, side="agent"), told(Prompt, key=key, rule=rule))
            story.sound(1.5)
        story.desk.hangup()
        story.until(told(CallEnded, by="agent"))
    assert story.prompts(rule) == [("ask_louder", "info"), ("ask_again", "info"), ("ask_other_phone", "info")]
    verdict = story.verdict(rule)
    assert (verdict.verdict, verdict.unit) == ("met", "dB")
    assert verdict.value == pytest.approx(0.0, abs=1.0), "the agent's voice did not rise"
    assert verdict.measures["asked_count"] == 2.0
    assert verdict.measures[measure] < limit
    release = story.verdict("call.release")
    assert (release.verdict, release.reason) == ("not_applicable", "a silent, weak or noisy caller")


@pytest.mark.interop("hold: told to go back in time, and too late", peer="SIPp")
@pytest.mark.parametrize("verdict", ["warned", "breached"])
def test_a_held_customer_is_to_be_gone_back_to(story: Story, tmp_path: Path, verdict: str) -> None:
    with SippPeer(
        "be_held_and_taken_back", tmp_path, target=story.unit.target, keys={"caller": "1380"}
    ) as peer:
        story.answer()
        story.desk.hold()
        held = story.until(told(HoldStarted, by="agent"))
        story.prompted("hold_return", urgency="warn")
        if verdict == "breached":
            story.prompted("hold_return", urgency="urgent")
        # A fact of the sound, dated by its samples, may be some milliseconds ahead of the clock that dates
        # the signalling, and bring the prompt so early: an agent comes back later than that.
        story.sound(0.5)
        story.desk.resume()
        taken = story.until(told(HoldEnded, by="agent"))
        story.desk.hangup()
        peer.wait()
        story.until(told(CallEnded))
    noted = [
        (r.event.state, round(r.event.at_s - held.at_s, 3))
        for r in story.desk.call_events(story.call_id)
        if isinstance(r.event, NormNoted) and r.event.rule == "hold.check_in"
    ]
    late = verdict == "breached"
    assert noted[:-1] == [("warned", 1.0), ("breached", 5.0)][: 1 + late]
    assert noted[-1][0] == "met"
    assert story.prompts("hold.check_in") == [("hold_return", "warn"), ("hold_return", "urgent")][: 1 + late]
    judged = story.verdict("hold.check_in")
    assert (judged.verdict, judged.value) == (verdict, round(taken.at_s - held.at_s, 2))


@pytest.mark.interop("dropped call (no RTP): call-back list, and calling back", peer="SIPp")
def test_a_caller_who_is_cut_off_comes_to_the_call_back_list(
    unit: Trunk, story: Story, tmp_path: Path
) -> None:
    desk = story.desk
    with SippPeer(
        "call_until_bye", tmp_path, target=story.unit.target, keys={"caller": "13900139000"}
    ) as peer:
        story.answer()
        ended = story.until(told(CallEnded, by="network", cause="lost"))
        peer.wait()
    listed = story.until(told(CallBackListed, number="13900139000", why="dropped"))
    assert listed.at_s - ended.at_s == pytest.approx(5.0, abs=0.001)
    assert [view.number for view in desk.call_backs()] == ["13900139000"]
    dropped = story.call_id
    keys = {"code": "486", "phrase": "Busy Here"}
    with SippPeer("refuse", tmp_path, port=unit.trunk_port, keys=keys) as busy:
        desk.dial("13900139000")
        returned = story.until(told(CallReturned, call_id=dropped, by="agent", reached=False))
        busy.wait()
    verdict = story.verdict("call.dropped")
    assert verdict.verdict == "met"
    assert verdict.value == pytest.approx(returned.at_s - ended.at_s, abs=0.001)
    assert story.prompts("call.dropped") == [("call_back", "urgent")]
    assert desk.call_backs(), "nobody has answered yet"
    desk.finish_call_back(dropped)


@pytest.mark.interop("blind transfer with and without the customer's consent", peer="SIPp")
@pytest.mark.parametrize("consent", [True, False])
def test_a_customer_agrees_before_a_transfer(
    unit: Trunk, story: Story, tmp_path: Path, consent: bool
) -> None:
    keys = {"caller": "1380", "target": f"02155501@127.0.0.1:{unit.trunk_port}"}
    with SippPeer("be_transferred", tmp_path, target=unit.target, keys=keys) as peer:
        story.answer()
        unit.desk.transfer("02155501", consent=consent)
        story.until(told(TransferProgress, state="succeeded"))
        story.until(told(CallEnded, by="agent", cause="transferred"))
        peer.wait()
    verdict = story.verdict("transfer.consent")
    assert (verdict.verdict, verdict.value) == (("met", 0.0) if consent else ("breached", 1.0))
    assert story.prompts("transfer.consent") == ([] if consent else [("ask_consent", "warn")])


def test_the_appliance_asks_before_it_dials(unit: Trunk, story: Story, tmp_path: Path) -> None:
    desk = unit.desk
    never: list[str] = []
    desk.set_settings(
        {"norms.outbound.weekday_hours": never, "norms.outbound.weekend_hours": never}
        | {"norms.outbound.ask_hours": True, "norms.outbound.ask_prepared": True}
    )
    before = len(desk.calls())
    with pytest.raises(CallError, match="2013"):
        desk.dial("02155501234")
    desk.set_settings({"norms.outbound.ask_hours": False})
    with pytest.raises(CallError, match="2014"):
        desk.dial("02155501234")
    assert len(desk.calls()) == before, "nothing was dialled"
    keys = {"code": "486", "phrase": "Busy Here"}
    rules = ("outbound.hours", "outbound.prepared")
    with SippPeer("refuse", tmp_path, port=unit.trunk_port, calls=2, keys=keys) as peer:
        story.dial("02155501234", "the customer asked for it")
        story.until(told(CallEnded))
        assert [story.verdict(rule).verdict for rule in rules] == ["warned", "met"]
        assert story.prompts(*rules) == []
        desk.set_settings({"norms.outbound.ask_prepared": False})
        story.dial("02155501234")
        story.until(told(CallEnded))
        peer.wait()
    assert [story.verdict(rule).verdict for rule in rules] == ["breached", "breached"]
    assert story.prompts(*rules) == [("bad_hour", "warn"), ("prepare_call", "warn")]


@pytest.mark.interop("survey after the agent's release: announcement and digit", peer="baresip")
def test_a_released_caller_hears_the_survey_and_gives_a_digit(story: Story, tmp_path: Path) -> None:
    desk = story.desk
    desk.set_settings({"norms.survey.enabled": True})
    own = story.unit.state_dir / "announcements"
    own.mkdir(exist_ok=True)
    announcement = signals.white(2.0, -26.0, 16_000)
    soundfile.write(own / "survey-zh.wav", announcement, 16_000)
    said = signals.prompts(2)
    customer = sound_file(tmp_path / "customer.wav", signals.place([signals.Spurt(0.2, said, -26.0)], 60.0))
    with story.answered(BaresipPeer(tmp_path, speaks=customer, answers=False)) as peer:
        story.until(told(TalkSpurt, side="customer"))
        desk.hangup()
        story.until(told(SurveyStarted))
        story.sound(3.0)  # the announcement lasts two seconds
        peer.send_digits("4")
        story.until(told(SurveyEnded, score=4))
        story.until(told(CallEnded, by="agent"))
    desk.set_settings({"norms.survey.enabled": False})
    verdict = story.verdict("customer.survey")
    assert (verdict.verdict, verdict.value) == ("met", 4.0)
    assert story.prompts("customer.survey") == []
    heard, rate_hz = soundfile.read(peer.heard)
    announced = resample_poly(announcement, rate_hz, 16_000)
    assert likeness(heard, announced[: rate_hz // 2]) > 0.8


@pytest.mark.interop("dropped call of ours (the customer's phone dies): redial", peer="baresip")
def test_a_call_of_ours_that_is_cut_off_is_dialled_again(unit: Trunk, story: Story, tmp_path: Path) -> None:
    """The last one: for half a minute the trunk's port gets the BYE that the dead phone does not answer."""
    desk = unit.desk
    number = "02155501234"
    with BaresipPeer(tmp_path, speaks=quiet_line(tmp_path), user=number, port=unit.trunk_port) as peer:
        story.dial(number, "asked for")
        story.until(told(MediaStarted))
        story.sound(1.0)
        peer.process.kill()
        peer.process.wait()
        ended = story.until(told(CallEnded, by="network", cause="lost"))
    assert story.prompts("call.dropped") == [("redial", "urgent")]
    assert [(view.number, view.why) for view in desk.call_backs()] == [(number, "dropped")]
    dropped = story.call_id
    (tmp_path / "again").mkdir()
    with BaresipPeer(
        tmp_path / "again", speaks=quiet_line(tmp_path), user=number, port=unit.trunk_port
    ) as second:
        again = desk.redial()
        returned = story.until(told(CallReturned, call_id=dropped, reached=False, other_call_id=again))
        story.until(told(CallReturned, call_id=dropped, reached=True))
        desk.hangup()
        second.wait_for("CALL_CLOSED")
    verdict = story.verdict("call.dropped")
    assert verdict.verdict == "met"
    assert verdict.value == pytest.approx(returned.at_s - ended.at_s, abs=0.001)
    assert desk.call_backs() == []
