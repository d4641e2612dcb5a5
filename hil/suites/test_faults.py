"""What breaks, and what is left: a process that dies, a unit that is switched off and on."""

import contextlib
import random
import time
from collections.abc import Callable

import pytest

from thirdring.appliance import Appliance
from thirdring.protocol.errors import ThirdringError
from thirdring_hil.calls import talking
from thirdring_hil.measurements import Measure
from thirdring_hil.poll import poll
from thirdring_hil.progress import LONG_WORK
from thirdring_hil.registrar import Registrar
from thirdring_hil.target import READY_S, Target, wait_until_ready

BACK_S = 15.0
"""A crashed process is back within 15 s, and so is a simulator; a board may take READY_S to boot."""


MOST_TALK_S = 3.0
STANDS_S = 10.0
"""``WatchdogSec`` and ``TimeoutAbortSec`` of the engine's service."""
WATCHDOG_S = 60.0
"""The watchdog is fed for 20 s, has two stages (i6300esb), and the firmware speaks some seconds later."""
CRASHED, STARTED = b"Kernel panic - not syncing: sysrq", b"thirdring: slot"


def last_event(appliance: Appliance) -> int:
    return appliance.state().last_event


@pytest.mark.needs("engine_process", "sip")
def test_a_call_cut_off_by_a_crash_is_told_and_the_next_one_works(
    target: Target, appliance: Appliance, measure: Measure
) -> None:
    before = last_event(appliance)
    with target.caller() as caller:
        caller.call()
        appliance.wait_for("ring_burst", 10.0, before)
        call_id = appliance.answer()
        caller.wait_for("answered")
        killed_s = time.monotonic()
        target.kill_engine()
        poll(appliance.state, "the engine is back", 6 * BACK_S, not_yet=(ThirdringError,))
        back_s = time.monotonic() - killed_s
    ended = appliance.wait_for("call_ended", 10.0, before)
    assert ended.event.call_id == call_id
    assert appliance.call(call_id).call.cause == "interrupted"
    with talking(target, appliance) as talk:
        assert talk.call_id != call_id
    measure("back_after_a_crash", back_s, "s", 0.0, BACK_S, "restart of a crashed process")


@pytest.mark.needs("restart", "sip")
def test_a_unit_switched_off_and_on_takes_calls_and_remembers(target: Target, measure: Measure) -> None:
    with Appliance(target.url) as appliance:
        with talking(target, appliance) as talk:
            pass
        numbered = last_event(appliance)
    back_s = target.restart()
    assert wait_until_ready(target.console) == target.unit
    with Appliance(target.url) as appliance:
        assert last_event(appliance) > numbered
        assert appliance.call(talk.call_id).call.cause == "hangup"
        with talking(target, appliance) as again:
            assert again.call_id != talk.call_id
    limit_s = BACK_S if "simulator" in target.features else READY_S
    measure("console_after_power_on", back_s, "s", 0.0, limit_s, "a simulator 15 s, a board 90 s to boot")


def interrupted_call(target: Target, act: Callable[[], None]) -> float:
    """Let ``act`` end the unit in a call; return the seconds from there until the console answers again.

    What the console had told before is still known then, the call is told as interrupted, and the next works.
    """
    with contextlib.ExitStack() as stack:
        with Appliance(target.url) as appliance:
            before = last_event(appliance)
            caller = stack.enter_context(target.caller())
            caller.call()
            appliance.wait_for("ring_burst", 20.0, before)
            call_id = appliance.answer()
            told = appliance.wait_for("media_started", 20.0, before).number
            time.sleep(random.uniform(0.0, MOST_TALK_S))  # noqa: S311 - any moment is as good
            told = max(told, last_event(appliance))
        began_s = time.monotonic()
        act()
        wait_until_ready(target.console, target.ready_s)
        back_s = time.monotonic() - began_s
        caller.wait_for("answered")
    with Appliance(target.url) as appliance:
        assert last_event(appliance) > told
        assert appliance.call(call_id).call.cause == "interrupted"
        assert appliance.state().storage == "ok"
        with talking(target, appliance):
            pass
    return back_s


@pytest.mark.needs("power_cut", "sip")
def test_a_power_cut_in_a_call_loses_nothing_that_was_told(
    target: Target, measure: Measure, pytestconfig: pytest.Config
) -> None:
    machine = target.machine
    assert machine is not None
    cuts = int(pytestconfig.getoption("--power-cuts"))
    longest_s = 0.0
    for cut in range(1, cuts + 1):
        back_s = interrupted_call(target, machine.power_cycle)
        LONG_WORK.info("power cut %d of %d: the console is back after %.1f s", cut, cuts, back_s)
        longest_s = max(longest_s, back_s)
    measure("console_after_a_power_cut", longest_s, "s", 0.0, READY_S, "90 s to boot, also in emulation")


@pytest.mark.needs("root_shell", "sip")
def test_an_engine_that_stands_still_is_replaced(target: Target, measure: Measure) -> None:
    """It is stopped as a debugger stops a process, and its service's watchdog hears no more of it."""
    machine = target.machine
    assert machine is not None
    replaced_s = ready_s = 0.0

    def stop() -> None:
        nonlocal replaced_s, ready_s
        with machine.shell() as shell:
            stopped = shell.run("systemctl show --value -p MainPID thirdring-engine").strip()
            began_s = time.monotonic()
            shell.run(f"kill -STOP {stopped}")

            def state() -> list[str]:
                return shell.run("systemctl show -p MainPID -p ActiveState thirdring-engine").split()

            poll(lambda: not {"MainPID=0", f"MainPID={stopped}"} & set(state()), "another runs", READY_S)
            replaced_s = time.monotonic() - began_s
            poll(lambda: "ActiveState=active" in state(), "it is ready", READY_S)
            ready_s = time.monotonic() - began_s

    interrupted_call(target, stop)
    measure(
        "engine_replaced", replaced_s, "s", 0.0, BACK_S, "8 s of its watchdog, 2 s to tell where it stood"
    )
    measure(
        "engine_ready", ready_s, "s", 0.0, STANDS_S + BACK_S, "10 s until it is ended, then as after a crash"
    )


@pytest.mark.needs("root_shell", "sip")
def test_a_board_that_hangs_is_reset_by_its_watchdog(target: Target, measure: Measure) -> None:
    machine = target.machine
    assert machine is not None
    crashes, starts = (machine.log.read_bytes().count(text) for text in (CRASHED, STARTED))

    def hang() -> None:
        """Crash the kernel, which is told not to start again by itself."""
        with machine.shell() as shell:
            shell.run("echo 0 > /proc/sys/kernel/panic; (sleep 1; echo c > /proc/sysrq-trigger) &")
        poll(lambda: machine.log.read_bytes().count(CRASHED) > crashes, "the kernel has crashed", BACK_S)
        poll(lambda: machine.log.read_bytes().count(STARTED) > starts, "the board is reset", WATCHDOG_S)

    back_s = interrupted_call(target, hang)
    why = "60 s of the watchdog, 90 s to boot"
    measure("console_after_a_hang", back_s, "s", 0.0, WATCHDOG_S + READY_S, why)


@pytest.mark.needs("restart", "trunk")
def test_a_unit_switched_on_registers(target: Target, measure: Measure) -> None:
    """From power on, on the bench's clock, to the first REGISTER that is answered 200."""
    assert target.trunk_peer is not None
    with Appliance(target.url) as appliance:
        before = {view.name: view.value for view in appliance.settings() if view.name == "trunk.mode"}
        appliance.set_settings({"trunk.mode": "registered"})
    try:
        with Registrar(target.trunk_peer) as registrar:
            switched_s = time.monotonic()
            target.restart()
            on_s = registrar.wait_for(switched_s, target.ready_s) - switched_s
            measure("power_on_to_registered", on_s, "s", 0.0, READY_S, "90 s to boot, also in emulation")
            with Appliance(target.url) as appliance:
                poll(lambda: appliance.state().trunk == "registered", "the unit knows", BACK_S)
    finally:
        with Appliance(target.url) as appliance:
            appliance.set_settings(before)
        target.restart()


@pytest.mark.needs("unplug", "sip")
def test_a_headset_unplugged_in_a_call_leaves_the_call_up(
    target: Target, appliance: Appliance, capfd: pytest.CaptureFixture[str]
) -> None:
    """By the bench where it has the cable in its hand, else by a technician who does what is asked."""
    hand = target.headset
    with hand.plugged() if hand else contextlib.nullcontext(), talking(target, appliance) as talk:
        for ask, act in (
            ("Unplug the headset now.", hand and hand.unplug),
            ("Plug it in again.", hand and hand.plug),
        ):
            since = last_event(appliance)
            if act:
                act()
            else:
                with capfd.disabled():
                    print(ask, flush=True)  # noqa: T201 - it is for the technician
            appliance.wait_for("headset_changed", 60.0, since)
        assert not talk.caller.reached("released")
