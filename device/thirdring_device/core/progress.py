"""What a call of ours hears before it is answered: ringback, an announcement, a tone of refusal. Sans-io."""

import typing
from typing import Final

from thirdring.protocol.events import CallProgress, Event, ProgressKind, TalkSpurt, ToneHeard
from thirdring_device.core.call import Call

__all__ = ["ProgressJudge"]

ANNOUNCEMENT_S: Final = 1.0
"""Speech of the other side that lasts this long before the answer is an announcement."""
TONES: Final = frozenset(typing.get_args(ProgressKind)) - {"announcement"}


class ProgressJudge:
    """Follows one call; announces each change of what is heard."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._heard: ProgressKind | None = None

    def handle(self, event: Event) -> list[Event]:
        """Take in a fact of the call."""
        if self._call.incoming or self._call.state not in ("dialing", "alerting"):
            return []
        heard: ProgressKind
        if isinstance(event, ToneHeard) and event.side == "customer" and event.tone in TONES:
            heard = event.tone  # type: ignore[assignment]
        elif isinstance(event, TalkSpurt) and event.side == "customer" and _is_long(event):
            heard = "announcement"
        else:
            return []
        if heard == self._heard:
            return []
        self._heard = heard
        start_s = event.start_s
        return [CallProgress(at_s=event.at_s, call_id=event.call_id, heard=heard, start_s=start_s)]


def _is_long(spurt: TalkSpurt) -> bool:
    return spurt.end_s - spurt.start_s >= ANNOUNCEMENT_S
