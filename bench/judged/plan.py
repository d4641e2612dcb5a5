"""Calls with known truth: who says what when and how loud, who hangs up, and what every norm must say of it.

Truth comes from the construction alone. Every quantity lies off its limit by more than what the meters
may be wrong (dsp.md): levels by 2 dB and more, pace by 10 %, times by 0.3 s.
"""

from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bench.judged.voices import RATE_HZ, Pace, Utterance, Voice
from thirdring.protocol.events import (
    AgentRequested,
    CallAlerting,
    CallAnswered,
    CallEnded,
    CallIncoming,
    CallOutgoing,
    Cause,
    Event,
    HoldEnded,
    HoldStarted,
    MuteEnded,
    MuteStarted,
    Party,
    Side,
)

__all__ = ["HOLD_LIMIT_S", "HOLD_WARN_S", "LENGTH_LIMIT_S", "NUMBER", "CallPlan"]

CALL_ID: Final = "judged"
NUMBER: Final = "13800138000"
RING_PERIOD_S: Final = 5.0
LENGTH_LIMIT_S: Final = 60.0
"""Instead of ten minutes, so that long calls are short enough to make many."""
HOLD_LIMIT_S: Final = 30.0
HOLD_WARN_S: Final = 20.0
"""Instead of three minutes, and two and a half."""
NOTES_S: Final = 60.0
QUIET_DBOV: Final = -68.0
ALERTED_S: Final = 0.05
RATE_SPEECH_S: Final = 6.0
RATE_SPEECH_OFF_S: Final = 1.0
"""The speech that a pace rests on, and how exactly the meter knows it."""
Signal = npt.NDArray[np.int16]


@dataclass(slots=True)
class CallPlan:
    """One call. Sound times are seconds since its beginning, which is the answer."""

    theme: str
    turn: int
    """How often the theme was used before in this corpus: its cases take turns."""
    chance: np.random.Generator
    agent: Voice
    customer: Voice
    wait_s: float = 3.0
    answered: bool = True
    released_by: Party = "customer"
    duration_s: float = 0.0
    noise_dbov: dict[Side, float] = field(
        default_factory=lambda: {"agent": QUIET_DBOV, "customer": QUIET_DBOV}
    )
    agent_dbov: float = -28.0
    customer_dbov: float = -26.0
    truth: dict[str, str] = field(default_factory=dict)
    """Verdict by rule; a rule that is not here is not judged in this call."""
    moments_s: dict[str, float] = field(default_factory=dict)
    """When a rule must be announced as breached, in seconds since the answer (rings: since the 180)."""
    said: list[tuple[Side, float, Utterance, float]] = field(default_factory=list)

    away: list[tuple[str, float, float]] = field(default_factory=list)
    """Holds and mutes: which, from when, until when."""
    cause: Cause = "hangup"
    outgoing: dict[str, Any] | None = None
    """A call of ours: what its request to dial says."""
    release_s: float | None = None
    """When the agent hangs up, if that is not the end."""
    during: list[Event] = field(default_factory=list)
    """Further facts of the call, their times since the answer."""
    after: list[Event] = field(default_factory=list)
    """Facts that follow, their times since the end."""
    transferred: str = ""
    """How the agent asks for a transfer in the end: blind, agreed or consulted."""

    def say(
        self,
        side: Side,
        start_s: float,
        pace: Pace = "moderate",
        level_db: float = 0.0,
        shortest_s: float = 0.0,
    ) -> float:
        """Let a side say a sentence, ``level_db`` above its usual level; return when it ends."""
        known = (self.agent if side == "agent" else self.customer).at(pace)
        fitting = [utterance for utterance in known if utterance.duration_s >= shortest_s]
        fitting = fitting or [max(known, key=lambda utterance: utterance.duration_s)]
        utterance = fitting[int(self.chance.integers(len(fitting)))]
        usual_dbov = self.agent_dbov if side == "agent" else self.customer_dbov
        self.said.append((side, start_s, utterance, usual_dbov + level_db))
        return start_s + utterance.duration_s

    def talk(self, start_s: float, until_s: float, pace: Pace = "moderate") -> float:
        """Let both take turns, the customer first; return when the last of them, the agent, ends."""
        at_s = start_s
        while True:
            at_s = self.say("customer", at_s + self.pause_s())
            at_s = self.say("agent", at_s + self.pause_s(), pace)
            if at_s >= until_s:
                return at_s

    def agent_talked_s(self, from_s: float, until_s: float) -> float:
        """Return for how long the agent talks between two moments."""
        spans = [
            (start_s, start_s + said.duration_s) for who, start_s, said, _ in self.said if who == "agent"
        ]
        return sum(max(0.0, min(end_s, until_s) - max(start_s, from_s)) for start_s, end_s in spans)

    def case(self, *cases: str) -> str:
        """Return the case of the theme that it is the turn of."""
        return cases[self.turn % len(cases)]

    def pause_s(self) -> float:
        """Return a pause between two turns."""
        return float(self.chance.uniform(0.4, 1.6))

    def facts(self) -> list[Event]:
        """Return the signalling, the end last."""
        answer_s = ALERTED_S + self.wait_s
        facts: list[Event] = [
            CallIncoming(at_s=0.0, call_id=CALL_ID, number=NUMBER),
            CallAlerting(at_s=ALERTED_S, call_id=CALL_ID),
        ]
        if self.outgoing is not None:
            facts[0] = CallOutgoing(at_s=0.0, call_id=CALL_ID, number=NUMBER)
            request = AgentRequested(
                at_s=0.0, call_id=CALL_ID, action="dial", argument=NUMBER, **self.outgoing
            )
            facts.insert(0, request)
        if not self.answered:
            return [*facts, CallEnded(at_s=answer_s, call_id=CALL_ID, by="customer", cause="cancelled")]
        if self.outgoing is None:
            facts.append(AgentRequested(at_s=answer_s - 0.02, call_id=CALL_ID, action="answer"))
        facts.append(CallAnswered(at_s=answer_s, call_id=CALL_ID))
        end_s = answer_s + self.duration_s
        for kind, from_s, until_s in self.away:
            facts += _absence(kind, answer_s + from_s, answer_s + until_s)
        if self.transferred:
            facts.append(
                AgentRequested(
                    at_s=end_s - 0.5,
                    call_id=CALL_ID,
                    action="transfer",
                    argument="1001",
                    other_call_id="colleague" if self.transferred == "consulted" else "",
                    consent=self.transferred == "agreed",
                )
            )
        if self.released_by == "agent" or self.release_s is not None:
            hung_up_s = end_s if self.release_s is None else answer_s + self.release_s
            facts.append(AgentRequested(at_s=hung_up_s, call_id=CALL_ID, action="hangup"))
        facts += [replace(event, at_s=answer_s + event.at_s) for event in self.during]
        return [*facts, CallEnded(at_s=end_s, call_id=CALL_ID, by=self.released_by, cause=self.cause)]

    def later(self) -> list[Event]:
        """Return what happens after the call, in order."""
        end_s = ALERTED_S + self.wait_s + self.duration_s
        moved = [replace(event, at_s=end_s + event.at_s) for event in self.after] if self.answered else []
        return sorted(moved, key=lambda event: event.at_s)

    @property
    def dialled_s(self) -> float:
        """When a call of ours was dialled, since its answer."""
        return -(ALERTED_S + self.wait_s)

    def sound(self, side: Side) -> Signal:
        """Return what a side's microphone or line carries."""
        count = round(self.duration_s * RATE_HZ)
        chance = np.random.default_rng([int(self.chance.bit_generator.random_raw() % 2**32), side == "agent"])
        signal = chance.normal(0.0, 10.0 ** (self.noise_dbov[side] / 20.0), count)
        for speaker, start_s, utterance, level_dbov in self.said:
            if speaker == side:
                at = round(start_s * RATE_HZ)
                piece = utterance.samples[: max(0, count - at)]
                signal[at : at + len(piece)] += piece * 10.0 ** (level_dbov / 20.0)
        return np.clip(np.rint(signal * 32768.0), -32768, 32767).astype(np.int16)


def _absence(kind: str, from_s: float, until_s: float) -> list[Event]:
    if kind == "mute":
        return [MuteStarted(at_s=from_s, call_id=CALL_ID), MuteEnded(at_s=until_s, call_id=CALL_ID)]
    return [
        HoldStarted(at_s=from_s, call_id=CALL_ID, by="agent"),
        HoldEnded(at_s=until_s, call_id=CALL_ID, by="agent"),
    ]
