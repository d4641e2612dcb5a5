"""Norms of answering: ``answer.rings`` and ``answer.greeting``."""

from dataclasses import dataclass

from thirdring_device.core.settings import setting

__all__ = ["AnswerSettings"]


@dataclass(frozen=True, slots=True)
class AnswerSettings:
    """Numbers of the answering norms (norms.md, section A)."""

    max_rings: int = setting(
        3, "rings within which a call is answered", unit="rings", low=1, high=20, live=True
    )
    warn_ring: int = setting(
        2, "ring at which the ringer grows louder", unit="rings", low=1, high=20, live=True
    )
    overflow_ring: int = setting(
        5, "ring at which the overflow action is taken", unit="rings", low=2, high=60, live=True
    )
    overflow_action: str = setting(
        "none", "what then: none, or reject so that the trunk hunts on", choices=("none", "reject"), live=True
    )
    greeting_limit_s: float = setting(
        2.0, "time from the answer to the agent's first word", unit="s", low=0.5, high=30.0, live=True
    )
