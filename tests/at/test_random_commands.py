"""Every command with arguments that nobody would send: answered, and never by an internal error."""

import itertools
import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.at.bench import Host, ServedConsole, served
from thirdring.protocol.at.table import TABLE, CommandSpec
from thirdring.protocol.errors import error
from thirdring_device.gateway.at.lock import PASSWORD_FILE, ConsoleLock

SEED = 20261122
NASTY = (
    *(
        "",
        "0",
        "1",
        "-1",
        "00",
        "999999999999999",
        "9999999999999999",
        "1,2,3,4,5,6,7",
        ",",
        ",,,,",
        "1,",
        ",1",
    ),
    *(
        '""',
        '"',
        '"a"b"',
        '"\\22"',
        '"\\',
        '"x","y"',
        '"x","y","z"',
        "{",
        "}",
        "{}",
        "{1,}",
        "{1,2},{",
        '{"a":1}',
    ),
    *(
        "[]",
        "null",
        '{"command":1}',
        '{"command":"dial"}',
        '{"command":"get_state","args":[]}',
        "off",
        "true",
    ),
    *(
        "早",
        "\x7f" * 3,
        "%s%n",
        "../../etc/passwd",
        "x" * 3000,
        "1" * 400,
        "A;H",
        "{1,5};+CLCC",
        "1e999",
        "NaN",
    ),
    *('"\ud7ff"', '"é"', "٣", "1,٣", "²", "{²,5}", '"1","²"', "0x10", " 1 , 2 ", '"serial.lock",maybe'),
)
BATCH = 8
EXCLUDED = ("#SELFTEST",)
"""Takes seconds; has no argument."""


def lines(spec: CommandSpec, noise: random.Random) -> list[str]:
    """Return the command with every argument it does not expect, and some made of several."""
    if spec.name[0] in "+#":
        tails = ["", "?", "=?", *(f"={nasty}" for nasty in NASTY)]
        tails += [f"={','.join(noise.choices(NASTY[:-20], k=3))}" for _ in range(5)]
    else:
        tails = ["", "?", "=1", "9", "99999", "999999", "1;", *NASTY[:20]]
    return [f"AT{spec.name}{tail}" for tail in tails]


@pytest.mark.console(
    "no argument of any command ends in an internal error or leaves the console out of step", clause="ours"
)
@pytest.mark.parametrize("first", sorted({name[:2] for name in TABLE}))
def test_nasty_arguments(console: ServedConsole, host: Host, first: str) -> None:
    noise = random.Random(SEED)
    console.engine.answers["dial"] = error(2005)  # a call that comes about would be waited for
    console.engine.answers["redial"] = error(2008)
    console.rings("c1")
    console.ended("c1")
    host.find(b"NO CARRIER\r\n")
    specs = [spec for name, spec in TABLE.items() if name[:2] == first and name not in EXCLUDED]
    every = list(itertools.chain.from_iterable(lines(spec, noise) for spec in specs))
    send_all(host, every)


@pytest.mark.console("a locked console lets no command, however written, reach the unit", clause="ours")
def test_nasty_arguments_at_a_locked_console(tmp_path: Path) -> None:
    ConsoleLock(tmp_path / PASSWORD_FILE).reset("a password of some length")
    noise = random.Random(SEED)
    with served(tmp_path, lock=True) as console:
        host = Host(console.path)
        host.write(b"ATE0\r")
        host.find(b"\r\nOK\r\n")
        send_all(host, list(itertools.chain.from_iterable(lines(spec, noise) for spec in TABLE.values())))
        assert host.ask("AT#LOGIN?")[0].startswith("#LOGIN: 1,")
        assert console.engine.asked == []
        host.close()


def send_all(host: Host, every: Sequence[str]) -> None:
    """Send every line, each between two that bring the console back to where it was."""
    for batch in (every[start : start + BATCH] for start in range(0, len(every), BATCH)):
        for number, line in enumerate(batch):
            host.write(b"ATZE0#VERBOSE=1;+CMEE=1\r" + line.encode("utf-8", "surrogatepass"))
            host.write(b'\rATZE0\rAT#SYNC="%d"\r' % number)
        for number, line in enumerate(batch):
            answer = host.find(b'#SYNC: "%d"\r\n\r\nOK\r\n' % number)
            assert b"#ERROR: 7002" not in answer, (line, answer)
            assert answer.count(b"\r\nOK\r\n") >= 3, (line, answer)
