"""The headset test: the agent speaks, is measured as in a call, and then hears what a customer would."""

import threading
from typing import Any, Final

import numpy as np

from thirdring.protocol.views import HeadsetTest
from thirdring_device.engine.media import FRAME_SAMPLES, GATE_DB, SAMPLE_RATE_HZ
from thirdring_device.engine.sound_facts import level_dbov
from thirdring_device.sound_settings import AudioSettings
from thirdring_dsp import CallAnalyzer

__all__ = ["LISTEN_S", "HeadsetCheck"]

LISTEN_S: Final = 5.0
"""Time to say a sentence; the norm's level slides over 3 s (norms.md, voice.level)."""


class HeadsetCheck:
    """A ``CallMedia`` without a customer. ``view`` from any thread, the rest on the bridge's clock thread."""

    def __init__(self, audio: AudioSettings, listen_s: float = LISTEN_S) -> None:
        """Take gain control, gate and limiters of a call from ``audio``."""
        self._heard = CallAnalyzer(
            SAMPLE_RATE_HZ,
            target_dbov=audio.agc_target_dbov,
            gain_range_db=audio.agc_range_db if audio.agc else 0.0,
            gate_attenuation_db=GATE_DB if audio.noise_gate else 0.0,
            mouth_ceiling_dbov=audio.mouth_ceiling_dbov,
            ear_ceiling_dbov=audio.ear_ceiling_dbov,
        )
        self._listen_s = listen_s
        self._frames: list[Any] = []
        self._wanted = round(listen_s * SAMPLE_RATE_HZ / FRAME_SAMPLES)
        self._played = 0
        self._lock = threading.Lock()
        self._view = HeadsetTest(state="listening", listen_s=listen_s)
        self.broken_off = False
        """Set when something more important needs the headset."""

    @property
    def over(self) -> bool:
        """Whether all has been heard, or it was broken off."""
        return self.broken_off or self._played >= self._wanted

    def process(self, mouth_in: Any, ear_in: Any, mouth_out: Any, ear_out: Any) -> None:
        """See ``CallMedia``."""
        if len(self._frames) < self._wanted:
            self._heard.process(mouth_in, ear_in, mouth_out, ear_out)
            self._frames.append(np.array(mouth_out))
            self._measure()
        elif self._played < self._wanted:
            ear_out[:] = self._frames[self._played]
            self._played += 1
        else:
            ear_out[:] = 0

    def finish(self) -> None:
        """See ``CallMedia``: nothing is reported, and nothing kept."""
        self._frames.clear()

    def view(self) -> HeadsetTest:
        """Return how far it is and what was measured."""
        with self._lock:
            view = self._view
        state = "idle" if self.over else "playing" if len(self._frames) >= self._wanted else "listening"
        return HeadsetTest(
            state=state,  # type: ignore[arg-type]
            listen_s=self._listen_s,
            heard_s=view.heard_s,
            level_dbov=view.level_dbov,
            speech_dbov=view.speech_dbov,
            microphone_dbov=view.microphone_dbov,
            clipped=view.clipped,
            broken_off=self.broken_off,
        )

    def _measure(self) -> None:
        before, after = self._heard.agent_before, self._heard.agent_after
        view = HeadsetTest(
            state="listening",
            listen_s=self._listen_s,
            heard_s=round(len(self._frames) * FRAME_SAMPLES / SAMPLE_RATE_HZ, 2),
            level_dbov=level_dbov(after.momentary_level_dbov),
            speech_dbov=level_dbov(after.sliding_active_speech_level_dbov),
            microphone_dbov=level_dbov(before.active_speech_level_dbov),
            clipped=before.clipped_samples,
        )
        with self._lock:
            self._view = view
