"""The button machine: switches that are buttons, pulses that are echoes, switches that deviate."""

import pytest

from thirdring.protocol.commands import Answer, Command, Hangup, Hold, Mute, Resume, SendDtmf, Swap, Unmute
from thirdring_device.core.call import Call, CallState
from thirdring_device.core.headset_buttons import ButtonMachine, Change, Control, Press
from thirdring_device.core.headset_leds import Leds, leds_of


def call(state: CallState, call_id: str = "a", *, muted: bool = False) -> Call:
    made = Call(call_id, 1)
    made.state, made.muted = state, muted
    return made


class Machine:
    """A machine whose calls the test sets, with the lamps following."""

    def __init__(self, *calls: Call) -> None:
        self.machine = ButtonMachine()
        self.now_s = 0.0
        self.machine.attached(self.now_s)
        self.calls: tuple[Call, ...] = ()
        self.become(*calls)
        self.now_s = 10.0

    def become(self, *calls: Call) -> None:
        self.calls = calls
        self.machine.follow(leds_of(calls), self.now_s)

    def turn(
        self, control: Control, on: bool, after_s: float = 5.0, *, relative: bool = False
    ) -> Press | None:
        self.now_s += after_s
        return self.machine.handle(Change(control, on, relative), self.calls, self.now_s)


def asked(press: Press | None) -> object:
    return press and press.command


def test_switch_that_goes_back_at_once_is_a_push_button() -> None:
    desk = Machine(call("incoming"))
    assert asked(desk.turn("hook", True)) == Answer(call_id="a", source="headset")
    desk.become(call("active"))
    assert desk.turn("hook", False, 0.1) is None
    assert asked(desk.turn("hook", True)) == Hangup(call_id="a", source="headset")
    desk.become()
    assert desk.turn("hook", False, 0.1) is None


def test_push_button_works_at_its_first_press_in_a_call_that_the_page_answered() -> None:
    desk = Machine(call("active"))
    assert desk.turn("hook", True) is None
    assert asked(desk.turn("hook", False, 0.1)) == Hangup(call_id="a", source="headset")


def test_switch_that_stays_is_no_push_button_any_more() -> None:
    desk = Machine(call("incoming"))
    desk.turn("hook", True)
    desk.become(call("active"))
    assert desk.turn("hook", False, 0.2) is None
    desk.become()
    desk.become(call("incoming"))
    assert asked(desk.turn("hook", True)) == Answer(call_id="a", source="headset")
    desk.become(call("active"))
    assert asked(desk.turn("hook", False, 3.0)) == Hangup(call_id="a", source="headset")


def test_switch_that_has_followed_its_lamp_may_go_back_at_once() -> None:
    desk = Machine(call("incoming"))
    desk.become(call("active"))
    assert desk.turn("hook", True, 0.05) is None
    desk.now_s += 2.0
    desk.become()
    assert desk.turn("hook", False, 0.05) is None
    desk.become(call("incoming"))
    assert asked(desk.turn("hook", True)) == Answer(call_id="a", source="headset")
    desk.become(call("active"))
    assert asked(desk.turn("hook", False, 0.1)) == Hangup(call_id="a", source="headset")


def test_switch_that_follows_its_lamp_is_an_echo_however_soon_the_lamp_goes_out() -> None:
    desk = Machine(call("incoming"))
    desk.become(call("active"))
    assert desk.turn("hook", True, 0.05) is None
    desk.become()
    assert desk.turn("hook", False, 0.05) is None
    desk.become(call("incoming"))
    assert asked(desk.turn("hook", True)) == Answer(call_id="a", source="headset")
    desk.become(call("active"))
    assert asked(desk.turn("hook", False)) == Hangup(call_id="a", source="headset")


@pytest.mark.parametrize("after_s", [0.02, 0.25])
def test_pulse_right_after_its_lamp_is_an_echo(after_s: float) -> None:
    desk = Machine(call("active"))
    desk.become(call("active", muted=True))
    assert desk.turn("mute", True, after_s, relative=True) is None
    assert desk.turn("mute", False, 0.01, relative=True) is None
    assert asked(desk.turn("mute", True, relative=True)) == Unmute(call_id="a", source="headset")


def test_pulse_right_after_plugging_in_is_an_echo_only_where_a_lamp_is_lit() -> None:
    desk = Machine(call("active"))
    desk.machine.attached(desk.now_s)
    assert asked(desk.turn("mute", True, 0.1, relative=True)) == Mute(call_id="a", source="headset")
    muted = Machine(call("active", muted=True))
    muted.machine.attached(muted.now_s)
    assert muted.turn("mute", True, 0.1, relative=True) is None


def test_quick_second_press_is_no_echo_of_the_first() -> None:
    desk = Machine(call("active"))
    assert asked(desk.turn("mute", True, relative=True)) == Mute(call_id="a", source="headset")
    desk.become(call("active", muted=True))
    assert desk.turn("mute", False, 0.01, relative=True) is None
    assert asked(desk.turn("mute", True, 0.05, relative=True)) == Unmute(call_id="a", source="headset")


def test_pulse_that_is_told_twice_counts_once_and_one_without_release_counts_again() -> None:
    desk = Machine(call("active"))
    mute = Mute(call_id="a", source="headset")
    assert asked(desk.turn("mute", True, relative=True)) == mute
    assert desk.turn("mute", True, 0.1, relative=True) is None
    assert asked(desk.turn("mute", True, 2.0, relative=True)) == mute


def test_relative_hook_toggles() -> None:
    desk = Machine(call("incoming"))
    assert asked(desk.turn("hook", True, relative=True)) == Answer(call_id="a", source="headset")
    desk.become(call("active"))
    assert desk.turn("hook", False, 0.05, relative=True) is None
    assert asked(desk.turn("hook", True, relative=True)) == Hangup(call_id="a", source="headset")


def test_going_on_hook_leaves_a_held_call_and_lifting_takes_it_back() -> None:
    desk = Machine(call("active"))
    desk.turn("hook", True)
    desk.become(call("held"))
    assert asked(desk.turn("hook", False)) is None
    assert asked(desk.turn("hook", True)) == Resume(call_id="a", source="headset")


def test_headset_that_stands_other_than_its_lamp_is_told_again_but_not_for_ever() -> None:
    desk = Machine()
    press = desk.turn("hook", True)
    assert press == Press("hook", None)
    assert desk.machine.deviates(desk.now_s)
    assert desk.turn("hook", False, 0.1) is None
    assert not desk.machine.deviates(desk.now_s)
    desk.turn("hook", True, 0.1)
    assert not desk.machine.deviates(desk.now_s + 0.5)
    assert desk.machine.deviates(desk.now_s + 5.0)


def test_keys_of_the_headset_send_digits_in_a_call_only() -> None:
    desk = Machine(call("active"))
    presses = [
        desk.machine.handle(Change("key", on, key=key), desk.calls, 20.0 + i / 10)
        for i, (key, on) in enumerate([("5", True), ("5", False), ("5", True), ("#", True)])
    ]
    assert [asked(press) for press in presses if press] == [
        SendDtmf(digits=digit, call_id="a", source="headset") for digit in "55#"
    ]
    idle = Machine()
    assert asked(idle.machine.handle(Change("key", True, key="1"), idle.calls, 20.0)) is None


@pytest.mark.parametrize(
    ("calls", "leds"),
    [
        ((), Leds()),
        ((call("incoming"),), Leds(ring=True, ringer=True)),
        ((call("dialing"),), Leds(off_hook=True, on_line=True)),
        ((call("active"),), Leds(off_hook=True, on_line=True, speaker=True)),
        ((call("held"),), Leds(off_hook=True, on_line=True, hold=True)),
        ((call("ending"),), Leds()),
        (
            (call("active", muted=True), call("incoming", "b")),
            Leds(off_hook=True, on_line=True, speaker=True, mute=True, microphone=True, ring=True),
        ),
    ],
)
def test_lamps_are_a_function_of_the_calls(calls: tuple[Call, ...], leds: Leds) -> None:
    assert leds_of(calls) == leds


@pytest.mark.parametrize(
    ("calls", "command"),
    [
        ((call("incoming"),), None),
        ((call("active"),), Hold(call_id="a", source="headset")),
        ((call("held"),), Resume(call_id="a", source="headset")),
        ((call("active"), call("held", "b")), Swap(source="headset")),
        ((call("active"), call("incoming", "b")), Answer(call_id="b", source="headset")),
        ((call("held"), call("incoming", "b")), Answer(call_id="b", source="headset")),
        ((call("dialing"),), None),
        ((call("ending"),), None),
    ],
)
def test_flash_takes_what_waits_else_swaps_else_holds(
    calls: tuple[Call, ...], command: Command | None
) -> None:
    assert asked(Machine(*calls).turn("flash", True, relative=True)) == command
