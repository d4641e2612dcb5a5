"""The indicators of 3GPP TS 27.007 clause 8.9: what ``+CIND`` shows and ``+CIEV`` reports."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from thirdring.protocol.events import TrunkState
from thirdring.protocol.views import CallView
from thirdring_device.gateway.at.watch import WatchedCall

__all__ = ["IN_SERVICE", "changes", "of_views", "of_watched"]

IN_SERVICE: Final = frozenset[TrunkState | None](("static", "registered"))
"""States of the trunk in which calls can come and go."""
FULL_SIGNAL: Final = 5
UNKNOWN: Final = -1
"""Nothing has been heard of the trunk yet: the first that is heard is a change."""
_SETUP: Final[Mapping[str, int]] = {"incoming": 1, "dialing": 2, "alerting": 3}
_PRECEDENCE: Final = (1, 3, 2)
"""``callsetup`` when two calls are being set up: the one that somebody has to answer first."""
_UP: Final = ("active", "answering")


def of_views(trunk: TrunkState, calls: Iterable[CallView]) -> Sequence[int]:
    """Return service, signal, call, callsetup, callheld of the desk as the engine sees it."""
    return _indicators(trunk, [call.state for call in calls])


def of_watched(trunk: TrunkState | None, calls: Iterable[WatchedCall]) -> Sequence[int]:
    """Return the same of the desk as the events have told it so far."""
    return _indicators(trunk, [call.state for call in calls])


def _indicators(trunk: TrunkState | None, states: Sequence[str]) -> Sequence[int]:
    service = UNKNOWN if trunk is None else int(trunk in IN_SERVICE)
    signal = UNKNOWN if trunk is None else FULL_SIGNAL * service
    active, held = any(state in _UP for state in states), "held" in states
    setups = {_SETUP[state] for state in states if state in _SETUP}
    setup = next((value for value in _PRECEDENCE if value in setups), 0)
    return (service, signal, int(active or held), setup, (1 if active else 2) if held else 0)


def changes(before: Sequence[int], now: Sequence[int]) -> list[str]:
    """Return ``+CIEV: place,value`` for each indicator that is not as it was (27.007 clause 8.10)."""
    pairs = enumerate(zip(before, now, strict=True), 1)
    return [f"+CIEV: {place},{new}" for place, (old, new) in pairs if new != old]
