"""A recorded call judged again, by the very path that judges live.

A recording made by the appliance carries the call's signalling facts and gets the verdicts that the live
call got. A recording from elsewhere is taken to start at the answer; what only signalling can tell is
not applicable.
"""

import math
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np

from thirdring.protocol.errors import error
from thirdring.protocol.events import (
    AgentRequested,
    CallAlerting,
    CallAnswered,
    CallEnded,
    CallIncoming,
    CallOutgoing,
    Dtmf,
    Event,
    MediaStarted,
    Record,
    RingBurst,
    Verdict,
)
from thirdring.protocol.views import CallDetail, CallSummary
from thirdring_device.core.call import ImpossibleTransition
from thirdring_device.core.desk import Desk, DeskSettings
from thirdring_device.core.digits import DigitSieve
from thirdring_device.engine.media import FRAME_SAMPLES, SAMPLE_RATE_HZ, CallSound
from thirdring_device.engine.replay import desk_settings
from thirdring_device.report import Report, build
from thirdring_device.settings import Settings
from thirdring_device.stereo_file import StereoFile

__all__ = ["Progress", "analyze", "judged"]

PROGRESS_STEPS: Final = 50
NO_SIGNALLING: Final = "the recording carries no signalling"
NEEDS_SIGNALLING: Final = frozenset({"answer.rings", "answer.late_opener", "call.release"})
"""Norms that a recording from elsewhere has no evidence for."""

Progress = Callable[[float, float], None]
"""Called with the seconds done and the seconds in all."""


def analyze(
    path: Path, settings: Settings, progress: Progress | None = None, key_file: Path | None = None
) -> Report:
    """Return the report of a recording; ``key_file`` is for a sealed one that has left its state folder.

    Raises ``MediaError`` 4000 (not a sound file, or not one of two channels), 4003 (empty), 4020 to 4023
    (sealed: no key, another key, damaged or changed, cut short), and
    ``StorageError`` 5005 for a country without a tone plan.
    """
    desk = desk_settings(settings)
    with StereoFile(path, key_file) as file:
        told = file.recording.facts()
        carried = [record for record in told if not isinstance(record.event, Verdict)]
        live = [record.event for record in told if isinstance(record.event, Verdict)]
        call = _Recorded.of(carried, path, file)
        sound = _heard(file, call, settings, progress)
    try:
        records = judged(_in_order(call, sound), desk, call.utc)
    except ImpossibleTransition as reason:
        raise error(4000, f"{path}: its facts contradict each other") from reason
    verdicts = live or [record.event for record in records if isinstance(record.event, Verdict)]
    summary = _summary(records)
    if not carried:
        records = [record for record in records if not isinstance(record.event, AgentRequested)]
        summary = replace(summary, ended_by="", cause="", answered_utc=None, ended_utc=None)
        verdicts = [
            replace(verdict, reason=NO_SIGNALLING) if verdict.rule in NEEDS_SIGNALLING else verdict
            for verdict in verdicts
        ]
    detail = CallDetail(call=summary, verdicts=tuple(verdicts))
    return build(
        detail, records, settings, recording=path.name, signalled=bool(carried), live_verdicts=bool(live)
    )


@dataclass(frozen=True, slots=True)
class _Recorded:
    """What a recording says besides its sound."""

    call_id: str
    codec: str
    media_at_s: float
    facts: tuple[Event, ...]
    """Signalling in order, the last one the call's end."""
    began: datetime | None
    """Wall clock at ``at_s`` 0; None when nobody noted it."""

    @classmethod
    def of(cls, records: Sequence[Record], path: Path, file: StereoFile) -> "_Recorded":
        """Return the facts that a recording carries, or those that it is taken to stand for."""
        if not records:
            return cls.foreign(path, file)
        call_id = records[0].event.call_id
        events = [record.event for record in records if record.event.call_id == call_id]
        facts = [event for event in events if not isinstance(event, MediaStarted)]
        begun = next((event for event in facts if not isinstance(event, AgentRequested)), None)
        if not isinstance(begun, CallIncoming | CallOutgoing):
            raise error(4000, f"{path}: its facts lack the call's beginning")
        media = next((event for event in events if isinstance(event, MediaStarted)), None)
        answered = next((event for event in events if isinstance(event, CallAnswered)), events[0])
        media_at_s = media.at_s if media else answered.at_s
        if not isinstance(facts[-1], CallEnded):
            end_s = max(facts[-1].at_s, media_at_s + file.duration_s)
            facts.append(CallEnded(at_s=end_s, call_id=call_id, by="appliance", cause="interrupted"))
        began = datetime.fromisoformat(records[0].utc) - timedelta(seconds=events[0].at_s)
        return cls(call_id, media.codec if media else file.format, media_at_s, tuple(facts), began)

    @classmethod
    def foreign(cls, path: Path, file: StereoFile) -> "_Recorded":
        """Take the recording to start at the answer and to last until the end of the call."""
        call_id = path.stem
        facts: tuple[Event, ...] = (
            CallIncoming(at_s=0.0, call_id=call_id, number=""),
            AgentRequested(at_s=0.0, call_id=call_id, action="answer"),
            CallAnswered(at_s=0.0, call_id=call_id),
            CallEnded(at_s=file.duration_s, call_id=call_id, by="network", cause="hangup"),
        )
        return cls(call_id, file.format, 0.0, facts, None)

    def utc(self, at_s: float) -> str:
        """Return the wall clock at ``at_s``, empty when nobody noted it."""
        if self.began is None:
            return ""
        moment = self.began + timedelta(seconds=at_s)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _heard(file: StereoFile, call: _Recorded, settings: Settings, progress: Progress | None) -> list[Event]:
    """Return what the live sound path hears in the recording."""
    heard: list[Event] = []
    sound = CallSound(call.call_id, call.codec, settings, heard.append, lambda: call.media_at_s)
    step = max(1, round(file.duration_s * SAMPLE_RATE_HZ / FRAME_SAMPLES / PROGRESS_STEPS))
    mouth_out, ear_out = np.zeros(FRAME_SAMPLES, np.int16), np.zeros(FRAME_SAMPLES, np.int16)
    for i, (agent, customer) in enumerate(file.frames()):
        sound.process(agent, customer, mouth_out, ear_out)
        if progress is not None and i % step == 0:
            progress(sound.duration_s, file.duration_s)
    sound.finish()
    if progress is not None:
        progress(file.duration_s, file.duration_s)
    return heard


def _in_order(call: _Recorded, sound: Sequence[Event]) -> list[Event]:
    """Return all facts by their time, the end last: what is heard until then was heard before it.

    A digit that came both ways counts once, as it did live.
    """
    *signalling, end = call.facts
    sieve = DigitSieve()
    facts = sorted([*signalling, *sound], key=lambda event: event.at_s)
    return [*(fact for fact in facts if not isinstance(fact, Dtmf) or sieve.passes(fact)), end]


def judged(
    facts: Sequence[Event], settings: DeskSettings, utc: Callable[[float], str], *, finish: bool = False
) -> list[Record]:
    """Give the facts to a new desk; return them with all that it derives, numbered from 1 in order.

    ``finish``: then let the time pass in which norms are judged that come after the call.
    """
    desk = Desk(settings)
    records: list[Record] = []

    def number(events: Iterable[Event]) -> None:
        for event in events:
            records.append(Record(len(records) + 1, utc(event.at_s), event))

    waiting = deque(facts)
    while waiting:
        fact = waiting.popleft()
        number(desk.wake(fact.at_s).events)
        number([fact])
        outputs = desk.handle(records[-1])
        number(outputs.events)
        waiting.extendleft(reversed(outputs.facts))
    if finish:
        number(desk.wake(math.inf).events)
    return records


def _summary(records: Sequence[Record]) -> CallSummary:
    """Return the call as the journal would keep it."""
    first: dict[type[Event], Record] = {}
    for record in records:
        first.setdefault(type(record.event), record)
    begun = first.get(CallIncoming) or first[CallOutgoing]
    alerting, answered, ended = (first.get(kind) for kind in (CallAlerting, CallAnswered, CallEnded))
    opening, end = begun.event, ended.event if ended else None
    rings = [record.event.ring for record in records if isinstance(record.event, RingBurst)]
    return CallSummary(
        call_id=opening.call_id,
        direction="incoming" if isinstance(opening, CallIncoming) else "outgoing",
        number=opening.number if isinstance(opening, CallIncoming | CallOutgoing) else "",
        display_name=opening.display_name if isinstance(opening, CallIncoming) else "",
        state="ended",
        started_utc=begun.utc,
        answered_utc=answered.utc if answered else None,
        ended_utc=ended.utc if ended else None,
        ended_by=end.by if isinstance(end, CallEnded) else "",
        cause=end.cause if isinstance(end, CallEnded) else "",
        wait_s=_span(alerting, answered or ended),
        talk_s=_span(answered, ended),
        rings_heard=max(rings, default=None),
        first_event=records[0].number,
        last_event=records[-1].number,
    )


def _span(start: Record | None, end: Record | None) -> float | None:
    return None if start is None or end is None else round(end.event.at_s - start.event.at_s, 3)
