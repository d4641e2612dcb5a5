"""A call that has ended and is still to be judged by what comes after it: notes, a call back, a break."""

from thirdring.protocol.events import Record
from thirdring_device.core.judged import JudgedCall
from thirdring_device.core.norms.after import CallDropped

__all__ = ["EndedCall"]


class EndedCall:
    """What the late norms need of a call, for as long as they wait; all else of it is let go."""

    __slots__ = ("call", "end", "late", "prompts")

    def __init__(self, judged: JudgedCall, end: Record) -> None:
        """``end`` is the fact that the call ended by."""
        self.call = judged.call
        self.late = judged.late
        self.prompts = judged.prompts
        self.end = end

    @property
    def to_be_returned(self) -> bool:
        """Whether it was dropped and neither side has called again."""
        return any(isinstance(norm, CallDropped) for norm in self.late)
