"""One press, one event, however many ways it comes by."""

from thirdring.protocol.events import Dtmf
from thirdring_device.core.digits import DigitSieve


def passed(*reports: tuple[float, str, str]) -> list[tuple[str, str]]:
    sieve = DigitSieve()
    return [
        (digit, method)
        for at_s, digit, method in reports
        if sieve.passes(Dtmf(at_s=at_s, call_id="a", side="customer", digit=digit, method=method))  # type: ignore[arg-type]
    ]


def test_press_that_comes_by_three_ways_is_told_once() -> None:
    assert passed((0.0, "5", "event"), (0.06, "5", "tone"), (0.3, "5", "info")) == [("5", "event")]


def test_presses_of_the_same_key_stay_apart() -> None:
    twice = [(0.0, "1", "event"), (0.07, "1", "tone"), (0.2, "1", "event"), (0.27, "1", "tone")]
    assert passed(*twice) == [("1", "event")] * 2
    late = [(0.0, "1", "event"), (0.2, "1", "event"), (0.25, "1", "info"), (0.4, "1", "info")]
    assert passed(*late) == [("1", "event")] * 2


def test_keys_in_quick_succession_are_matched_in_their_order() -> None:
    reports = [(0.0, "1", "event"), (0.1, "2", "event"), (0.12, "1", "tone"), (0.2, "2", "tone")]
    assert passed(*reports) == [("1", "event"), ("2", "event")]


def test_another_way_much_later_is_a_press_of_its_own() -> None:
    assert passed((0.0, "5", "event"), (1.5, "5", "tone")) == [("5", "event"), ("5", "tone")]
