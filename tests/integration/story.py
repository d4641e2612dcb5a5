"""A call told as a story: what happens next, what the agent was prompted, how it was judged."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import soundfile

from tests.dsp import signals
from tests.integration.conftest import Unit
from tests.peers import BaresipPeer
from thirdring import CallOutgoing, Levels, Prompt, Record, RingBurst, TalkSpurt, Verdict
from thirdring.protocol.events import Event

__all__ = ["RATE_HZ", "Story", "quiet_line", "sound_file", "told", "words"]

RATE_HZ = 8000


def sound_file(path: Path, samples: signals.Signal, rate_hz: int = RATE_HZ) -> Path:
    soundfile.write(path, signals.to_int16(samples), rate_hz, "PCM_16")
    return path


def quiet_line(folder: Path, duration_s: float = 60.0) -> Path:
    """A customer who says nothing: packets with the noise of an idle line."""
    return sound_file(folder / "quiet.wav", signals.white(duration_s, -80.0))


def words(folder: Path) -> Path:
    """About a second of the agent's voice without a pause in it."""
    greeting = signals.load(signals.espeak("您好您好", "cmn"), 16_000)
    return sound_file(folder / "words.wav", signals.at_active_level(greeting, -26.0, 16_000), 16_000)


def told(kind: type[Event], **about: object) -> Callable[[Record], bool]:
    """An event of a kind that says ``about``."""
    return lambda r: isinstance(r.event, kind) and all(getattr(r.event, k) == v for k, v in about.items())


class Story:
    """What happens at a desk from now on, in order; of the call that was ``answered`` or ``dialled``."""

    def __init__(self, unit: Unit) -> None:
        self.unit, self.desk = unit, unit.desk
        self.call_id = ""
        self._mark = self.desk.state().last_event

    def until(self, what: Callable[[Record], bool], timeout_s: float = 20.0) -> Event:
        """Wait for the next event that is ``what``; it and all before it are told."""
        record = self.desk.wait_for(what, timeout_s, after=self._mark)
        self._mark = record.number
        return record.event

    def until_all(self, *whats: Callable[[Record], bool]) -> None:
        """Wait until each of ``whats`` has happened, in whatever order."""
        left = list(whats)
        while left:
            event = self.until(lambda record: any(what(record) for what in left))
            record = Record(0, "", event)
            left.remove(next(what for what in left if what(record)))

    @contextmanager
    def answered(self, peer: BaresipPeer) -> Iterator[BaresipPeer]:
        """Let ``peer`` call, and answer."""
        with peer:
            peer.dial(f"sip:desk@{self.unit.target}")
            self.answer()
            yield peer

    def answer(self) -> None:
        self.until(told(RingBurst, ring=1))
        self.call_id = self.desk.answer()
        self.until(lambda r: r.event.kind == "call_answered")

    def dial(self, number: str, reason: str = "") -> None:
        self.call_id = self.desk.dial(number, reason)
        self.until(told(CallOutgoing, call_id=self.call_id))

    def sound(self, seconds: float = 0.5) -> None:
        """Let sound go on."""
        for _ in range(round(seconds / 0.5)):
            self.until(told(Levels, call_id=self.call_id))

    def say(self, path: Path) -> None:
        """Let the agent speak, until the talk-spurt is over."""
        self.desk.speak(str(path))
        self.until(told(TalkSpurt, side="agent"))

    def prompted(self, key: str, **about: object) -> Event:
        return self.until(told(Prompt, key=key, call_id=self.call_id, **about))

    def judged(self, rule: str, timeout_s: float = 20.0) -> Verdict:
        """Wait for the verdict on a rule that is not told yet."""
        event = self.until(told(Verdict, rule=rule, call_id=self.call_id), timeout_s)
        assert isinstance(event, Verdict)
        return event

    def verdict(self, rule: str) -> Verdict:
        """The verdict on a rule that was given when the call ended."""
        (found,) = (verdict for verdict in self.desk.norms(self.call_id) if verdict.rule == rule)
        return found

    def prompts(self, *rules: str) -> list[tuple[str, str]]:
        """What the agent was shown of some rules, in order: key and urgency. Each is put into words."""
        shown = [view for view in self.desk.prompts(self.call_id) if view.rule in rules]
        assert all(view.text and view.text != view.key for view in shown)
        return [(view.key, view.urgency) for view in shown]
