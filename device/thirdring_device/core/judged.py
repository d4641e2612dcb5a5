"""A call with the norms that judge it, and what the norms need to know."""

from dataclasses import dataclass, field

from thirdring_device.core.agent_settings import AgentSettings
from thirdring_device.core.call import Call
from thirdring_device.core.calls_settings import CallsSettings
from thirdring_device.core.figures_settings import FirmSettings
from thirdring_device.core.incoming import AutoAnswer, FaxCaller
from thirdring_device.core.norms.after import AgentBreak, CallDropped, CallNotes, LateNorm
from thirdring_device.core.norms.answer import AnswerGreeting, AnswerLateOpener, AnswerRings
from thirdring_device.core.norms.answer_poor import AnswerNoisyCaller, AnswerWeakCaller
from thirdring_device.core.norms.answer_silent import AnswerSilentCall
from thirdring_device.core.norms.base import Norm
from thirdring_device.core.norms.call import CallLength, CallRelease
from thirdring_device.core.norms.hold import HoldCheckIn, TransferConsent, VoiceMutePause
from thirdring_device.core.norms.outbound import OutboundHours, OutboundPrepared
from thirdring_device.core.norms.prompts import PromptLimit
from thirdring_device.core.norms.settings import (
    AnswerSettings,
    CallSettings,
    HoldSettings,
    NotesSettings,
    OutboundSettings,
    PromptSettings,
    ReturnSettings,
    SurveySettings,
    VoiceSettings,
)
from thirdring_device.core.norms.survey import CustomerSurvey
from thirdring_device.core.norms.voice import VoiceLevel
from thirdring_device.core.norms.voice_calm import VoiceCalm
from thirdring_device.core.norms.voice_noise import VoiceNoise
from thirdring_device.core.norms.voice_rate import VoiceRate
from thirdring_device.core.norms.voice_talk import VoiceDeadAir, VoiceInterrupting
from thirdring_device.core.progress import ProgressJudge

__all__ = ["DeskSettings", "JudgedCall"]


@dataclass(frozen=True, slots=True)
class DeskSettings:
    """What the desk needs to know; ``ring_period_s`` is the trunk's national ringback period."""

    ring_period_s: float
    answer: AnswerSettings = field(default_factory=AnswerSettings)
    voice: VoiceSettings = field(default_factory=VoiceSettings)
    hold: HoldSettings = field(default_factory=HoldSettings)
    call: CallSettings = field(default_factory=CallSettings)
    prompt: PromptSettings = field(default_factory=PromptSettings)
    calls: CallsSettings = field(default_factory=CallsSettings)
    agent: AgentSettings = field(default_factory=AgentSettings)
    firm: FirmSettings = field(default_factory=FirmSettings)
    returns: ReturnSettings = field(default_factory=ReturnSettings)
    notes: NotesSettings = field(default_factory=NotesSettings)
    outbound: OutboundSettings = field(default_factory=OutboundSettings)
    survey: SurveySettings = field(default_factory=SurveySettings)


class JudgedCall:
    """A call with its norms, in the order of norms.md; ``rings`` is also the ring ladder."""

    def __init__(self, call: Call, settings: DeskSettings) -> None:
        answer, voice = settings.answer, settings.voice
        self.call = call
        self.rings = AnswerRings(call, answer, settings.ring_period_s)
        silent = AnswerSilentCall(call, answer)
        poor = (AnswerWeakCaller(call, answer), AnswerNoisyCaller(call, answer))

        calm = VoiceCalm(call, voice)

        def no_customer() -> bool:
            return silent.applies or any(norm.applies for norm in poor)

        self.survey = CustomerSurvey(call, settings.survey, no_customer)
        self.norms: list[Norm] = [
            self.rings,
            AnswerLateOpener(call, answer, self.rings),
            AnswerGreeting(call, answer),
            silent,
            *poor,
            VoiceLevel(call, voice),
            VoiceNoise(call, voice),
            VoiceRate(call, voice),
            VoiceInterrupting(call, voice),
            calm,
            VoiceMutePause(call, voice),
            VoiceDeadAir(call, voice, lambda: silent.applies),
            HoldCheckIn(call, settings.hold),
            CallLength(call, settings.call),
            CallRelease(call, settings.call, no_customer),
            TransferConsent(call),
            OutboundHours(call, settings.outbound),
            OutboundPrepared(call, settings.outbound),
            self.survey,
        ]
        self.late: list[LateNorm] = [
            CallDropped(call, settings.returns),
            CallNotes(call, settings.notes),
            AgentBreak(call, calm, settings.notes),
        ]
        """Those that are judged at the end or after it."""
        self.progress = ProgressJudge(call)
        self.auto_answer = AutoAnswer(call)
        self.fax_caller = FaxCaller(call)
        self.prompts = PromptLimit(settings.prompt)
