"""Themes of calls: each lets something happen, and says what the norms must make of it."""

from collections.abc import Callable
from typing import Final

from bench.judged.plan import HOLD_LIMIT_S, LENGTH_LIMIT_S, QUIET_DBOV, RING_PERIOD_S, CallPlan
from bench.judged.procedure import PROCEDURE_THEMES
from bench.judged.voices import Pace

__all__ = ["ANSWERED_RULES", "THEMES"]

ANSWERED_RULES: Final = (
    "answer.late_opener",
    "answer.greeting",
    "answer.silent_call",
    "answer.weak_caller",
    "answer.noisy_caller",
    "voice.level",
    "voice.noise",
    "voice.rate",
    "voice.interrupting",
    "voice.calm",
    "voice.dead_air",
    "call.length",
    "call.release",
    "voice.mute_pause",
    "hold.check_in",
    "transfer.consent",
    "outbound.hours",
    "outbound.prepared",
    "customer.survey",
    "call.dropped",
    "call.notes",
    "agent.break",
)


def _greet(plan: CallPlan) -> float:
    return plan.say("agent", float(plan.chance.uniform(0.3, 1.5)))


def _customer_ends(plan: CallPlan, at_s: float) -> None:
    """The customer says goodbye and hangs up."""
    plan.duration_s = plan.say("customer", at_s + plan.pause_s()) + float(plan.chance.uniform(0.5, 1.5))


def _normal(plan: CallPlan) -> None:
    _customer_ends(plan, plan.talk(_greet(plan), float(plan.chance.uniform(15.0, 35.0))))


def _late(plan: CallPlan) -> None:
    plan.wait_s = (
        15.0 + RING_PERIOD_S * int(plan.chance.integers(0, 3)) + float(plan.chance.uniform(0.3, 4.7))
    )
    _normal(plan)


def _abandoned(plan: CallPlan) -> None:
    plan.answered = False
    plan.wait_s += float(plan.case("0", "15"))
    plan.truth = dict.fromkeys(ANSWERED_RULES, "not_applicable")


def _slow_greeting(plan: CallPlan) -> None:
    at_s = plan.say("agent", float(plan.chance.uniform(2.8, 5.0)))
    plan.truth["answer.greeting"] = "breached"
    plan.moments_s["answer.greeting"] = 2.0
    _customer_ends(plan, plan.talk(at_s, 20.0))


def _silent_line(plan: CallPlan) -> None:
    """Nobody is there; the agent follows the procedure, or hangs up one or two steps early."""
    steps = int(plan.case("3", "1", "2"))
    plan.noise_dbov["customer"] = float(plan.chance.choice([-100.0, QUIET_DBOV, -50.0]))
    at_s = _greet(plan)
    for _ in range(steps - 1):
        at_s = plan.say("agent", at_s + float(plan.chance.uniform(5.3, 6.5)))
    plan.duration_s = at_s + float(plan.chance.uniform(5.3, 6.5))
    plan.released_by = "agent"
    plan.truth["answer.silent_call"] = "met" if steps == 3 else "breached"
    plan.truth["voice.dead_air"] = plan.truth["call.release"] = "not_applicable"
    for rule in ("voice.level", "voice.rate", "voice.noise"):
        del plan.truth[rule]  # a few words: whether they are enough hangs on the words


def _weak_caller(plan: CallPlan) -> None:
    """The caller can hardly be heard; the agent asks, stays calm or grows loud, or hangs up early."""
    case = plan.case("polite", "loud", "early")
    plan.customer_dbov = float(plan.chance.uniform(-52.0, -46.0))
    plan.noise_dbov["customer"] = -80.0
    at_s = _greet(plan)
    for _ in range(1 if case == "early" else 2):
        at_s = plan.say("customer", at_s + plan.pause_s(), shortest_s=2.0)
        at_s = plan.say("agent", at_s + plan.pause_s(), shortest_s=2.0)
    at_s = plan.say("customer", at_s + plan.pause_s(), shortest_s=2.0)
    rise_db = 8.0 if case == "loud" else 0.0
    for _ in range(1 if case == "early" else 4):
        at_s = plan.say("agent", at_s + 1.2, level_db=rise_db, shortest_s=2.0)
        if case != "early":
            at_s = plan.say("customer", at_s + plan.pause_s(), shortest_s=2.0)
    plan.truth["answer.weak_caller"] = "met" if case == "polite" else "breached"
    plan.truth["call.release"] = "not_applicable"
    for rule in ("voice.level", "answer.noisy_caller"):
        del plan.truth[rule]
    plan.duration_s = at_s + 1.0
    plan.released_by = "agent"


def _noisy_caller(plan: CallPlan) -> None:
    """The caller is drowned by noise; the customer hangs up in the end."""
    plan.customer_dbov = -24.0
    plan.noise_dbov["customer"] = float(plan.chance.uniform(-32.0, -29.0))
    _customer_ends(plan, plan.talk(_greet(plan), 25.0))
    plan.truth["answer.noisy_caller"] = "met"
    for rule in ("voice.interrupting", "voice.dead_air", "voice.calm", "agent.break"):
        del plan.truth[rule]


def _agent_level(plan: CallPlan) -> None:
    """Too quiet for the gain control to mend, or well within what it mends."""
    beyond = plan.case("beyond", "within") == "beyond"
    plan.agent_dbov = float(
        plan.chance.uniform(-56.0, -51.0) if beyond else plan.chance.uniform(-40.0, -16.0)
    )
    plan.noise_dbov["agent"] = -85.0
    plan.truth["voice.level"] = "breached" if beyond else "met"
    _normal(plan)


def _noisy_desk(plan: CallPlan) -> None:
    plan.agent_dbov = -22.0
    plan.noise_dbov["agent"] = float(plan.chance.uniform(-42.0, -38.5))
    plan.truth["voice.noise"] = "breached"
    _customer_ends(plan, plan.talk(_greet(plan), float(plan.chance.uniform(25.0, 40.0))))


def _pace(plan: CallPlan) -> None:
    pace: Pace = "fast" if plan.case("fast", "slow") == "fast" else "slow"
    at_s = plan.say("agent", float(plan.chance.uniform(0.3, 1.5)), pace)
    while at_s < 30.0:
        at_s = plan.say("customer", at_s + plan.pause_s())
        for _ in range(2):  # fast sentences are short
            at_s = plan.say("agent", at_s + plan.pause_s(), pace)
    plan.truth["voice.rate"] = "breached"
    _customer_ends(plan, at_s)


def _interrupting(plan: CallPlan) -> None:
    """The agent talks over the customer 1 to 4 times; back-channels and answers do not count."""
    times = int(plan.case("3", "1", "4", "2"))
    at_s = _greet(plan)
    for turn in range(times):
        begins_s = at_s + plan.pause_s()
        end_s = plan.say("customer", begins_s, "slow", shortest_s=2.1)
        start_s = begins_s + float(plan.chance.uniform(0.75, 0.9))
        at_s = max(end_s, plan.say("agent", start_s, shortest_s=2.0))
        if turn == 2:
            plan.moments_s["voice.interrupting"] = start_s + 0.8
        at_s = plan.say("agent", plan.say("customer", at_s + plan.pause_s()) + plan.pause_s())
    plan.truth["voice.interrupting"] = "breached" if times > 2 else "warned"
    _customer_ends(plan, at_s)


def _heated(plan: CallPlan) -> None:
    """The customer shouts; the agent stays calm, or shouts back."""
    loud = plan.case("loud", "calm") == "loud"
    plan.customer_dbov = -32.0
    at_s = _greet(plan)
    for _ in range(3):
        at_s = plan.talk(at_s, 0.0)
    at_s = plan.say("customer", at_s + plan.pause_s(), level_db=10.0)
    at_s = plan.say("agent", at_s + plan.pause_s(), level_db=7.0 if loud else 0.0)
    plan.truth["voice.calm"] = "breached" if loud else "met"
    plan.truth["agent.break"] = "met"
    del plan.truth["voice.level"]
    _customer_ends(plan, plan.talk(at_s, at_s + 8.0))


def _dead_air(plan: CallPlan) -> None:
    """Both fall silent, mended in time or not."""
    late = plan.case("late", "in time") == "late"
    at_s = plan.talk(_greet(plan), 10.0)
    gap_s = float(plan.chance.uniform(11.5, 14.0) if late else plan.chance.uniform(7.8, 8.2))
    plan.truth["voice.dead_air"] = "breached" if late else "warned"
    if late:
        plan.moments_s["voice.dead_air"] = at_s + 10.0
    _customer_ends(plan, plan.talk(at_s + gap_s - 1.0, at_s + gap_s + 5.0))


def _long(plan: CallPlan) -> None:
    _customer_ends(plan, plan.talk(_greet(plan), LENGTH_LIMIT_S + 3.0))
    plan.moments_s["call.length"] = LENGTH_LIMIT_S


def _agent_releases(plan: CallPlan) -> None:
    """The agent hangs up: at once after the last word, or after leaving the customer the time."""
    hasty = plan.case("hasty", "patient") == "hasty"
    at_s = plan.talk(_greet(plan), 18.0)
    plan.duration_s = at_s + float(plan.chance.uniform(0.3, 2.5) if hasty else plan.chance.uniform(3.4, 6.0))
    plan.released_by = "agent"
    plan.truth["call.release"] = "breached" if hasty else "met"


def _hold(plan: CallPlan) -> None:
    """The customer is put on hold: for a moment, for long, for too long."""
    case = plan.case("too long", "a moment", "long")
    length_s = {"a moment": (5.0, 18.0), "long": (21.0, 28.0), "too long": (31.0, 40.0)}[case]
    at_s = plan.talk(_greet(plan), 8.0) + 0.5
    back_s = at_s + float(plan.chance.uniform(*length_s))
    plan.away.append(("hold", at_s, back_s))
    plan.truth["hold.check_in"] = {"a moment": "met", "long": "warned", "too long": "breached"}[case]
    if case == "too long":
        plan.moments_s["hold.check_in"] = at_s + HOLD_LIMIT_S
    _customer_ends(plan, plan.say("agent", back_s + 0.6))


def _mute(plan: CallPlan) -> None:
    long = plan.case("long", "short") == "long"
    at_s = plan.talk(_greet(plan), 8.0) + 0.5
    back_s = at_s + float(plan.chance.uniform(10.5, 15.0) if long else plan.chance.uniform(3.0, 9.5))
    plan.away.append(("mute", at_s, back_s))
    plan.truth["voice.mute_pause"] = "breached" if long else "met"
    if long:
        plan.moments_s["voice.mute_pause"] = at_s + 10.0
    _customer_ends(plan, plan.say("agent", back_s + 0.6))


def _transfer(plan: CallPlan) -> None:
    plan.transferred = plan.case("blind", "agreed", "consulted")
    plan.truth["transfer.consent"] = "breached" if plan.transferred == "blind" else "met"
    plan.duration_s = plan.talk(_greet(plan), 12.0) + 1.5
    plan.released_by = "network"
    plan.truth["call.release"] = "not_applicable"


THEMES: Final[dict[str, Callable[[CallPlan], None]]] = {
    "normal": _normal,
    "late": _late,
    "abandoned": _abandoned,
    "slow greeting": _slow_greeting,
    "silent line": _silent_line,
    "weak caller": _weak_caller,
    "noisy caller": _noisy_caller,
    "agent's level": _agent_level,
    "noisy desk": _noisy_desk,
    "pace": _pace,
    "interrupting": _interrupting,
    "heated": _heated,
    "dead air": _dead_air,
    "long": _long,
    "agent releases": _agent_releases,
    "hold": _hold,
    "mute": _mute,
    "transfer": _transfer,
    **PROCEDURE_THEMES,
}
