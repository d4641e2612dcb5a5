"""Makes the calls of a corpus: theme after theme, and what every norm must say whatever the theme."""

from typing import Final

import numpy as np

from bench.judged.plan import (
    LENGTH_LIMIT_S,
    NOTES_S,
    RATE_SPEECH_OFF_S,
    RATE_SPEECH_S,
    RING_PERIOD_S,
    CallPlan,
)
from bench.judged.procedure import good_notes
from bench.judged.themes import ANSWERED_RULES, THEMES
from bench.judged.voices import Voice

__all__ = ["make_plan"]

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
    """Below 6 s of the agent's speech there is no pace; near that it is not judged."""
    if plan.truth.get("voice.rate", "not_applicable") == "not_applicable":
        return
    off_s = plan.agent_talked_s(0.0, plan.duration_s) - RATE_SPEECH_S
    if not plan.agent.pace_known or abs(off_s) < RATE_SPEECH_OFF_S:
        del plan.truth["voice.rate"]
    elif off_s < 0.0:
        plan.truth["voice.rate"] = "not_applicable"
