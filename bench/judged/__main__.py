"""``nox -s judged -- --seed N --calls 500``: the norms on calls with known truth.

Every call is made of sound and signalling, goes through the very code that judges live, and its verdicts and
their moments are held against the truth. Per norm: precision and recall of "breached", agreement of all
verdicts, and the largest error of the moment at which a breach was announced.
"""

import argparse
import json
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from bench.judged.plan import ALERTED_S, CALL_ID, LENGTH_LIMIT_S, CallPlan, make_plan
from bench.judged.voices import voices
from thirdring.protocol.events import Event, NormNoted, Record, Verdict
from thirdring_device.core.norms.settings import CallSettings
from thirdring_device.engine.media import FRAME_SAMPLES, CallSound
from thirdring_device.engine.replay import desk_settings
from thirdring_device.recorded import judged
from thirdring_device.settings import Settings

WANTED = 0.98
MOMENT_S = 0.5
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
    def agreement(self) -> float:
        """Share of all verdicts that are as they should be."""
        return self.right / (self.right + self.wrong)


def settings() -> Settings:
    """Return the settings the corpus is judged by: the defaults, but for the length of a long call."""
    usual = Settings()
    return replace(usual, norms=replace(usual.norms, call=CallSettings(length_limit_s=LENGTH_LIMIT_S)))


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
    ordered = [*sorted([*facts[:-1], *heard], key=lambda event: event.at_s), facts[-1]]
    return judged(ordered, desk_settings(used), lambda at_s: "2026-01-01T00:00:00.000Z")


def score(plan: CallPlan, number: int, records: Sequence[Record], scores: dict[str, Score]) -> None:
    """Hold one call's verdicts and moments against its truth."""
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


def table(scores: dict[str, Score]) -> list[str]:
    """Return the result as a Markdown table."""
    lines = [
        "| norm | verdicts | true breaches | precision | recall | agreement | moment off by |",
        "|---|---|---|---|---|---|---|",
    ]
    for rule, kept in scores.items():
        moment = f"{kept.latest_s:.2f} s" if kept.latest_s else ""
        lines.append(
            f"| `{rule}` | {kept.right + kept.wrong} | {kept.true_breaches} | {kept.precision:.3f}"
            f" | {kept.recall:.3f} | {kept.agreement:.3f} | {moment} |"
        )
    return lines


def main(arguments: Sequence[str]) -> int:
    """Run the corpus; 1 when a norm misses its figure."""
    parser = argparse.ArgumentParser(prog="nox -s judged --", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--calls", type=int, default=150)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    args = parser.parse_args(arguments)
    known, used = voices(), settings()
    scores: dict[str, Score] = defaultdict(Score)
    began_s = time.monotonic()
    for number in range(args.calls):
        plan = make_plan(args.seed, number, known)
        score(plan, number, judge(plan, used), scores)
        if sys.stderr.isatty() or number % 50 == 49:
            print(f"\r{number + 1} of {args.calls} calls", end="", file=sys.stderr, flush=True)
    print(f", {time.monotonic() - began_s:.0f} s", file=sys.stderr)
    ordered = {rule: scores[rule] for rule in sorted(scores)}
    print("\n".join(table(ordered)))
    failures = [failure for kept in ordered.values() for failure in kept.failures]
    print("\n".join(["", f"{len(failures)} verdicts differ from the truth:", *failures]) if failures else "")
    missed = [
        rule
        for rule, kept in ordered.items()
        if min(kept.precision, kept.recall, kept.agreement) < WANTED or kept.latest_s > MOMENT_S
    ]
    if args.json:
        figures = {
            rule: {
                "verdicts": kept.right + kept.wrong,
                "true_breaches": kept.true_breaches,
                "precision": round(kept.precision, 4),
                "recall": round(kept.recall, 4),
                "agreement": round(kept.agreement, 4),
                "moment_error_s": round(kept.latest_s, 3),
            }
            for rule, kept in ordered.items()
        }
        args.json.write_text(json.dumps({"seed": args.seed, "calls": args.calls, "norms": figures}, indent=1))
    print(f"below {WANTED:.2f} or later than {MOMENT_S:g} s: {', '.join(missed) or 'none'}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
