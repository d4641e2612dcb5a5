"""Hold, mute, a second call: what the core makes of them."""

import pytest

from tests.core.script import Script, answered, ended, ringing
from thirdring.protocol.commands import (
    Answer,
    Command,
    Conference,
    Dial,
    Hangup,
    Hold,
    Mute,
    PauseRecording,
    Resume,
    ResumeRecording,
    SendDtmf,
    Swap,
    Transfer,
    Unmute,
)
from thirdring.protocol.errors import CallError
from thirdring.protocol.events import (
    CallAlerting,
    CallAnswered,
    CallEnded,
    CallIncoming,
    ConferenceEnded,
    ConferenceStarted,
    Event,
    HoldEnded,
    HoldStarted,
    MuteEnded,
    MuteStarted,
    RecordingEnded,
    RecordingPaused,
    RecordingResumed,
    RecordingStarted,
    RequestFailed,
    RingBurst,
    Side,
    TransferProgress,
    Verdict,
)
from thirdring_device.core.commands import (
    AnswerCall,
    DeviceCommand,
    EndCall,
    HoldCall,
    JoinCalls,
    MaskRecording,
    MuteCall,
    PlaceCall,
    RefuseCall,
    ResumeCall,
    RingCaller,
    SetRinger,
    TransferCall,
)


def held(at_s: float, call_id: str = "a", by: Side = "agent") -> Event:
    return HoldStarted(at_s=at_s, call_id=call_id, by=by)


def taken_back(at_s: float, call_id: str = "a", by: Side = "agent") -> Event:
    return HoldEnded(at_s=at_s, call_id=call_id, by=by)


def waiting(at_s: float, call_id: str = "b") -> list[Event]:
    return [
        CallIncoming(at_s=at_s - 0.01, call_id=call_id, number="13900139000"),
        CallAlerting(at_s=at_s, call_id=call_id, waiting=True),
    ]


def ask(script: Script, command: Command, at_s: float) -> list[DeviceCommand]:
    return script.feed(script.desk.admit(command, at_s, "new"))


def talking() -> Script:
    script = Script()
    script.feed(*ringing(10.0), *answered(12.0))
    return script


def states(script: Script) -> list[tuple[str, str]]:
    return [(call.call_id, call.state) for call in script.desk.calls]


def code(script: Script, command: Command, at_s: float = 50.0) -> int:
    with pytest.raises(CallError) as caught:
        script.desk.admit(command, at_s, "new")
    return caught.value.code


def test_hold_and_resume_follow_the_facts() -> None:
    script = talking()
    assert ask(script, Hold(), 20.0) == [HoldCall("a")]
    assert states(script) == [("a", "active")]
    script.feed(held(20.01))
    assert states(script) == [("a", "held")]
    assert code(script, Hold()) == 2002
    assert code(script, Mute(call_id="a")) == 2004
    assert ask(script, Resume(), 30.0) == [ResumeCall("a")]
    script.feed(taken_back(30.1))
    assert states(script) == [("a", "active")]
    assert code(script, Resume()) == 2002


def test_resume_that_the_other_side_refuses_leaves_the_call_held() -> None:
    script = talking()
    script.feed(held(20.0))
    ask(script, Resume(), 30.0)
    script.feed(RequestFailed(at_s=30.1, call_id="a", action="resume", sip_code=488))
    assert states(script) == [("a", "held")]


def test_the_customers_hold_is_kept_apart_from_ours() -> None:
    script = talking()
    script.feed(held(20.0, by="customer"))
    (call,) = script.desk.calls
    assert (call.state, call.held_by_customer) == ("active", True)
    script.feed(held(21.0), taken_back(22.0, by="customer"))
    assert (call.state, call.held_by_customer) == ("held", False)
    script.feed(held(23.0, by="customer"), taken_back(24.0))
    assert (call.state, call.held_by_customer) == ("active", True)


def recorded(at_s: float, call_id: str = "a") -> Event:
    return RecordingStarted(at_s=at_s, call_id=call_id, file="a.sealed", form="wav", encrypted=True)


def test_recording_is_paused_and_resumed_while_it_runs() -> None:
    script = talking()
    with pytest.raises(CallError) as refused:
        ask(script, PauseRecording(), 20.0)
    assert refused.value.code == 2020
    script.feed(recorded(21.0))
    assert [call.recording for call in script.desk.calls] == ["on"]
    assert ask(script, PauseRecording(), 22.0) == [MaskRecording("a", True)]
    script.feed(RecordingPaused(at_s=22.1, call_id="a", start_s=3.0))
    assert [call.recording for call in script.desk.calls] == ["paused"]
    assert ask(script, PauseRecording(), 23.0) == [MaskRecording("a", True)]
    assert ask(script, ResumeRecording(), 24.0) == [MaskRecording("a", False)]
    script.feed(RecordingResumed(at_s=24.1, call_id="a", start_s=5.0))
    assert [call.recording for call in script.desk.calls] == ["on"]
    script.feed(RecordingEnded(at_s=25.0, call_id="a", file="a.sealed", reason="disk_full", code=5020))
    for command in (PauseRecording(), ResumeRecording(call_id="a")):
        with pytest.raises(CallError) as refused:
            ask(script, command, 26.0)
        assert refused.value.code == 2020


def test_pausing_one_recording_of_a_conference_pauses_both() -> None:
    script = talking()
    script.feed(*waiting(20.0))
    ask(script, Answer(), 22.0)
    script.feed(held(22.0, "a"), *answered(22.1, "b")[1:], recorded(22.2, "a"), recorded(22.3, "b"))
    assert ask(script, PauseRecording(), 23.0) == [MaskRecording("b", True)]
    assert ask(script, ResumeRecording(), 24.0) == [MaskRecording("b", False)]
    assert ask(script, PauseRecording(call_id="a"), 24.5) == [MaskRecording("a", True)]
    script.feed(
        taken_back(25.0, "a"),
        ConferenceStarted(at_s=25.1, call_id="a", other_call_id="b"),
        ConferenceStarted(at_s=25.1, call_id="b", other_call_id="a"),
    )
    assert ask(script, PauseRecording(), 26.0) == [MaskRecording("a", True), MaskRecording("b", True)]


def test_mute_is_a_flag_of_the_active_call() -> None:
    script = talking()
    assert ask(script, Mute(), 20.0) == [MuteCall("a", True)]
    script.feed(MuteStarted(at_s=20.0, call_id="a"))
    assert [call.muted for call in script.desk.calls] == [True]
    assert ask(script, Unmute(), 25.0) == [MuteCall("a", False)]
    script.feed(MuteEnded(at_s=25.0, call_id="a"))
    assert [call.muted for call in script.desk.calls] == [False]


def test_waiting_call_alerts_quietly_and_is_answered_by_holding_the_first() -> None:
    script = talking()
    assert script.feed(*waiting(20.0)) == [RingCaller("b", waiting=True), SetRinger("waiting")]
    assert [script.desk.waits(call) for call in script.desk.calls] == [False, True]
    assert ask(script, Answer(), 22.0) == [HoldCall("a"), AnswerCall("b"), SetRinger(None)]
    script.feed(held(22.0, "a"), *answered(22.1, "b")[1:])
    assert states(script) == [("a", "held"), ("b", "active")]


def test_swap_holds_the_one_and_takes_the_other() -> None:
    script = talking()
    assert code(script, Swap()) == 2007
    script.feed(*waiting(20.0))
    ask(script, Answer(), 22.0)
    script.feed(held(22.0, "a"), *answered(22.1, "b")[1:])
    assert ask(script, Swap(), 30.0) == [HoldCall("b"), ResumeCall("a")]
    script.feed(held(30.0, "b"), taken_back(30.1, "a"))
    assert states(script) == [("a", "active"), ("b", "held")]
    assert ask(script, Hangup(), 31.0) == [EndCall("a")]


def test_third_call_hears_busy() -> None:
    script = talking()
    script.feed(*waiting(20.0))
    assert script.feed(CallIncoming(at_s=21.0, call_id="c", number="3")) == [
        RefuseCall("c", 486, by="appliance", cause="busy")
    ]
    assert code(script, Dial(number="10086")) == 2003


def test_number_is_not_dialled_while_another_is_about_to_be_placed() -> None:
    script = Script()
    ask(script, Dial(number="10086"), 1.0)
    assert code(script, Dial(number="10010"), 1.1) == 2003
    # One that the adapter never placed does not stand in the way for good.
    assert ask(script, Dial(number="10010"), 20.0) == [PlaceCall("new", "10010")]


def test_call_that_waited_rings_aloud_when_the_first_is_over() -> None:
    script = talking()
    script.feed(*waiting(20.0), *ended(22.0, call_id="a"))
    script.wake(25.0)
    assert script.commands[-1] == SetRinger("warn")
    assert [script.desk.waits(call) for call in script.desk.calls] == [False]


def test_waiting_call_is_judged_by_its_own_rings() -> None:
    script = talking()
    script.feed(*waiting(20.0))
    script.wake(36.0)
    ask(script, Answer(), 36.5)
    script.feed(held(36.5, "a"), *answered(36.5, "b")[1:])
    script.feed(*ended(50.0, call_id="b"), taken_back(51.0, "a"), *ended(60.0, call_id="a"))
    rings = {e.call_id: e for e in script.derived if isinstance(e, Verdict) and e.rule == "answer.rings"}
    assert (rings["a"].verdict, rings["a"].value) == ("met", 1.0)
    assert (rings["b"].verdict, rings["b"].value) == ("breached", 4.0)
    bursts = [e.ring for e in script.derived if isinstance(e, RingBurst) and e.call_id == "b"]
    assert bursts == [1, 2, 3, 4]


def test_each_of_two_calls_is_replayed_alone_with_the_same_outcome() -> None:
    script = talking()
    script.feed(*waiting(20.0))
    ask(script, Answer(), 22.0)
    script.feed(held(22.0, "a"), *answered(22.1, "b")[1:])
    ask(script, Swap(), 30.0)
    script.feed(held(30.0, "b"), taken_back(30.1, "a"), *ended(40.0, call_id="a"))
    script.feed(*ended(45.0, call_id="b"))
    for call_id in ("a", "b"):
        again = Script()
        again.feed(*(r.event for r in script.records if r.event.call_id == call_id))
        alone = [e for e in again.derived if not isinstance(e, Verdict)]
        assert alone == [e for e in script.derived if e.call_id == call_id and not isinstance(e, Verdict)]
        assert [(e.rule, e.verdict, e.value) for e in again.derived if isinstance(e, Verdict)] == [
            (e.rule, e.verdict, e.value)
            for e in script.derived
            if isinstance(e, Verdict) and e.call_id == call_id
        ]


def test_second_call_may_be_dialled_beside_one_in_talk() -> None:
    script = talking()
    assert ask(script, Dial(number="10086"), 20.0) == [HoldCall("a"), PlaceCall("new", "10086")]


def test_digits_and_hang_up_go_to_the_call_in_talk() -> None:
    script = talking()
    script.feed(*waiting(20.0))
    assert script.desk.admit(SendDtmf(digits="1"), 21.0, "").call_id == "a"
    assert script.desk.admit(Hangup(), 21.0, "").call_id == "a"
    script.feed(CallEnded(at_s=21.0, call_id="b", by="customer", cause="cancelled"))
    script.feed(held(22.0))
    assert script.desk.admit(Hangup(), 23.0, "").call_id == "a"


def both_up() -> Script:
    script = talking()
    script.feed(*waiting(20.0))
    ask(script, Answer(), 22.0)
    script.feed(held(22.0, "a"), *answered(22.1, "b")[1:])
    return script


def test_transfer_to_a_number_names_the_call_in_talk() -> None:
    script = talking()
    request = script.desk.admit(Transfer(target="10086", consent=True), 20.0, "")
    assert (request.argument, request.consent, request.other_call_id) == ("10086", True, "")
    assert script.feed(request) == [TransferCall("a", "10086")]
    script.feed(
        TransferProgress(at_s=20.1, call_id="a", state="succeeded", target="10086"),
        *ended(20.2, by="agent", cause="transferred", call_id="a"),
    )
    assert script.desk.calls == ()


def test_transfer_after_consultation_joins_the_first_call_to_the_second() -> None:
    script = both_up()
    assert ask(script, Transfer(), 30.0) == [TransferCall("a", "", "b")]
    assert script.desk.admit(Transfer(call_id="b"), 30.0, "").other_call_id == "a"


def test_transfer_that_cannot_be_is_refused() -> None:
    assert code(Script(), Transfer(target="1")) == 2002
    assert code(talking(), Transfer()) == 2007
    assert code(talking(), Transfer(target="x")) == 2005
    assert code(both_up(), Transfer(call_id="z")) == 2000


def test_conference_joins_the_two_and_ends_with_either() -> None:
    assert code(talking(), Conference()) == 2007
    script = both_up()
    assert ask(script, Conference(), 30.0) == [JoinCalls("b", "a")]
    script.feed(
        taken_back(30.1, "a"),
        ConferenceStarted(at_s=30.2, call_id="a", other_call_id="b"),
        ConferenceStarted(at_s=30.2, call_id="b", other_call_id="a"),
    )
    assert [(c.state, c.conference) for c in script.desk.calls] == [("active", True)] * 2
    assert ask(script, Mute(), 35.0) == [MuteCall("a", True), MuteCall("b", True)]
    script.feed(*ended(40.0, call_id="a"), ConferenceEnded(at_s=40.0, call_id="b"))
    assert [(c.state, c.conference) for c in script.desk.calls] == [("active", False)]


def test_call_that_takes_the_place_of_another_neither_rings_nor_is_asked_about() -> None:
    script = Script()
    script.feed(*ringing(at_s=1.0), *answered(at_s=2.0))
    ended_s = 10.0
    commands = script.feed(
        CallEnded(at_s=ended_s, call_id="a", by="customer", cause="transferred"),
        CallIncoming(at_s=ended_s, call_id="b", number="1380", replaces="a"),
        CallAnswered(at_s=ended_s, call_id="b"),
    )
    assert not any(isinstance(command, RingCaller | AnswerCall | RefuseCall) for command in commands)
    assert [(call.call_id, call.state) for call in script.desk.calls] == [("b", "active")]
    script.feed(CallEnded(at_s=20.0, call_id="b", by="customer", cause="hangup"))
    rings = [
        e for e in script.derived if isinstance(e, Verdict) and e.call_id == "b" and e.rule == "answer.rings"
    ]
    assert [verdict.verdict for verdict in rings] == ["not_applicable"], "nobody let it ring"
