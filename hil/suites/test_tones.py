"""Digits both ways and the tones of the network: all 16 digits, in order, by every method."""

import contextlib
from functools import partial

import pytest

from thirdring.appliance import Appliance
from thirdring.protocol.errors import WaitTimeout
from thirdring.protocol.events import Dtmf, Record, ToneHeard
from thirdring_hil.calls import Talk, levels_at, listen, on_time, talking
from thirdring_hil.codecs import PCMA
from thirdring_hil.measurements import Measure
from thirdring_hil.poll import poll
from thirdring_hil.signals import cadence, digits_in, dtmf
from thirdring_hil.target import Target

DIGITS = "1234567890*#ABCD"
DIGIT_DBOV = -16.0
"""Within 0 to -25 dBm0 a tone that ITU-T Q.24 lists as operated everywhere."""
ON_MS, OFF_MS = 80, 80
"""ITU-T Q.24: 40 ms of each are enough everywhere."""
LENGTH_TOLERANCE_MS = 20.0
"""One packet (RFC 4733 clause 2.5.1.2: durations grow a packet at a time)."""
TONES = {
    "cng": (1100.0, (0.5, 3.0, 0.5, 0.5)),  # ITU-T T.30 clause 4.3.3.3.1: 0.5 s every 3 s
    "busy": (450.0, (0.35, 0.35) * 5),  # YDN 065, China: 450 Hz, 0.35 s on, 0.35 s off
}


def digits_after(appliance: Appliance, since: int, count: int, timeout_s: float) -> list[Dtmf]:
    """Return the digits that came; stops early at ``count``."""
    found: list[Dtmf] = []

    def enough(record: Record) -> bool:
        if isinstance(record.event, Dtmf):
            found.append(record.event)
        return len(found) >= count

    with contextlib.suppress(WaitTimeout):  # the digits that are missing are told by the measurement
        appliance.wait_for(enough, timeout_s, since)
    return found


def send_digits(talk: Talk, appliance: Appliance, method: str) -> list[Dtmf]:
    """Send all the digits and return what came of them."""
    since = appliance.state().last_event
    if method == "event":
        talk.caller.stream.press(DIGITS, ON_MS, OFF_MS)
    else:
        talk.caller.speak(dtmf(DIGITS, DIGIT_DBOV, ON_MS / 1000, OFF_MS / 1000, PCMA.rate_hz))
    length_s = len(DIGITS) * (ON_MS + OFF_MS) / 1000
    return digits_after(appliance, since, len(DIGITS), length_s + 5.0)


def right(heard: str) -> float:
    """Count the digits that are right in their place."""
    return float(sum(a == b for a, b in zip(heard, DIGITS, strict=False)))


@pytest.mark.needs("sip")
def test_digits_come_in_as_events_and_as_tones(
    target: Target, appliance: Appliance, measure: Measure
) -> None:
    with talking(target, appliance) as talk:
        appliance.wait_for(lambda record: levels_at(record, 0.5), 20.0, talk.before)
        for method in ("event", "tone"):
            heard = on_time(talk, partial(send_digits, talk, appliance, method))
            text = "".join(event.digit for event in heard)
            measure(f"digits_in_by_{method}", right(text), "digits", 16, 16, "each once, in order")
            assert text == DIGITS
            assert {event.method for event in heard} == {method}


@pytest.mark.needs("sip")
def test_digits_go_out_as_events_and_as_tones(target: Target, appliance: Appliance, measure: Measure) -> None:
    changed = {"calls.dtmf_ms": ON_MS, "calls.dtmf_pause_ms": OFF_MS, "calls.dtmf_out": "event"}
    before = {view.name: view.value for view in appliance.settings() if view.name in changed}
    length_s = len(DIGITS) * (ON_MS + OFF_MS) / 1000
    try:
        appliance.set_settings(changed)
        with talking(target, appliance) as talk:
            appliance.wait_for(lambda record: levels_at(record, 0.5), 20.0, talk.before)
            appliance.send_dtmf(DIGITS)
            with contextlib.suppress(TimeoutError):  # too few are measured below
                poll(lambda: len(talk.caller.stream.digits) >= len(DIGITS), "the digits", length_s + 5.0)
            listen(appliance, 0.0)  # half a second, in which a digit too many would come
            events = talk.caller.stream.digits
            appliance.set_settings({"calls.dtmf_out": "tone"})
            already = len(talk.caller.received)
            appliance.send_dtmf(DIGITS)
            listen(appliance, length_s + 0.5)
            tones = digits_in(talk.caller.received[already:], PCMA.rate_hz)
    finally:
        appliance.set_settings(before)
    text = "".join(heard.digit for heard in events)
    measure("digits_out_by_event", right(text), "digits", 16, 16, "each once, in order")
    assert text == DIGITS
    lengths_ms = [1000 * heard.duration_s for heard in events]
    for name, length_ms in (("shortest", min(lengths_ms)), ("longest", max(lengths_ms))):
        measure(
            f"digit_out_{name}",
            length_ms,
            "ms",
            ON_MS - LENGTH_TOLERANCE_MS,
            ON_MS + LENGTH_TOLERANCE_MS,
            "calls.dtmf_ms, to one packet",
        )
    measure("digits_out_by_tone", right(tones), "digits", 16, 16, "each once, in order")
    assert tones == DIGITS


@pytest.mark.needs("sip")
@pytest.mark.parametrize("name", TONES)
def test_a_tone_of_the_line_is_told(
    name: str, target: Target, appliance: Appliance, measure: Measure
) -> None:
    frequency_hz, on_off_s = TONES[name]

    def told(record: Record) -> bool:
        return isinstance(record.event, ToneHeard) and record.event.tone == name

    with talking(target, appliance) as talk:
        appliance.wait_for(lambda record: levels_at(record, 0.5), 20.0, talk.before)

        def play() -> ToneHeard | None:
            since = appliance.state().last_event
            talk.caller.speak(cadence(frequency_hz, DIGIT_DBOV, on_off_s, PCMA.rate_hz))
            with contextlib.suppress(WaitTimeout):  # told below, unless it was the bench that was late
                heard = appliance.wait_for(told, sum(on_off_s) + 5.0, since).event
                return heard if isinstance(heard, ToneHeard) else None
            return None

        tone = on_time(talk, play)
    assert tone is not None, f"no {name} was told"
    assert tone.side == "customer"
    # 0 dBm0 is -6.15 dBov (ITU-T G.100.1); 1 dB is what a meter of tones may be off (ITU-T O.22).
    measure(f"{name}_level", tone.level_dbm0, "dBm0", DIGIT_DBOV + 5.15, DIGIT_DBOV + 7.15, "as sent +-1 dB")
