"""The unit's self-test: what the engine says, and what a process beside it finds and measures."""

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, Protocol

from thirdring.protocol.codec import from_fields
from thirdring.protocol.commands import Command, GetHeadset, GetMetrics, GetState
from thirdring.protocol.errors import ThirdringError, error
from thirdring.protocol.views import DeskState
from thirdring_device.gateway.at.indicators import IN_SERVICE

__all__ = ["Client", "Item", "SelfTests", "examine_unit", "passed"]

SOURCE: Final = "self-test"
LIMIT_S: Final = 60.0
NICENESS: Final = 10
LONGEST_TICK_MS: Final = 40.0
"""The sound bridge's tick is 20 ms: one that is a whole tick late leaves a gap in the sound."""

FEWEST_TICKS: Final = 25
"""Half a second."""

Result = Literal["ok", "warning", "failed"]


class Client(Protocol):
    """The engine's socket; raises ``ThirdringError``."""

    async def command(self, command: Command) -> dict[str, Any]:
        """Execute one command and return its result object."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing looked at. What was measured has ``value``, ``unit`` and the limits it is to keep."""

    name: str
    result: Result
    finding: str = ""
    value: float | None = None
    unit: str = ""
    low: float | None = None
    high: float | None = None


def passed(items: Sequence[Item]) -> bool:
    """Return whether nothing failed."""
    return all(item.result != "failed" for item in items)


async def examine_unit(
    client: Client, state_dir: Path | None, settings_file: Path | None, *, measure: bool = False
) -> list[Item]:
    """Look at engine, trunk, headset and SIP stack; ``measure`` adds figures, which takes a few seconds.

    Raises ``CallError`` 2003 while a call is there: the test would take time from it.
    """
    items = await _of_the_engine(client, measure)
    before = await _ticks(client) if measure else {}
    items += await _of_the_machine(state_dir, settings_file, measure)
    if measure:
        p99_ms = _p99_ms(before, await _ticks(client))
        if p99_ms is not None:
            items.append(_measured("sound.tick_p99", p99_ms, "ms", None, LONGEST_TICK_MS))
    return items


class SelfTests:
    """Runs one self-test at a time; who asks while one runs gets that one's items."""

    def __init__(self, client: Client, state_dir: Path, settings_file: Path | None) -> None:
        self._asked = client, state_dir, settings_file
        self._running: asyncio.Task[list[Item]] | None = None

    async def run(self) -> list[Item]:
        """Return the items, measurements included; raises ``CallError`` 2003."""
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(examine_unit(*self._asked, measure=True), name="self-test")
        return await asyncio.shield(self._running)


async def _of_the_engine(client: Client, measure: bool) -> list[Item]:
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    try:
        state = from_fields(DeskState, await client.command(GetState(source=SOURCE)))
        answer_ms = 1000.0 * (loop.time() - began_s)
        headset = await client.command(GetHeadset(source=SOURCE))
    except ThirdringError as reason:
        return [Item("engine", "failed", str(reason))]
    if state.calls:
        raise error(2003, "a self-test would take time from the call")
    items = [
        Item("engine", "ok", f"{state.version}, {state.board}"),
        Item(
            "trunk",
            "ok" if state.trunk in IN_SERVICE else "failed",
            f"{state.trunk} {state.trunk_reason}".strip(),
        ),
        Item("storage", "ok" if state.storage == "ok" else "failed", state.storage),
        Item("headset", "ok" if headset["present"] else "failed", str(headset["sound"])),
        Item("buttons", "ok" if headset["device"] else "warning", str(headset["device"]) or "none"),
    ]
    if measure:
        items.append(_measured("engine.answer", round(answer_ms, 1), "ms", None, 250.0))
    return items


async def _ticks(client: Client) -> dict[float, int]:
    """Return how many ticks of the sound bridge there were by upper edge in ms; none without an engine."""
    try:
        found = (await client.command(GetMetrics(source=SOURCE)))["frame_interval"]
    except ThirdringError:
        return {}
    return {float(edge): int(count) for edge, count in found.get("bins_ms", ())}


def _p99_ms(before: Mapping[float, int], after: Mapping[float, int]) -> float | None:
    """Return the 99th percentile of the ticks in between; None when there were too few to say."""
    between = {edge: count - before.get(edge, 0) for edge, count in sorted(after.items())}
    total = sum(between.values())
    if total < FEWEST_TICKS or min(between.values()) < 0:
        return None
    seen = 0
    for edge_ms, count in between.items():
        seen += count
        if seen >= 0.99 * total:
            return edge_ms
    return None


def _measured(name: str, value: float, unit: str, low: float | None, high: float | None) -> Item:
    kept = (low is None or value >= low) and (high is None or value <= high)
    return Item(name, "ok" if kept else "failed", value=value, unit=unit, low=low, high=high)


async def _of_the_machine(state_dir: Path | None, settings_file: Path | None, measure: bool) -> list[Item]:
    """Return what ``thirdring-device selftest`` says of the stack and the machine."""
    process = await asyncio.create_subprocess_exec(
        *("nice", "-n", str(NICENESS), sys.executable, "-m", "thirdring_device.cli"),
        *("selftest", "--json", "--leave-headset"),
        *(("--measure",) if measure else ()),
        *(("--settings", str(settings_file)) if settings_file is not None else ()),
        *(("--state", str(state_dir)) if state_dir is not None else ()),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(LIMIT_S):
            out, complaints = await process.communicate()
    except TimeoutError:
        return [Item("stack", "failed", f"no answer within {LIMIT_S:.0f} s")]
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    try:
        found: dict[str, Any] = json.loads(out)
    except ValueError:
        return [Item("stack", "failed", complaints.decode("utf-8", "replace").strip()[-200:])]
    return [
        Item("stack", "ok", found["stack"]),
        Item("tls", "ok", found["tls"]),
        Item("codecs", "ok", " ".join(found["codecs"])),
        Item("alsa", "ok", found["alsa"] or "none"),
        *(Item("stack", "warning", warning) for warning in found["warnings"]),
        *(Item("settings", "failed", refusal) for refusal in found["refusals"]),
        *(
            _measured(one["name"], one["value"], one["unit"], one["low"], one["high"])
            for one in found.get("measurements", ())
        ),
    ]
