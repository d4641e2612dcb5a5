"""Whatever a headset reports, the calls stay in order and the lamps tell what the calls are."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hid.bench import Bench
from thirdring.protocol.commands import Answer, Hangup, Hold, Mute
from thirdring.protocol.errors import CallError
from thirdring_device.adapters.hid.simulator import families
from thirdring_device.adapters.hid.telephony import Telephony
from thirdring_device.core.call import TRANSITIONS, ImpossibleTransition

ALL = sorted(families())
NUMBERED = [name for name in ALL if Telephony(families()[name].descriptor).numbered]
STATES = {state for state, _ in TRANSITIONS}

REPORTS = st.one_of(
    st.binary(max_size=6),
    st.tuples(st.sampled_from([1, 2, 5, 8, 11]), st.binary(min_size=1, max_size=2)).map(
        lambda parts: bytes([parts[0]]) + parts[1]
    ),
)
STEPS = st.one_of(
    st.tuples(st.just("report"), REPORTS),
    st.tuples(st.just("press"), st.integers(0, 9)),
    st.tuples(st.just("people"), st.sampled_from(["ring", "leave", "answer", "hangup", "hold", "mute"])),
    st.tuples(st.just("wait"), st.sampled_from([0.01, 0.2, 0.5, 1.0, 5.0])),
)


def step(bench: Bench, what: str, value: object) -> None:
    if what == "report":
        bench.report(value)  # type: ignore[arg-type]
    elif what == "wait":
        bench.pause(value)  # type: ignore[arg-type]
    elif what == "press":
        names = bench.headset.names
        bench.headset.press(names[value % len(names)])  # type: ignore[operator]
        bench.settle()
    elif value == "ring":
        if len(bench.desk.calls) < 2:
            bench.ring(f"c{len(bench.records)}")
    elif value == "leave":
        if bench.desk.calls:
            bench.leave(bench.desk.calls[-1].call_id)
    else:
        command = {"answer": Answer(), "hangup": Hangup(), "hold": Hold(), "mute": Mute()}[str(value)]
        try:
            bench.ask(command)
        except CallError:
            bench.settle()


@pytest.mark.parametrize("name", ALL)
@settings(max_examples=60, deadline=None)
@given(steps=st.lists(STEPS, max_size=40))
def test_any_reports_leave_the_calls_legal_and_the_lamps_right(
    name: str, steps: list[tuple[str, object]]
) -> None:
    bench = Bench(name)
    bench.desk.last_dialled = "10086"
    for what, value in steps:
        try:
            step(bench, what, value)
        except ImpossibleTransition as reason:
            raise AssertionError(f"{what} {value!r}: {reason}") from reason
        assert set(bench.states().values()) <= STATES - {"new", "ended"}
        assert sum(call.state == "active" for call in bench.desk.calls) <= 1
        assert bench.follows(), (bench.lit(), bench.leds())


@pytest.mark.parametrize("name", NUMBERED)
@settings(max_examples=60, deadline=None)
@given(report=st.one_of(st.binary(max_size=80), REPORTS))
def test_reports_of_other_kinds_or_too_short_say_nothing(name: str, report: bytes) -> None:
    bench = Bench(name)
    bench.ring()
    telephony = bench.headset._telephony
    ids = {f.report_id for f in telephony._inputs}
    whole = min(telephony._input_bits[report_id] for report_id in ids) // 8
    if report[:1] and report[0] in ids:
        report = report[:whole]  # its id takes one byte, so one is missing
    bench.report(report)
    assert bench.asked() == []
    assert bench.states() == {"a": "incoming"}
