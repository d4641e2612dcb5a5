"""``thirdring live``: the desk on one screen, drawn anew with every event that changes it."""

import argparse
import sys
import time
from collections import deque
from typing import Final

from thirdring.appliance import Appliance
from thirdring.cli_output import Adder
from thirdring.protocol.events import (
    SILENCE_DBOV,
    CallEnded,
    Levels,
    NormNoted,
    Prompt,
    Record,
    RingBurst,
    Verdict,
)
from thirdring.protocol.views import DeskState
from thirdring.table import plain, table

__all__ = ["Screen", "add"]

CLEAR: Final = "\x1b[H\x1b[2J"
DRAW_S: Final = 0.2
"""Not more often: a terminal on a slow line has to follow."""
LINES: Final = 10
BAR_CHARS: Final = 30
LOWEST_DBOV: Final = -60.0
QUIET: Final = ("levels", "voice_figures", "talk_spurt", "talk_spurt_started")
"""Events that come all the time and show otherwise."""


class Screen:
    """What is shown besides the state: the newest lines and the levels of the call."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=LINES)
        self._levels: Levels | None = None

    def take(self, record: Record) -> bool:
        """Take an event; return whether the desk's state may be another one now."""
        event = record.event
        if isinstance(event, Levels):
            self._levels = event
        elif isinstance(event, CallEnded):
            self._levels = None
        if event.kind in QUIET:
            return False
        told = ""
        if isinstance(event, RingBurst):
            told = f"ring {event.ring}, {event.urgency}"
        elif isinstance(event, NormNoted):
            told = f"{event.rule} {event.state}"
        elif isinstance(event, Prompt):
            told = f"{event.key} ({event.urgency})"
        elif isinstance(event, Verdict):
            told = f"{event.rule} {event.verdict}"
        self._lines.append(plain(f"{record.utc[11:19]}  {event.kind:20} {event.call_id:22} {told}").rstrip())
        return not isinstance(event, Verdict | NormNoted | Prompt)

    def text(self, state: DeskState) -> str:
        """Return the whole screen."""
        agent = f"{state.agent} {state.agent_state}".strip()
        lines = [plain(f"trunk {state.trunk}   storage {state.storage}   agent {agent}"), ""]
        if state.calls:
            rows = [(c.call_id, c.direction, c.state, c.number, c.display_name, c.rings) for c in state.calls]
            lines += [table(("CALL", "DIRECTION", "STATE", "NUMBER", "NAME", "RINGS"), rows), ""]
        if self._levels is not None:
            lines += [
                f"agent    {_bar(self._levels.agent_after_sliding_dbov)}",
                f"customer {_bar(self._levels.customer_sliding_dbov)}",
                "",
            ]
        return "\n".join([*lines, *self._lines])


def _bar(level_dbov: float) -> str:
    if level_dbov <= SILENCE_DBOV:
        return f"[{' ' * BAR_CHARS}]"
    share = min(max(1 - level_dbov / LOWEST_DBOV, 0.0), 1.0)
    return f"[{'=' * round(share * BAR_CHARS):{BAR_CHARS}}] {level_dbov:.0f} dBov"


def add(command: Adder) -> None:
    """Add the command to those of the command line."""
    live = command("live", _live)
    live.add_argument("--count", type=int, help="end after so many events")


def _live(appliance: Appliance, options: argparse.Namespace) -> None:
    """Show the desk, its calls, levels and newest events on one screen, until interrupted."""
    screen, state = Screen(), appliance.state()
    _draw(screen.text(state))
    drawn_s, left = time.monotonic(), options.count
    if left == 0:
        return
    for record in appliance.events(state.last_event):
        changed = screen.take(record)
        if left is not None:
            left -= 1
        if changed:
            state = appliance.state()
        if changed or left == 0 or time.monotonic() - drawn_s > DRAW_S:
            _draw(screen.text(state))
            drawn_s = time.monotonic()
        if left == 0:
            return


def _draw(text: str) -> None:
    clear = CLEAR if sys.stdout.isatty() else "\n"
    print(f"{clear}{text}", flush=True)
