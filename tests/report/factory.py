"""Calls made by hand for the report's tests: plausible records, every number known."""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from thirdring.protocol.events import (
    SILENCE_DBOV,
    AgentRequested,
    CallAlerting,
    CallAnswered,
    CallEnded,
    CallIncoming,
    DeadAir,
    Dtmf,
    Event,
    Interruption,
    Levels,
    LevelSummary,
    MediaEnded,
    MediaStarted,
    NormNoted,
    Overlap,
    Prompt,
    Record,
    RingBurst,
    TalkSpurt,
    TalkSummary,
    ToneHeard,
    Verdict,
    VoiceFigures,
    VoiceSummary,
)
from thirdring.protocol.views import CallDetail, CallSummary

CALL_ID = "20260302-081504-1"
BEGAN_AT_S = 1000.0
"""The engine's clock when the call begins: reports must not show it."""

BEGAN_UTC = datetime(2026, 3, 2, 8, 15, 4, tzinfo=UTC)
RING_PERIOD_S = 5.0
NOISE_DBOV = -63.0


@dataclass
class Journal:
    """Collects a call's events as numbered records; times are seconds since the call began."""

    records: list[Record] = field(default_factory=list)
    next_number: int = 41

    def add(self, event: Event) -> int:
        utc = BEGAN_UTC + timedelta(seconds=event.at_s - BEGAN_AT_S)
        self.records.append(Record(self.next_number, utc.isoformat().replace("+00:00", "Z"), event))
        self.next_number += 1
        return self.next_number - 1


def utc_at(seconds: float) -> str:
    return (BEGAN_UTC + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def summary(
    *,
    answered_s: float | None,
    ended_s: float | None,
    rings: int | None,
    cause: str = "hangup",
    name: str = "李伟 <Wei & Co>",
    number: str = "+862155550101",
) -> CallSummary:
    return CallSummary(
        call_id=CALL_ID,
        direction="incoming",
        number=number,
        display_name=name,
        state="live" if ended_s is None else "ended",
        started_utc=utc_at(0),
        answered_utc=None if answered_s is None else utc_at(answered_s),
        ended_utc=None if ended_s is None else utc_at(ended_s),
        ended_by="" if ended_s is None else "customer",
        cause="" if ended_s is None else cause,
        wait_s=None if rings is None else (answered_s or ended_s or 0.0) - 0.05,
        talk_s=None if answered_s is None or ended_s is None else ended_s - answered_s,
        rings_heard=rings,
        first_event=41,
        last_event=999,
    )


def turns(length_s: float, first_word_s: float, seed: int = 3) -> list[tuple[str, float, float]]:
    """Return talk-spurts in media time: the sides take turns, sometimes over each other."""
    chance = random.Random(seed)
    side, at_s, spurts = "agent", first_word_s, []
    while at_s < length_s - 2.0:
        for _ in range(chance.randint(1, 3)):
            end_s = min(length_s - 0.2, at_s + chance.uniform(0.7, 3.4))
            if end_s - at_s > 0.3:
                spurts.append((side, round(at_s, 3), round(end_s, 3)))
            at_s = end_s + chance.uniform(0.25, 0.6)
        at_s += chance.uniform(-0.7, 0.9)
        side = "customer" if side == "agent" else "agent"
    return spurts


def level_at(spurts: Sequence[tuple[str, float, float]], side: str, at_s: float, speech_dbov: float) -> float:
    if any(who == side and start_s <= at_s < end_s for who, start_s, end_s in spurts):
        return speech_dbov + 5.0 * math.sin(at_s * 9.1) * math.sin(at_s * 2.3)
    return NOISE_DBOV + 1.5 * math.sin(at_s * 31.0)


def add_media(
    journal: Journal,
    start_s: float,
    length_s: float,
    spurts: Sequence[tuple[str, float, float]],
    *,
    agent_dbov: float = -36.0,
    customer_dbov: float = -28.0,
) -> None:
    """Add what the sound path reports, in media time from ``start_s`` on."""
    at = BEGAN_AT_S + start_s
    journal.add(MediaStarted(at_s=at, call_id=CALL_ID, codec="PCMU", sample_rate_hz=8000))
    pending = sorted(spurts, key=lambda spurt: spurt[2])
    gain_db = 0.0
    for half in range(int(length_s * 2)):
        end_s = (half + 1) / 2
        times = [end_s - 0.45 + 0.1 * i for i in range(5)]
        before = [level_at(spurts, "agent", t, agent_dbov) for t in times]
        heard = [level_at(spurts, "customer", t, customer_dbov) for t in times]
        talking = sum(level > -50 for level in before) * 0.1
        listening = sum(level > -50 for level in heard) * 0.1
        if talking:
            gain_db += 0.45 * (-26.0 - agent_dbov - gain_db)
        journal.add(
            Levels(
                at_s=at + end_s,
                call_id=CALL_ID,
                end_s=end_s,
                interval_s=0.5,
                agent_before_rms_dbov=tuple(before),
                agent_after_rms_dbov=tuple(level + gain_db for level in before),
                customer_rms_dbov=tuple(heard),
                agent_before_sliding_dbov=agent_dbov + math.sin(end_s) if talking else SILENCE_DBOV,
                agent_after_sliding_dbov=agent_dbov + gain_db + math.sin(end_s) if talking else SILENCE_DBOV,
                customer_sliding_dbov=customer_dbov + 1.5 * math.cos(end_s) if listening else SILENCE_DBOV,
                agent_active_s=talking,
                customer_active_s=listening,
                agc_gain_db=gain_db,
            )
        )
        while pending and pending[0][2] <= end_s:
            side, spurt_start_s, spurt_end_s = pending.pop(0)
            level = agent_dbov + gain_db if side == "agent" else customer_dbov
            journal.add(
                TalkSpurt(
                    at_s=at + spurt_end_s,
                    call_id=CALL_ID,
                    side="agent" if side == "agent" else "customer",
                    start_s=spurt_start_s,
                    end_s=spurt_end_s,
                    level_dbov=level,
                )
            )
    journal.add(
        MediaEnded(
            at_s=at + length_s,
            call_id=CALL_ID,
            duration_s=length_s,
            agent_before=LevelSummary(
                active_speech_level_dbov=agent_dbov, activity_percent=47.3, active_s=21.0, peak_dbov=-18.2
            ),
            agent_after=LevelSummary(
                active_speech_level_dbov=-26.4,
                activity_percent=47.1,
                active_s=20.9,
                peak_dbov=-9.4,
                clipped_samples=2,
            ),
            customer=LevelSummary(
                active_speech_level_dbov=customer_dbov, activity_percent=39.8, active_s=17.6, peak_dbov=-11.0
            ),
        )
    )


AGENT_VOICE = VoiceSummary(syllables_per_s=4.62, articulated_s=17.3, noise_level_dbov=-63.4, snr_db=27.4)
CUSTOMER_VOICE = VoiceSummary(
    syllables_per_s=5.31, articulated_s=14.9, noise_level_dbov=SILENCE_DBOV, snr_db=None
)
SHARED = TalkSummary(
    agent_s=19.1, customer_s=16.0, overlap_s=2.5, overlap_percent=7.7, dead_air_s=12.5, interruptions=1
)


def call_with_figures() -> tuple[CallDetail, list[Record]]:
    """Return an answered call in whose sound everything was heard that can be."""
    detail, records = answered_call()
    at_s, call_id = BEGAN_AT_S + 8.24, CALL_ID
    heard: list[Event] = [
        ToneHeard(
            at_s=at_s + 4,
            call_id=call_id,
            side="customer",
            tone="cng",
            start_s=2.5,
            end_s=3.0,
            level_dbm0=-19.8,
        ),
        VoiceFigures(at_s=at_s + 5, call_id=call_id, end_s=5.0, agent=AGENT_VOICE, customer=CUSTOMER_VOICE),
        ToneHeard(
            at_s=at_s + 7,
            call_id=call_id,
            side="customer",
            tone="ced",
            start_s=6.0,
            end_s=6.6,
            level_dbm0=-12.1,
            detail="ANSam",
        ),
        ToneHeard(
            at_s=at_s + 9,
            call_id=call_id,
            side="customer",
            tone="ced_end",
            start_s=6.0,
            end_s=9.0,
            level_dbm0=-12.1,
            detail="/ANSam",
        ),
        Interruption(at_s=at_s + 12, call_id=call_id, start_s=11.0, end_s=11.8),
        Overlap(at_s=at_s + 13.5, call_id=call_id, side="agent", start_s=11.0, end_s=13.5),
        DeadAir(at_s=at_s + 30, call_id=call_id, start_s=20.0, end_s=30.0, over=False),
        DeadAir(at_s=at_s + 32.7, call_id=call_id, start_s=20.0, end_s=32.5, over=True),
        ToneHeard(
            at_s=at_s + 40,
            call_id=call_id,
            side="customer",
            tone="busy",
            start_s=38.0,
            end_s=39.7,
            level_dbm0=-14.0,
        ),
    ]
    for record in records:
        if isinstance(record.event, MediaEnded):
            more = replace(record.event, agent_voice=AGENT_VOICE, customer_voice=CUSTOMER_VOICE, talk=SHARED)
            numbered = [Record(9000 + i, record.utc, event) for i, event in enumerate(heard)]
            place = records.index(record)
            return detail, [*records[:place], *numbered, replace(record, event=more), *records[place + 1 :]]
    raise AssertionError("the call has no sound")


def add_rings(journal: Journal, until_s: float, alerting_s: float = 0.05) -> list[int]:
    """Add the first 180 and the rings it brings; return their numbers."""
    at = BEGAN_AT_S + alerting_s
    journal.add(CallAlerting(at_s=at, call_id=CALL_ID))
    numbers, ring = [], 1
    while alerting_s + (ring - 1) * RING_PERIOD_S <= until_s:
        begins = at + (ring - 1) * RING_PERIOD_S
        ladder = {1: "normal", 2: "warn", 3: "urgent"}
        urgency = ladder.get(ring, "breach")
        numbers.append(
            journal.add(RingBurst(at_s=begins, call_id=CALL_ID, ring=ring, urgency=urgency))  # type: ignore[arg-type]
        )
        if ring == 1:
            journal.add(Prompt(at_s=begins, call_id=CALL_ID, key="opener"))
        if ring == 2:
            journal.add(
                NormNoted(
                    at_s=begins,
                    call_id=CALL_ID,
                    rule="answer.rings",
                    state="warned",
                    value=2.0,
                    unit="rings",
                    threshold=3.0,
                )
            )
        if ring == 4:
            journal.add(
                Prompt(
                    at_s=begins,
                    call_id=CALL_ID,
                    key="opener_late",
                    rule="answer.late_opener",
                    urgency="urgent",
                )
            )
        ring += 1
    return numbers


def verdict(
    rule: str, value: str, measured: float | None, unit: str, limit: float, **more: object
) -> Verdict:
    return Verdict(
        at_s=BEGAN_AT_S + 60.0,
        call_id=CALL_ID,
        rule=rule,
        verdict=value,  # type: ignore[arg-type]
        value=measured,
        unit=unit,
        threshold=limit,
        **more,  # type: ignore[arg-type]
    )


def answered_call(
    *,
    answered_s: float = 8.2,
    talk_s: float = 45.0,
    first_word_s: float = 1.16,
    agent_dbov: float = -36.0,
    live: bool = False,
) -> tuple[CallDetail, list[Record]]:
    """Return a call that was answered and talked on; a late answer or first word is a breach."""
    journal = Journal()
    journal.add(
        CallIncoming(at_s=BEGAN_AT_S, call_id=CALL_ID, number="+862155550101", display_name="李伟 <Wei & Co>")
    )
    rings = add_rings(journal, answered_s)
    at = BEGAN_AT_S + answered_s
    journal.add(AgentRequested(at_s=at - 0.03, call_id=CALL_ID, action="answer", source="headset"))
    answered = journal.add(CallAnswered(at_s=at, call_id=CALL_ID))
    media_s = answered_s + 0.04
    spurts = turns(talk_s - 0.1, first_word_s)
    add_media(journal, media_s, talk_s - 0.1, spurts, agent_dbov=agent_dbov)
    journal.add(
        Dtmf(at_s=at + 0.6 * talk_s, call_id=CALL_ID, side="customer", digit="4", method="event", start_s=0.0)
    )
    journal.add(
        NormNoted(
            at_s=at + 5.0,
            call_id=CALL_ID,
            rule="voice.level",
            state="warned",
            value=-33.1,
            unit="dBov",
            threshold=6.0,
        )
    )
    journal.add(Prompt(at_s=at + 5.0, call_id=CALL_ID, key="too_quiet", rule="voice.level", urgency="warn"))
    levels = journal.next_number - 1
    greeting_s = round(first_word_s + 0.04, 3)
    verdicts = (
        verdict(
            "answer.rings",
            "met" if len(rings) <= 3 else "breached",
            float(len(rings)),
            "rings",
            3.0,
            measures={"rings_heard": float(len(rings)), "wait_s": round(answered_s - 0.05, 3)},
            evidence=(rings[0] - 1, answered),
        ),
        verdict(
            "answer.greeting",
            "met" if greeting_s <= 2.0 else "breached",
            greeting_s,
            "s",
            2.0,
            measures={"greeting_latency_s": greeting_s},
            evidence=(answered,),
        ),
        verdict(
            "voice.level",
            "warned",
            9.6,
            "%",
            20.0,
            measures={"active_speech_level_before_dbov": agent_dbov, "active_speech_level_after_dbov": -26.4},
            evidence=(levels - 1, levels),
        ),
    )
    if not live:
        journal.add(CallEnded(at_s=at + talk_s, call_id=CALL_ID, by="customer", cause="hangup"))
        for judged in verdicts:
            journal.add(judged)
    call = summary(answered_s=answered_s, ended_s=None if live else answered_s + talk_s, rings=len(rings))
    return CallDetail(call=call, verdicts=() if live else verdicts), journal.records


def cancelled_call(ended_s: float = 7.3) -> tuple[CallDetail, list[Record]]:
    """Return a call whose caller gave up while it rang: no sound at all."""
    journal = Journal()
    journal.add(CallIncoming(at_s=BEGAN_AT_S, call_id=CALL_ID, number=""))
    rings = add_rings(journal, ended_s)
    ended = journal.add(
        CallEnded(at_s=BEGAN_AT_S + ended_s, call_id=CALL_ID, by="customer", cause="cancelled", sip_code=487)
    )
    verdicts = (
        verdict(
            "answer.rings",
            "not_applicable",
            float(len(rings)),
            "rings",
            3.0,
            reason=f"not answered: ended after {len(rings)} rings",
            evidence=(rings[0] - 1, ended),
        ),
        verdict("answer.greeting", "not_applicable", None, "s", 2.0, reason="not answered"),
        verdict("voice.level", "not_applicable", None, "%", 20.0, reason="not answered"),
    )
    call = summary(answered_s=None, ended_s=ended_s, rings=len(rings), cause="cancelled", name="", number="")
    return CallDetail(call=call, verdicts=verdicts), journal.records


def foreign_recording(length_s: float = 20.0) -> tuple[CallDetail, list[Record]]:
    """Return what analysing a recording from elsewhere gives: sound, no signalling."""
    journal = Journal()
    add_media(journal, 0.0, length_s, turns(length_s, 0.8), agent_dbov=-27.0)
    verdicts = (
        verdict(
            "answer.rings",
            "not_applicable",
            None,
            "rings",
            3.0,
            reason="the recording carries no signalling",
        ),
        verdict("voice.level", "met", 0.0, "%", 20.0),
    )
    call = summary(answered_s=None, ended_s=length_s, rings=None, name="", number="")
    return CallDetail(call=call, verdicts=verdicts), journal.records
