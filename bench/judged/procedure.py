"""Themes of procedure: what is written down, who calls again, when and why people are called, the survey."""

from typing import Any

from bench.judged.plan import NUMBER, CallPlan
from thirdring.protocol.events import (
    CallAlerting,
    CallAnswered,
    CallEnded,
    CallIncoming,
    CallOutgoing,
    Dtmf,
    Event,
    NotesTaken,
)

__all__ = ["CALLER_S", "CALL_BACK_S", "PROCEDURE_THEMES", "REDIAL_S", "SURVEY_S", "good_notes"]

CALLER_S = 60.0
CALL_BACK_S = 60.0
REDIAL_S = 30.0
SURVEY_S = 10.0
"""Instead of minutes, so that a corpus stays short."""


def good_notes(plan: CallPlan, at_s: float, **fields: Any) -> NotesTaken:
    """Return notes with all that is asked for, ``at_s`` after the end of the call."""
    usual = {"name": "Wang", "matter": "order 12", "read_back": True}
    return NotesTaken(at_s=at_s, call_id="judged", number=NUMBER, **{**usual, **fields})


def _talk(plan: CallPlan) -> float:
    """A short talk: two or three pace figures, so whether most lie in the band hangs on the words."""
    plan.truth.pop("voice.rate", None)
    return plan.talk(plan.say("agent", float(plan.chance.uniform(0.3, 1.5))), 12.0)


def notes(plan: CallPlan) -> None:
    """Complete in time, late, incomplete, or with figures that nobody read back."""
    case = plan.case("late", "in time", "incomplete", "not read back", "none")
    plan.duration_s = plan.say("customer", _talk(plan) + plan.pause_s()) + 1.0
    late_s = float(plan.chance.uniform(60.5, 80.0) if case == "late" else plan.chance.uniform(1.0, 59.5))
    lacking: dict[str, dict[str, Any]] = {"incomplete": {"name": ""}, "not read back": {"read_back": False}}
    plan.after = [] if case == "none" else [good_notes(plan, late_s, **lacking.get(case, {}))]
    plan.truth["call.notes"] = "met" if case == "in time" else "breached"
    if case == "in time" and plan.turn % 2:
        plan.after = [good_notes(plan, late_s, complaint=True)]
        plan.truth["agent.break"] = "met"


def dropped(plan: CallPlan) -> None:
    """The line goes dead; the caller rings again, or is called back, or not."""
    case = plan.case("left", "rings again", "called back")
    plan.duration_s = _talk(plan) + 0.5
    plan.released_by, plan.cause = "network", "lost"
    plan.truth["call.release"] = "not_applicable"
    plan.truth["call.dropped"] = "breached" if case == "left" else "met"
    if case == "rings again":
        again_s = float(plan.chance.uniform(5.0, CALLER_S - 1.0))
        plan.after.append(CallIncoming(at_s=again_s, call_id="again", number=NUMBER))
        plan.after.append(CallEnded(at_s=again_s + 1.0, call_id="again", by="customer", cause="cancelled"))
    elif case == "called back":
        plan.after += _outgoing(float(plan.chance.uniform(CALLER_S + 1.0, CALLER_S + CALL_BACK_S - 1.0)))
    else:
        plan.moments_s["call.dropped"] = plan.duration_s + CALLER_S + CALL_BACK_S


def _outgoing(at_s: float) -> list[Event]:
    return [
        CallOutgoing(at_s=at_s, call_id="again", number=NUMBER),
        CallAlerting(at_s=at_s + 0.1, call_id="again"),
        CallAnswered(at_s=at_s + 0.5, call_id="again"),
        CallEnded(at_s=at_s + 9.0, call_id="again", by="customer", cause="hangup"),
    ]


HOURS: dict[str, tuple[str, str, str]] = {
    "morning": ("2026-05-06T10:15:00+08:00", "", "met"),
    "night": ("2026-05-06T22:40:00+08:00", "", "breached"),
    "noon": ("2026-05-06T12:30:00+08:00", "", "breached"),
    "saturday": ("2026-05-09T15:00:00+08:00", "", "met"),
    "early saturday": ("2026-05-09T09:15:00+08:00", "", "breached"),
    "holiday": ("2026-10-01T10:15:00+08:00", "National Day", "breached"),
}


def outgoing(plan: CallPlan) -> None:
    """A call of ours, at an hour that suits or not, prepared or not, dropped and redialled or not."""
    case = plan.case(*HOURS)
    local_time, holiday, hours = HOURS[case]
    known, reason = bool(plan.turn % 2), "asked for" if plan.turn % 5 == 4 else ""
    plan.outgoing = {"local_time": local_time, "holiday": holiday, "known": known, "reason": reason}
    plan.truth["outbound.hours"] = "warned" if hours == "breached" and reason else hours
    plan.truth["outbound.prepared"] = "met" if known or reason else "breached"
    for rule in list(plan.truth):
        if rule.startswith("answer."):
            del plan.truth[rule]
    if hours == "breached" and not reason:
        plan.moments_s["outbound.hours"] = plan.dialled_s
    if not (known or reason):
        plan.moments_s["outbound.prepared"] = plan.dialled_s
    if plan.turn % 3 == 1:
        plan.duration_s = _talk(plan) + 0.5
        plan.released_by, plan.cause = "network", "lost"
        plan.truth["call.release"] = "not_applicable"
        redialled = plan.turn % 2 == 0
        plan.truth["call.dropped"] = "met" if redialled else "breached"
        if redialled:
            plan.after += _outgoing(float(plan.chance.uniform(2.0, REDIAL_S - 1.0)))
        else:
            plan.moments_s["call.dropped"] = plan.duration_s + REDIAL_S
    else:
        plan.duration_s = plan.say("customer", _talk(plan) + plan.pause_s()) + 1.0


def survey(plan: CallPlan) -> None:
    """The agent releases; the customer gives a digit, none, or leaves."""
    case = plan.case("digit", "none", "leaves")
    plan.release_s = _talk(plan) + float(plan.chance.uniform(3.4, 6.0))
    waits_s = SURVEY_S if case == "none" else float(plan.chance.uniform(2.0, SURVEY_S - 1.0))
    plan.duration_s = plan.release_s + waits_s
    plan.released_by = "customer" if case == "leaves" else "agent"
    if case == "digit":
        key = str(plan.chance.integers(1, 6))
        plan.during.append(
            Dtmf(at_s=plan.duration_s - 0.1, call_id="judged", side="customer", digit=key, method="event")
        )
    plan.truth["customer.survey"] = "met"
    plan.truth["call.release"] = "met"


PROCEDURE_THEMES = {"notes": notes, "dropped": dropped, "outgoing": outgoing, "survey": survey}
