"""The desk: which calls there are, what rings, what the norms say. Sans-io.

Facts go in through ``handle`` in the order of their numbers; derived events and commands come out. Time is
what the facts say: timers that are due are fired, at their own time, before a fact with a later time.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from thirdring.protocol.commands import Command, Dial, Redial
from thirdring.protocol.errors import error
from thirdring.protocol.events import (
    AgentRequested,
    AutoAnswered,
    CallAnswered,
    CallBackListed,
    CallEnded,
    CallIncoming,
    CallOutgoing,
    CallReturned,
    Event,
    HeadsetChanged,
    NotesTaken,
    Prompt,
    Record,
    RingBurst,
    RingOverflow,
    SurveyEnded,
    SurveyStarted,
)
from thirdring_device.core.agent import Agent
from thirdring_device.core.call import Call, ImpossibleTransition
from thirdring_device.core.commands import (
    AnnounceToCustomer,
    AnswerCall,
    DeviceCommand,
    EndCall,
    HoldCall,
    JoinCalls,
    MaskRecording,
    MuteCall,
    PlaceCall,
    RedirectCall,
    RefuseCall,
    ResumeCall,
    SendDigits,
    SetHeadsetLamp,
    SetRinger,
    TransferCall,
)
from thirdring_device.core.dialplan import DialPlan
from thirdring_device.core.ended import EndedCall
from thirdring_device.core.incoming import AutoAnswer, received, received_absent
from thirdring_device.core.judged import DeskSettings, JudgedCall
from thirdring_device.core.norms.answer_silent import HANG_UP_KEY
from thirdring_device.core.norms.base import Norm
from thirdring_device.core.norms.outbound import suits
from thirdring_device.core.requests import MOST_CALLS, admit

__all__ = ["Desk", "DeskSettings", "Outputs"]

PLACED_S: Final = 5.0
"""A call that was asked for goes out within milliseconds; after this long it never will."""


@dataclass(frozen=True, slots=True)
class Outputs:
    """What follows from a fact: events to be numbered, commands to be executed, in order."""

    events: list[Event] = field(default_factory=list)
    commands: list[DeviceCommand] = field(default_factory=list)
    facts: list[Event] = field(default_factory=list)
    """What the desk found out of other calls, to be numbered and taken in next. A replay has them already."""

    def add(self, other: "Outputs") -> None:
        """Append what followed later."""
        self.events.extend(other.events)
        self.commands.extend(other.commands)
        self.facts.extend(other.facts)


class Desk:
    """All calls of one desk. At most one call has the agent; a second one may be held or wait.

    Further calls are answered with 486, and so is the second one unless calls may wait.
    """

    def __init__(self, settings: DeskSettings, plan: DialPlan | None = None) -> None:
        self.settings = settings
        self.plan = plan or DialPlan()
        self.last_dialled = ""
        """For ``redial``; whoever makes the desk may set it."""
        self.last_withheld = False
        """Whether our number was withheld then."""
        self._calls: dict[str, JudgedCall] = {}
        self._late: dict[str, EndedCall] = {}
        """Calls that have ended and have norms left to be judged."""
        self._dialled: dict[str, Record] = {}
        """Requests to dial whose INVITE is not out yet."""
        self.call_backs: dict[str, str] = {}
        """Open call-backs: the number by call id; whoever makes the desk fills in what is open."""
        self.prepare: Callable[[AgentRequested], AgentRequested] = lambda request: request
        """Fills in what is known of a number that is to be dialled."""
        self.agent = Agent(lambda: self.settings.agent, settings.firm.agent)

    @property
    def calls(self) -> tuple[Call, ...]:
        """The calls that are there, oldest first."""
        return tuple(judged.call for judged in self._calls.values())

    def rings(self, call_id: str) -> int:
        """Rings announced so far for a call."""
        judged = self._calls.get(call_id)
        return judged.rings.rings if judged else 0

    def waits(self, call: Call) -> bool:
        """Whether an incoming call stands behind another call."""
        others = [other for other in self.calls if other is not call and other.state != "ending"]
        if call.state != "incoming":
            return False
        older = self.calls.index(call)
        return any(other.state != "incoming" or self.calls.index(other) < older for other in others)

    def admit(self, command: Command, at_s: float, new_call_id: str) -> AgentRequested:
        """Turn a command into the fact that it was asked for; raises ``CallError`` when it cannot be."""
        if isinstance(command, Redial):
            if not self.last_dialled:
                raise error(2008)
            withheld = command.withheld or self.last_withheld
            command = Dial(number=self.last_dialled, withheld=withheld, source=command.source)
        request = admit(self.calls, command, at_s, new_call_id)
        if request.action in ("dial", "transfer", "forward") and request.argument:
            dialled = request
            if request.action == "dial":
                if any(at_s - asked.event.at_s < PLACED_S for asked in self._dialled.values()):
                    raise error(2003)
                request = self.prepare(request)
                self._ask(request)
                if self.plan.kind(dialled.argument) == "emergency":  # they have to know where to send help
                    request = replace(request, withheld=False)
            request = replace(request, argument=self.plan.admit(dialled.argument, at_s))
        return request

    def _ask(self, request: AgentRequested) -> None:
        """Refuse a call that the agent has to think over; raises ``CallError`` 2013 or 2014."""
        settings = self.settings.outbound
        if request.reason or not request.local_time:
            return
        objection = suits(request, settings) if settings.ask_hours else ""
        if objection:
            raise error(2013, objection)
        if settings.ask_prepared and not request.known:
            raise error(2014, request.argument)

    # --- facts ------------------------------------------------------------------------------------

    def handle(self, record: Record) -> Outputs:
        """Take in one numbered fact; raises ``ImpossibleTransition`` for one that cannot be."""
        event = record.event
        outputs = self.wake(event.at_s)
        if event.derived:
            return outputs
        if isinstance(event, HeadsetChanged):
            outputs.commands.append(SetHeadsetLamp(event.state == "lost"))
        absent = self.agent.absent
        outputs.events.extend(self.agent.handle(record))
        if not event.call_id:
            return outputs
        if isinstance(event, AgentRequested) and event.action == "dial":
            self.last_dialled, self.last_withheld = event.argument, event.withheld
            self._dialled[event.call_id] = record
            outputs.commands.extend(self._hold_others(event.call_id))
            outputs.commands.append(PlaceCall(event.call_id, event.argument, event.withheld))
            return outputs
        outputs.events.extend(self._call_backs(event))
        if event.call_id in self._late:
            self._afterwards(self._late[event.call_id], record, outputs)
            return outputs
        judged = self._calls.get(event.call_id)
        if judged is None:
            if isinstance(event, CallEnded):
                self._dialled.pop(event.call_id, None)
            judged = self._new(event, outputs)
            if judged is None:
                return outputs
        judged.call.apply(record)
        outputs.commands.extend(self._followed(judged, event, absent=absent))
        judged.auto_answer.handle(record)
        outputs.events.extend(judged.progress.handle(event))
        for norm in (*judged.norms, *judged.late):
            self._announce(judged, norm.handle(record), outputs)
        outputs.facts.extend(self._returned(judged.call, event))
        if judged.call.state == "ended":
            outputs.events.extend(norm.verdict(record) for norm in judged.norms)
            del self._calls[event.call_id]
            ended = self._late[event.call_id] = EndedCall(judged, record)
            self._judge_late(ended, event.at_s, outputs)
        return outputs

    def _call_backs(self, event: Event) -> Iterator[CallBackListed]:
        """Keep the open call-backs in step with a fact; yield the one that is promised by it."""
        if isinstance(event, CallReturned) and event.reached:
            self.call_backs.pop(event.call_id, None)
        if isinstance(event, NotesTaken) and event.call_back_utc and event.number:
            self.call_backs[event.call_id] = event.number
            yield CallBackListed(
                at_s=event.at_s,
                call_id=event.call_id,
                number=event.number,
                why="promised",
                due_utc=event.call_back_utc,
            )

    def take_up(self, records: Iterable[Record], end: Record | None = None) -> list[Event]:
        """Go on with a call of an earlier desk, of which ``records`` are all there are, if it had ended.

        What followed from them was told then. Return what follows from ``end`` of a call that had not.
        """
        alone = Desk(self.settings, self.plan)
        for record in records:
            with contextlib.suppress(ImpossibleTransition):  # ignored then, too
                alone.handle(record)
        told = alone.handle(end).events if end else []
        self._late |= alone._late
        return told

    def _afterwards(self, ended: EndedCall, record: Record, outputs: Outputs) -> None:
        """Take in a fact of a call that has ended."""
        for norm in ended.late:
            self._tell(ended, norm.handle(record), outputs)
        self._judge_late(ended, record.event.at_s, outputs)

    def _judge_late(self, ended: EndedCall, at_s: float, outputs: Outputs) -> None:
        """Judge the late norms that are due; forget the call when none is left."""
        for norm in [norm for norm in ended.late if norm.due]:
            outputs.events.append(replace(norm.verdict(ended.end), at_s=at_s))
            ended.late.remove(norm)
        if not ended.late:
            del self._late[ended.call.call_id]

    def _returned(self, call: Call, event: Event) -> Iterator[CallReturned]:
        """Yield, for each call that waits to be returned, that its number calls or is called."""
        if not isinstance(event, CallIncoming | CallOutgoing | CallAnswered) or not call.number:
            return
        key = self.plan.key(call.number)
        waiting = {
            ended.call.call_id: ended.call.number for ended in self._late.values() if ended.to_be_returned
        }
        for call_id, number in {**waiting, **self.call_backs}.items():
            if call_id != call.call_id and number and self.plan.key(number) == key:
                yield CallReturned(
                    at_s=event.at_s,
                    call_id=call_id,
                    by="customer" if call.incoming else "agent",
                    reached=isinstance(event, CallAnswered),
                    other_call_id=call.call_id,
                )

    def _new(self, event: Event, outputs: Outputs) -> JudgedCall | None:
        if not isinstance(event, CallIncoming | CallOutgoing):
            return None
        taken = {call.index for call in self.calls}
        index = next(i for i in range(1, len(taken) + 2) if i not in taken)
        judged = JudgedCall(Call(event.call_id, index), self.settings)
        self._calls[event.call_id] = judged
        request = self._dialled.pop(event.call_id, None)
        if request is not None:
            judged.call.incoming = False
            for norm in judged.norms:
                self._announce(judged, norm.handle(request), outputs)
        return judged

    def _followed(self, judged: JudgedCall, event: Event, *, absent: bool) -> Iterator[DeviceCommand]:
        """Yield what the desk does about a fact, the norms apart."""
        call = judged.call
        if isinstance(event, CallIncoming) and event.replaces:
            pass  # answered by the stack already
        elif isinstance(event, CallIncoming):
            calls = self.settings.calls
            busy = len(self._calls) > (MOST_CALLS if calls.waiting else 1)
            refused = received_absent(call, self.settings.agent) if absent and not busy else None
            yield refused or received(call, calls, busy=busy, waiting=self.waits(call))
        elif self.settings.calls.fax_target and judged.fax_caller.heard(event):
            yield TransferCall(call.call_id, self.settings.calls.fax_target, by="appliance")
        elif isinstance(event, AgentRequested) and not judged.survey.starts(event):
            yield from self._asked(call, event)
        if judged.rings.wake_at_s is not None and call.state != "incoming":
            yield SetRinger(None)

    def _tell(self, call: JudgedCall | EndedCall, announced: list[Event], outputs: Outputs) -> None:
        """Add a norm's announcements, but for prompts that would be too many."""
        outputs.events.extend(call.prompts.shown(announced))
        for event in announced:
            if isinstance(event, CallBackListed):
                self.call_backs[event.call_id] = event.number

    def _announce(self, judged: JudgedCall, announced: list[Event], outputs: Outputs) -> None:
        """Add a norm's announcements, and what the desk does when a ring begins or a procedure is over."""
        self._tell(judged, announced, outputs)
        for event in announced:
            if isinstance(event, SurveyStarted):
                outputs.commands.append(AnnounceToCustomer(event.call_id, "survey"))
            elif isinstance(event, SurveyEnded):
                outputs.commands.append(EndCall(event.call_id))
        for event in announced:
            if isinstance(event, Prompt) and event.key == HANG_UP_KEY:
                if self.settings.answer.silent_release and judged.call.can("hangup"):
                    judged.call.advance("hangup")
                    outputs.commands.append(EndCall(event.call_id))
                continue
            if isinstance(event, AutoAnswered):
                judged.call.advance("answer")
                outputs.commands.extend([SetRinger(None), AnswerCall(event.call_id)])
                judged.rings.wake_at_s = None
                continue
            if not isinstance(event, RingBurst):
                continue
            outputs.commands.append(SetRinger("waiting" if self.waits(judged.call) else event.urgency))
            answer = self.settings.answer
            if event.ring == answer.overflow_ring and answer.overflow_action != "none":
                self._overflow(judged, event, outputs)

    def _overflow(self, judged: JudgedCall, event: RingBurst, outputs: Outputs) -> None:
        """Do what is set for a call that nobody answers: send it on, or let the trunk hunt on."""
        answer, call_id = self.settings.answer, event.call_id
        target = answer.overflow_target if answer.overflow_action == "forward" else ""
        action = "forward" if target else "reject"
        outputs.events.append(
            RingOverflow(at_s=event.at_s, call_id=call_id, ring=event.ring, action=action, target=target)
        )
        judged.call.advance("refuse")
        judged.rings.wake_at_s = None
        outputs.commands.append(SetRinger(None))
        if target:
            outputs.commands.append(RedirectCall(call_id, target, by="appliance", cause="overflow"))
        else:
            outputs.commands.append(RefuseCall(call_id, 480, by="appliance", cause="overflow"))

    def _asked(self, call: Call, event: AgentRequested) -> Iterator[DeviceCommand]:
        match event.action:
            case "answer":
                yield from self._hold_others(call.call_id)
                yield AnswerCall(call.call_id)
            case "hold":
                yield HoldCall(call.call_id)
            case "resume":
                yield from self._hold_others(call.call_id)
                yield ResumeCall(call.call_id)
            case "transfer":
                yield TransferCall(call.call_id, event.argument, event.other_call_id)
            case "conference":
                yield JoinCalls(call.call_id, event.other_call_id)
            case "forward":
                yield RedirectCall(call.call_id, event.argument, by="agent")
            case "mute" | "unmute":
                for member in self._with_conference(call):
                    yield MuteCall(member.call_id, event.action == "mute")
            case "pause_recording" | "resume_recording":
                for member in self._with_conference(call):
                    yield MaskRecording(member.call_id, event.action == "pause_recording")
            case "dtmf":
                yield SendDigits(call.call_id, event.argument, event.duration_ms)
            case "hangup":
                yield EndCall(call.call_id)

    def _with_conference(self, call: Call) -> Iterator[Call]:
        """Yield the call, and the other one of its conference: both customers hear the agent."""
        for member in self.calls:
            if member is call or (call.conference and member.conference):
                yield member

    def _hold_others(self, call_id: str) -> Iterator[DeviceCommand]:
        """Only one call has the agent."""
        for other in self.calls:
            if other.call_id != call_id and other.state == "active":
                yield HoldCall(other.call_id)

    # --- time -------------------------------------------------------------------------------------

    @property
    def wake_at_s(self) -> float | None:
        """When ``wake`` wants to be called next."""
        return min((at_s for at_s, *_ in self._timers()), default=None)

    def _timers(
        self,
    ) -> Iterator[tuple[float, int, JudgedCall | EndedCall | None, Norm | AutoAnswer | Agent]]:
        """Yield every timer that runs: when, a tie-breaker, whose."""
        order = 0
        if self.agent.wake_at_s is not None:
            yield self.agent.wake_at_s, order, None, self.agent
        for judged in self._calls.values():
            all_timed: list[Norm | AutoAnswer] = [*judged.norms, judged.auto_answer]
            for timed in all_timed:
                order += 1
                if timed.wake_at_s is not None:
                    yield timed.wake_at_s, order, judged, timed
        for ended in self._late.values():
            for norm in ended.late:
                order += 1
                if norm.wake_at_s is not None:
                    yield norm.wake_at_s, order, ended, norm

    def wake(self, now_s: float) -> Outputs:
        """Fire every timer due by ``now_s``, each at its own time, in order."""
        outputs = Outputs()
        while True:
            due = min(self._timers(), key=lambda timer: timer[:2], default=None)
            if due is None or due[0] > now_s:
                return outputs
            at_s, _, call, timed = due
            if call is None:
                outputs.events.extend(timed.wake(at_s))
            elif isinstance(call, EndedCall):
                self._tell(call, timed.wake(at_s), outputs)
                self._judge_late(call, at_s, outputs)
            else:
                self._announce(call, timed.wake(at_s), outputs)
