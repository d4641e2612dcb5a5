"""The lamps of a headset: a function of the calls that are there, and of nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from thirdring_device.core.call import Call, CallState

__all__ = ["DARK", "Leds", "leds_of"]

OFF_HOOK_STATES: Final[tuple[CallState, ...]] = ("answering", "dialing", "alerting", "active", "held")
"""States in which the agent has a call. A held one counts: headsets that are told to go on-hook answer with
their own on-hook report, which would end the call that was only to be held."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leds:
    """What a headset is told, by the names of HID Usage Tables, LED page (0x08) and Telephony page (0x0B).

    ``microphone`` says that it is muted, as ``mute`` does: some headsets have the one, some the other.
    ``ringer`` (Telephony 0x9E) lets the headset ring itself: not beside a call.
    """

    off_hook: bool = False
    ring: bool = False
    mute: bool = False
    hold: bool = False
    microphone: bool = False
    speaker: bool = False
    on_line: bool = False
    ringer: bool = False

    def lit(self) -> tuple[str, ...]:
        """Names of those that are on, in the order of the fields."""
        return tuple(name for name in self.__slots__ if getattr(self, name))


DARK: Final = Leds()


def leds_of(calls: Sequence[Call]) -> Leds:
    """Return the lamps for these calls."""
    off_hook = any(call.state in OFF_HOOK_STATES for call in calls)
    ring = any(call.state == "incoming" for call in calls)
    muted = any(call.state == "active" and call.muted for call in calls)
    return Leds(
        off_hook=off_hook,
        ring=ring,
        mute=muted,
        hold=any(call.state == "held" for call in calls),
        microphone=muted,
        speaker=any(call.state == "active" for call in calls),
        on_line=off_hook,
        ringer=ring and not off_hook,
    )
