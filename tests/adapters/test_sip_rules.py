"""The rules of the SIP adapter that need no stack."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thirdring.protocol.errors import StorageError
from thirdring_device.adapters.sip.addresses import (
    AllowedSources,
    number_of,
    parse_name_addr,
    source_host,
)
from thirdring_device.adapters.sip.limits import RateLimit, RefusalCounter
from thirdring_device.adapters.sip.registration import Registration
from thirdring_device.adapters.sip.release import Trigger, ended_by_other_side
from thirdring_device.adapters.sip.servers import Server, parse_server


@pytest.mark.parametrize(
    ("text", "display", "number"),
    [
        ('"王先生" <sip:13800138000@10.0.0.1>;tag=1', "王先生", "13800138000"),
        ('"A \\"B\\" <C>" <sip:1@x>', 'A "B" <C>', "1"),
        ("Bob <sip:+8610%2312@x;user=phone>", "Bob", "+8610#12"),
        ("sip:95588@x:5060;tag=2", "", "95588"),
        ("<tel:+861012345;phone-context=x>", "", "+861012345"),
        ("<sip:bob:secret@x>", "", "bob"),
        ("<sip:12;isub=4@x>", "", "12"),
        ('"Anonymous" <sip:anonymous@anonymous.invalid>', "Anonymous", ""),
        ("<sip:x.example>", "", ""),
        ('"unclosed', "unclosed", ""),
        ("", "", ""),
    ],
)
def test_caller_is_taken_from_the_from_header(text: str, display: str, number: str) -> None:
    address = parse_name_addr(text)
    assert (address.display, number_of(address)) == (display, number)


@given(st.text())
def test_any_from_header_becomes_clean_text(text: str) -> None:
    address = parse_name_addr(text)
    for part in (address.display, address.uri, address.user):
        part.encode("utf-8")
        assert part.isprintable() or not any(c in part for c in "\r\n\t\0")
        assert len(part) <= 200


def test_bytes_that_are_no_utf8_are_replaced() -> None:
    assert parse_name_addr(b'"\xff\x01x" <sip:1@y>'.decode("utf-8", "surrogateescape")).display == "\ufffdx"


def test_dialled_number_is_escaped() -> None:
    assert Server("trunk", 5070).uri("udp", "*67#1 2@evil") == "sip:*67%231%202%40evil@trunk:5070"


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("a.example", Server("a.example")),
        ("10.0.0.1:5070", Server("10.0.0.1", 5070)),
        ("[2001:db8::1]:5060", Server("2001:db8::1", 5060)),
        ("[2001:db8::1]", Server("2001:db8::1")),
    ],
)
def test_server_is_taken_apart_and_put_together(text: str, server: Server) -> None:
    assert parse_server(text) == server
    assert str(server) == text


@pytest.mark.parametrize("text", ["a:b", "a:0", "a:65536", "a:-1", "[::1]:x"])
def test_server_with_a_bad_port_is_error_5005(text: str) -> None:
    with pytest.raises(StorageError) as caught:
        parse_server(text)
    assert caught.value.code == 5005


def test_transport_stands_in_the_uri() -> None:
    assert Server("a").uri("udp") == "sip:a"
    assert Server("a", 5061).uri("tls", "+86") == "sip:+86@a:5061;transport=tls"


def test_source_host() -> None:
    assert source_host("127.0.0.1:5060") == "127.0.0.1"
    assert source_host("[2001:db8::1]:5060") == "2001:db8::1"


def test_sources_are_the_server_and_the_peers() -> None:
    sources = AllowedSources(("198.51.100.0/24", "2001:db8::5"), lambda: {"192.0.2.7"})
    allowed = ["192.0.2.7", "198.51.100.200", "2001:db8::5"]
    refused = ["192.0.2.8", "203.0.113.1", "2001:db8::6", "nonsense", ""]
    assert [sources.allows(host) for host in allowed + refused] == [True] * 3 + [False] * 5


def test_peer_that_is_no_network_is_error_5005() -> None:
    with pytest.raises(StorageError) as caught:
        AllowedSources(("10.0.0.0/99",), frozenset)
    assert caught.value.code == 5005


def test_rate_limit_is_per_source_and_refills() -> None:
    limit = RateLimit(2.0)
    assert [limit.allows("a", 0.0) for _ in range(3)] == [True, True, False]
    assert limit.allows("b", 0.0)
    assert [limit.allows("a", 0.5) for _ in range(2)] == [True, False]


def test_rate_limit_forgets_old_sources() -> None:
    limit = RateLimit(1.0)
    for number in range(5000):
        limit.allows(str(number), 0.0)
    assert len(limit._buckets) <= 1024


def test_strangers_are_reported_once_a_second() -> None:
    counter = RefusalCounter()
    assert counter.report(0.0) is None
    counter.refused("a")
    assert counter.report(0.0) == ("a", 1)
    counter.refused("b")
    counter.refused("c")
    assert counter.report(0.5) is None
    assert counter.report(1.0) == ("c", 3)
    assert counter.report(9.0) is None


@pytest.mark.parametrize(
    ("incoming", "answered", "sip_code", "method", "trigger", "expected"),
    [
        (True, False, 487, "INVITE", "message", ("customer", "cancelled")),
        (True, False, 408, "INVITE", "timer", ("network", "failed")),
        (True, True, 200, "BYE", "message", ("customer", "hangup")),
        (False, True, 200, "BYE", "message", ("customer", "hangup")),
        (True, True, 408, "INVITE", "timer", ("network", "lost")),
        (False, True, 503, "BYE", "transport", ("network", "lost")),
        (False, False, 486, "INVITE", "message", ("customer", "busy")),
        (False, False, 600, "INVITE", "message", ("customer", "busy")),
        (False, False, 480, "INVITE", "message", ("customer", "no_answer")),
        (False, False, 408, "INVITE", "message", ("customer", "no_answer")),
        (False, False, 408, "INVITE", "timer", ("network", "failed")),
        (False, False, 603, "INVITE", "message", ("customer", "rejected")),
        (False, False, 403, "INVITE", "message", ("network", "rejected")),
        (False, False, 404, "INVITE", "message", ("network", "failed")),
    ],
)
def test_who_released_and_why(
    incoming: bool,
    answered: bool,
    sip_code: int,
    method: str,
    trigger: Trigger,
    expected: tuple[str, str],
) -> None:
    assert (
        ended_by_other_side(
            incoming=incoming, answered=answered, sip_code=sip_code, method=method, trigger=trigger
        )
        == expected
    )


def pauses(
    registration: Registration, code: int, times: int, retry_after_s: float | None = None
) -> list[float]:
    result: list[float] = []
    now_s = 0.0
    for _ in range(times):
        registration.sent()
        assert registration.due_s is None
        registration.answered(now_s, code, retry_after_s)
        assert registration.due_s is not None
        result.append(registration.due_s - now_s)
        now_s = registration.due_s
    return result


def test_refused_registration_backs_off_to_half_an_hour() -> None:
    assert pauses(Registration(30.0, lambda: 0.5), 403, 8) == [30, 60, 120, 240, 480, 960, 1800, 1800]


def test_unanswered_registration_is_retried_at_once_then_with_jitter() -> None:
    assert pauses(Registration(30.0, lambda: 0.0), 408, 3) == [1, 20, 20]
    assert pauses(Registration(30.0, lambda: 1.0), 503, 3) == [1, 40, 40]


@given(st.floats(0, 1), st.integers(1, 1800))
def test_jitter_never_makes_the_pause_shorter_than_half(chance: float, retry_s: int) -> None:
    for pause_s in pauses(Registration(float(retry_s), lambda: chance), 0, 3)[1:]:
        assert retry_s / 2 <= pause_s <= min(1800, retry_s + 10)


def test_retry_after_is_obeyed_up_to_half_an_hour() -> None:
    assert pauses(Registration(30.0, lambda: 0.5), 503, 1, 77.0) == [77]
    assert pauses(Registration(30.0, lambda: 0.5), 503, 1, 1e9) == [1800]


def test_news_are_told_once_and_success_resets_the_pauses() -> None:
    registration = Registration(30.0, lambda: 0.5)
    first = registration.sent()
    assert first is not None
    assert first.state == "registering"
    refused = registration.answered(0.0, 401)
    assert refused is not None
    assert (refused.state, refused.reason) == ("refused", "wrong user name or password")
    assert registration.sent() is None
    assert registration.answered(30.0, 401) is None
    registered = registration.answered(90.0, 200)
    assert registered is not None
    assert registered.state == "registered"
    assert registration.due_s is None
    assert registration.answered(400.0, 200) is None, "a refresh is no news"
    registration.answered(700.0, 401)
    assert registration.due_s == 730.0
