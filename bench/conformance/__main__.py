"""Run every gate: print the table, write JSON and ``docs/conformance.md``."""

import importlib
import json
import pkgutil
import sys
from pathlib import Path

from bench import conformance
from bench.conformance.row import Row

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "docs" / "pictures" / "conformance"


def sections(chosen: list[str]) -> list[str]:
    """Return the names of the section modules to run; all when none is chosen."""
    found = sorted(
        module.name
        for module in pkgutil.iter_modules(conformance.__path__)
        if module.name not in ("row", "material", "__main__")
    )
    return [name for name in found if not chosen or name in chosen]


def markdown(rows: list[Row]) -> str:
    """Return the document: a table a section, then its pictures."""
    lines = ["# Conformance", "", "Made by `nox -s conformance`; do not edit.", ""]
    for section in dict.fromkeys(row.section for row in rows):
        lines += [
            f"## {section}",
            "",
            "| gate | limit | ours | peer | met |",
            "|---|---|---|---|---|",
        ]
        for row in rows:
            if row.section == section:
                met = "yes" if row.met else f"**no**: {row.note}"
                lines.append(f"| {row.gate} | {row.limit} | {row.ours} | {row.peer} | {met} |")
        lines.append("")
    lines += [
        f"![{picture.stem}](pictures/conformance/{picture.name})"
        for picture in sorted(PICTURES.glob("*.svg"))
    ]
    return "\n".join(lines) + "\n"


def main(chosen: list[str]) -> int:
    """Run the chosen sections; only a full run rewrites the document."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    rows: list[Row] = []
    for name in sections(chosen):
        print(f"running {name} ...", file=sys.stderr, flush=True)
        for row in importlib.import_module(f"bench.conformance.{name}").rows(PICTURES):
            rows.append(row)
            print(
                f"{'met ' if row.met else 'MISS'} {row.section:14} {row.gate}: "
                f"{row.ours} (limit {row.limit}; peer {row.peer}) {row.note}",
                flush=True,
            )
    if not chosen:
        (ROOT / "docs" / "conformance.md").write_text(markdown(rows), encoding="utf-8")
        (ROOT / "docs" / "conformance.json").write_text(
            json.dumps([row._asdict() for row in rows], indent=1) + "\n", encoding="utf-8"
        )
    missed = sum(not row.met for row in rows)
    print(f"{len(rows)} gates, {missed} missed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
