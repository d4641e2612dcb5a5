"""An appliance with one deliberate fault, to prove that the bench finds it.

``python hil/faults/broken.py FAULT run --board simulator ...`` is ``thirdring-device run ...`` with one
function replaced. This file belongs to no package: what is installed on a unit has neither the faults nor a
switch for them.
"""

import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from thirdring_device import cli, supervisor

__all__ = ["CAUGHT_BY", "FAULTS", "main"]

LEVEL_DB: Final = -3.0
LATE_S: Final = 2.5
LOST_DIGIT: Final = 4


def replace(owner: type, name: str, make: Callable[[Any], Any]) -> None:
    """Put ``make(function)`` in the place of a function of ``owner``."""
    setattr(owner, name, make(getattr(owner, name)))


def _mouth(change: Callable[[Any], Any]) -> None:
    """Have what goes to the line changed."""
    from thirdring_device.engine.media import CallSound

    def make(process: Any) -> Any:
        def changed(self: Any, mouth_in: Any, ear_in: Any, mouth_out: Any, ear_out: Any) -> None:
            process(self, mouth_in, ear_in, mouth_out, ear_out)
            mouth_out[:] = change(mouth_out)

        return changed

    replace(CallSound, "process", make)


def level_error() -> None:
    """Let the customer hear the agent 3 dB too quietly."""
    _mouth(lambda samples: np.rint(samples * 10 ** (LEVEL_DB / 20)).astype(np.int16))


def one_way_audio() -> None:
    """Let the customer not hear the agent."""
    _mouth(np.zeros_like)


def late_180() -> None:
    """Let the caller hear ringback seconds too late."""
    from thirdring_device.adapters.sip.adapter import SipAdapter
    from thirdring_device.core.commands import RingCaller

    late: list[tuple[float, RingCaller]] = []

    def delayed(execute: Any) -> Any:
        def changed(self: Any, command: Any) -> None:
            if isinstance(command, RingCaller):
                late.append((time.monotonic() + LATE_S, command))
            else:
                execute(self, command)

        def turn_with_late(turn: Any) -> Any:
            def changed_turn(self: Any) -> None:
                while late and late[0][0] <= time.monotonic():
                    execute(self, late.pop(0)[1])
                turn(self)

            return changed_turn

        replace(SipAdapter, "_turn", turn_with_late)
        return changed

    replace(SipAdapter, "_execute", delayed)


def dropped_digit() -> None:
    """Lose the fifth of several digits that are sent together."""
    from thirdring_device.adapters.sip.digits import DigitSender

    def make(send: Any) -> Any:
        def changed(self: Any, digits: str, duration_ms: int) -> None:
            send(self, digits[:LOST_DIGIT] + digits[LOST_DIGIT + 1 :], duration_ms)

        return changed

    replace(DigitSender, "send", make)


def ring_counted_wrong() -> None:
    """Count a ring more than the caller heard."""
    from thirdring_device.core.rings import RingLadder

    def make(begun_by: Any) -> Any:
        def changed(self: Any, at_s: float) -> int:
            return int(begun_by(self, at_s)) + 1

        return changed

    replace(RingLadder, "begun_by", make)


FAULTS: Final = {
    function.__name__: function
    for function in (level_error, late_180, dropped_digit, ring_counted_wrong, one_way_audio)
}
CAUGHT_BY: Final = {
    "level_error": "audio path",
    "late_180": "telephone",
    "dropped_digit": "tones",
    "ring_counted_wrong": "norms",
    "one_way_audio": "audio path",
}
"""The suite that is there for it."""


def main(argv: Sequence[str]) -> int:
    """Run ``thirdring-device`` with the fault that the first argument names."""
    fault, *arguments = argv

    def make(plain: Any) -> Any:
        def changed(self: Any, name: str, arguments: Sequence[str]) -> None:
            plain(self, name, arguments)
            self._arguments = [sys.executable, __file__, fault, name, *arguments]

        return changed

    replace(supervisor._Child, "__init__", make)
    FAULTS[fault]()
    return cli.main(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
