"""Norms judged after the call: ``call.dropped``, ``call.notes``, ``agent.break`` (norms.md, section C).

They go on hearing of their call when it has ended, until ``due``: then they are asked for their verdict.
"""

from typing import Final

from thirdring.protocol.events import (
    CallBackListed,
    CallEnded,
    CallReturned,
    Event,
    NotesTaken,
    Prompt,
    Record,
    Verdict,
)
from thirdring_device.core.call import Call
from thirdring_device.core.norms.base import Norm
from thirdring_device.core.norms.settings import NotesSettings, ReturnSettings
from thirdring_device.core.norms.voice_calm import VoiceCalm

__all__ = ["LATE_RULES", "AgentBreak", "CallDropped", "CallNotes", "LateNorm", "dropped"]

LOST_CODES: Final = frozenset({408, 500, 503})
"""SIP answers that tell of a broken network, not of anybody's will."""


def dropped(call: Call) -> bool:
    """Whether a call that was up ended without anybody's hanging up."""
    ended = call.ended
    if ended is None or call.answered is None:
        return False
    if ended.by != "network":
        return ended.cause == "interrupted"
    return ended.cause == "lost" or (ended.cause == "failed" and ended.sip_code in LOST_CODES)


class LateNorm(Norm):
    """A norm that is judged when it is ``due``, at the call's end or later."""

    def __init__(self, call: Call, threshold: float) -> None:
        super().__init__(call, threshold)
        self.due = False

    def prompt(self, at_s: float, key: str, urgency: str = "warn") -> Prompt:
        """Return a prompt to the agent."""
        return Prompt(
            at_s=at_s,
            call_id=self.call.call_id,
            key=key,
            rule=self.rule,
            urgency=urgency,  # type: ignore[arg-type]
        )


class CallDropped(LateNorm):
    """``call.dropped``: after a dropped call the side that dialled dials again.

    A call of ours: the agent is prompted at once and redials within ``redial_s``. A caller is left
    ``caller_s`` to ring again; then the call-back list has him, and the agent calls back within
    ``call_back_s``. A drop is what nobody's hanging up ended: no RTP, an expired timer, the answers 408, 500
    and 503, and the end of the appliance itself, as by a power cut.
    """

    rule = "call.dropped"
    unit = "s"
    numbers = ("returns.redial_s", "returns.caller_s", "returns.call_back_s")
    prompts = ("redial", "call_back")
    manuals = "000"

    def __init__(self, call: Call, settings: ReturnSettings) -> None:
        super().__init__(call, 0.0)
        self._settings = settings
        self._ended_at_s: float | None = None
        self._returned_s: float | None = None
        self._by = ""
        self._listed = False

    def handle(self, record: Record) -> list[Event]:
        """See the call end, and somebody call again."""
        event = record.event
        if isinstance(event, CallEnded):
            return self._ended(record, event)
        if isinstance(event, CallReturned) and self._ended_at_s is not None and self._returned_s is None:
            self._returned_s = round(event.at_s - self._ended_at_s, 3)
            self._by = event.by
            self.evidence.append(record.number)
            self.due, self.wake_at_s = True, None
        return []

    def _ended(self, record: Record, event: CallEnded) -> list[Event]:
        if not dropped(self.call):
            self.due = True
            return []
        self._ended_at_s = event.at_s
        self.evidence.append(record.number)
        settings = self._settings
        if self.call.incoming:
            self.threshold = settings.caller_s + settings.call_back_s
            self.wake_at_s = event.at_s + settings.caller_s
            return [self.noted(event.at_s, "warned", 0.0)]
        self.threshold = settings.redial_s
        self.wake_at_s = event.at_s + settings.redial_s
        return [self.noted(event.at_s, "warned", 0.0), *self._list(event.at_s, "redial")]

    def _list(self, at_s: float, key: str) -> list[Event]:
        self._listed = True
        listed = CallBackListed(at_s=at_s, call_id=self.call.call_id, number=self.call.number, why="dropped")
        return [listed, self.prompt(at_s, key, "urgent")]

    def wake(self, at_s: float) -> list[Event]:
        """List a caller who has not rung again; breach when nobody has called."""
        super().wake(at_s)
        if self._ended_at_s is None:
            return []
        if not self._listed:
            self.wake_at_s = self._ended_at_s + self.threshold
            return self._list(at_s, "call_back") if self.call.number else self._give_up()
        self.due = True
        return [self.noted(at_s, "breached", self.threshold)]

    def _give_up(self) -> list[Event]:
        """Let a caller go whose number nobody knows."""
        self.wake_at_s, self.due = None, True
        return []

    def verdict(self, ended: Record) -> Verdict:
        """Judge by who called again, and when."""
        if self._ended_at_s is None:
            answered = self.call.answered is not None
            reason = "nobody was cut off" if answered else "not answered"
            return self.judged(ended, "not_applicable", None, reason=reason)
        if self._returned_s is not None:
            reason = "the customer called again" if self._by == "customer" else ""
            return self.judged(ended, "met", self._returned_s, reason=reason)
        if not self.call.number:
            return self.judged(ended, "not_applicable", None, reason="the caller's number is not known")
        return self.judged(ended, "breached", self.threshold)


class CallNotes(LateNorm):
    """``call.notes``: the call is written down within ``within_s`` of its end.

    Every field of ``required`` is filled, and notes with figures in them were read back.
    """

    rule = "call.notes"
    unit = "s"
    numbers = ("notes.within_s", "notes.required", "notes.read_back")
    prompts = ("take_notes", "notes_missing")
    manuals = "000 002"

    def __init__(self, call: Call, settings: NotesSettings) -> None:
        super().__init__(call, settings.within_s)
        self._settings = settings
        self._notes: NotesTaken | None = None
        self._number = 0
        self._ended_at_s: float | None = None
        self._done_s: float | None = None

    @property
    def missing(self) -> list[str]:
        """What is still to be written down, or to be read back."""
        notes = self._notes or NotesTaken(at_s=0.0)
        lacking = [name for name in self._settings.required if not str(getattr(notes, name, "")).strip()]
        figures = any(char.isdigit() for char in f"{notes.matter}{notes.promised}{notes.call_back_utc}")
        if self._settings.read_back and figures and not notes.read_back:
            lacking.append("read_back")
        return lacking

    def handle(self, record: Record) -> list[Event]:
        """Take in notes and the end of the call."""
        event = record.event
        prompts: list[Event] = []
        if isinstance(event, NotesTaken):
            self._notes, self._number = event, record.number
        elif isinstance(event, CallEnded):
            if self.call.answered is None:
                self.due = True
                return []
            self._ended_at_s = event.at_s
            self.wake_at_s = event.at_s + self.threshold
            if self.missing:
                prompts = [self.prompt(event.at_s, "take_notes", "info")]
        if self._ended_at_s is not None and self._notes is not None and not self.missing and not self.due:
            self._done_s = max(0.0, round(event.at_s - self._ended_at_s, 3))
            self.due, self.wake_at_s = True, None
        return prompts

    def wake(self, at_s: float) -> list[Event]:
        """Breach: the time is over."""
        super().wake(at_s)
        self.due = True
        return [self.noted(at_s, "breached", self.threshold), self.prompt(at_s, "notes_missing")]

    def verdict(self, ended: Record) -> Verdict:
        """Judge by when the notes were complete."""
        if self._ended_at_s is None:
            return self.judged(ended, "not_applicable", None, reason="not answered")
        self.evidence.extend([self._number] if self._number else [])
        measures = {"missing_count": float(len(self.missing))}
        if self._done_s is None:
            reason = f"missing: {', '.join(self.missing)}"
            return self.judged(ended, "breached", None, reason=reason, measures=measures)
        return self.judged(ended, "met", self._done_s, measures=measures)


class AgentBreak(LateNorm):
    """``agent.break``: after a hard call the agent is offered a short break.

    Hard is a call in which the customer grew heated (``voice.calm``) or whose notes tell of a complaint.
    Judged by the offer, which is always shown; taking it is the agent's affair.
    """

    rule = "agent.break"
    unit = "offers"
    numbers = ()
    prompts = ("offer_break",)
    manuals = "000"

    def __init__(self, call: Call, calm: VoiceCalm, notes: NotesSettings) -> None:
        super().__init__(call, 1.0)
        self._calm: VoiceCalm | None = calm
        self._within_s = notes.within_s
        self._hard = False
        self._ended = False
        self._offered = False

    def handle(self, record: Record) -> list[Event]:
        """Offer the break as soon as the call is over and known to have been hard."""
        event = record.event
        if isinstance(event, NotesTaken) and event.complaint:
            self._hard = True
            self.evidence.append(record.number)
        if isinstance(event, CallEnded):
            self._ended = True
            self._hard = self._hard or (self._calm is not None and self._calm.outbursts > 0)
            self._calm = None  # it has had its say
            if self.call.answered is None:
                self.due = True
                return []
            self.wake_at_s = event.at_s + self._within_s
        if not self._ended or not self._hard or self._offered:
            return []
        self._offered = self.due = True
        self.wake_at_s = None
        return [self.prompt(event.at_s, "offer_break", "urgent")]

    def wake(self, at_s: float) -> list[Event]:
        """Take the call for an easy one."""
        super().wake(at_s)
        self.due = True
        return []

    def verdict(self, ended: Record) -> Verdict:
        """Judge by the offer."""
        if self.call.answered is None:
            return self.judged(ended, "not_applicable", None, reason="not answered")
        if not self._offered:
            return self.judged(ended, "not_applicable", None, reason="no hard call")
        return self.judged(ended, "met", 1.0)


LATE_RULES: Final = (CallDropped.rule, CallNotes.rule, AgentBreak.rule)
"""The rules that may be judged after the call's end."""
