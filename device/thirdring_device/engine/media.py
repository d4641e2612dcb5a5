"""What is done to a call's sound, and what is measured in it: both directions at a time.

The live engine and ``thirdring-device analyze`` run this same class on the same samples, so both hear the
same. It depends on the samples only: no clock, and nothing of how the stream is cut into blocks.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from thirdring.protocol.events import Event, Levels, MediaEnded, MediaStarted, VoiceFigures
from thirdring_device.engine.sound_facts import fact, in_order, level_dbov, level_summary, voice_summary
from thirdring_device.engine.whole_call import MeanNoise, TalkTotals
from thirdring_device.settings import Settings
from thirdring_dsp import CallAnalyzer, DspEvent
from thirdring_dsp.tone_plans import TonePlan, plan

__all__ = ["FRAME_SAMPLES", "SAMPLE_RATE_HZ", "CallSound"]

Samples = npt.NDArray[np.int16]

SAMPLE_RATE_HZ: Final = 16_000
"""Rate of the conference bridge: wideband (G.722), and narrowband codecs are raised to it."""
FRAME_SAMPLES: Final = 320
"""20 ms, the bridge's frame; facts come at its ends."""
FRAMES_PER_RMS: Final = 5
"""100 ms: one point of the level pictures."""
FRAMES_PER_LEVELS: Final = 25
"""0.5 s: one ``levels`` event."""
FRAMES_PER_FIGURES: Final = 250
"""5 s: one ``voice_figures`` event; pace and noise move slowly."""
DEAD_AIR_S: Final = 10.0
"""Silence of both sides that counts as dead air."""
GATE_DB: Final = 12.0
"""By how much the noise gate turns the background down."""


class CallSound:
    """The sound of one call. ``post`` receives its facts, on the thread that calls ``process``."""

    def __init__(
        self,
        call_id: str,
        codec: str,
        settings: Settings,
        post: Callable[[Event], None],
        clock: Callable[[], float],
        tap: Callable[[Samples, Samples], None] | None = None,
    ) -> None:
        """``clock`` is read once, at the first sample; ``tap`` gets every block as it came in."""
        self._call_id = call_id
        self._codec = codec
        self._post = post
        self._clock = clock
        self._tap = tap
        self.instead: Callable[[Samples], None] | None = None
        """Writes what goes to the line in the agent's place, once it is set: an announcement."""
        audio = settings.audio
        self._heard = CallAnalyzer(
            SAMPLE_RATE_HZ,
            _plan(settings.trunk.country),
            dead_air_s=DEAD_AIR_S,
            target_dbov=audio.agc_target_dbov,
            gain_range_db=audio.agc_range_db if audio.agc else 0.0,
            gate_attenuation_db=GATE_DB if audio.noise_gate else 0.0,
            mouth_ceiling_dbov=audio.mouth_ceiling_dbov,
            ear_ceiling_dbov=audio.ear_ceiling_dbov,
        )
        self._told: list[DspEvent] = []
        """What was heard in the frame that is not yet full."""
        self._talk = TalkTotals()
        self._noise = MeanNoise(), MeanNoise()
        self._rms_dbov: tuple[list[float], list[float], list[float]] = ([], [], [])
        """Agent before and after the gain control, customer, since the last ``levels``."""
        self._active_frames = [0, 0]
        self._samples = 0
        self._started_at_s = 0.0

    @property
    def duration_s(self) -> float:
        """Signal processed so far."""
        return self._samples / SAMPLE_RATE_HZ

    def process(self, mouth_in: Samples, ear_in: Samples, mouth_out: Samples, ear_out: Samples) -> None:
        """Process a block of both directions: four arrays of as many int16, 20 ms or any number.

        ``mouth_out`` receives what goes to the line, ``ear_out`` what goes to the headset. Raises
        ``ValueError`` when the four are not equally long.
        """
        count = len(mouth_in)
        if not count == len(ear_in) == len(mouth_out) == len(ear_out):
            raise ValueError("the four arrays must be equally long")
        if self._samples == 0 and count:
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
        at = 0
        while at < count:
            end = min(count, at + FRAME_SAMPLES - self._samples % FRAME_SAMPLES)
            piece = slice(at, end)
            self._told += self._heard.process(
                mouth_in[piece], ear_in[piece], mouth_out[piece], ear_out[piece]
            )
            self._samples += end - at
            at = end
            if self._samples % FRAME_SAMPLES == 0:
                self._end_frame(self._samples // FRAME_SAMPLES)
        if self.instead is not None:
            self.instead(mouth_out)

    def _end_frame(self, frames: int) -> None:
        heard = self._heard
        self._post_told()
        self._active_frames[0] += heard.talk.agent.active
        self._active_frames[1] += heard.talk.customer.active
        if frames % FRAMES_PER_RMS == 0:
            for values, meter in zip(
                self._rms_dbov, (heard.agent_before, heard.agent_after, heard.customer), strict=True
            ):
                values.append(level_dbov(meter.momentary_level_dbov))
        if frames % FRAMES_PER_LEVELS == 0:
            self._post_levels()
        if frames % FRAMES_PER_FIGURES == 0:
            self._post(
                VoiceFigures(
                    at_s=self._at_s(),
                    call_id=self._call_id,
                    end_s=round(self.duration_s, 3),
                    agent=voice_summary(heard.agent_pace, heard.agent_noise),
                    customer=voice_summary(heard.customer_pace, heard.customer_noise),
                )
            )

    def _at_s(self) -> float:
        """Time of the newest sample on the engine's clock."""
        return round(self._started_at_s + self.duration_s, 6)

    def _post_told(self) -> None:
        if not self._told:
            return
        at_s = self._at_s()
        for event in in_order(self._told):
            self._talk.take(event)
            told = fact(event, self._call_id, at_s)
            if told is not None:
                self._post(told)
        self._told.clear()

    def _post_levels(self) -> None:
        heard = self._heard
        before, after, customer = (tuple(values) for values in self._rms_dbov)
        agent_s, customer_s = (
            round(frames * FRAME_SAMPLES / SAMPLE_RATE_HZ, 2) for frames in self._active_frames
        )
        self._post(
            Levels(
                at_s=self._at_s(),
                call_id=self._call_id,
                end_s=round(self.duration_s, 3),
                interval_s=FRAMES_PER_LEVELS * FRAME_SAMPLES / SAMPLE_RATE_HZ,
                agent_before_rms_dbov=before,
                agent_after_rms_dbov=after,
                customer_rms_dbov=customer,
                agent_before_sliding_dbov=level_dbov(heard.agent_before.sliding_active_speech_level_dbov),
                agent_after_sliding_dbov=level_dbov(heard.agent_after.sliding_active_speech_level_dbov),
                customer_sliding_dbov=level_dbov(heard.customer.sliding_active_speech_level_dbov),
                agent_active_s=agent_s,
                customer_active_s=customer_s,
                agc_gain_db=round(heard.gain.gain_db, 2),
            )
        )
        for values in self._rms_dbov:
            values.clear()
        self._active_frames = [0, 0]
        for noise, meter in zip(self._noise, (heard.agent_noise, heard.customer_noise), strict=True):
            noise.glance(meter)

    def finish(self) -> None:
        """Post ``media_ended`` with the figures of the whole call; nothing if no sample was processed."""
        if self._samples == 0:
            return
        self._post_told()
        heard = self._heard
        self._post(
            MediaEnded(
                at_s=self._at_s(),
                call_id=self._call_id,
                duration_s=round(self.duration_s, 3),
                agent_before=level_summary(heard.agent_before),
                agent_after=level_summary(heard.agent_after),
                customer=level_summary(heard.customer),
                agent_voice=self._noise[0].summary(heard.agent_pace, heard.agent_before),
                customer_voice=self._noise[1].summary(heard.customer_pace, heard.customer),
                talk=self._talk.summary(self.duration_s),
            )
        )


def _plan(country: str) -> TonePlan | None:
    """Return a country's tones, None for one without a plan: its call progress is not listened for."""
    try:
        return plan(country)
    except ValueError:
        return None
