"""The lamps of the board: the ring's blinks with the ring, at the pins that the LEDs hang on."""

import itertools
import statistics
import time

import pytest

from thirdring.appliance import Appliance
from thirdring_hil.measurements import Measure
from thirdring_hil.target import Target

WATCHED_S = 9.0
FIRST_RING_S, WARNED_S = 4.0, 6.0
"""The second ring, which warns, begins 5 s after the first."""
DARK_S = 2.0
"""Longer than a blink."""
GOES_OUT_S = 0.5
READ_S = 0.02
"""A blink of 125 ms on and off is told from one of 500, at an edge that is seen so late."""


def levels(target: Target, lamp: str, watched_s: float) -> list[tuple[float, bool]]:
    """Return when the lamp's pin was first seen high, and when low again, and so on."""
    assert target.machine is not None
    seen: list[tuple[float, bool]] = []
    register, bit = target.machine.board.lamps[lamp]
    until_s = time.monotonic() + watched_s
    with target.machine.qmp() as qmp:
        while (now_s := time.monotonic()) < until_s:
            high = bool(qmp.word(register) >> bit & 1)
            if not seen or seen[-1][1] != high:
                seen.append((now_s, high))
            time.sleep(READ_S)
    return seen


def periods(begins_s: list[float]) -> list[float]:
    return [later_s - at_s for at_s, later_s in itertools.pairwise(begins_s)]


@pytest.mark.needs("lamp_pins", "sip")
def test_the_ring_lamp_blinks_with_the_ring(target: Target, appliance: Appliance, measure: Measure) -> None:
    assert [high for _, high in levels(target, "ring", DARK_S)] == [False]
    with target.caller() as caller:
        caller.call()
        caller.wait_for("ringing")
        ringing = levels(target, "ring", WATCHED_S)
        appliance.hangup()
        caller.wait_for("released")
    begun_s = ringing[0][0]
    lit_s = [at_s - begun_s for at_s, high in ringing if high]
    slow_s = statistics.median(periods([at_s for at_s in lit_s if at_s < FIRST_RING_S]))
    fast_s = statistics.median(periods([at_s for at_s in lit_s if at_s > WARNED_S]))
    measure("ring_lamp_period", slow_s, "s", 0.9, 1.1, "500 ms on, 500 ms off")
    measure("ring_lamp_period_warned", fast_s, "s", 0.2, 0.3, "125 ms on, 125 ms off")
    after = levels(target, "ring", DARK_S)
    assert not after[-1][1]
    assert after[-1][0] - after[0][0] < GOES_OUT_S
    assert [high for _, high in levels(target, "headset", DARK_S)] == [False]
