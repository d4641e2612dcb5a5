"""Every recorded family: hook, mute, hold, second call give the right states and the right lamps."""

import pytest

from tests.hid.bench import Bench
from thirdring.protocol.commands import Answer, Hangup, Hold, Mute, Resume, Unmute
from thirdring.protocol.errors import RequestError, StorageError
from thirdring_device.adapters.hid.simulator import SimulatedButtons, families
from thirdring_device.adapters.hid.telephony import Telephony

ALL = sorted(families())


def having(*buttons: str) -> list[str]:
    return [name for name in ALL if set(buttons) <= set(SimulatedButtons(name).names)]


IN_TALK = ("off_hook", "speaker", "on_line")
MUTED = (*IN_TALK, "mute", "microphone")


def test_there_are_at_least_six_families_with_a_hook_switch() -> None:
    assert len(having("hook", "mute")) >= 6
    assert len(having("hook", "flash")) >= 5


@pytest.mark.parametrize("name", ALL)
def test_streams_hold_only_reports_that_the_descriptor_declares(name: str) -> None:
    family = families()[name]
    telephony = Telephony(family.descriptor)
    for hook, by_button in family.streams.items():
        for button, reports in by_button.items():
            changes = [telephony.changes(report) for report in reports]
            assert all(changes), (hook, button)
            if button in ("hook", "unmute"):
                continue
            on = {change.control for change in changes[0] if change.on} - {"hook"}
            assert on == {button}, (hook, button)


@pytest.mark.parametrize("name", having("hook"))
def test_hook_answers_and_hangs_up(name: str) -> None:
    bench = Bench(name)
    assert bench.lit() == set()
    bench.ring()
    assert bench.lit() == bench.expected("ring", "ringer")
    bench.press("hook")
    assert bench.states() == {"a": "active"}
    assert bench.lit() == bench.expected(*IN_TALK)
    bench.press("hook")
    assert bench.states() == {}
    assert bench.lit() == set()
    assert bench.asked() == ["answer", "hangup"]
    assert bench.pressed() == [("hook", "answer"), ("hook", "hangup")]


@pytest.mark.parametrize("name", having("hook"))
def test_five_calls_in_a_row_are_answered_and_ended_by_hook(name: str) -> None:
    bench = Bench(name)
    for call_id in "abcde":
        bench.in_call(call_id)
        bench.press("hook")
        assert bench.states() == {}
    assert bench.asked() == ["answer", "hangup"] * 5


@pytest.mark.parametrize("name", having("hook", "mute"))
def test_mute_mutes_and_unmutes_and_is_not_doubled_by_its_lamp(name: str) -> None:
    bench = Bench(name)
    bench.in_call()
    for _ in range(3):
        bench.press("mute")
        assert bench.call("a").muted
        assert bench.lit() == bench.expected(*MUTED)
        bench.press("mute")
        assert not bench.call("a").muted
        assert bench.lit() == bench.expected(*IN_TALK)
    assert bench.asked() == ["answer", *("mute", "unmute") * 3]
    assert bench.states() == {"a": "active"}


@pytest.mark.parametrize("echo_s", [0.02, 0.25, 0.9, 3.5])
@pytest.mark.parametrize("name", having("hook", "mute"))
def test_mute_by_page_is_undone_by_button_and_the_reverse(name: str, echo_s: float) -> None:
    bench = Bench(name, echo_s=echo_s)
    bench.in_call()
    bench.ask(Mute())
    assert bench.lit() == bench.expected(*MUTED)
    bench.press("mute")
    assert not bench.call("a").muted
    bench.press("mute")
    assert bench.call("a").muted
    bench.ask(Unmute())
    assert bench.lit() == bench.expected(*IN_TALK)
    assert bench.asked() == ["answer", "mute", "unmute", "mute", "unmute"]
    bench.press("hook")
    assert bench.states() == {}


@pytest.mark.parametrize("name", having("hook", "flash"))
def test_flash_holds_and_takes_back_without_hanging_up(name: str) -> None:
    bench = Bench(name)
    bench.in_call()
    bench.press("flash")
    assert bench.states() == {"a": "held"}
    assert bench.lit() == bench.expected("off_hook", "on_line", "hold")
    bench.press("flash")
    assert bench.states() == {"a": "active"}
    assert bench.lit() == bench.expected(*IN_TALK)
    bench.press("hook")
    assert bench.states() == {}
    assert bench.asked() == ["answer", "hold", "resume", "hangup"]


@pytest.mark.parametrize("name", having("hook"))
def test_hold_by_page_does_not_let_the_headset_hang_up(name: str) -> None:
    bench = Bench(name)
    bench.in_call()
    bench.ask(Hold())
    assert bench.states() == {"a": "held"}
    assert bench.lit() == bench.expected("off_hook", "on_line", "hold")
    bench.ask(Resume())
    assert bench.asked() == ["answer", "hold", "resume"]
    bench.press("hook")
    assert bench.states() == {}


@pytest.mark.parametrize("name", having("hook", "flash"))
def test_second_call_rings_in_the_lamps_is_taken_and_swapped_by_flash(name: str) -> None:
    bench = Bench(name)
    bench.in_call("a")
    bench.ring("b")
    assert bench.lit() == bench.expected(*IN_TALK, "ring")
    bench.press("flash")
    assert bench.states() == {"a": "held", "b": "active"}
    assert bench.lit() == bench.expected(*IN_TALK, "hold")
    bench.press("flash")
    assert bench.states() == {"a": "active", "b": "held"}
    assert bench.lit() == bench.expected(*IN_TALK, "hold")
    bench.press("hook")
    assert bench.states() == {"b": "held"}
    assert bench.lit() == bench.expected("off_hook", "on_line", "hold")
    bench.press("flash")
    assert bench.states() == {"b": "active"}
    bench.press("hook")
    assert bench.states() == {}
    assert bench.asked() == ["answer", "answer", "resume", "hangup", "resume", "hangup"]


@pytest.mark.parametrize("name", having("hook"))
def test_hanging_up_beside_a_waiting_call_lets_it_ring_on_and_hook_takes_it(name: str) -> None:
    bench = Bench(name)
    bench.in_call("a")
    bench.ring("b")
    bench.press("hook")
    assert bench.states() == {"b": "incoming"}
    assert bench.lit() == bench.expected("ring", "ringer")
    bench.press("hook")
    assert bench.states() == {"b": "active"}
    assert bench.asked() == ["answer", "hangup", "answer"]


@pytest.mark.parametrize("name", having("hook", "reject"))
def test_reject_refuses_the_ringing_call_only(name: str) -> None:
    bench = Bench(name)
    bench.ring("a")
    bench.press("reject")
    assert bench.states() == {}
    bench.press("reject")
    bench.in_call("b")
    bench.press("reject")
    assert bench.states() == {"b": "active"}
    bench.ring("c")
    bench.press("reject")
    assert bench.states() == {"b": "active"}
    assert bench.asked() == ["hangup", "answer", "hangup"]
    assert bench.lit() == bench.expected(*IN_TALK)


@pytest.mark.parametrize("echo_s", [0.02, 0.25, 0.9, 3.5])
@pytest.mark.parametrize("name", ALL)
def test_answer_and_hang_up_by_page_set_the_lamps_and_nothing_happens_twice(name: str, echo_s: float) -> None:
    bench = Bench(name, echo_s=echo_s)
    for call_id in "abc":
        bench.ring(call_id)
        bench.ask(Answer())
        assert bench.lit() == bench.expected(*IN_TALK)
        bench.ask(Hangup())
        assert bench.lit() == set()
    assert bench.asked() == ["answer", "hangup"] * 3
    assert bench.pressed() == []


@pytest.mark.parametrize("echo_s", [0.02, 0.25, 0.9, 3.5])
@pytest.mark.parametrize("name", having("hook"))
def test_headset_takes_over_a_call_that_the_page_answered(name: str, echo_s: float) -> None:
    bench = Bench(name, echo_s=echo_s)
    bench.ring()
    bench.ask(Answer())
    bench.press("hook")
    assert bench.states() == {}
    assert bench.asked() == ["answer", "hangup"]


@pytest.mark.parametrize("echo_s", [0.02, 0.25, 0.9, 3.5])
@pytest.mark.parametrize("name", having("hook"))
def test_customer_who_leaves_puts_the_headset_on_hook(name: str, echo_s: float) -> None:
    bench = Bench(name, echo_s=echo_s)
    bench.in_call("a")
    bench.leave("a")
    assert bench.lit() == set()
    bench.in_call("b")
    assert bench.asked() == ["answer", "answer"]


@pytest.mark.parametrize("name", having("redial"))
def test_redial_calls_again_when_the_desk_is_free_and_only_if_set(name: str) -> None:
    bench = Bench(name)
    bench.desk.last_dialled = "10086"
    bench.press("redial")
    assert list(bench.states().values()) == ["dialing"]
    assert bench.lit() == bench.expected("off_hook", "on_line")
    bench.press("redial" if name == "jlab-jh5003" else "hook")
    assert bench.asked()[0] == "dial"
    quiet = Bench(name, redial=False)
    quiet.desk.last_dialled = "10086"
    quiet.press("redial")
    assert quiet.asked() == []
    assert quiet.pressed() == [("redial", "")]


@pytest.mark.parametrize("name", having("drop"))
def test_drop_refuses_what_rings_and_else_hangs_up(name: str) -> None:
    bench = Bench(name)
    bench.ring("a")
    bench.press("drop")
    assert bench.states() == {}
    bench.in_call("b")
    bench.press("drop")
    assert bench.states() == {}


@pytest.mark.parametrize("name", ALL)
def test_headset_that_is_plugged_in_mid_call_shows_the_call(name: str) -> None:
    bench = Bench(name)
    bench.ring()
    bench.ask(Answer())
    bench.ask(Mute())
    bench.headset.unplug()
    bench.settle()
    assert bench.buttons.view()["device"] == ""
    bench.pause()
    bench.headset.plug()
    bench.settle()
    assert bench.lit() == bench.expected(*MUTED)
    assert bench.states() == {"a": "active"}
    assert bench.asked() == ["answer", "mute"]
    if "hook" in bench.headset.names:
        bench.press("hook")
        assert bench.states() == {}


@pytest.mark.parametrize("name", ALL)
def test_buttons_of_an_idle_desk_do_nothing_and_leave_no_trace(name: str) -> None:
    bench = Bench(name)
    for button in bench.headset.names:
        if button not in ("redial", "unmute"):
            bench.press(button)
    assert bench.asked() == []
    assert bench.follows()
    if "hook" in bench.headset.names:
        bench.in_call()


def test_unknown_button_and_family_are_refused_by_number() -> None:
    with pytest.raises(RequestError) as no_button:
        SimulatedButtons("bluetooth-hfp").press("flash")
    assert no_button.value.code == 1004
    with pytest.raises(StorageError) as no_family:
        SimulatedButtons("nobody")
    assert no_family.value.code == 5005
