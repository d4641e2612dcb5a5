"""What the appliance says of a planned call, held against the truth."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from bench.judged.plan import ALERTED_S, CALL_ID, HOLD_LIMIT_S, HOLD_WARN_S, LENGTH_LIMIT_S, CallPlan
from bench.judged.procedure import CALL_BACK_S, CALLER_S, REDIAL_S, SURVEY_S
from thirdring.protocol.events import AgentRequested, Event, NormNoted, Record, Verdict
from thirdring_device.core.norms.settings import CallSettings, HoldSettings, ReturnSettings, SurveySettings
from thirdring_device.engine.media import FRAME_SAMPLES, CallSound
from thirdring_device.engine.replay import desk_settings
from thirdring_device.recorded import judged
from thirdring_device.settings import Settings

__all__ = ["MOMENT_S", "WANTED", "Score", "judge", "score", "settings"]

WANTED: Final = 0.98
MOMENT_S: Final = 0.5
"""Limits of the figures (the moment of rings is exact)."""


@dataclass(slots=True)
class Score:
    """Counts of one norm."""

    right: int = 0
    wrong: int = 0
    true_breaches: int = 0
    found_breaches: int = 0
    both: int = 0
    latest_s: float = 0.0
    failures: list[str] = field(default_factory=list)

    @property
    def precision(self) -> float:
        """Share of the breaches found that are true."""
        return self.both / self.found_breaches if self.found_breaches else 1.0

    @property
    def recall(self) -> float:
        """Share of the true breaches that were found."""
        return self.both / self.true_breaches if self.true_breaches else 1.0

    @property
    def meets(self) -> bool:
        """Whether every figure is as wanted."""
        figures = self.precision, self.recall, self.agreement
        return min(figures) >= WANTED and self.latest_s <= MOMENT_S

    @property
    def agreement(self) -> float:
        """Share of all verdicts that are as they should be."""
        return self.right / (self.right + self.wrong)


def settings() -> Settings:
    """Return the settings the corpus is judged by: the defaults, but for long calls and holds."""
    usual = Settings()
    call = CallSettings(length_limit_s=LENGTH_LIMIT_S)
    hold = HoldSettings(limit_s=HOLD_LIMIT_S, warn_s=HOLD_WARN_S)
    returns = ReturnSettings(redial_s=REDIAL_S, caller_s=CALLER_S, call_back_s=CALL_BACK_S)
    survey = SurveySettings(enabled=True, answer_s=SURVEY_S)
    return replace(usual, norms=replace(usual.norms, call=call, hold=hold, returns=returns, survey=survey))


def judge(plan: CallPlan, used: Settings) -> list[Record]:
    """Return everything the appliance says of a call."""
    facts = plan.facts()
    heard: list[Event] = []
    if plan.answered:
        media_at_s = ALERTED_S + plan.wait_s
        sound = CallSound(CALL_ID, "G722", used, heard.append, lambda: media_at_s)
        agent, customer = plan.sound("agent"), plan.sound("customer")
        out = np.zeros(FRAME_SAMPLES, np.int16)
        for start in range(0, len(agent) // FRAME_SAMPLES * FRAME_SAMPLES, FRAME_SAMPLES):
            frame = slice(start, start + FRAME_SAMPLES)
            sound.process(agent[frame], customer[frame], out, out.copy())
        sound.finish()
    dialled = [fact for fact in facts if isinstance(fact, AgentRequested) and fact.action == "dial"]
    rest = [fact for fact in facts[:-1] if fact not in dialled]
    ordered = [*dialled, *sorted([*rest, *heard], key=lambda event: event.at_s), facts[-1], *plan.later()]
    return judged(ordered, desk_settings(used), lambda at_s: "2026-01-01T00:00:00.000Z", finish=True)


def score(plan: CallPlan, number: int, records: Sequence[Record], scores: dict[str, Score]) -> None:
    """Hold one call's verdicts and moments against its truth."""
    records = [record for record in records if record.event.call_id == CALL_ID]
    verdicts = {record.event.rule: record.event for record in records if isinstance(record.event, Verdict)}
    for rule, true in plan.truth.items():
        found, kept = verdicts[rule], scores[rule]
        kept.true_breaches += true == "breached"
        kept.found_breaches += found.verdict == "breached"
        kept.both += true == found.verdict == "breached"
        if found.verdict == true or ({found.verdict, true} == {"met", "warned"} and rule == "voice.level"):
            kept.right += 1
        else:
            kept.wrong += 1
            value = "-" if found.value is None else f"{found.value:g}"
            kept.failures.append(
                f"call {number} ({plan.theme}): {rule} {found.verdict} ({value} {found.unit} {found.reason}),"
                f" should be {true}"
            )
        moment_s = plan.moments_s.get(rule)
        if moment_s is not None and found.verdict == "breached":
            start_s = ALERTED_S + (0.0 if rule == "answer.rings" else plan.wait_s)
            noted = [
                r.event.at_s
                for r in records
                if isinstance(r.event, NormNoted) and r.event.rule == rule and r.event.state == "breached"
            ]
            error_s = noted[0] - start_s - moment_s if noted else float("inf")
            kept.latest_s = max(kept.latest_s, abs(error_s))
