"""Calls that the suites make: rung by the bench, answered over the serial console."""

import contextlib
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, TypeVar

from thirdring.appliance import Appliance
from thirdring.protocol.events import CallEnded, Levels, MediaStarted, Record
from thirdring_hil.codecs import PCMA, Codec
from thirdring_hil.peer import Caller
from thirdring_hil.target import Target

__all__ = ["Talk", "levels_at", "listen", "on_time", "talking"]

T = TypeVar("T")

LATE_S: Final = 0.04
"""A jitter buffer begins with one packet or two (sip.jitter_min_ms); what comes later leaves a hole."""
TRIALS: Final = 5

logger = logging.getLogger("thirdring_hil.peer")
"""Kept in the log of each test."""


@dataclass(frozen=True)
class Talk:
    """An answered call. ``before``: number of the last event before it; ``media``: when its sound began."""

    caller: Caller
    call_id: str
    before: int
    media: MediaStarted


def levels_at(record: Record, end_s: float) -> bool:
    """Tell whether the signal up to ``end_s`` has been measured: media time has come so far."""
    return isinstance(record.event, Levels) and record.event.end_s >= end_s


def on_time(talk: Talk, act: Callable[[], T]) -> T:
    """Return what ``act`` returns: it sends sound, and does so again when this computer had sent it too late.

    That is told by the bench's own clock, whatever the unit made of it. Raises ``TimeoutError`` when the
    computer is too busy to be a measuring instrument.
    """
    for _ in range(TRIALS):
        done = act()
        late_s = talk.caller.stream.latest_s
        if late_s <= LATE_S:
            return done
        logger.warning(
            "the bench sent a frame %.0f ms too late; what was measured does not count", 1000 * late_s
        )
    raise TimeoutError(f"this computer is too busy: it sent a frame {1000 * late_s:.0f} ms too late")


def listen(appliance: Appliance, duration_s: float) -> None:
    """Let that much of the call's sound go by, to the next half second."""
    since = appliance.wait_for("levels", 10.0, appliance.state().last_event)
    assert isinstance(since.event, Levels)  # noqa: S101 - by its kind
    end_s = since.event.end_s + duration_s
    appliance.wait_for(lambda record: levels_at(record, end_s), duration_s + 20.0, since.number - 1)


@contextlib.contextmanager
def talking(
    target: Target, appliance: Appliance, number: str = "2155512345", codec: Codec = PCMA
) -> Iterator[Talk]:
    """Call, answer at the first ring, and hang up at the end as the agent does."""
    before = appliance.state().last_event
    with target.caller(number, codec) as caller:
        caller.call()
        caller.wait_for("ringing")
        appliance.wait_for("ring_burst", 10.0, before)
        call_id = appliance.answer()
        caller.wait_for("answered")
        media = appliance.wait_for("media_started", 10.0, before).event
        assert isinstance(media, MediaStarted)  # noqa: S101 - by its kind
        yield Talk(caller, call_id, before, media)
        if not caller.reached("released"):
            appliance.hangup(call_id)
        caller.wait_for("released")
        ended = appliance.wait_for("call_ended", 10.0, before).event
        assert isinstance(ended, CallEnded)  # noqa: S101 - by its kind
