"""Which registrar is used and when each is asked: no stack, no clock."""

from thirdring_device.adapters.sip.failover import Failover
from thirdring_device.adapters.sip.registration import TrunkNews


def machine(*servers: str) -> Failover:
    return Failover(servers, retry_s=30.0, failover_s=8.0, check_s=20.0, chance=lambda: 0.5)


def test_one_server_is_asked_once_and_not_checked() -> None:
    one = machine("a")
    assert one.due(0.0) == ([0], TrunkNews("registering", 0, ""))
    assert one.due(31.0) == ([], None)
    assert one.answered(0, 31.0, 200) == (TrunkNews("registered", 200, "", "a"), [])
    assert one.due(10_000.0) == ([], None)


def test_silence_of_the_first_has_the_second_asked_after_failover_s() -> None:
    two = machine("a", "b")
    assert two.due(0.0)[0] == [0]
    assert two.due(7.9)[0] == []
    assert two.due(8.0)[0] == [1]
    assert two.answered(1, 8.1, 200) == (TrunkNews("registered", 200, "", "b"), [])
    assert two.active == 1
    # The first one's transaction ends in silence: no news, it is tried again later.
    assert two.answered(0, 32.0, 408) == (None, [])
    assert two.due(33.0)[0] == [0, 1], "the first again after a second; the second is checked"


def test_first_is_returned_to_and_the_second_left() -> None:
    two = machine("a", "b")
    two.due(0.0)
    two.due(8.0)
    two.answered(1, 8.1, 200)
    two.answered(0, 32.0, 408)
    two.due(33.0)
    news, left = two.answered(0, 33.1, 200)
    assert (news, left) == (TrunkNews("registered", 200, "", "a"), [1])
    assert two.active == 0


def test_server_in_use_that_falls_silent_is_noticed_by_the_check() -> None:
    two = machine("a", "b")
    two.due(0.0)
    two.answered(0, 0.1, 200)
    assert two.due(20.0)[0] == []
    assert two.due(20.1)[0] == [0]
    assert two.due(28.1)[0] == [1], "28 s after the last sign of life"
    assert two.active is None


def test_server_that_refuses_our_user_is_not_passed_over() -> None:
    two = machine("a", "b")
    two.due(0.0)
    news, _ = two.answered(0, 0.1, 403)
    assert news is not None
    assert news.state == "refused"
    assert two.due(20.0)[0] == []


def test_server_whose_certificate_is_refused_is_passed_over() -> None:
    two = machine("a", "b")
    two.due(0.0)
    news, _ = two.answered(0, 0.1, 503, None, "certificate", refused=True)
    assert news == TrunkNews("refused", 503, "certificate")
    assert two.due(0.2)[0] == [1]


def test_trunk_without_any_answer_is_told_once() -> None:
    two = machine("a", "b")
    told = []
    now_s = 0.0
    for _ in range(300):
        now_s += 1.0
        asked, news = two.due(now_s)
        told += [news] if news else []
        for index in asked:
            news, _ = two.answered(index, now_s, 408)
            told += [news] if news else []
    assert [news.state for news in told] == ["registering", "unreachable"]
    assert two.due(now_s)[0] == []


def test_no_server_asks_nothing() -> None:
    assert machine().due(5.0) == ([], None)
