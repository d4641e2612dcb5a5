"""The norms on calls with known truth, a small part of ``nox -s judged``."""

from collections import defaultdict

import pytest
from bench.judged.make import make_plan
from bench.judged.score import Score, judge, score, settings
from bench.judged.themes import THEMES
from bench.judged.voices import voices

SEED = 20261122
METERED = {"voice.rate"}
"""The meter's spread over 3 s of speech may put one figure of a moderate pace outside: a warning."""


@pytest.fixture(scope="module")
def scores() -> dict[str, Score]:
    known, used = voices(), settings()
    found: dict[str, Score] = defaultdict(Score)
    for number in range(3 * len(THEMES)):
        plan = make_plan(SEED, number, known)
        score(plan, number, judge(plan, used), found)
    return found


def test_every_verdict_is_the_true_one(scores: dict[str, Score]) -> None:
    failures = [text for rule, kept in scores.items() if rule not in METERED for text in kept.failures]
    assert failures == []


def test_a_pace_is_breached_exactly_when_it_is_in_truth(scores: dict[str, Score]) -> None:
    kept = scores["voice.rate"]
    assert kept.found_breaches == kept.true_breaches == kept.both > 0
    assert kept.agreement >= 0.9


def test_breaches_are_announced_at_their_moment(scores: dict[str, Score]) -> None:
    assert scores["answer.rings"].latest_s == pytest.approx(0.0, abs=1e-6)
    assert all(kept.latest_s <= 0.5 for kept in scores.values())


def test_the_corpus_breaks_every_norm_it_judges(scores: dict[str, Score]) -> None:
    never_broken = {rule for rule, kept in scores.items() if not kept.true_breaches}
    assert never_broken <= {"answer.late_opener", "answer.noisy_caller", "customer.survey", "agent.break"}
