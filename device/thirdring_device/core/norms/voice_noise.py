"""``voice.noise``: no outside noise gets into the line (norms.md, section B)."""

from thirdring.protocol.events import (
    SILENCE_DBOV,
    Event,
    MediaEnded,
    Prompt,
    Record,
    Verdict,
    VerdictValue,
    VoiceFigures,
    VoiceSummary,
)
from thirdring_device.core.call import Call
from thirdring_device.core.norms.base import Norm
from thirdring_device.core.norms.settings import VoiceSettings

__all__ = ["VoiceNoise"]


class VoiceNoise(Norm):
    """The background of the agent's side stays below ``noise_limit_dbov``, and well below the voice.

    Measured at the microphone while the agent is silent. Noise that goes away again is warned of; noise
    that lasts ``noise_persist_s`` is a breach and prompts the agent.
    """

    rule = "voice.noise"
    unit = "dBov"
    numbers = ("voice.noise_limit_dbov", "voice.noise_snr_min_db", "voice.noise_persist_s")
    prompts = ("noisy_desk",)
    manuals = "000"

    def __init__(self, call: Call, settings: VoiceSettings) -> None:
        super().__init__(call, settings.noise_limit_dbov)
        self._settings = settings
        self._figures = 0
        self._noisy_since_s: float | None = None
        self._loudest_dbov = SILENCE_DBOV
        self._worst: VerdictValue = "met"
        self._ended: VoiceSummary | None = None

    def handle(self, record: Record) -> list[Event]:
        """Follow the noise from figure to figure."""
        event = record.event
        if isinstance(event, MediaEnded):
            self._ended = event.agent_voice
            self.evidence.append(record.number)
        elif isinstance(event, VoiceFigures):
            return self._measured(record, event)
        return []

    def _measured(self, record: Record, event: VoiceFigures) -> list[Event]:
        noise_dbov = event.agent.noise_level_dbov
        self._figures += 1
        self._loudest_dbov = max(self._loudest_dbov, noise_dbov)
        if not self._noisy(event.agent):
            was_noisy, self._noisy_since_s = self._noisy_since_s is not None, None
            return [self._note(record, "met", noise_dbov)] if was_noisy else []
        if self._noisy_since_s is None:
            self._noisy_since_s = event.end_s
            if self._worst == "met":
                self._worst = "warned"
            return [self._note(record, "warned", noise_dbov)]
        lasted_s = event.end_s - self._noisy_since_s
        if lasted_s < self._settings.noise_persist_s or self._worst == "breached":
            return []
        self._worst = "breached"
        prompt = Prompt(
            at_s=event.at_s, call_id=self.call.call_id, key="noisy_desk", rule=self.rule, urgency="warn"
        )
        return [self._note(record, "breached", noise_dbov), prompt]

    def _noisy(self, voice: VoiceSummary) -> bool:
        drowned = voice.snr_db is not None and voice.snr_db < self._settings.noise_snr_min_db
        return voice.noise_level_dbov > self.threshold or drowned

    def _note(self, record: Record, state: VerdictValue, noise_dbov: float) -> Event:
        self.evidence.append(record.number)
        return self.noted(record.event.at_s, state, noise_dbov)

    def verdict(self, ended: Record) -> Verdict:
        """Judge by how long the noise lasted."""
        if self.call.answered is None:
            return self.judged(ended, "not_applicable", None, reason="not answered")
        if not self._figures:
            return self.judged(ended, "not_applicable", None, reason="too little sound")
        measures = {"loudest_noise_dbov": self._loudest_dbov}
        if self._ended is not None:
            measures["noise_level_dbov"] = self._ended.noise_level_dbov
            if self._ended.snr_db is not None:
                measures["snr_db"] = self._ended.snr_db
        return self.judged(ended, self._worst, self._loudest_dbov, measures=measures)
