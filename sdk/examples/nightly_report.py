"""Write a day's key figures and how the norms were kept; for a timer shortly after midnight.

nightly_report.py --out reports/        # yesterday, as reports/2026-05-03.md
"""

import argparse
import datetime
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from thirdring import Appliance, FiguresReport


def shown(value: float | None, unit: str = "") -> str:
    return "-" if value is None else f"{value:.1f}{unit}"


def page(day: datetime.date, report: FiguresReport) -> str:
    """Return the report as Markdown."""
    total = report.total
    lines = [
        f"# {day.isoformat()}",
        "",
        f"{total.offered} calls offered, {total.answered} answered, {total.abandoned} given up. "
        f"Service level {shown(total.service_level_percent, ' %')}, "
        f"speed of answer {shown(total.average_speed_of_answer_s, ' s')}, "
        f"handling time {shown(total.average_handling_time_s, ' s')}.",
        "",
        "| norm | met | warned | breached |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {rule} | {score.met} | {score.warned} | {score.breached} |"
        for rule, score in sorted(total.norms.items(), key=lambda item: (-item[1].breached, item[0]))
        if score.met or score.warned or score.breached
    ]
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--url", default=os.environ.get("THIRDRING_URL", "http://127.0.0.1:8080"))
    parser.add_argument("--token-file", default=os.environ.get("THIRDRING_TOKEN_FILE"))
    parser.add_argument("--day", type=datetime.date.fromisoformat, help="YYYY-MM-DD (default: yesterday)")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    options = parser.parse_args(arguments)
    day = options.day or datetime.datetime.now().astimezone().date() - datetime.timedelta(days=1)
    with Appliance(options.url, token_file=options.token_file) as desk:
        report = desk.figures(day.isoformat(), (day + datetime.timedelta(days=1)).isoformat(), "all")
    options.out.mkdir(parents=True, exist_ok=True)
    file = options.out / f"{day.isoformat()}.md"
    file.write_text(page(day, report), encoding="utf-8")
    print(file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
