"""The first call of an appliance: rung, answered, spoken on, judged, hung up; all over the serial line."""

import time
from pathlib import Path

import pytest

from thirdring.appliance import Appliance
from thirdring.protocol.events import CallEnded, Levels, MediaEnded, Record, RingBurst, TalkSpurtStarted
from thirdring_dsp.reference.p56 import speech_level
from thirdring_hil.measurements import Measure
from thirdring_hil.peer import SAMPLE_RATE_HZ, Caller
from thirdring_hil.speech import make_speech
from thirdring_hil.target import Target

AGENT_DBOV = -36.0
"""10 dB below the norm: the gain control has something to do."""


def spurt_began(record: Record) -> bool:
    return isinstance(record.event, TalkSpurtStarted) and record.event.side == "agent"


def levels_at(record: Record, end_s: float) -> bool:
    """Tell whether the signal up to ``end_s`` has been measured."""
    return isinstance(record.event, Levels) and record.event.end_s >= end_s


@pytest.mark.needs("sip", "simulated_headset")
def test_a_call_is_answered_over_the_line_and_judged(
    target: Target, appliance: Appliance, bench_log: Path, measure: Measure, tmp_path: Path
) -> None:
    assert target.sip is not None
    speech = tmp_path / "agent.wav"
    make_speech(speech, AGENT_DBOV)
    before = appliance.state().last_event
    with Caller(target.sip, "2155512345") as caller:
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
        measure("first_ring_to_answer", answered.event.at_s - ring.event.at_s, "s", 0.0, 3.0)
        appliance.wait_for("media_started", 5.0, before)
        duration_s = appliance.speak(str(speech))
        began = appliance.wait_for(spurt_began, 10.0, before).event
        assert isinstance(began, TalkSpurtStarted)
        end_s = began.start_s + duration_s
        appliance.wait_for(lambda record: levels_at(record, end_s), duration_s + 10.0, before)
        appliance.hangup()
        caller.wait_for("released")
        ended = appliance.wait_for("call_ended", 5.0, before)
        assert isinstance(ended.event, CallEnded)
        assert (ended.event.by, ended.event.cause) == ("agent", "hangup")
        heard = caller.received
    measure(
        "agent_level_at_the_caller", speech_level(heard, SAMPLE_RATE_HZ).active_dbov, "dBov", -32.0, -20.0
    )
    records = appliance.call_events(call_id)
    (media,) = [record.event for record in records if isinstance(record.event, MediaEnded)]
    measure("agent_level_before_agc", media.agent_before.active_speech_level_dbov, "dBov", -38.0, -34.0)
    verdicts = {verdict.rule: verdict for verdict in appliance.norms(call_id)}
    assert verdicts["answer.rings"].verdict == "met"
    assert verdicts["answer.rings"].value == 1
    assert verdicts["voice.level"].verdict in ("met", "warned")
