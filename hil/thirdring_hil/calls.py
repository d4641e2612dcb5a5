"""Calls that the suites make: rung by the bench, answered over the serial console."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from thirdring.appliance import Appliance
from thirdring.protocol.events import CallEnded, Levels, MediaStarted, Record
from thirdring_hil.codecs import PCMA, Codec
from thirdring_hil.peer import Caller
from thirdring_hil.target import Target

__all__ = ["Talk", "levels_at", "talking"]


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


@contextlib.contextmanager
def talking(
    target: Target, appliance: Appliance, number: str = "2155512345", codec: Codec = PCMA
) -> Iterator[Talk]:
    """Call, answer at the first ring, and hang up at the end as the agent does."""
    assert target.sip is not None, "asked for by needs('sip')"  # noqa: S101
    before = appliance.state().last_event
    with Caller(target.sip, number, codec) as caller:
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
