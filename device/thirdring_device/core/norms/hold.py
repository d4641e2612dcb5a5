"""Norms of leaving the customer alone: ``hold.check_in``, ``voice.mute_pause``, ``transfer.consent``."""

from thirdring.protocol.events import (
    AgentRequested,
    Event,
    HoldEnded,
    HoldStarted,
    MuteEnded,
    MuteStarted,
    Prompt,
    Record,
    Verdict,
    VerdictValue,
)
from thirdring_device.core.call import Call
from thirdring_device.core.norms.base import Norm
from thirdring_device.core.norms.settings import HoldSettings, VoiceSettings

__all__ = ["HoldCheckIn", "TransferConsent", "VoiceMutePause"]


class _Absence(Norm):
    """The agent is away for at most ``threshold`` seconds at a time; warned at ``warn_s``."""

    unit = "s"
    prompt_key = ""
    never = ""

    def __init__(self, call: Call, limit_s: float, warn_s: float) -> None:
        super().__init__(call, limit_s)
        self._warn_s = min(warn_s, limit_s)
        self._since_s: float | None = None
        self._warned = False
        self._count = 0
        self._longest_s = 0.0

    def _leaves(self, record: Record) -> list[Event]:
        if self._since_s is None:
            self._since_s = record.event.at_s
            self._warned = False
            self._count += 1
            self.evidence.append(record.number)
            self.wake_at_s = self._since_s + self._warn_s
        return []

    def _returns(self, record: Record) -> list[Event]:
        if self._since_s is None:
            return []
        away_s = record.event.at_s - self._since_s
        self._longest_s = max(self._longest_s, away_s)
        self._since_s = self.wake_at_s = None
        self.evidence.append(record.number)
        return [self.noted(record.event.at_s, "met", round(away_s, 2))] if self._warned else []

    def wake(self, at_s: float) -> list[Event]:
        """Prompt at the early limit, breach at the late one."""
        super().wake(at_s)
        if self._since_s is None:
            return []
        if not self._warned and self._warn_s < self.threshold:
            self._warned = True
            self.wake_at_s = self._since_s + self.threshold
            return [self.noted(at_s, "warned", self._warn_s), self._prompt(at_s, "warn")]
        self._warned = True
        return [self.noted(at_s, "breached", self.threshold), self._prompt(at_s, "urgent")]

    def _prompt(self, at_s: float, urgency: str) -> Prompt:
        return Prompt(
            at_s=at_s,
            call_id=self.call.call_id,
            key=self.prompt_key,
            rule=self.rule,
            urgency=urgency,  # type: ignore[arg-type]
        )

    def verdict(self, ended: Record) -> Verdict:
        """Judge by the longest absence."""
        if self.call.answered is None:
            return self.judged(ended, "not_applicable", None, reason="not answered")
        if self._since_s is not None:
            self._returns(ended)
        if not self._count:
            return self.judged(ended, "not_applicable", None, reason=self.never)
        longest_s = round(self._longest_s, 2)
        value: VerdictValue = "warned" if self._warn_s <= longest_s < self.threshold else "met"
        if longest_s > self.threshold:
            value = "breached"
        return self.judged(ended, value, longest_s, measures={"absence_count": float(self._count)})


class HoldCheckIn(_Absence):
    """``hold.check_in``: the agent comes back to a customer on hold within ``limit_s``, warned at ``warn_s``.

    Holds of the agent count, not those of the customer's own telephone. The agent then thanks for waiting.
    """

    rule = "hold.check_in"
    numbers = ("hold.limit_s", "hold.warn_s")
    prompts = ("hold_return",)
    manuals = "003 000"
    prompt_key = "hold_return"
    never = "no hold"

    def __init__(self, call: Call, settings: HoldSettings) -> None:
        super().__init__(call, settings.limit_s, settings.warn_s)

    def handle(self, record: Record) -> list[Event]:
        """Time each hold."""
        event = record.event
        if isinstance(event, HoldStarted) and event.by == "agent":
            return self._leaves(record)
        if isinstance(event, HoldEnded) and event.by == "agent":
            return self._returns(record)
        return []


class VoiceMutePause(_Absence):
    """``voice.mute_pause``: the microphone is muted for at most ``mute_limit_s`` at a time."""

    rule = "voice.mute_pause"
    numbers = ("voice.mute_limit_s",)
    prompts = ("mute_end",)
    manuals = "000"
    prompt_key = "mute_end"
    never = "never muted"

    def __init__(self, call: Call, settings: VoiceSettings) -> None:
        super().__init__(call, settings.mute_limit_s, settings.mute_limit_s)

    def handle(self, record: Record) -> list[Event]:
        """Time each pause."""
        if isinstance(record.event, MuteStarted):
            return self._leaves(record)
        if isinstance(record.event, MuteEnded):
            return self._returns(record)
        return []


class TransferConsent(Norm):
    """``transfer.consent``: before a transfer a colleague was consulted, or the customer agreed."""

    rule = "transfer.consent"
    unit = "transfers"
    numbers = ()
    prompts = ("ask_consent",)
    manuals = "002"

    def __init__(self, call: Call) -> None:
        super().__init__(call, 0.0)
        self._asked = 0
        self._without = 0

    def handle(self, record: Record) -> list[Event]:
        """Look at each transfer that is asked for."""
        event = record.event
        if not isinstance(event, AgentRequested) or event.action != "transfer":
            return []
        self._asked += 1
        self.evidence.append(record.number)
        if event.other_call_id or event.consent:
            return [self.noted(event.at_s, "met", float(self._without))]
        self._without += 1
        prompt = Prompt(
            at_s=event.at_s, call_id=self.call.call_id, key="ask_consent", rule=self.rule, urgency="warn"
        )
        return [self.noted(event.at_s, "breached", float(self._without)), prompt]

    def verdict(self, ended: Record) -> Verdict:
        """Judge by the transfers without either."""
        if not self._asked:
            return self.judged(ended, "not_applicable", None, reason="no transfer")
        return self.judged(ended, "breached" if self._without else "met", float(self._without))
