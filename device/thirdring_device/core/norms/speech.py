"""Who speaks, on the engine's clock: what several norms need to know of a call's sound."""

from typing import Final

from thirdring.protocol.events import Event, MediaEnded, MediaStarted, Side, TalkSpurt, TalkSpurtStarted

__all__ = ["SPURT_NOTICE_S", "Speech"]

SPURT_NOTICE_S: Final = 0.4
"""A talk-spurt is reported up to this long after its onset; a deadline on onsets waits for it."""


class Speech:
    """Follows the talk-spurts of both sides. All times are the engine's monotonic seconds."""

    def __init__(self) -> None:
        self.media_at_s: float | None = None
        self.speaking: set[Side] = set()
        self.onset_s: dict[Side, float] = {}
        """When each side last began to speak."""
        self.end_s: dict[Side, float] = {}
        """When each side last fell silent."""

    def take(self, event: Event) -> None:
        """Take in one fact; those that are not of sound change nothing."""
        if isinstance(event, MediaStarted):
            self.media_at_s = event.at_s
        elif self.media_at_s is None:
            return
        elif isinstance(event, TalkSpurtStarted):
            self.speaking.add(event.side)
            self.onset_s[event.side] = self.media_at_s + event.start_s
        elif isinstance(event, TalkSpurt):
            self.speaking.discard(event.side)
            self.end_s[event.side] = self.media_at_s + event.end_s
        elif isinstance(event, MediaEnded):
            for side in self.speaking:
                self.end_s[side] = self.media_at_s + event.duration_s
            self.speaking.clear()

    @property
    def quiet_since_s(self) -> float | None:
        """Since when nobody has spoken; None while somebody does, and before there is sound."""
        if self.media_at_s is None or self.speaking:
            return None
        return max(self.end_s.values(), default=self.media_at_s)
