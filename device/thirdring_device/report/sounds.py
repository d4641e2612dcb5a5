"""From the records of a call to its tones, its overlaps and its dead air."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from thirdring.protocol.events import DeadAir, Event, Interruption, Overlap, ToneHeard
from thirdring_device.report.model import Stretch, StretchKind, ToneSpan

__all__ = ["Sounds"]

_KINDS: Final[Mapping[type[Event], StretchKind]] = {
    Overlap: "overlap",
    Interruption: "interruption",
    DeadAir: "dead_air",
}


class Sounds:
    """Collects them, in seconds of the call; ``origin_s`` is where media time 0 stands."""

    def __init__(self) -> None:
        self.tones: list[ToneSpan] = []
        self.stretches: list[Stretch] = []
        self._silent: Stretch | None = None

    def read(self, number: int, origin_s: float, event: ToneHeard | Overlap | Interruption | DeadAir) -> None:
        """Take one record."""
        if isinstance(event, ToneHeard):
            self._tone(number, origin_s, event)
            return
        stretch = Stretch(
            kind=_KINDS[type(event)],
            start_s=origin_s + event.start_s,
            end_s=origin_s + event.end_s,
            event=number,
        )
        if isinstance(event, DeadAir) and not event.over:
            self._silent = stretch
            return
        if isinstance(event, DeadAir) and self._silent is not None:
            stretch = replace(stretch, event=self._silent.event)
            self._silent = None
        self.stretches.append(stretch)

    def _tone(self, number: int, origin_s: float, event: ToneHeard) -> None:
        span = ToneSpan(
            side=event.side,
            tone="ced" if event.tone == "ced_end" else event.tone,
            detail=event.detail,
            start_s=origin_s + event.start_s,
            end_s=origin_s + event.end_s,
            level_dbm0=event.level_dbm0,
            event=number,
        )
        last = self.tones[-1] if self.tones else None
        if event.tone == "ced_end" and last is not None and last.tone == "ced" and last.end_s >= span.start_s:
            self.tones[-1] = replace(last, end_s=span.end_s, detail=span.detail)
        else:
            self.tones.append(span)

    def close(self, until_s: float) -> None:
        """End the silence that nobody saw the end of where the sound ended."""
        if self._silent is not None:
            self.stretches.append(replace(self._silent, end_s=max(self._silent.end_s, until_s)))
            self._silent = None
