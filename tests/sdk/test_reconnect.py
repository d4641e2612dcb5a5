"""How long the stream of events waits, and for whom."""

import math

import pytest

from thirdring import Reconnect, RequestError
from thirdring.reconnect import Absence


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def pauses(absence: Absence, count: int) -> list[float | None]:
    return [absence.next_pause_s() for _ in range(count)]


def test_pauses_double_to_the_longest_and_begin_anew_with_events() -> None:
    absence = Absence(Reconnect(first_s=1.0, longest_s=5.0), clock=Clock(), lot=lambda: 0.0)
    absence.was_there()
    assert pauses(absence, 4) == [1.0, 2.0, 4.0, 5.0]
    absence.was_there(useful=False)
    assert pauses(absence, 1) == [5.0]
    absence.was_there()
    assert pauses(absence, 1) == [1.0]


def test_a_share_of_each_pause_is_drawn_by_lot() -> None:
    absence = Absence(Reconnect(first_s=1.0, spread=0.4), clock=Clock(), lot=lambda: 1.0)
    absence.was_there()
    assert pauses(absence, 2) == [pytest.approx(0.6), pytest.approx(1.2)]


def test_who_was_never_there_is_not_waited_for() -> None:
    assert Absence(Reconnect(), clock=Clock()).next_pause_s() is None


@pytest.mark.parametrize(("give_up_s", "waits"), [(10.0, False), (math.inf, True)])
def test_waiting_ends_when_set(give_up_s: float, waits: bool) -> None:
    clock = Clock()
    absence = Absence(Reconnect(give_up_s=give_up_s), clock=clock)
    absence.was_there()
    clock.now_s = 10.0
    assert absence.next_pause_s() is not None
    clock.now_s = 11.0
    assert (absence.next_pause_s() is not None) is waits


@pytest.mark.parametrize("values", [{"first_s": 0.0}, {"longest_s": 0.01}, {"spread": 2.0}, {"factor": 0.5}])
def test_plans_that_make_no_sense_are_refused(values: dict[str, float]) -> None:
    with pytest.raises(RequestError, match="1004"):
        Reconnect(**values)
