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
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from matplotlib.figure import Figure

from bench.judged.make import make_plan
from bench.judged.score import MOMENT_S, WANTED, Score, judge, score, settings
from bench.judged.voices import voices

DOCS: Final = Path(__file__).resolve().parents[2] / "docs"
FAILURES_SHOWN: Final = 5
"""For each norm."""


def table(scores: Mapping[str, Score]) -> list[str]:
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


def document(scores: Mapping[str, Score], seed: int, calls: int) -> None:
    """Write ``docs/judged.md`` with its picture."""
    lines = [
        "# Norms on calls with known truth",
        "",
        f"Made by `nox -s judged -- --seed {seed} --calls {calls} --docs`; do not edit.",
        "",
        "Speech by people and by espeak-ng; truth by construction. Precision and recall are of",
        f"*breached*; wanted are {WANTED:g} of each and moments within {MOMENT_S:g} s.",
        "",
        *table(scores),
        "",
        "![precision and recall](pictures/judged.svg)",
        "",
        *(f"- {failure}" for kept in scores.values() for failure in kept.failures[:FAILURES_SHOWN]),
    ]
    (DOCS / "judged.md").write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")
    figure = Figure(figsize=(7, 5), layout="constrained")
    axes = figure.subplots()
    places = range(len(scores))
    axes.barh([y - 0.2 for y in places], [kept.precision for kept in scores.values()], 0.4, label="precision")
    axes.barh([y + 0.2 for y in places], [kept.recall for kept in scores.values()], 0.4, label="recall")
    axes.axvline(WANTED, color="black", linewidth=0.8, linestyle="--", label=f"wanted: {WANTED:g}")
    axes.set_yticks(list(places), list(scores))
    axes.set_xlabel('of "breached"')
    axes.invert_yaxis()
    axes.legend(loc="lower left")
    figure.savefig(DOCS / "pictures" / "judged.svg", metadata={"Date": None})


def main(arguments: Sequence[str]) -> int:
    """Run the corpus; 1 when a norm misses its figure."""
    parser = argparse.ArgumentParser(prog="nox -s judged --", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--calls", type=int, default=150)
    parser.add_argument("--docs", action="store_true", help="write docs/judged.md")
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
    missed = [rule for rule, kept in ordered.items() if not kept.meets]
    if args.docs:
        document(ordered, args.seed, args.calls)
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
