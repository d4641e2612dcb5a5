"""Rings and norms: what the unit counts and judges, beside what the bench has seen of the same call."""

import time
from pathlib import Path

import pytest

from thirdring.appliance import Appliance
from thirdring.protocol.events import CallEnded, MediaEnded, Record, RingBurst, TalkSpurtStarted
from thirdring_hil.calls import levels_at
from thirdring_hil.headset import Headset
from thirdring_hil.measurements import Measure
from thirdring_hil.speech import make_speech
from thirdring_hil.target import Target

RING_S = 5.0
"""Ringback in China: 1 s on, 4 s off (ITU-T E.180 Suppl. 2)."""
RING_TOLERANCE_S = 0.5
"""ITU-T E.180 clause 5: cadences within 10 %."""

AGENT_DBOV = -36.0
"""10 dB below the norm: the gain control has something to do."""

COUNTRY = "CN"


def spurt_began(record: Record) -> bool:
    return isinstance(record.event, TalkSpurtStarted) and record.event.side == "agent"


@pytest.mark.needs("sip", "headset")
def test_a_call_is_answered_over_the_line_and_judged(
    target: Target,
    appliance: Appliance,
    headset: Headset,
    bench_log: Path,
    measure: Measure,
    tmp_path: Path,
) -> None:
    speech = tmp_path / "agent.wav"
    make_speech(speech, AGENT_DBOV)
    before = appliance.state().last_event
    with target.caller("2155512345") as caller:
        caller.call()
        caller.wait_for("ringing")
        ring = appliance.wait_for("ring_burst", 10.0, before)
        assert isinstance(ring.event, RingBurst)
        assert ring.event.ring == 1
        # The agent answers because the line says so; a console that has just started says it a moment later.
        deadline_s = time.monotonic() + 5.0
        while "host < RING" not in bench_log.read_text(encoding="utf-8"):
            assert time.monotonic() < deadline_s, "no RING on the line"
            appliance.state()
        call_id = appliance.answer()
        assert call_id == ring.event.call_id
        caller.wait_for("answered")
        answered = appliance.wait_for("call_answered", 5.0, before)
        # The bench answers at once: within the first ring of the slowest cadence that rings for a second.
        measure(
            "first_ring_to_answer",
            answered.event.at_s - ring.event.at_s,
            "s",
            0.0,
            3.0,
            "answered at the first ring",
        )
        appliance.wait_for("media_started", 5.0, before)
        duration_s = headset.speak(speech)
        began = appliance.wait_for(spurt_began, 10.0, before).event
        assert isinstance(began, TalkSpurtStarted)
        end_s = began.start_s + duration_s
        appliance.wait_for(lambda record: levels_at(record, end_s), duration_s + 10.0, before)
        appliance.hangup()
        caller.wait_for("released")
        ended = appliance.wait_for("call_ended", 5.0, before)
        assert isinstance(ended.event, CallEnded)
        assert (ended.event.by, ended.event.cause) == ("agent", "hangup")
    records = appliance.call_events(call_id)
    (media,) = [record.event for record in records if isinstance(record.event, MediaEnded)]
    level_dbov = media.agent_before.active_speech_level_dbov
    # 0.5 dB: ITU-T P.56 (G.191); the rest for the codec-free path from file to meter.
    measure("agent_level_before_agc", level_dbov, "dBov", AGENT_DBOV - 1.0, AGENT_DBOV + 1.0, "as spoken")
    verdicts = {verdict.rule: verdict for verdict in appliance.norms(call_id)}
    assert verdicts["answer.rings"].verdict == "met"
    assert verdicts["answer.rings"].value == 1
    assert verdicts["answer.greeting"].verdict == "met"
    assert verdicts["voice.level"].verdict in ("met", "warned")


@pytest.mark.needs("sip")
def test_rings_are_counted_as_the_caller_hears_them_and_a_late_answer_is_breached(
    target: Target, appliance: Appliance, measure: Measure
) -> None:
    """The bench counts on its own clock, from the 180 on."""
    values = {view.name: view.value for view in appliance.settings()}
    if values["trunk.country"] != COUNTRY:
        pytest.skip(f"{target.name} counts the rings of {values['trunk.country']}, not of {COUNTRY}")
    most = values["norms.answer.max_rings"]
    assert isinstance(most, int)
    before = appliance.state().last_event
    begun_s = []
    with target.caller("2155512345") as caller:
        caller.call()
        caller.wait_for("ringing")
        since = before
        for ring in range(1, most + 2):
            burst = appliance.wait_for("ring_burst", RING_S + 5.0, since)
            assert isinstance(burst.event, RingBurst)
            assert burst.event.ring == ring
            since = burst.number
            begun_s.append(time.monotonic() - caller.times_s["ringing"])
        call_id = appliance.answer()
        caller.wait_for("answered")
        heard = 1 + int((caller.times_s["answered"] - caller.times_s["ringing"]) // RING_S)
        appliance.wait_for("media_started", 10.0, before)
        appliance.hangup()
        caller.wait_for("released")
        appliance.wait_for("call_ended", 10.0, before)
    gap_s = (begun_s[-1] - begun_s[0]) / most
    why = "ITU-T E.180: cadences within 10 %"
    measure("ring_interval", gap_s, "s", RING_S - RING_TOLERANCE_S, RING_S + RING_TOLERANCE_S, why)
    verdicts = {verdict.rule: verdict for verdict in appliance.norms(call_id)}
    counted = verdicts["answer.rings"].value
    assert counted is not None
    measure(
        "rings_counted", counted, "rings", heard, heard, "rings begun since the 180, on the bench's clock"
    )
    assert verdicts["answer.rings"].verdict == ("breached" if heard > most else "met")
    assert verdicts["answer.late_opener"].verdict == "met"
