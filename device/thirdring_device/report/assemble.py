"""From a call's records to its report."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from thirdring.protocol.events import (
    AgentRequested,
    CallAlerting,
    CallAnswered,
    CallEnded,
    CallQuality,
    DeadAir,
    Dtmf,
    Event,
    Interruption,
    Levels,
    MediaEnded,
    MediaStarted,
    NormNoted,
    Overlap,
    Prompt,
    Record,
    RecordingDeleted,
    RecordingEnded,
    RecordingPaused,
    RecordingRead,
    RecordingResumed,
    RingBurst,
    RingOverflow,
    Side,
    TalkSpurt,
    TalkSpurtStarted,
    ToneHeard,
    Verdict,
    VoiceFigures,
)
from thirdring.protocol.views import CallDetail
from thirdring_device.report.model import (
    Key,
    Limits,
    Moment,
    Report,
    Ring,
    Spurt,
    TalkShares,
    VoicePoint,
)
from thirdring_device.report.series import level_series
from thirdring_device.report.sounds import Sounds
from thirdring_device.report.talk import talk_shares
from thirdring_device.settings import Settings
from thirdring_dsp.tone_plans import ring_cadence

__all__ = ["build"]

_AFTERWARDS = (RecordingEnded, RecordingDeleted, RecordingRead)
"""What may be told of a call when it is over, perhaps by another engine: no part of its course."""
_Momentary = AgentRequested | Prompt | NormNoted | RingOverflow | RecordingPaused | RecordingResumed


def build(
    detail: CallDetail,
    records: Sequence[Record],
    settings: Settings | None = None,
    *,
    recording: str = "",
    signalled: bool = True,
    live_verdicts: bool = False,
) -> Report:
    """Build the report of the call ``detail`` from ``records`` in their order; other calls' are left out.

    ``settings`` are those the call was judged by; None stands for the defaults. Verdicts come from
    ``detail``, or from the records when it has none. ``recording`` names the file they were
    heard in, ``signalled`` is False when nothing but its sound is known, ``live_verdicts`` tells that the
    verdicts are those of the live call, as the recording does not hold all of its sound.
    """
    own = [record for record in records if record.event.call_id == detail.call.call_id]
    reader = _Reader(began_s=own[0].event.at_s if own else 0.0)
    for record in own:
        reader.read(record.number, record.event)
    reader.close_spurts()
    verdicts = detail.verdicts or tuple(reader.verdicts)
    end_s = max([reader.latest_s, *(spurt.end_s for spurt in reader.spurts)])
    answered_s = reader.answered_s
    named = {number for verdict in verdicts for number in verdict.evidence}
    media = reader.media_ended
    return Report(
        call=detail.call,
        recording=recording,
        signalled=signalled,
        live_verdicts=live_verdicts,
        duration_s=end_s,
        alerting_at_s=reader.alerting_s,
        answered_at_s=answered_s,
        ended_at_s=reader.ended_s,
        media_at_s=reader.media_s,
        end_sip_code=reader.end.sip_code if reader.end else 0,
        end_reason=reader.end.reason if reader.end else "",
        codec=reader.media_started.codec if reader.media_started else "",
        sample_rate_hz=reader.media_started.sample_rate_hz if reader.media_started else None,
        greeting_s=_greeting_s(verdicts, reader.spurts, answered_s),
        rings=tuple(reader.rings),
        agent_before=media.agent_before if media else None,
        agent_after=media.agent_after if media else None,
        customer=media.customer if media else None,
        talk=_talk(reader, end_s),
        spurts=tuple(sorted(reader.spurts, key=lambda spurt: spurt.start_s)),
        keys=tuple(reader.keys),
        moments=tuple(reader.moments),
        verdicts=verdicts,
        evidence={number: at_s for number, at_s in sorted(reader.places.items()) if number in named},
        series=level_series(reader.levels),
        limits=_limits(settings or Settings()),
        agent_voice=media.agent_voice if media else None,
        customer_voice=media.customer_voice if media else None,
        shared=media.talk if media else None,
        quality=reader.quality,
        tones=tuple(reader.sounds.tones),
        stretches=tuple(sorted(reader.sounds.stretches, key=lambda stretch: stretch.start_s)),
        voice=tuple(reader.voice),
    )


@dataclass(slots=True)
class _Reader:
    """Sorts the records of one call; times become seconds since ``began_s``."""

    began_s: float
    alerting_s: float | None = None
    answered_s: float | None = None
    ended_s: float | None = None
    media_s: float | None = None
    media_end_s: float | None = None
    latest_s: float = 0.0
    origin_s: float = 0.0
    """Where media time 0 of the sound now running stands on the axis."""
    end: CallEnded | None = None
    media_started: MediaStarted | None = None
    media_ended: MediaEnded | None = None
    quality: CallQuality | None = None
    rings: list[Ring] = field(default_factory=list)
    spurts: list[Spurt] = field(default_factory=list)
    keys: list[Key] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    levels: list[tuple[float, Levels]] = field(default_factory=list)
    sounds: Sounds = field(default_factory=Sounds)
    voice: list[VoicePoint] = field(default_factory=list)
    places: dict[int, float] = field(default_factory=dict)
    speaking: dict[Side, tuple[int, float]] = field(default_factory=dict)
    """Who speaks just now: number of the event, and since when."""

    def read(self, number: int, event: Event) -> None:
        """Take one record."""
        at_s = event.at_s - self.began_s
        self.places[number] = at_s
        if not (event.derived or isinstance(event, _AFTERWARDS)):
            self.latest_s = max(self.latest_s, at_s)
        match event:
            case CallAlerting() if self.alerting_s is None:
                self.alerting_s = at_s
            case CallAnswered():
                self.answered_s = at_s
            case CallEnded():
                self.ended_s, self.end = at_s, event
            case CallQuality():
                self.quality = event
            case Verdict():
                self.verdicts.append(event)
            case RingBurst():
                first_s = at_s if self.alerting_s is None else self.alerting_s
                self.rings.append(
                    Ring(
                        number=event.ring,
                        at_s=at_s,
                        wait_s=at_s - first_s,
                        urgency=event.urgency,
                        event=number,
                    )
                )
            case MediaStarted() | MediaEnded() | Levels() | TalkSpurtStarted() | TalkSpurt() | Dtmf():
                self._read_sound(number, at_s, event)
            case ToneHeard() | Overlap() | Interruption() | DeadAir():
                self.places[number] = self.origin_s + event.start_s
                self.sounds.read(number, self.origin_s, event)
            case VoiceFigures():
                at_s = self.origin_s + event.end_s
                self.voice.append(VoicePoint(at_s=at_s, agent=event.agent, customer=event.customer))
            case (
                AgentRequested()
                | Prompt()
                | NormNoted()
                | RingOverflow()
                | RecordingPaused()
                | RecordingResumed()
            ):
                self.moments.append(_moment(number, at_s, event))

    def _read_sound(self, number: int, at_s: float, event: Event) -> None:
        match event:
            case MediaStarted():
                self.close_spurts()
                self.origin_s, self.media_started = at_s, event
                self.media_s = at_s if self.media_s is None else self.media_s
            case MediaEnded():
                self.media_ended = event
                self.media_end_s = self.origin_s + event.duration_s
                self.latest_s = max(self.latest_s, self.media_end_s)
            case Levels():
                self.levels.append((self.origin_s, event))
            case TalkSpurtStarted():
                start_s = self.origin_s + event.start_s
                self.places[number] = start_s
                self.speaking[event.side] = (number, start_s)
            case TalkSpurt():
                self.speaking.pop(event.side, None)
                start_s, end_s = self.origin_s + event.start_s, self.origin_s + event.end_s
                self.places[number] = start_s
                self.spurts.append(
                    Spurt(
                        side=event.side,
                        start_s=start_s,
                        end_s=end_s,
                        level_dbov=event.level_dbov,
                        event=number,
                    )
                )
            case Dtmf():
                in_sound = event.method == "tone"
                place_s = self.origin_s + event.start_s if in_sound else at_s
                self.places[number] = place_s
                self.keys.append(
                    Key(
                        side=event.side,
                        digit=event.digit,
                        method=event.method,
                        at_s=place_s,
                        event=number,
                    )
                )

    def close_spurts(self) -> None:
        """End the talk-spurts and the silence that nobody saw the end of where the sound ended."""
        until_s = self.latest_s if self.media_end_s is None else self.media_end_s
        self.sounds.close(until_s)
        for side, (number, start_s) in self.speaking.items():
            if until_s > start_s:
                self.spurts.append(
                    Spurt(side=side, start_s=start_s, end_s=until_s, level_dbov=None, event=number)
                )
        self.speaking.clear()


def _moment(number: int, at_s: float, event: _Momentary) -> Moment:
    match event:
        case RecordingPaused() | RecordingResumed():
            name = event.kind.removeprefix("recording_")
            return Moment(kind="recording", at_s=at_s, event=number, name=name)
        case AgentRequested():
            return Moment(kind="request", at_s=at_s, event=number, name=event.action, state=event.source)
        case Prompt():
            return Moment(
                kind="prompt", at_s=at_s, event=number, name=event.key, rule=event.rule, state=event.urgency
            )
        case RingOverflow():
            return Moment(
                kind="overflow",
                at_s=at_s,
                event=number,
                name=event.action,
                value=float(event.ring),
                unit="rings",
            )
        case NormNoted():
            return Moment(
                kind="norm",
                at_s=at_s,
                event=number,
                rule=event.rule,
                state=event.state,
                value=event.value,
                unit=event.unit,
                threshold=event.threshold,
            )


def _greeting_s(
    verdicts: Sequence[Verdict], spurts: Sequence[Spurt], answered_s: float | None
) -> float | None:
    """Return the verdict's own figure where there is one, else what the talk-spurts say."""
    for verdict in verdicts:
        if verdict.rule == "answer.greeting" and "greeting_latency_s" in verdict.measures:
            return verdict.measures["greeting_latency_s"]
    if answered_s is None:
        return None
    onsets = [spurt.start_s for spurt in spurts if spurt.side == "agent" and spurt.end_s > answered_s]
    return max(0.0, min(onsets) - answered_s) if onsets else None


def _talk(reader: _Reader, end_s: float) -> TalkShares | None:
    if reader.media_s is None:
        return None
    start_s = reader.media_s if reader.answered_s is None else max(reader.media_s, reader.answered_s)
    return talk_shares(reader.spurts, start_s, end_s if reader.media_end_s is None else reader.media_end_s)


def _limits(settings: Settings) -> Limits:
    answer, voice = settings.norms.answer, settings.norms.voice
    try:
        cadence = ring_cadence(settings.trunk.country)
    except ValueError:  # a country without a plan: rings are drawn without their tone
        cadence = None
    return Limits(
        max_rings=answer.max_rings,
        greeting_limit_s=answer.greeting_limit_s,
        level_target_dbov=voice.level_target_dbov,
        level_band_db=voice.level_band_db,
        country=settings.trunk.country,
        ring_period_s=cadence.period_s if cadence else None,
        ring_bursts_s=cadence.bursts if cadence else (),
    )
