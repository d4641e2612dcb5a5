"""The unit looks at itself: engine, trunk, storage, headset, SIP stack and settings."""

import contextlib

from thirdring_hil.line import RawLine
from thirdring_hil.target import Target

ANSWER_S = 90.0
"""The unit gives the part that loads the SIP stack 60 s."""


def test_the_unit_finds_nothing_failed_in_itself(target: Target, line: RawLine) -> None:
    with target.headset.plugged() if target.headset else contextlib.nullcontext():
        *items, code = line.ask("AT#SELFTEST", ANSWER_S)
    assert code == "OK"
    results = dict(item.removeprefix("#SELFTEST: ").replace('"', "").split(",")[:2] for item in items)
    assert {"engine", "trunk", "storage", "headset", "stack", "tls", "codecs"} <= set(results)
    assert [name for name, result in results.items() if result == "failed"] == []
    assert items[-1].startswith('#SELFTEST: "unit","ok"')
