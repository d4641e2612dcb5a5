"""The dial plan with the numbering plans of several countries."""

from typing import Any

import pytest

from thirdring.protocol.commands import Dial, Transfer
from thirdring.protocol.errors import CallError
from thirdring_device.adapters.numbers import classify
from thirdring_device.core.desk import Desk, DeskSettings
from thirdring_device.core.dialplan import DialPlan, DialPlanSettings


def plan(country: str = "CN", **values: Any) -> DialPlan:
    return DialPlan(DialPlanSettings(country=country, **values), classify)


def refusal(tried: DialPlan, number: str, at_s: float = 0.0) -> int:
    with pytest.raises(CallError) as caught:
        tried.admit(number, at_s)
    return caught.value.code


@pytest.mark.parametrize(
    ("country", "number", "kind"),
    [
        ("CN", "110", "emergency"),
        ("DE", "112", "emergency"),
        ("GB", "999", "emergency"),
        ("CN", "10086", "short"),
        ("CN", "13800138000", "national"),
        ("CN", "+8613800138000", "national"),
        ("CN", "008613800138000", "national"),
        ("CN", "0085221234567", "international"),
        ("CN", "+85221234567", "international"),
        ("CN", "00999123456789", "international"),
        ("US", "+12025550123", "national"),
        ("US", "18765551234", "international"),  # Jamaica: the same country code
        ("DE", "09001234567", "premium"),
        ("DE", "+499001234567", "premium"),
        ("CN", "+499001234567", "premium"),
        ("CN", "+979123456789", "premium"),
        ("CN", "*67#", "service"),
    ],
)
def test_kind_of_a_number(country: str, number: str, kind: str) -> None:
    assert classify(number, DialPlanSettings(country=country)).kind == kind


def test_international_and_premium_numbers_are_refused_unless_allowed() -> None:
    assert refusal(plan(), "+85221234567") == 2010
    assert refusal(plan("DE"), "09001234567") == 2011
    assert refusal(plan("DE", international=True), "+979123456789") == 2011
    assert plan(international=True).admit("+85221234567", 0.0) == "+85221234567"
    assert plan("DE", premium=True).admit("09001234567", 0.0) == "09001234567"


def test_of_two_prefixes_the_longer_one_counts() -> None:
    tried = plan(allow=("+852", "1380"), deny=("138", "+85290"))
    assert tried.admit("+85221234567", 0.0)
    assert refusal(tried, "+85290123456") == 2009
    assert tried.admit("13800138000", 0.0)
    assert refusal(tried, "13900139000".replace("139", "1388", 1)[:11]) == 2009
    assert tried.admit("13900139000", 0.0)
    assert refusal(plan(unlisted="deny", allow=("021",)), "13800138000") == 2009
    assert plan(deny=("+8610",)).settings.deny
    assert refusal(plan(deny=("+8610",)), "01012345678") == 2009


def test_emergency_numbers_always_pass_as_they_are_dialled() -> None:
    tried = plan(unlisted="deny", deny=("1",), calls_per_hour=1, send_as="e164", emergency=("12395",))
    for _ in range(5):
        assert tried.admit("110", 0.0) == "110"
        assert tried.admit("12395", 0.0) == "12395"


def test_number_that_nobody_asks_for_there_and_then_is_judged_and_counted_and_never_an_emergency() -> None:
    tried = plan(calls_per_hour=2, send_as="e164")
    for number, code in [("110", 2009), ("+85221234567", 2010), ("0085221234567", 2010)]:
        with pytest.raises(CallError) as caught:
            tried.admit_unattended(number, 0.0)
        assert caught.value.code == code
    assert tried.admit_unattended("13800138000", 0.0) == "+8613800138000"
    tried.check_unattended("13800138000")
    tried.admit("10086", 0.0)
    with pytest.raises(CallError) as caught:
        tried.admit_unattended("10086", 0.0)
    assert caught.value.code == 2012
    assert tried.admit("110", 0.0) == "110"


def test_spend_guard_counts_the_calls_of_an_hour() -> None:
    tried = plan(calls_per_hour=2)
    tried.called([-3000.0])
    tried.admit("10086", 0.0)
    assert refusal(tried, "10086", 599.0) == 2012
    tried.admit("10086", 601.0)
    assert refusal(tried, "10086", 602.0) == 2012
    unlimited = plan(calls_per_hour=0)
    for _ in range(200):
        unlimited.admit("10086", 0.0)


def test_refused_number_is_not_counted() -> None:
    tried = plan(calls_per_hour=1)
    assert refusal(tried, "+85221234567") == 2010
    tried.admit("10086", 0.0)


@pytest.mark.parametrize(
    ("send_as", "number", "sent"),
    [
        ("dialled", "008613800138000", "008613800138000"),
        ("e164", "13800138000", "+8613800138000"),
        ("e164", "10086", "10086"),
        ("e164", "*67#", "*67#"),
        ("national", "+8613800138000", "13800138000"),
        ("national", "+861012345678", "01012345678"),
        ("national", "0085221234567", "+85221234567"),
    ],
)
def test_numbers_go_out_in_the_form_that_is_set(send_as: str, number: str, sent: str) -> None:
    assert plan(send_as=send_as, international=True).admit(number, 0.0) == sent


def test_desk_asks_the_plan_about_every_number() -> None:
    desk = Desk(DeskSettings(5.0), plan(send_as="e164"))
    assert desk.admit(Dial(number="13800138000"), 0.0, "x").argument == "+8613800138000"
    with pytest.raises(CallError) as caught:
        desk.admit(Dial(number="+85221234567"), 0.0, "x")
    assert caught.value.code == 2010
    with pytest.raises(CallError) as caught:
        desk.admit(Transfer(target="+85221234567"), 0.0, "x")
    assert caught.value.code == 2002
