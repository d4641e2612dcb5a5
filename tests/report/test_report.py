"""The report's model: the figures come from the records, and from nowhere else."""

import json
from dataclasses import replace

import pytest

from tests.report import factory
from thirdring.protocol.events import (
    CallIncoming,
    DeadAir,
    Dtmf,
    Event,
    MediaEnded,
    MediaStarted,
    Record,
    RecordingDeleted,
    RecordingEnded,
    RecordingRead,
    TalkSpurt,
    TalkSpurtStarted,
)
from thirdring_device.report import build
from thirdring_device.report.series import LevelSeries
from thirdring_device.settings import Settings, changed


def test_times_count_from_the_first_event_of_the_call() -> None:
    report = build(*factory.answered_call(answered_s=8.2, talk_s=45.0))
    assert report.alerting_at_s == pytest.approx(0.05)
    assert report.answered_at_s == pytest.approx(8.2)
    assert report.ended_at_s == pytest.approx(53.2)
    assert report.duration_s == pytest.approx(53.2)
    assert [ring.wait_s for ring in report.rings] == pytest.approx([0.0, 5.0])


def test_media_time_is_laid_on_the_axis_of_the_call() -> None:
    detail, records = factory.answered_call(answered_s=8.2, first_word_s=1.16)
    report = build(detail, records)
    first = min(spurt.start_s for spurt in report.spurts if spurt.side == "agent")
    assert report.media_at_s == pytest.approx(8.24)
    assert first == pytest.approx(8.24 + 1.16)
    assert report.series is not None
    assert report.series.start_s == pytest.approx(8.24)
    assert report.series.step_s == pytest.approx(0.1)


def test_sound_that_starts_anew_is_laid_where_it_started() -> None:
    detail, records = factory.answered_call(talk_s=20.0)
    at_s = factory.BEGAN_AT_S + 40.0
    again = (
        MediaStarted(at_s=at_s, call_id=factory.CALL_ID, codec="G722", sample_rate_hz=16000),
        TalkSpurt(
            at_s=at_s + 2, call_id=factory.CALL_ID, side="agent", start_s=0.5, end_s=2.0, level_dbov=-25.0
        ),
    )
    records += [Record(9000 + i, "2026-03-02T08:16:00Z", event) for i, event in enumerate(again)]
    report = build(detail, records)
    assert report.spurts[-1].start_s == pytest.approx(40.5)
    assert report.media_at_s == pytest.approx(8.24)


def test_a_heard_digit_stands_at_its_media_time_and_a_sent_one_where_it_arrived() -> None:
    detail, records = factory.answered_call()
    at_s = factory.BEGAN_AT_S + 30.0
    heard = Dtmf(at_s=at_s, call_id=factory.CALL_ID, side="agent", digit="7", method="tone", start_s=21.5)
    report = build(detail, [*records, Record(9000, "2026-03-02T08:15:34Z", heard)])
    assert {key.digit: round(key.at_s, 2) for key in report.keys} == {"4": 35.2, "7": 29.74}


def test_records_of_other_calls_are_left_out() -> None:
    detail, records = factory.answered_call()
    stranger = Record(1, "2026-03-02T08:00:00Z", CallIncoming(at_s=1.0, call_id="other", number="1"))
    assert build(detail, [stranger, *records]) == build(detail, records)


def test_the_greeting_is_the_verdicts_figure() -> None:
    report = build(*factory.answered_call(first_word_s=1.16))
    assert report.greeting_s == 1.2


def test_the_greeting_comes_from_the_talk_spurts_while_there_is_no_verdict() -> None:
    report = build(*factory.answered_call(first_word_s=1.16, live=True))
    assert report.verdicts == ()
    assert report.greeting_s == pytest.approx(1.2)


def test_the_wait_without_a_word_is_no_greeting() -> None:
    detail, records = factory.answered_call()
    silent = factory.verdict("answer.greeting", "breached", 45.0, "s", 2.0, measures={"silent_s": 45.0})
    records = [r for r in records if not isinstance(r.event, TalkSpurt)]
    report = build(replace(detail, verdicts=(silent,)), records)
    assert report.greeting_s is None


def test_talk_shares_add_up_to_the_talk() -> None:
    talk = build(*factory.answered_call(talk_s=45.0)).talk
    assert talk is not None
    assert talk.span_s == pytest.approx(44.9)
    assert talk.agent_s + talk.customer_s + talk.both_s + talk.silence_s == pytest.approx(talk.span_s)
    assert talk.both_s > 0


def test_verdicts_come_from_the_records_when_the_detail_has_none() -> None:
    detail, records = factory.answered_call()
    assert build(replace(detail, verdicts=()), records).verdicts == detail.verdicts


def test_evidence_is_placed_on_the_axis() -> None:
    detail, records = factory.answered_call(answered_s=8.2)
    report = build(detail, records)
    rings = next(verdict for verdict in report.verdicts if verdict.rule == "answer.rings")
    assert [round(report.evidence[number], 2) for number in rings.evidence] == [0.05, 8.2]
    assert set(report.evidence) == {number for verdict in report.verdicts for number in verdict.evidence}


def test_limits_are_the_settings_the_call_was_judged_by() -> None:
    settings = changed(Settings(), {"norms.answer.max_rings": 2, "trunk.country": "GB"})
    limits = build(*factory.answered_call(), settings).limits
    assert limits.max_rings == 2
    assert limits.ring_bursts_s == ((0.0, 0.4), (0.6, 1.0))


def test_a_country_without_a_tone_plan_makes_a_report() -> None:
    settings = changed(Settings(), {"trunk.country": "XX"})
    report = build(*factory.answered_call(), settings)
    assert report.limits.ring_period_s is None
    assert "<svg" in report.to_html()


def test_a_call_without_any_record_makes_a_report() -> None:
    detail, _ = factory.cancelled_call()
    report = build(detail, [])
    assert report.duration_s == 0.0
    assert report.to_text()
    assert "<svg" in report.to_html()


def test_json_carries_the_model() -> None:
    report = build(*factory.answered_call())
    data = json.loads(json.dumps(report.to_json(), allow_nan=False))
    assert data["report"] == 1
    assert data["call"]["number"] == "+862155550101"
    assert data["greeting_s"] == 1.2
    assert data["agent_after"]["clipped_samples"] == 2
    assert [verdict["verdict"] for verdict in data["verdicts"]] == ["met", "met", "warned"]
    assert len(data["spurts"]) == len(report.spurts)
    assert report.series is not None
    assert len(data["series"]["customer_rms"]) == len(report.series.customer_rms)


def test_thinning_keeps_the_mean_power() -> None:
    values = (-20.0, None, -30.0, -40.0, None, None)
    series = LevelSeries(
        start_s=1.0,
        step_s=0.1,
        agent_before_rms=values,
        agent_after_rms=values,
        customer_rms=values,
        agent_before_active=values,
        agent_after_active=values,
        customer_active=values,
    )
    thin = series.decimated(3)
    assert thin.step_s == pytest.approx(0.2)
    assert thin.agent_after_rms == pytest.approx((-20.0, -32.596, None), abs=1e-3, nan_ok=True)
    assert series.decimated(6) is series


def test_a_talk_spurt_that_never_ended_lasts_as_long_as_the_sound() -> None:
    detail, records = factory.answered_call(answered_s=8.2, talk_s=20.0, first_word_s=1.16)
    place = next(i for i, record in enumerate(records) if isinstance(record.event, MediaEnded))
    started = TalkSpurtStarted(
        at_s=factory.BEGAN_AT_S + 28.0, call_id=factory.CALL_ID, side="agent", start_s=19.5
    )
    records.insert(place, Record(9000, "2026-03-02T08:15:32Z", started))
    report = build(detail, records)
    assert report.spurts[-1].start_s == pytest.approx(8.24 + 19.5)
    assert report.spurts[-1].end_s == pytest.approx(8.24 + 19.9)
    assert report.spurts[-1].level_dbov is None
    assert "<svg" in report.to_html()


def test_a_talk_spurt_that_ended_is_there_once() -> None:
    detail, records = factory.answered_call()
    place, spurt = next((i, r) for i, r in enumerate(records) if isinstance(r.event, TalkSpurt))
    assert isinstance(spurt.event, TalkSpurt)
    started = TalkSpurtStarted(
        at_s=spurt.event.at_s - 1,
        call_id=factory.CALL_ID,
        side=spurt.event.side,
        start_s=spurt.event.start_s,
    )
    with_start = [*records[:place], Record(9000, spurt.utc, started), *records[place:]]
    assert build(detail, with_start).spurts == build(detail, records).spurts


def test_what_was_heard_besides_speech_is_laid_on_the_axis_of_the_call() -> None:
    report = build(*factory.call_with_figures())
    tones = [(tone.tone, tone.detail, round(tone.start_s, 2), round(tone.end_s, 2)) for tone in report.tones]
    assert tones == [("cng", "", 10.74, 11.24), ("ced", "/ANSam", 14.24, 17.24), ("busy", "", 46.24, 47.94)]
    stretches = [(s.kind, round(s.start_s, 2), round(s.end_s, 2), s.event) for s in report.stretches]
    assert stretches == [
        ("interruption", 19.24, 20.04, 9004),
        ("overlap", 19.24, 21.74, 9005),
        ("dead_air", 28.24, 40.74, 9006),
    ]
    data = json.loads(json.dumps(report.to_json(), allow_nan=False))
    assert data["agent_voice"]["syllables_per_s"] == 4.62
    assert data["customer_voice"]["snr_db"] is None
    assert data["shared"]["interruptions"] == 1
    assert [point["at_s"] for point in data["voice"]] == [13.24]


def test_dead_air_that_nobody_ended_lasts_as_long_as_the_sound() -> None:
    detail, records = factory.call_with_figures()
    kept = [r for r in records if not (isinstance(r.event, DeadAir) and r.event.over)]
    (silent,) = [s for s in build(detail, kept).stretches if s.kind == "dead_air"]
    assert silent.end_s == pytest.approx(8.24 + 44.9)


def test_what_is_told_of_the_recording_afterwards_is_no_part_of_the_call() -> None:
    detail, records = factory.answered_call()
    plain = build(detail, records)
    later_s = records[-1].event.at_s + 40 * 86_400.0
    file = f"{detail.call.call_id}.sealed"
    about: list[Event] = [
        RecordingEnded(at_s=later_s, call_id=detail.call.call_id, file=file, reason="call_ended"),
        RecordingRead(at_s=later_s, call_id=detail.call.call_id, file=file, source="http"),
        RecordingDeleted(at_s=later_s, call_id=detail.call.call_id, file=file, reason="age"),
    ]
    number = records[-1].number
    after = [Record(number + 1 + i, records[-1].utc, event) for i, event in enumerate(about)]
    assert build(detail, [*records, *after]) == plain
