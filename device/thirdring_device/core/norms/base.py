"""What a norm is: a small machine that follows one call and judges it at the end.

A norm sees every fact of its call in order, may ask to be woken, reports changes of its live state, and
gives one verdict when the call is over. Values come from the facts' own times, never from when they
arrived, so that a replay judges alike.
"""

from collections.abc import Mapping
from typing import ClassVar

from thirdring.protocol.events import Event, NormNoted, Record, Verdict, VerdictValue
from thirdring_device.core.call import Call

__all__ = ["Norm"]


class Norm:
    """Base of the norms. ``evidence`` collects the numbers of the facts the verdict rests on."""

    rule: ClassVar[str]
    unit: ClassVar[str]
    numbers: ClassVar[tuple[str, ...]]
    """The settings it is judged by, below ``norms.``."""
    prompts: ClassVar[tuple[str, ...]]
    """What it may show to the agent, as the catalogues name it."""
    manuals: ClassVar[str]
    """The training manuals the rule comes from."""

    def __init__(self, call: Call, threshold: float) -> None:
        self.call = call
        self.threshold = threshold
        self.evidence: list[int] = []
        self.wake_at_s: float | None = None

    def handle(self, record: Record) -> list[Event]:
        """Take in one fact of the call; return what to announce."""
        raise NotImplementedError

    def wake(self, at_s: float) -> list[Event]:
        """Time ``wake_at_s`` has come; return what to announce."""
        self.wake_at_s = None
        return []

    def verdict(self, ended: Record) -> Verdict:
        """Judge the call that ended."""
        raise NotImplementedError

    def noted(self, at_s: float, state: str, value: float | None) -> NormNoted:
        """Return the announcement of a live state."""
        if state not in ("met", "warned", "breached"):
            raise ValueError(state)
        return NormNoted(
            at_s=at_s,
            call_id=self.call.call_id,
            rule=self.rule,
            state=state,  # type: ignore[arg-type]
            value=value,
            unit=self.unit,
            threshold=self.threshold,
        )

    def judged(
        self,
        ended: Record,
        verdict: VerdictValue,
        value: float | None,
        *,
        reason: str = "",
        measures: Mapping[str, float] | None = None,
    ) -> Verdict:
        """Return the verdict event."""
        return Verdict(
            at_s=ended.event.at_s,
            call_id=self.call.call_id,
            rule=self.rule,
            verdict=verdict,
            value=value,
            unit=self.unit,
            threshold=self.threshold,
            reason=reason,
            measures=measures or {},
            evidence=tuple(self.evidence),
        )
