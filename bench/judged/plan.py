"""Calls with known truth: who says what when and how loud, who hangs up, and what every norm must say of it.

Truth comes from the construction alone. Every quantity lies off its limit by more than what the meters
may be wrong (dsp.md): levels by 2 dB and more, pace by 10 %, times by 0.3 s.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bench.judged.procedure import NUMBER, PROCEDURE_THEMES, good_notes
from bench.judged.voices import RATE_HZ, Pace, Utterance, Voice
from thirdring.protocol.events import (
    AgentRequested,
    CallAlerting,
    CallAnswered,
    CallEnded,
    CallIncoming,
    CallOutgoing,
    Cause,
    Event,
    HoldEnded,
    HoldStarted,
    MuteEnded,
    MuteStarted,
    Party,
    Side,
)

__all__ = ["HOLD_LIMIT_S", "HOLD_WARN_S", "LENGTH_LIMIT_S", "THEMES", "CallPlan", "make_plan"]

CALL_ID: Final = "judged"
RING_PERIOD_S: Final = 5.0
LENGTH_LIMIT_S: Final = 60.0
"""Instead of ten minutes, so that long calls are short enough to make many."""
HOLD_LIMIT_S: Final = 30.0
HOLD_WARN_S: Final = 20.0
"""Instead of three minutes, and two and a half."""
NOTES_S: Final = 60.0
QUIET_DBOV: Final = -68.0
ALERTED_S: Final = 0.05
FIGURES_EVERY_S: Final = 5.0
FIGURES_LAG_S: Final = 0.5
RATE_SPEECH_S: Final = 3.0
"""How often the pace of 10 s is told and how late, and how much speech must stand behind it."""
Signal = npt.NDArray[np.int16]
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
SELDOM_RULES: Final = (
    "answer.late_opener",
    "answer.silent_call",
    "answer.weak_caller",
    "answer.noisy_caller",
    "voice.calm",
    "voice.mute_pause",
    "hold.check_in",
    "transfer.consent",
    "outbound.hours",
    "outbound.prepared",
    "customer.survey",
    "call.dropped",
    "agent.break",
)
"""Not applicable but in the calls made for them."""


@dataclass(slots=True)
class CallPlan:
    """One call. Sound times are seconds since its beginning, which is the answer."""

    theme: str
    turn: int
    """How often the theme was used before in this corpus: its cases take turns."""
    chance: np.random.Generator
    agent: Voice
    customer: Voice
    wait_s: float = 3.0
    answered: bool = True
    released_by: Party = "customer"
    duration_s: float = 0.0
    noise_dbov: dict[Side, float] = field(
        default_factory=lambda: {"agent": QUIET_DBOV, "customer": QUIET_DBOV}
    )
    agent_dbov: float = -28.0
    customer_dbov: float = -26.0
    truth: dict[str, str] = field(default_factory=dict)
    """Verdict by rule; a rule that is not here is not judged in this call."""
    moments_s: dict[str, float] = field(default_factory=dict)
    """When a rule must be announced as breached, in seconds since the answer (rings: since the 180)."""
    said: list[tuple[Side, float, Utterance, float]] = field(default_factory=list)

    away: list[tuple[str, float, float]] = field(default_factory=list)
    """Holds and mutes: which, from when, until when."""
    cause: Cause = "hangup"
    outgoing: dict[str, Any] | None = None
    """A call of ours: what its request to dial says."""
    release_s: float | None = None
    """When the agent hangs up, if that is not the end."""
    during: list[Event] = field(default_factory=list)
    """Further facts of the call, their times since the answer."""
    after: list[Event] = field(default_factory=list)
    """Facts that follow, their times since the end."""
    transferred: str = ""
    """How the agent asks for a transfer in the end: blind, agreed or consulted."""

    def say(
        self,
        side: Side,
        start_s: float,
        pace: Pace = "moderate",
        level_db: float = 0.0,
        shortest_s: float = 0.0,
    ) -> float:
        """Let a side say a sentence, ``level_db`` above its usual level; return when it ends."""
        known = (self.agent if side == "agent" else self.customer).at(pace)
        fitting = [utterance for utterance in known if utterance.duration_s >= shortest_s]
        fitting = fitting or [max(known, key=lambda utterance: utterance.duration_s)]
        utterance = fitting[int(self.chance.integers(len(fitting)))]
        usual_dbov = self.agent_dbov if side == "agent" else self.customer_dbov
        self.said.append((side, start_s, utterance, usual_dbov + level_db))
        return start_s + utterance.duration_s

    def talk(self, start_s: float, until_s: float, pace: Pace = "moderate") -> float:
        """Let both take turns, the customer first; return when the last of them, the agent, ends."""
        at_s = start_s
        while True:
            at_s = self.say("customer", at_s + self.pause_s())
            at_s = self.say("agent", at_s + self.pause_s(), pace)
            if at_s >= until_s:
                return at_s

    def agent_talked_s(self, from_s: float, until_s: float) -> float:
        """Return for how long the agent talks between two moments."""
        spans = [
            (start_s, start_s + said.duration_s) for who, start_s, said, _ in self.said if who == "agent"
        ]
        return sum(max(0.0, min(end_s, until_s) - max(start_s, from_s)) for start_s, end_s in spans)

    def case(self, *cases: str) -> str:
        """Return the case of the theme that it is the turn of."""
        return cases[self.turn % len(cases)]

    def pause_s(self) -> float:
        """Return a pause between two turns."""
        return float(self.chance.uniform(0.4, 1.6))

    def facts(self) -> list[Event]:
        """Return the signalling, the end last."""
        answer_s = ALERTED_S + self.wait_s
        facts: list[Event] = [
            CallIncoming(at_s=0.0, call_id=CALL_ID, number=NUMBER),
            CallAlerting(at_s=ALERTED_S, call_id=CALL_ID),
        ]
        if self.outgoing is not None:
            facts[0] = CallOutgoing(at_s=0.0, call_id=CALL_ID, number=NUMBER)
            request = AgentRequested(
                at_s=0.0, call_id=CALL_ID, action="dial", argument=NUMBER, **self.outgoing
            )
            facts.insert(0, request)
        if not self.answered:
            return [*facts, CallEnded(at_s=answer_s, call_id=CALL_ID, by="customer", cause="cancelled")]
        if self.outgoing is None:
            facts.append(AgentRequested(at_s=answer_s - 0.02, call_id=CALL_ID, action="answer"))
        facts.append(CallAnswered(at_s=answer_s, call_id=CALL_ID))
        end_s = answer_s + self.duration_s
        for kind, from_s, until_s in self.away:
            facts += _absence(kind, answer_s + from_s, answer_s + until_s)
        if self.transferred:
            facts.append(
                AgentRequested(
                    at_s=end_s - 0.5,
                    call_id=CALL_ID,
                    action="transfer",
                    argument="1001",
                    other_call_id="colleague" if self.transferred == "consulted" else "",
                    consent=self.transferred == "agreed",
                )
            )
        if self.released_by == "agent" or self.release_s is not None:
            hung_up_s = end_s if self.release_s is None else answer_s + self.release_s
            facts.append(AgentRequested(at_s=hung_up_s, call_id=CALL_ID, action="hangup"))
        facts += [replace(event, at_s=answer_s + event.at_s) for event in self.during]
        return [*facts, CallEnded(at_s=end_s, call_id=CALL_ID, by=self.released_by, cause=self.cause)]

    def later(self) -> list[Event]:
        """Return what happens after the call, in order."""
        end_s = ALERTED_S + self.wait_s + self.duration_s
        moved = [replace(event, at_s=end_s + event.at_s) for event in self.after] if self.answered else []
        return sorted(moved, key=lambda event: event.at_s)

    @property
    def dialled_s(self) -> float:
        """When a call of ours was dialled, since its answer."""
        return -(ALERTED_S + self.wait_s)

    def sound(self, side: Side) -> Signal:
        """Return what a side's microphone or line carries."""
        count = round(self.duration_s * RATE_HZ)
        chance = np.random.default_rng([int(self.chance.bit_generator.random_raw() % 2**32), side == "agent"])
        signal = chance.normal(0.0, 10.0 ** (self.noise_dbov[side] / 20.0), count)
        for speaker, start_s, utterance, level_dbov in self.said:
            if speaker == side:
                at = round(start_s * RATE_HZ)
                piece = utterance.samples[: max(0, count - at)]
                signal[at : at + len(piece)] += piece * 10.0 ** (level_dbov / 20.0)
        return np.clip(np.rint(signal * 32768.0), -32768, 32767).astype(np.int16)


def _absence(kind: str, from_s: float, until_s: float) -> list[Event]:
    if kind == "mute":
        return [MuteStarted(at_s=from_s, call_id=CALL_ID), MuteEnded(at_s=until_s, call_id=CALL_ID)]
    return [
        HoldStarted(at_s=from_s, call_id=CALL_ID, by="agent"),
        HoldEnded(at_s=until_s, call_id=CALL_ID, by="agent"),
    ]


def make_plan(seed: int, number: int, voices: list[Voice]) -> CallPlan:
    """Make call ``number`` of the corpus ``seed``; themes take turns."""
    chance = np.random.default_rng([seed, number])
    agent, customer = chance.permutation(len(voices))[:2]
    theme = list(THEMES)[number % len(THEMES)]
    plan = CallPlan(theme, number // len(THEMES), chance, voices[agent], voices[customer])
    plan.wait_s = RING_PERIOD_S * int(chance.integers(0, 3)) + float(chance.uniform(0.3, 4.7))
    plan.truth = dict.fromkeys(ANSWERED_RULES, "met")
    plan.truth |= dict.fromkeys(SELDOM_RULES, "not_applicable")
    THEMES[theme](plan)
    if plan.answered:
        _judge_notes(plan)
    _judge_length(plan)
    _judge_rate(plan)
    if plan.outgoing is not None:
        plan.truth["answer.rings"] = "not_applicable"
        return plan
    rings = int(plan.wait_s // RING_PERIOD_S) + 1
    plan.truth["answer.rings"] = "met" if rings <= 3 else "breached"
    if rings > 3:
        plan.moments_s["answer.rings"] = 3 * RING_PERIOD_S
        if plan.answered:
            plan.truth["answer.late_opener"] = "met"
    elif not plan.answered:
        plan.truth["answer.rings"] = "not_applicable"
    return plan


def _judge_notes(plan: CallPlan) -> None:
    """Whatever the theme, a call is written down, unless it is about just that."""
    if plan.theme != "notes":
        plan.after.append(good_notes(plan, float(plan.chance.uniform(1.0, 59.5))))
    elif plan.truth["call.notes"] == "breached":
        plan.moments_s["call.notes"] = plan.duration_s + NOTES_S
    if plan.released_by == "agent" and plan.theme == "agent releases":
        plan.truth["customer.survey"] = "met"


def _judge_length(plan: CallPlan) -> None:
    """Whatever the theme, a call may have become long; just at the limit it is not judged."""
    if not plan.answered:
        return
    over_s = plan.duration_s - LENGTH_LIMIT_S
    plan.truth["call.length"] = "breached" if over_s > 0.0 else "met"
    if abs(over_s) < 0.3:
        del plan.truth["call.length"]


def _judge_rate(plan: CallPlan) -> None:
    """Without 3 s of the agent's speech behind any figure there is no pace; near them it is not judged."""
    if plan.truth.get("voice.rate", "not_applicable") == "not_applicable":
        return
    ends_s = np.arange(FIGURES_EVERY_S, plan.duration_s, FIGURES_EVERY_S) - FIGURES_LAG_S
    most_s = max((plan.agent_talked_s(end_s - 10.0, end_s) for end_s in ends_s), default=0.0)
    if not plan.agent.pace_known or abs(most_s - RATE_SPEECH_S) < 0.5:
        del plan.truth["voice.rate"]
    elif most_s < RATE_SPEECH_S:
        plan.truth["voice.rate"] = "not_applicable"


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
