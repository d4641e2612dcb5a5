"""What the consoles learn of calls that were there before they followed the events."""

import asyncio
import contextlib
from collections.abc import Callable

from tests.at.bench import WAIT_S, PlayedEngine
from thirdring.protocol.errors import error
from thirdring.protocol.events import (
    CallAlerting,
    CallAnswered,
    CallIncoming,
    CallOutgoing,
    Record,
    RingBurst,
)
from thirdring_device.gateway.at.watch import DeskWatch
from thirdring_device.settings import Settings


class LateJournal(PlayedEngine):
    """A journal that is not there yet when the gateway first looks: a call comes before the second look."""

    def __init__(self, meanwhile: Callable[[PlayedEngine], None]) -> None:
        super().__init__()
        self._meanwhile: Callable[[PlayedEngine], None] | None = meanwhile

    def last_number(self) -> int:
        meanwhile, self._meanwhile = self._meanwhile, None
        if meanwhile is not None:
            meanwhile(self)
            raise error(7000, "no journal yet")
        return super().last_number()


def heard(engine: PlayedEngine, count: int, then: Callable[[PlayedEngine], None]) -> list[tuple[str, int]]:
    """Run a watch until it has told ``count`` events; ``then`` happens after the first."""

    async def main() -> list[tuple[str, int]]:
        told: list[tuple[str, int]] = []
        enough = asyncio.Event()

        def listen(record: Record, call: object) -> None:
            assert call is not None
            ring = record.event.ring if isinstance(record.event, RingBurst) else 0
            told.append((record.event.call_id, ring))
            if len(told) == 1:
                then(engine)
            if len(told) == count:
                enough.set()

        watch = DeskWatch(engine, engine, Settings())
        watch.listeners.add(listen)
        task = asyncio.create_task(watch.run())
        async with asyncio.timeout(WAIT_S):
            await enough.wait()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        return told

    return asyncio.run(main())


def ring(call_id: str, number: int) -> RingBurst:
    return RingBurst(at_s=0, call_id=call_id, ring=number, urgency="normal")


def test_a_call_that_rang_before_the_first_look_is_told_once() -> None:
    def come(engine: PlayedEngine) -> None:
        engine.emit(
            CallIncoming(at_s=0, call_id="c1", number="10086"),
            CallAlerting(at_s=0, call_id="c1"),
            ring("c1", 1),
        )

    engine = LateJournal(come)
    assert heard(engine, 2, lambda engine: engine.emit(ring("c1", 2))) == [("c1", 1), ("c1", 2)]


def test_of_a_call_that_rings_the_newest_ring_is_told_and_of_others_nothing() -> None:
    engine = PlayedEngine()
    engine.emit(
        CallIncoming(at_s=0, call_id="taken", number="1"),
        ring("taken", 1),
        CallAnswered(at_s=0, call_id="taken"),
    )
    engine.emit(CallOutgoing(at_s=0, call_id="ours", number="1"), CallAlerting(at_s=0, call_id="ours"))
    engine.emit(CallIncoming(at_s=0, call_id="c1", number="2"), ring("c1", 1), ring("c1", 2))

    assert heard(engine, 2, lambda engine: engine.emit(ring("c1", 3))) == [("c1", 2), ("c1", 3)]
