"""Scripts of facts for the core: numbered, in order, as the journal would have them."""

from collections.abc import Iterable

from thirdring.protocol.events import (
    AgentRequested,
    CallAlerting,
    CallAnswered,
    CallEnded,
    CallIncoming,
    Event,
    Levels,
    LevelSummary,
    MediaEnded,
    MediaStarted,
    NormNoted,
    Prompt,
    Record,
    TalkSpurt,
    TalkSpurtStarted,
    Verdict,
    VoiceFigures,
    VoiceSummary,
)
from thirdring_device.core.call import Call
from thirdring_device.core.commands import DeviceCommand
from thirdring_device.core.desk import Desk
from thirdring_device.core.judged import DeskSettings, JudgedCall

CN_PERIOD_S = 5.0
"""China: 1 s on, 4 s off."""
_JUDGED = JudgedCall(Call("", 1), DeskSettings(CN_PERIOD_S))
RULES = [norm.rule for norm in _JUDGED.norms] + ["call.dropped"]
"""Every norm that an answered call is judged by when it ends, in order."""
LATE_RULES = ["call.notes", "agent.break"]
"""Those that it is judged by afterwards."""
SUMMARY = LevelSummary(active_speech_level_dbov=-26.0, activity_percent=50.0, active_s=5.0, peak_dbov=-10.0)


class Script:
    """A desk fed with facts; keeps what comes out."""

    def __init__(self, settings: DeskSettings | None = None) -> None:
        self.desk = Desk(settings or DeskSettings(CN_PERIOD_S))
        self.records: list[Record] = []
        self.derived: list[Event] = []
        self.commands: list[DeviceCommand] = []

    def feed(self, *events: Event) -> list[DeviceCommand]:
        """Hand over facts; return the commands that followed from them."""
        before = len(self.commands)
        for event in events:
            record = Record(len(self.records) + 1, "2026-01-01T00:00:00.000Z", event)
            self.records.append(record)
            outputs = self.desk.handle(record)
            self.derived += outputs.events
            self.commands += outputs.commands
        return self.commands[before:]

    def wake(self, now_s: float) -> None:
        """Let time pass without a fact."""
        outputs = self.desk.wake(now_s)
        self.derived += outputs.events
        self.commands += outputs.commands

    def kinds(self) -> list[str]:
        """Kinds of the derived events, in order."""
        return [event.kind for event in self.derived]

    def prompts(self, rule: str) -> list[str]:
        """Keys of the prompts shown for a rule, in order."""
        return [event.key for event in self.derived if isinstance(event, Prompt) and event.rule == rule]

    def noted(self, rule: str) -> list[tuple[float, str]]:
        """When a rule's live state changed, and to what."""
        found = (event for event in self.derived if isinstance(event, NormNoted) and event.rule == rule)
        return [(round(event.at_s, 3), event.state) for event in found]

    def verdict(self, rule: str) -> Verdict:
        """The one verdict on a rule."""
        (found,) = (e for e in self.derived if isinstance(e, Verdict) and e.rule == rule)
        return found


def ringing(at_s: float = 10.0, call_id: str = "a", number: str = "13800138000") -> list[Event]:
    """An incoming call whose 180 goes out at ``at_s``."""
    return [
        CallIncoming(at_s=at_s - 0.01, call_id=call_id, number=number),
        CallAlerting(at_s=at_s, call_id=call_id),
    ]


def answered(at_s: float, call_id: str = "a") -> list[Event]:
    """The agent's request and the 200 OK at ``at_s``, sound from 20 ms later."""
    return [
        AgentRequested(at_s=at_s, call_id=call_id, action="answer"),
        CallAnswered(at_s=at_s, call_id=call_id),
        MediaStarted(at_s=at_s + 0.02, call_id=call_id, codec="PCMA", sample_rate_hz=16000),
    ]


def spoken(media_at_s: float, start_s: float, side: str = "agent", call_id: str = "a") -> Event:
    """Somebody begins to speak ``start_s`` into the media that began at ``media_at_s``."""
    at_s = media_at_s + start_s + 0.1
    return TalkSpurtStarted(at_s=at_s, call_id=call_id, side=side, start_s=start_s)  # type: ignore[arg-type]


def levels(media_at_s: float, after_dbov: Iterable[float], call_id: str = "a") -> list[Event]:
    """Half seconds of active speech at the given sliding levels after AGC."""
    silence = (-100.0,) * 5
    return [
        Levels(
            at_s=media_at_s + 0.5 * (i + 1),
            call_id=call_id,
            end_s=0.5 * (i + 1),
            interval_s=0.5,
            agent_before_rms_dbov=silence,
            agent_after_rms_dbov=silence,
            customer_rms_dbov=silence,
            agent_before_sliding_dbov=level_dbov,
            agent_after_sliding_dbov=level_dbov,
            customer_sliding_dbov=-100.0,
            agent_active_s=0.5,
            customer_active_s=0.0,
            agc_gain_db=0.0,
        )
        for i, level_dbov in enumerate(after_dbov)
    ]


def ended(
    at_s: float,
    by: str = "customer",
    cause: str = "hangup",
    call_id: str = "a",
    duration_s: float = 10.0,
    agent_voice: VoiceSummary | None = None,
) -> list[Event]:
    """The end of a call that had ``duration_s`` of sound."""
    return [
        MediaEnded(
            at_s=at_s,
            call_id=call_id,
            duration_s=duration_s,
            agent_before=SUMMARY,
            agent_after=SUMMARY,
            customer=SUMMARY,
            agent_voice=agent_voice,
        ),
        CallEnded(at_s=at_s, call_id=call_id, by=by, cause=cause),  # type: ignore[arg-type]
    ]


def spurt(
    media_at_s: float,
    start_s: float,
    end_s: float,
    side: str = "agent",
    level_dbov: float = -26.0,
    call_id: str = "a",
) -> list[Event]:
    """A whole talk-spurt, each end told as late as the analyzer tells it."""
    return [
        spoken(media_at_s, start_s, side, call_id),
        TalkSpurt(
            at_s=media_at_s + end_s + 0.3,
            call_id=call_id,
            side=side,  # type: ignore[arg-type]
            start_s=start_s,
            end_s=end_s,
            level_dbov=level_dbov,
        ),
    ]


def voice(
    syllables_per_s: float | None = 5.0,
    noise_level_dbov: float = -60.0,
    snr_db: float | None = 34.0,
    articulated_s: float = 6.0,
) -> VoiceSummary:
    """Pace and noise of one side."""
    return VoiceSummary(
        syllables_per_s=syllables_per_s,
        articulated_s=articulated_s,
        noise_level_dbov=noise_level_dbov,
        snr_db=snr_db,
    )


def figures(
    media_at_s: float, end_s: float, agent: VoiceSummary | None = None, customer: VoiceSummary | None = None
) -> Event:
    """Pace and noise of both sides at ``end_s``."""
    return VoiceFigures(
        at_s=media_at_s + end_s,
        call_id="a",
        end_s=end_s,
        agent=agent or voice(),
        customer=customer or voice(),
    )


def hangup(at_s: float, call_id: str = "a") -> Event:
    """The agent hangs up."""
    return AgentRequested(at_s=at_s, call_id=call_id, action="hangup")
