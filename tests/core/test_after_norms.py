"""``call.dropped``, ``call.notes``, ``agent.break``: judged when the call is over, and again by replay."""

import gc
import math
from types import ModuleType
from typing import Any

import pytest

from tests.core.script import CN_PERIOD_S, RULES, Script, answered, ended, ringing, spurt
from thirdring.protocol.events import (
    AgentRequested,
    CallAnswered,
    CallBackListed,
    CallEnded,
    CallIncoming,
    CallOutgoing,
    CallReturned,
    Event,
    MediaStarted,
    NotesTaken,
    Prompt,
    Record,
    Verdict,
)
from thirdring_device.core.judged import DeskSettings, JudgedCall
from thirdring_device.core.norms.after import AgentBreak, CallNotes
from thirdring_device.core.norms.base import Norm
from thirdring_device.engine.replay import replay

NUMBER = "13800138000"


class Live(Script):
    """A desk whose own findings come back to it as facts, as the engine does it."""

    def feed(self, *events: Event) -> list[Any]:
        found: list[Event] = list(events)
        commands: list[Any] = []
        while found:
            record_count = len(self.records)
            event = found.pop(0)
            outputs_before = len(self.commands)
            self._handle(event, found)
            assert len(self.records) == record_count + 1
            commands += self.commands[outputs_before:]
        return commands

    def _handle(self, event: Event, found: list[Event]) -> None:
        record = Record(len(self.records) + 1, "2026-01-01T00:00:00.000Z", event)
        self.records.append(record)
        outputs = self.desk.handle(record)
        self.derived += outputs.events
        self.commands += outputs.commands
        found[:0] = outputs.facts

    def late(self, rule: str, call_id: str = "a") -> Verdict:
        """The verdict on a call of several; a replay of that call alone gives it again."""
        (found,) = (
            e for e in self.derived if isinstance(e, Verdict) and e.rule == rule and e.call_id == call_id
        )
        alone = [record for record in self.records if record.event.call_id == call_id]
        again = [e for e in replay(alone, self.desk.settings) if isinstance(e, Verdict) and e.rule == rule]
        assert again == [found]
        return found


def outgoing(at_s: float = 1.0, call_id: str = "a", **about: Any) -> list[Event]:
    return [
        AgentRequested(at_s=at_s, call_id=call_id, action="dial", argument=NUMBER, **about),
        CallOutgoing(at_s=at_s + 0.1, call_id=call_id, number=NUMBER),
        CallAnswered(at_s=at_s + 5.0, call_id=call_id),
        MediaStarted(at_s=at_s + 5.0, call_id=call_id, codec="PCMA", sample_rate_hz=16000),
    ]


def lost(at_s: float, call_id: str = "a") -> CallEnded:
    return CallEnded(at_s=at_s, call_id=call_id, by="network", cause="lost")


def listed(script: Script) -> list[tuple[float, str, str]]:
    return [(e.at_s, e.number, e.why) for e in script.derived if isinstance(e, CallBackListed)]


def test_a_dropped_call_of_ours_is_redialled_at_once() -> None:
    script = Live()
    script.feed(*outgoing(), lost(20.0))
    assert script.prompts("call.dropped") == ["redial"]
    assert listed(script) == [(20.0, NUMBER, "dropped")]
    script.feed(*outgoing(30.0, "b"))
    judged = script.late("call.dropped")
    assert (judged.verdict, judged.value, judged.threshold) == ("met", 10.1, 60.0)
    returned = [r.event for r in script.records if isinstance(r.event, CallReturned)]
    assert [(e.reached, e.by, e.other_call_id) for e in returned] == [
        (False, "agent", "b"),
        (True, "agent", "b"),
    ]
    assert script.desk.call_backs == {}
    script.feed(*ended(50.0, call_id="b"), *outgoing(55.0, "c"))
    assert sum(isinstance(r.event, CallReturned) for r in script.records) == 2, "it was returned for good"


def test_a_dropped_call_of_ours_that_is_left_alone_is_a_breach() -> None:
    script = Live()
    script.feed(*outgoing(), lost(20.0))
    script.wake(200.0)
    judged = script.late("call.dropped")
    assert (judged.verdict, judged.value) == ("breached", 60.0)
    assert script.noted("call.dropped") == [(20.0, "warned"), (80.0, "breached")]
    assert script.desk.call_backs == {"a": NUMBER}


def test_a_dropped_caller_is_left_five_minutes_then_listed() -> None:
    script = Live()
    script.feed(*ringing(1.0, number=NUMBER), *answered(5.0), lost(20.0))
    script.wake(319.9)
    assert listed(script) == []
    script.wake(320.0)
    assert listed(script) == [(320.0, NUMBER, "dropped")]
    assert script.prompts("call.dropped") == ["call_back"]
    script.feed(*outgoing(400.0, "b"))
    judged = script.late("call.dropped")
    assert (judged.verdict, judged.value, judged.threshold) == ("met", 380.1, 900.0)


def test_a_dropped_caller_who_rings_again_is_not_listed() -> None:
    script = Live()
    script.feed(*ringing(1.0, number=NUMBER), *answered(5.0), lost(20.0))
    script.feed(*ringing(60.0, "b", number=NUMBER))
    judged = script.late("call.dropped")
    assert (judged.verdict, judged.reason) == ("met", "the customer called again")
    script.wake(2000.0)
    assert [event for event in listed(script) if event[1] == NUMBER] == []


def test_nobody_calls_a_dropped_caller_back() -> None:
    script = Live()
    script.feed(*ringing(1.0, number=NUMBER), *answered(5.0), lost(20.0))
    script.wake(2000.0)
    assert script.late("call.dropped").verdict == "breached"
    assert script.noted("call.dropped")[-1] == (920.0, "breached")


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (CallEnded(at_s=20.0, call_id="a", by="customer", cause="hangup"), "nobody was cut off"),
        (CallEnded(at_s=20.0, call_id="a", by="network", cause="transferred"), "nobody was cut off"),
        (CallEnded(at_s=20.0, call_id="a", by="network", cause="failed", sip_code=486), "nobody was cut off"),
    ],
)
def test_hanging_up_is_no_drop(end: CallEnded, reason: str) -> None:
    script = Live()
    script.feed(*ringing(1.0), *answered(5.0), end)
    judged = script.late("call.dropped")
    assert (judged.verdict, judged.reason) == ("not_applicable", reason)


def notes(at_s: float, **fields: Any) -> NotesTaken:
    return NotesTaken(at_s=at_s, call_id="a", number=NUMBER, **fields)


def test_notes_within_a_minute_of_the_end() -> None:
    script = Live()
    script.feed(*ringing(1.0), *answered(5.0), *ended(30.0))
    assert script.prompts("call.notes") == ["take_notes"]
    script.feed(notes(40.0, name="Wang"), notes(70.0, name="Wang", matter="a bill"))
    judged = script.late("call.notes")
    assert (judged.verdict, judged.value, judged.threshold) == ("met", 40.0, 60.0)


def test_notes_taken_during_the_call_count() -> None:
    script = Live()
    script.feed(*ringing(1.0), *answered(5.0), notes(20.0, name="Wang", matter="a bill"), *ended(30.0))
    assert script.prompts("call.notes") == []
    assert script.late("call.notes").value == 0.0


def test_figures_in_notes_are_to_be_read_back() -> None:
    script = Live()
    script.feed(*ringing(1.0), *answered(5.0), *ended(30.0))
    script.feed(notes(40.0, name="Wang", matter="30 boxes"))
    script.wake(90.0)
    judged = script.late("call.notes")
    assert (judged.verdict, judged.reason) == ("breached", "missing: read_back")
    assert script.noted("call.notes") == [(90.0, "breached")]
    assert script.prompts("call.notes") == ["take_notes", "notes_missing"]
    other = Live()
    other.feed(*ringing(1.0), *answered(5.0), *ended(30.0))
    other.feed(notes(40.0, name="Wang", matter="30 boxes", read_back=True))
    assert other.late("call.notes").verdict == "met"


def test_notes_never_hold_up_the_next_call() -> None:
    script = Live()
    script.feed(*ringing(1.0), *answered(5.0), *ended(30.0))
    script.feed(*ringing(31.0, "b"), *answered(33.0, "b"), *ended(300.0, call_id="b"))
    assert script.late("call.notes").verdict == "breached"
    script.wake(math.inf)
    assert script.late("call.notes", "b").verdict == "breached"


def test_a_promised_call_back_is_listed_and_ticked_off_by_calling() -> None:
    script = Live()
    script.feed(*ringing(1.0, number=NUMBER), *answered(5.0), *ended(30.0))
    due = "2026-01-02T08:00:00Z"
    script.feed(notes(40.0, name="Wang", matter="a bill", call_back_utc=due, read_back=True))
    (event,) = (e for e in script.derived if isinstance(e, CallBackListed))
    assert (event.why, event.due_utc, event.number) == ("promised", due, NUMBER)
    assert script.desk.call_backs == {"a": NUMBER}
    script.feed(*outgoing(500.0, "b"))
    assert script.desk.call_backs == {}


def test_a_complaint_in_the_notes_offers_a_break() -> None:
    script = Live()
    script.feed(*ringing(1.0), *answered(5.0), *ended(30.0))
    script.feed(notes(40.0, name="Wang", matter="late again", complaint=True))
    assert script.prompts("agent.break") == ["offer_break"]
    assert script.late("agent.break").verdict == "met"


def test_a_heated_customer_earns_a_break_at_the_end_of_the_call() -> None:
    script = Live()
    talk = [*spurt(5.02, 1.0, 6.0, "customer", -32.0), *spurt(5.02, 7.0, 9.0, "customer", -20.0)]
    script.feed(*ringing(1.0), *answered(5.0), *talk, *ended(30.0))
    assert script.prompts("agent.break") == ["offer_break"]
    assert script.late("agent.break").verdict == "met"


def test_an_easy_call_earns_none() -> None:
    script = Live()
    script.feed(*ringing(1.0), *answered(5.0), *ended(30.0))
    script.wake(90.0)
    judged = script.late("agent.break")
    assert (judged.verdict, judged.reason) == ("not_applicable", "no hard call")


def test_nothing_is_left_behind() -> None:
    script = Live()
    script.feed(*ringing(1.0), *answered(5.0), *ended(30.0), CallIncoming(at_s=31.0, call_id="b", number="1"))
    script.feed(CallEnded(at_s=32.0, call_id="b", by="customer", cause="cancelled"))
    script.wake(math.inf)
    assert script.desk.wake_at_s is None
    assert script.desk._late == {}


def test_a_call_that_waits_to_be_judged_keeps_none_of_its_other_norms() -> None:
    script = Live()
    script.feed(*ringing(1.0), *answered(5.0), *ended(30.0))
    (waiting,) = script.desk._late.values()
    seen, left = {id(waiting): waiting}, [waiting]
    while left:
        for thing in gc.get_referents(left.pop()):
            if id(thing) not in seen and not isinstance(thing, type | ModuleType):
                seen[id(thing)] = thing
                left.append(thing)
    kept = {type(thing) for thing in seen.values() if isinstance(thing, Norm | JudgedCall)}
    assert kept == {CallNotes, AgentBreak}


STORY: list[Event] = [
    *ringing(1.0, number=NUMBER),
    *answered(5.0),
    *spurt(5.02, 1.0, 6.0, "customer", -32.0),
    lost(20.0),
    notes(50.0, name="Wang"),
    notes(95.0, name="Wang", matter="late again", complaint=True),
    *outgoing(400.0, "b"),
    *ended(430.0, call_id="b"),
]


@pytest.mark.parametrize("stopped_s", [20.0, 30.0, 50.0, 79.9, 80.0, 95.0, 319.0, 320.0, 399.0, 430.0])
def test_a_new_desk_judges_on_where_an_earlier_one_stopped(stopped_s: float) -> None:
    """Whenever the engine stops: what the two tell together is what one would have told."""
    whole = Live()
    whole.feed(*STORY)
    whole.wake(2000.0)
    old = Live()
    old.feed(*(event for event in STORY if event.at_s <= stopped_s))
    old.wake(stopped_s)
    journal = sorted(
        [*old.records, *(Record(0, "2026-01-01T00:00:00.000Z", event) for event in old.derived)],
        key=lambda record: record.event.at_s,
    )
    new = Live()
    new.records = list(old.records)
    for call_id in ("a", "b"):
        if any(record.event.call_id == call_id for record in journal):
            new.desk.take_up([record for record in journal if record.event.call_id == call_id])
    new.desk.call_backs = dict(old.desk.call_backs)
    new.feed(*(event for event in STORY if event.at_s > stopped_s))
    new.wake(2000.0)
    assert [*old.derived, *new.derived] == whole.derived
    assert new.desk._late == {}


def test_a_call_that_the_engine_died_on_is_judged_on_from_its_end() -> None:
    old = Live()
    old.feed(*ringing(1.0, number=NUMBER), *answered(5.0))
    end = Record(
        len(old.records) + 1, "", CallEnded(at_s=5.02, call_id="a", by="appliance", cause="interrupted")
    )
    new = Live()
    told = new.desk.take_up(old.records, end)
    assert [e.key for e in told if isinstance(e, Prompt)] == ["take_notes"]
    assert [e.rule for e in told if isinstance(e, Verdict)] == RULES[:-1], "call.dropped comes later"
    new.records = [*old.records, end]
    new.feed(notes(15.0, name="Wang", matter="a bill"))
    assert new.late("call.notes").value == 9.98
    new.wake(2000.0)
    assert listed(new) == [(305.02, NUMBER, "dropped")], "whom we have cut off is called back"
    assert new.late("call.dropped").verdict == "breached"
    assert [*old.derived, *told, *new.derived] == replay(new.records, new.desk.settings)


def test_settings_are_the_desks() -> None:
    assert Live(DeskSettings(CN_PERIOD_S)).desk.settings.notes.within_s == 60.0
