"""Sound that goes round and round in the bridge: ringback for the agent, music for who is held."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pjsua2 as pj

from thirdring.protocol.errors import ThirdringError
from thirdring_device.adapters.headset.simulator import Samples, read_sound
from thirdring_device.adapters.sip.frames import give
from thirdring_device.adapters.sip.guard import guarded
from thirdring_device.adapters.sip.pairer import FRAME_SAMPLES, SAMPLE_RATE_HZ
from thirdring_dsp import tone_plans

__all__ = ["Loop", "Samples", "hold_sound", "ringback"]

log = logging.getLogger(__name__)

RINGBACK_DBM0 = -19.0
"""Softer than an exchange sends it (-13): it comes straight into a headset."""


class Loop(pj.AudioMediaPort):  # type: ignore[misc]
    """Plays int16 samples at the bridge's rate for ever; all but the making is on the clock thread."""

    def __init__(self, name: str, samples: Samples, media_format: Any) -> None:
        super().__init__()
        whole = -(-len(samples) // FRAME_SAMPLES) * FRAME_SAMPLES
        self._frames = np.pad(samples, (0, whole - len(samples))).reshape(-1, FRAME_SAMPLES)
        self._next = 0
        self.createPort(name, media_format)

    def rewind(self) -> None:
        """Begin at the beginning."""
        self._next = 0

    @guarded
    def onFrameRequested(self, frame: Any) -> None:  # noqa: N802
        """Give the next frame."""
        at = self._next
        self._next = (at + 1) % len(self._frames)
        frame.size = give(int(frame.buf.this), self._frames[at])
        frame.type = pj.PJMEDIA_FRAME_TYPE_AUDIO


def ringback(country: str) -> Samples:
    """Return one period of a country's ringback tone (ITU-T E.180)."""
    plan = tone_plans.plan(country)
    tone = next(tone for tone in plan.tones if tone.kind == "ringback")
    period_s = tone_plans.ringback_cycle_s(country)
    return tone_plans.render(tone, SAMPLE_RATE_HZ, period_s, RINGBACK_DBM0)


def hold_sound(path: str) -> Samples | None:
    """Return what a held customer hears, None for silence, which a file that cannot be read is, too."""
    if not path:
        return None
    try:
        return read_sound(Path(path))
    except ThirdringError as failure:
        log.error("calls.hold_sound: %s: held customers hear silence", failure)
        return None
