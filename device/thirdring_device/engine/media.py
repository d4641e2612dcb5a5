"""What is done to a call's sound, and what is measured in it: one frame of both directions at a time.

The live engine and ``thirdring-device analyze`` run this same class on the same samples, so both hear the
same. It depends on the samples only: no clock, and nothing of how the stream is cut into frames.
"""

import math
from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from thirdring.protocol.events import (
    SILENCE_DBOV,
    Dtmf,
    Event,
    Levels,
    LevelSummary,
    MediaEnded,
    MediaStarted,
    TalkSpurt,
    TalkSpurtStarted,
)
from thirdring_device.settings import AudioSettings
from thirdring_dsp import (
    AcousticLimiter,
    AutomaticGainControl,
    DspEvent,
    DtmfDetector,
    SpeechLevelMeter,
    VoiceActivityDetector,
)

__all__ = ["FRAME_SAMPLES", "SAMPLE_RATE_HZ", "CallSound"]

Samples = npt.NDArray[np.int16]

SAMPLE_RATE_HZ: Final = 16_000
"""Rate of the conference bridge: wideband (G.722), and narrowband codecs are raised to it."""
FRAME_SAMPLES: Final = 320
"""20 ms, the bridge's frame."""
FRAMES_PER_RMS: Final = 5
"""100 ms: one point of the level pictures."""
FRAMES_PER_LEVELS: Final = 25
"""0.5 s: one ``levels`` event."""


def _dbov(value: float) -> float:
    return round(value, 2) if math.isfinite(value) and value > SILENCE_DBOV else SILENCE_DBOV


class _Side:
    """Meters of one direction."""

    def __init__(self, side: str) -> None:
        self.side = side
        self.level = SpeechLevelMeter(SAMPLE_RATE_HZ)
        self.activity = VoiceActivityDetector(SAMPLE_RATE_HZ)
        self.rms_dbov: list[float] = []
        self.active_frames = 0

    def update(self, frame: Samples) -> list[DspEvent]:
        self.level.update(frame)
        events = self.activity.update(frame)
        self.active_frames += self.activity.active
        return events

    def active_s(self) -> float:
        """Return the active speech since the last call of this, in seconds."""
        frames, self.active_frames = self.active_frames, 0
        return round(frames * FRAME_SAMPLES / SAMPLE_RATE_HZ, 2)


def _summary(meter: SpeechLevelMeter) -> LevelSummary:
    return LevelSummary(
        active_speech_level_dbov=_dbov(meter.active_speech_level_dbov),
        activity_percent=round(meter.activity_percent, 1),
        active_s=round(meter.active_s, 2),
        peak_dbov=_dbov(meter.peak_dbov),
        clipped_samples=meter.clipped_samples,
    )


class CallSound:
    """The sound of one call. ``post`` receives its facts, on the thread that calls ``process``."""

    def __init__(
        self,
        call_id: str,
        codec: str,
        settings: AudioSettings,
        post: Callable[[Event], None],
        clock: Callable[[], float],
        tap: Callable[[Samples, Samples], None] | None = None,
    ) -> None:
        """``clock`` is read once, at the first frame; ``tap`` gets every frame as it came in."""
        self._call_id = call_id
        self._codec = codec
        self._post = post
        self._clock = clock
        self._tap = tap
        self._agent = _Side("agent")
        self._customer = _Side("customer")
        self._after = SpeechLevelMeter(SAMPLE_RATE_HZ)
        self._after_rms_dbov: list[float] = []
        self._agc = AutomaticGainControl(
            SAMPLE_RATE_HZ,
            target_dbov=settings.agc_target_dbov,
            max_gain_db=settings.agc_range_db if settings.agc else 0.0,
            min_gain_db=-settings.agc_range_db if settings.agc else 0.0,
        )
        self._mouth_limiter = AcousticLimiter(SAMPLE_RATE_HZ, ceiling_dbov=settings.mouth_ceiling_dbov)
        self._ear_limiter = AcousticLimiter(SAMPLE_RATE_HZ, ceiling_dbov=settings.ear_ceiling_dbov)
        self._dtmf = DtmfDetector(SAMPLE_RATE_HZ)
        self._frames = 0
        self._started_at_s = 0.0

    @property
    def duration_s(self) -> float:
        """Signal processed so far."""
        return self._frames * FRAME_SAMPLES / SAMPLE_RATE_HZ

    def process(self, mouth_in: Samples, ear_in: Samples, mouth_out: Samples, ear_out: Samples) -> None:
        """Process 20 ms of both directions: four arrays of ``FRAME_SAMPLES`` int16."""
        if self._frames == 0:
            self._started_at_s = self._clock()
            self._post(
                MediaStarted(
                    at_s=self._started_at_s,
                    call_id=self._call_id,
                    codec=self._codec,
                    sample_rate_hz=SAMPLE_RATE_HZ,
                )
            )
        if self._tap is not None:
            self._tap(mouth_in, ear_in)
        heard = self._agent.update(mouth_in)
        said = self._customer.update(ear_in)
        digits = self._dtmf.update(ear_in)
        self._agc.process(mouth_in, mouth_out)
        self._mouth_limiter.process(mouth_out, mouth_out)
        self._after.update(mouth_out)
        self._ear_limiter.process(ear_in, ear_out)
        self._frames += 1
        for event in heard:
            self._post_spurt(self._agent.side, event)
        for event in said:
            self._post_spurt(self._customer.side, event)
        for event in digits:
            if event.kind == "dtmf":
                self._post(
                    Dtmf(
                        at_s=self._at_s(),
                        call_id=self._call_id,
                        side="customer",
                        digit=event.value,
                        method="tone",
                        start_s=round(event.start_s, 3),
                    )
                )
        if self._frames % FRAMES_PER_RMS == 0:
            self._agent.rms_dbov.append(_dbov(self._agent.level.momentary_level_dbov))
            self._customer.rms_dbov.append(_dbov(self._customer.level.momentary_level_dbov))
            self._after_rms_dbov.append(_dbov(self._after.momentary_level_dbov))
        if self._frames % FRAMES_PER_LEVELS == 0:
            self._post_levels()

    def _at_s(self) -> float:
        """Time of the newest sample on the engine's clock."""
        return round(self._started_at_s + self.duration_s, 6)

    def _post_spurt(self, side: str, event: DspEvent) -> None:
        at_s, start_s = self._at_s(), round(event.start_s, 3)
        if event.kind == "talk_spurt_start":
            self._post(
                TalkSpurtStarted(at_s=at_s, call_id=self._call_id, side=side, start_s=start_s)  # type: ignore[arg-type]
            )
        elif event.kind == "talk_spurt":
            self._post(
                TalkSpurt(
                    at_s=at_s,
                    call_id=self._call_id,
                    side=side,  # type: ignore[arg-type]
                    start_s=start_s,
                    end_s=round(event.end_s, 3),
                    level_dbov=_dbov(event.level_dbov),
                )
            )

    def _post_levels(self) -> None:
        self._post(
            Levels(
                at_s=self._at_s(),
                call_id=self._call_id,
                end_s=round(self.duration_s, 3),
                interval_s=FRAMES_PER_LEVELS * FRAME_SAMPLES / SAMPLE_RATE_HZ,
                agent_before_rms_dbov=tuple(self._agent.rms_dbov),
                agent_after_rms_dbov=tuple(self._after_rms_dbov),
                customer_rms_dbov=tuple(self._customer.rms_dbov),
                agent_before_sliding_dbov=_dbov(self._agent.level.sliding_active_speech_level_dbov),
                agent_after_sliding_dbov=_dbov(self._after.sliding_active_speech_level_dbov),
                customer_sliding_dbov=_dbov(self._customer.level.sliding_active_speech_level_dbov),
                agent_active_s=self._agent.active_s(),
                customer_active_s=self._customer.active_s(),
                agc_gain_db=round(self._agc.gain_db, 2),
            )
        )
        self._agent.rms_dbov.clear()
        self._customer.rms_dbov.clear()
        self._after_rms_dbov.clear()

    def finish(self) -> None:
        """Post ``media_ended`` with the levels of the whole call; nothing if no frame was processed."""
        if self._frames == 0:
            return
        self._post(
            MediaEnded(
                at_s=self._at_s(),
                call_id=self._call_id,
                duration_s=round(self.duration_s, 3),
                agent_before=_summary(self._agent.level),
                agent_after=_summary(self._after),
                customer=_summary(self._customer.level),
            )
        )
