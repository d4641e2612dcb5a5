"""Three-way conference: two calls whose customers hear each other as well as the agent. On the SIP thread."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from thirdring.protocol.events import ConferenceEnded, ConferenceStarted, Event
from thirdring_device.adapters.sip.sound import SoundPath

if TYPE_CHECKING:
    from thirdring_device.adapters.sip.call import DeskCall

__all__ = ["Conference"]


class Conference:
    """The pair that is to be joined, and whether it is."""

    def __init__(
        self,
        calls: Mapping[str, "DeskCall"],
        sound: SoundPath,
        clock: Callable[[], float],
        post: Callable[[Event], None],
    ) -> None:
        self._calls = calls
        self._sound = sound
        self._clock = clock
        self._post = post
        self._pair: tuple[str, str] | None = None
        self._up = False

    def join(self, call_id: str, other_call_id: str) -> None:
        """Join two calls as soon as both have sound, taking back whichever is held."""
        if self._up or call_id not in self._calls or other_call_id not in self._calls:
            return
        self._pair = (call_id, other_call_id)
        for member in self._pair:
            self._calls[member].hold.end()
        self.poll()

    def poll(self) -> None:
        """Begin when both calls have sound; end when one of them is held or over."""
        if self._pair is None:
            return
        first, second = self._pair
        members = [self._calls.get(call_id) for call_id in self._pair]
        if any(call is None or call.hold.keeps_silent for call in members):
            self._end(first, second)
        elif not self._up and self._sound.cross(first, second):
            self._up = True
            at_s = self._clock()
            self._post(ConferenceStarted(at_s=at_s, call_id=first, other_call_id=second))
            self._post(ConferenceStarted(at_s=at_s, call_id=second, other_call_id=first))

    def _end(self, first: str, second: str) -> None:
        was_up, self._up, self._pair = self._up, False, None
        self._sound.uncross()
        for call_id in (first, second):
            if was_up and call_id in self._calls:
                self._post(ConferenceEnded(at_s=self._clock(), call_id=call_id))
