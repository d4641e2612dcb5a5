"""ModemManager of Debian, unmodified, on the console of a whole appliance; SIPp at the other end."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.conftest import last_call
from tests.clients.modem_bus import ModemManager
from tests.integration.conftest import Unit
from tests.peers import SippPeer, wait_until

pytestmark = pytest.mark.sip


@pytest.fixture(scope="module")
def manager(unit: Unit, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModemManager]:
    with ModemManager(unit.state_dir / "console", tmp_path_factory.mktemp("manager")) as made:
        made.does("-m", "any", "--enable")
        yield made


def ringing(manager: ModemManager) -> str:
    """Wait for a call that rings; return its path."""

    def found() -> str:
        calls = manager.says("-m", "any", "--voice-list-calls").split("\n")
        return next((line.split()[0] for line in calls if "ringing-in" in line), "")

    wait_until(found, "ModemManager sees a call ring", 20.0)
    return found()


@pytest.mark.console(
    "ModemManager, unmodified: registers, dials, sends digits, sees who calls, answers, refuses, hangs up",
    clause="clients",
)
def test_it_registers_with_the_trunk(manager: ModemManager) -> None:
    wait_until(lambda: "state: registered" in manager.does("-m", "any"), "registered", 20.0)
    shown = manager.does("-m", "any")
    assert "manufacturer: Thirdring" in shown
    assert "registration: home" in shown


@pytest.mark.console(
    "ModemManager, unmodified: registers, dials, sends digits, sees who calls, answers, refuses, hangs up",
    clause="clients",
)
def test_it_dials_sends_digits_and_hangs_up(
    unit: Unit, manager: ModemManager, tmp_path: Path, trunk_port: int
) -> None:
    unit.free()
    with SippPeer("ring_then_answer_until_bye", tmp_path, port=trunk_port, hold_ms=3000) as callee:
        made = manager.does("-m", "any", "--voice-create-call=number=02155501234")
        call = made.split()[-1]
        manager.does("-o", call, "--start")
        manager.await_call_state(call, "ringing-out")
        manager.await_call_state(call, "active")
        manager.does("-o", call, "--send-dtmf=5")
        manager.does("-o", call, "--hangup")
        manager.await_call_state(call, "terminated")
        callee.wait()
    assert (last_call(unit).by, last_call(unit).cause) == ("agent", "hangup")


@pytest.mark.console(
    "ModemManager, unmodified: registers, dials, sends digits, sees who calls, answers, refuses, hangs up",
    clause="clients",
)
def test_it_sees_who_calls_answers_and_sees_the_end(
    unit: Unit, manager: ModemManager, tmp_path: Path
) -> None:
    unit.free()
    keys = {"caller": "+8613800138000"}
    with SippPeer("call_and_hang_up", tmp_path, target=unit.target, keys=keys, hold_ms=4000) as caller:
        call = ringing(manager)
        assert "number: +8613800138000" in manager.does("-o", call)
        manager.does("-o", call, "--accept")
        manager.await_call_state(call, "active")
        manager.await_call_state(call, "terminated")
        caller.wait()
    assert (last_call(unit).by, last_call(unit).cause) == ("customer", "hangup")


@pytest.mark.console(
    "ModemManager, unmodified: registers, dials, sends digits, sees who calls, answers, refuses, hangs up",
    clause="clients",
)
def test_it_refuses_a_call(unit: Unit, manager: ModemManager, tmp_path: Path) -> None:
    unit.free()
    keys = {"caller": "02155509999"}
    with SippPeer("call_refused", tmp_path, target=unit.target, keys=keys) as caller:
        call = ringing(manager)
        manager.does("-o", call, "--hangup")
        caller.wait()
    assert last_call(unit).cause == "rejected"
