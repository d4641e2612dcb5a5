"""The page about the bench: ``docs/hil.md``, made from the suites and the notes of runs (``docs/hil.json``).

``python -m thirdring_hil.page out/hil/record.json`` takes a record over as the note of its target.
"""

import ast
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from thirdring_hil.environment import QEMU, SIMULATOR
from thirdring_hil.target import FEATURES_OF, FROM_OUTSIDE, WITH_BUNDLES, WITH_LAMPS, WITH_USB_HEADSET

__all__ = ["hil", "note"]

ROOT: Final = Path(__file__).parents[2]
SUITES: Final = ROOT / "hil" / "suites"
BROKEN: Final = ROOT / "hil" / "faults" / "broken.py"
NOTE: Final = ROOT / "docs" / "hil.json"
NOTED: Final = ("name", "value", "unit", "low", "high", "reason")
FEATURES: Final = {
    "sip": "the bench can call it: `sip` in the environment file",
    "trunk": "it calls the bench: `trunk_peer`",
    "restart": "the bench can switch it off and on: `restart`",
    "headset": "the bench has the headset in its hand: the simulated one, or a USB headset that it is itself",
    "simulated_headset": "its headset is the simulated one",
    "shared_files": "the bench reads what that headset's ear hears: `state_dir`",
    "engine_process": "the bench can kill one of its processes: the simulator, a board in QEMU",
    "power_cut": "the bench can pull its plug at any moment: a board in QEMU",
    "root_shell": "the bench is root on its Linux console: a board in QEMU",
    "update": "bundles lie beside the image of a board in QEMU: `--bundle --spoiled`",
    "outside": "root makes the board a network of strangers: a board in QEMU",
    "lamp_pins": "the bench sees the pins that the board's lamps hang on: the Pi in QEMU",
    "unplug": "the bench unplugs the headset, or somebody does when asked: `features`",
}

INTRODUCTION: Final = """\
`thirdring-hil` proves a unit from outside: over its serial console, with a telephone of its own as the caller and as
the called. It needs nothing of the unit but the console; whatever else it can use is declared, and what is not there is
skipped and listed.

```
pip install '.[bench]'                         # besides espeak-ng, which speaks for the agent
thirdring-hil run --target simulator           # the appliance in software
thirdring-hil run --target qemu-amd64          # its image on a virtual board, made by scripts/build-image
thirdring-hil run --target /dev/ttyUSB0        # a unit on a cable, console only
thirdring-hil run --target hil/environments/cable.toml --suites console,telephone
```

1. Connect the console. Write down in a copy of `hil/environments/cable.toml` which port it is, where the unit takes calls,
   and what switches it off and on. Nothing else differs from bench to bench.
2. Run. Each test is a line; the last line is `PASS` or `FAIL`, and so is the exit code (0, 1; 2: it could not be run).
3. `out/hil` then has `certificate-SERIAL.html`, the unit's test certificate as one page that needs nothing else;
   `record.json` and `junit.xml` with every measurement, its unit and its limits; a log a test with what went over the line
   and over SIP, and what a simulator said itself; `pytest.log`. `thirdring-hil certificate out/hil/record.json` writes the
   certificate anew. `--output` chooses another folder, `--soak-calls` the number of calls in a row.

![A certificate](pictures/certificate.png)

The suites are plain pytest: `pytest hil/suites --targets simulator,hil/environments/cable.toml` runs them on several targets
one after another. A test asks for `target`, `appliance` (the SDK on the console), `line` (the raw console), `ear`,
`measure(name, value, unit, low, high, reason)` and `draw(...)`; `@pytest.mark.needs("sip")` names what it cannot do without.
labgrid is not needed; where there is one, it switches the power (`hil/environments/labgrid.yaml`).
"""

VIRTUAL: Final = """\

## A virtual board

`thirdring-hil run --target qemu-amd64`, or `nox -s hil_qemu`, which makes the image first where there is none, boots the image of
`firmware_ports/qemu` in QEMU (`apt-get install qemu-system-x86 qemu-utils ovmf`): with KVM where KVM really runs it, else emulated.
The image stays as it is; the board writes to a disk of its own, which goes with the run. `linux.log` and `journal.log` among the
logs are what Linux and the unit said. Settings come by `fw_cfg`, calls by forwarded ports, the AT console is a pty that outlives
the board's restarts. The headset is a USB one that the bench is itself, over USB/IP: the board's own drivers (`snd-usb-audio`,
`hidraw`) take it for real. It is plugged in for the tests that need it, for it moves a packet a millisecond each way; they go
over the network in batches of 5 ms.
`scripts/test-box` makes the image and runs the short suites, console and telephone, in some four minutes where Debian's packages are kept.
A power cut ends QEMU on the spot: what the board had handed to its disk is there afterwards, as on a disk whose cache has a battery.

`--target qemu-arm64` (`nox -s hil_qemu_arm64`) does the same for arm64, and so does `--target qemu-raspi3b` (`nox -s hil_qemu_raspi3b`), a
Raspberry Pi 3 B as QEMU imitates it, whose lamps are read at the pins of its GPIO (`apt-get install qemu-system-arm qemu-efi-aarch64`).
They keep the headset that the unit simulates: emulated on another processor they are too slow for a packet a millisecond.
`qemu-raspi3b` is proved by console, self-test, telephone and lamps alone: while a second program comes off its imitated card, four
processors on the host's two, engine and gateway stand still until their watchdogs end them.

Emulation is slow: of a host's two processors `qemu-amd64` takes about half of one while it idles, one in a call, one and a half in
a call over the USB headset, the rest being the reserve for moments. What the host has beside it is missing: limits in time and of
sound are then missed for want of its speed. So board, headset and bench go before other work of the host where they may (root; Linux'
`autogroup`). No limit is wider for emulation; the record of the run has what was measured.
"""

FAULTS: Final = """\
`nox -s hil_faults` runs everything on appliances that are broken on purpose. A script starts them with one function
replaced; it is in no package, so a unit has neither the faults nor a switch for them. Exactly one suite fails:
"""


def _tests(suite: Path) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield each test of a suite and the features that its ``needs`` marks and the suite's name."""
    tree = ast.parse(suite.read_text(encoding="utf-8"))
    of_all: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark":
            of_all.update(_needs([node.value]))
        elif isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node.name.removeprefix("test_").replace("_", " "), _needs(node.decorator_list).union(of_all)


def _needs(marks: Iterable[ast.expr]) -> frozenset[str]:
    found: list[str] = []
    for mark in marks:
        if isinstance(mark, ast.Call) and ast.unparse(mark.func).endswith("mark.needs"):
            found += [ast.literal_eval(argument) for argument in mark.args]
    return frozenset(found)


def hil() -> Iterator[str]:
    """Yield the lines of the page."""
    yield "# The bench\n\nMade from the code by `nox -s docs`; do not edit.\n"
    yield INTRODUCTION.rstrip() + "\n" + VIRTUAL
    yield "## Suites\n\n| suite | what | tests | needs |\n|---|---|---|---|"
    for path in sorted(SUITES.glob("test_*.py")):
        what = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").partition("\n")[0]
        tests = dict(_tests(path))
        needs = sorted(frozenset().union(*tests.values()))
        names = "; ".join(tests)
        yield f"| {_suite(path)} | {what} | {names} | {', '.join(f'`{need}`' for need in needs)} |"
    yield from _by_target()
    yield "\n| feature | meaning |\n|---|---|"
    for feature, meaning in FEATURES.items():
        yield f"| `{feature}` | {meaning} |"
    yield from _measurements()
    yield from _faults()


TARGETS: Final[Mapping[str, frozenset[str]]] = {
    "`simulator`": FEATURES_OF[SIMULATOR],
    "`qemu-amd64`": FEATURES_OF[QEMU] | WITH_BUNDLES | FROM_OUTSIDE,
    "`qemu-arm64`": (FEATURES_OF[QEMU] | WITH_BUNDLES | FROM_OUTSIDE) - WITH_USB_HEADSET,
    "`qemu-raspi3b`": (FEATURES_OF[QEMU] | WITH_LAMPS) - WITH_USB_HEADSET,
    "a cable with SIP": frozenset({"sip", "trunk"}),
    "a cable alone": frozenset(),
}


def _by_target() -> Iterator[str]:
    """Count what runs where, by what the tests need and what the targets declare."""
    yield f"\nTests that run, by target; the others are skipped and listed.\n\n| suite | {' | '.join(TARGETS)} |"
    yield "|---" * (len(TARGETS) + 1) + "|"
    for path in sorted(SUITES.glob("test_*.py")):
        tests = dict(_tests(path))
        cells = []
        for features in TARGETS.values():
            able = sum(features >= needs for needs in tests.values())
            cells.append("all" if able == len(tests) else f"{able} of {len(tests)}" if able else "")
        yield f"| {_suite(path)} | {' | '.join(cells)} |"


def _suite(path: Path) -> str:
    return path.stem.removeprefix("test_").replace("_", " ")


def _measurements() -> Iterator[str]:
    notes: dict[str, dict[str, Any]] = json.loads(NOTE.read_text(encoding="utf-8"))
    yield "\n## Measurements\n"
    yield "The values are those of runs on a computer with 2 cores, which did next to nothing else."
    for target, run in notes.items():
        yield f"`{target}`: {run['date']}, {run['sip_stack']}, {run['passed']} tests passed, none failed."
    yield f"\n| what | {' | '.join(notes)} | unit | at least | at most | limits from |"
    yield "|---" * (len(notes) + 5) + "|"
    rows: dict[tuple[str, ...], dict[str, str]] = {}
    for target, run in notes.items():
        for taken in run["measurements"]:
            low, high = ("" if taken[side] is None else f"{taken[side]:.4g}" for side in ("low", "high"))
            key = (taken["name"].replace("_", " "), taken["unit"], low, high, taken["reason"])
            rows.setdefault(key, {})[target] = f"{taken['value']:.4g}"
    for (name, *limits), values in rows.items():
        yield f"| {' | '.join([name, *(values.get(target, '') for target in notes), *limits])} |"


def _faults() -> Iterator[str]:
    tree = ast.parse(BROKEN.read_text(encoding="utf-8"))
    said = {
        node.name: ast.get_docstring(node) or "" for node in tree.body if isinstance(node, ast.FunctionDef)
    }
    (caught_by,) = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.AnnAssign)
        and ast.unparse(node.target) == "CAUGHT_BY"
        and node.value is not None
    ]
    yield f"\n## Broken on purpose\n\n{FAULTS}"
    yield "| fault | what it does | suite that fails |\n|---|---|---|"
    for fault, suite in caught_by.items():
        yield f"| `{fault}` | {said[fault]} | {suite} |"


def note(record: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the target of a record and what the page needs of it.

    Raises ``ValueError`` when something failed, or when the record is of several targets.
    """
    ((target, unit),) = record["units"].items()
    failed = [outcome["test"] for outcome in record["outcomes"] if outcome["outcome"] == "failed"]
    if failed:
        raise ValueError(f"failed: {', '.join(failed)}")
    return target, {
        "date": record["started_utc"][:10],
        "sip_stack": unit["sip_stack"],
        "passed": sum(outcome["outcome"] == "passed" for outcome in record["outcomes"]),
        "measurements": [{key: row[key] for key in NOTED} for row in record["measurements"]],
    }


if __name__ == "__main__":
    taken_over = dict([note(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))])
    kept = json.loads(NOTE.read_text(encoding="utf-8")) | taken_over
    NOTE.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
