"""A desk with a simulated headset and a SIP stack that does at once what it is told; time stands still."""

from collections.abc import Iterator

from tests.core.script import CN_PERIOD_S
from thirdring.protocol.commands import Command
from thirdring.protocol.events import (
    AgentRequested,
    CallAlerting,
    CallAnswered,
    CallEnded,
    CallIncoming,
    CallOutgoing,
    Event,
    HeadsetButton,
    HoldEnded,
    HoldStarted,
    MuteEnded,
    MuteStarted,
    Record,
)
from thirdring_device.adapters.hid.simulator import SimulatedButtons
from thirdring_device.core.call import Call
from thirdring_device.core.commands import (
    AnswerCall,
    DeviceCommand,
    EndCall,
    HoldCall,
    MuteCall,
    PlaceCall,
    RefuseCall,
    ResumeCall,
)
from thirdring_device.core.desk import Desk
from thirdring_device.core.headset_leds import Leds, leds_of
from thirdring_device.core.judged import DeskSettings
from thirdring_device.engine.headset_desk import HeadsetDesk

PAUSE_S = 3.0
"""Between two things that people do."""


class Bench:
    def __init__(self, family: str, *, redial: bool = True, echo_s: float = 0.0) -> None:
        """``echo_s``: how long the headset takes to report what it does by its lamps."""
        self.now_s = 10.0
        self.echo_s = echo_s
        self.desk = Desk(DeskSettings(CN_PERIOD_S))
        self.records: list[Record] = []
        self.headset = SimulatedButtons(family)
        self.buttons = HeadsetDesk(
            self.headset,
            redial=redial,
            clock=lambda: self.now_s,
            calls=lambda: self.desk.calls,
            admit=lambda command: self.desk.admit(command, self.now_s, f"new{len(self.records)}"),
            take=self.take,
            call_soon=lambda function, *arguments: self._soon.append((function, arguments)),
        )
        self._soon: list[tuple[object, tuple[object, ...]]] = []
        self.buttons.start()
        self.settle()

    # --- what happens -----------------------------------------------------------------------------

    def take(self, *events: Event) -> None:
        waiting = list(events)
        while waiting:
            event = waiting.pop(0)
            record = Record(len(self.records) + 1, "2026-01-01T00:00:00.000Z", event)
            self.records.append(record)
            for command in self.desk.handle(record).commands:
                waiting += self._done(command)
        self.buttons.follow()

    def settle(self) -> None:
        """Let the loop run until nothing is left to do."""
        for _ in range(100):
            if not self._soon:
                return
            function, arguments = self._soon.pop(0)
            function(*arguments)  # type: ignore[operator]
        raise AssertionError("headset and desk go on talking to each other")

    def _done(self, command: DeviceCommand) -> Iterator[Event]:
        at_s = self.now_s
        call_id = getattr(command, "call_id", "")
        match command:
            case AnswerCall():
                yield CallAnswered(at_s=at_s, call_id=call_id)
            case EndCall() | RefuseCall():
                yield CallEnded(at_s=at_s, call_id=call_id, by="agent", cause="hangup")
            case HoldCall():
                if self.call(call_id).muted:
                    yield MuteEnded(at_s=at_s, call_id=call_id)
                yield HoldStarted(at_s=at_s, call_id=call_id, by="agent")
            case ResumeCall():
                yield HoldEnded(at_s=at_s, call_id=call_id, by="agent")
            case MuteCall():
                yield (MuteStarted if command.on else MuteEnded)(at_s=at_s, call_id=call_id)
            case PlaceCall():
                yield CallOutgoing(at_s=at_s, call_id=call_id, number=command.number)

    # --- people -----------------------------------------------------------------------------------

    def ring(self, call_id: str = "a") -> None:
        self.pause()
        self.take(CallIncoming(at_s=self.now_s, call_id=call_id, number="1380"))
        self.take(CallAlerting(at_s=self.now_s, call_id=call_id))
        self.settle()

    def leave(self, call_id: str = "a") -> None:
        """The customer hangs up."""
        self.pause()
        self.take(CallEnded(at_s=self.now_s, call_id=call_id, by="customer", cause="hangup"))
        self.echo()

    def ask(self, command: Command) -> None:
        """Somebody asks over HTTP."""
        self.pause()
        self.take(self.desk.admit(command, self.now_s, f"new{len(self.records)}"))
        self.echo()

    def echo(self) -> None:
        """Let the headset report what it did by itself."""
        self.now_s += self.echo_s
        self.settle()

    def press(self, button: str) -> None:
        self.pause()
        self.headset.press(button)
        self.settle()

    def report(self, report: bytes, after_s: float = 0.0) -> None:
        """A report comes as it stands."""
        self.now_s += after_s
        self.headset.send(report)
        self.settle()

    def pause(self, seconds_s: float = PAUSE_S) -> None:
        self.now_s += seconds_s

    def in_call(self, call_id: str = "a") -> None:
        self.ring(call_id)
        self.press("hook")
        assert self.states() == {call_id: "active"}

    # --- what one sees ----------------------------------------------------------------------------

    def call(self, call_id: str) -> Call:
        return next(call for call in self.desk.calls if call.call_id == call_id)

    def states(self) -> dict[str, str]:
        return {call.call_id: call.state for call in self.desk.calls}

    def asked(self) -> list[str]:
        """What was asked of the desk, by anybody."""
        return [r.event.action for r in self.records if isinstance(r.event, AgentRequested)]

    def pressed(self) -> list[tuple[str, str]]:
        return [(r.event.button, r.event.asked) for r in self.records if isinstance(r.event, HeadsetButton)]

    def lit(self) -> set[str]:
        """The lamps as the headset has understood them."""
        return set(self.headset.lit.lit())

    def expected(self, *names: str) -> set[str]:
        """Those of the lamps that this headset has."""
        return set(names) & self.headset._telephony.leds

    def leds(self) -> Leds:
        return leds_of(self.desk.calls)

    def follows(self) -> bool:
        """Whether the headset shows what the calls say, as far as it has the lamps."""
        return self.lit() == self.expected(*self.leds().lit())
