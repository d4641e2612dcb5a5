"""The headset's buttons at the desk: reports become requests, the desk's calls become lamps.

All of it on the engine's loop; a headset's driver hands over from its own thread.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Any

from thirdring.protocol.codec import to_fields
from thirdring.protocol.commands import Command
from thirdring.protocol.errors import ThirdringError, error
from thirdring.protocol.events import AgentRequested, Event, HeadsetButton, HeadsetButtonsChanged
from thirdring.protocol.views import HeadsetView
from thirdring_device.adapters.hid.interface import HeadsetButtons
from thirdring_device.adapters.hid.simulator import SimulatedButtons
from thirdring_device.core.call import Call
from thirdring_device.core.headset_buttons import ButtonMachine, Change
from thirdring_device.core.headset_leds import leds_of

__all__ = ["HeadsetDesk"]

log = logging.getLogger(__name__)


class HeadsetDesk:
    """See ``ButtonListener`` for what the headset tells; ``follow`` for what it is told."""

    def __init__(
        self,
        buttons: HeadsetButtons,
        *,
        redial: bool,
        clock: Callable[[], float],
        calls: Callable[[], Sequence[Call]],
        admit: Callable[[Command], AgentRequested],
        take: Callable[..., None],
        call_soon: Callable[..., object],
    ) -> None:
        """``admit`` raises ``ThirdringError`` for what cannot be done now; ``take`` takes in facts in order.

        ``call_soon`` runs a function with its arguments on the engine's loop, from any thread.
        """
        self._buttons = buttons
        self._machine = ButtonMachine(redial=redial)
        self._clock, self._calls, self._admit, self._take = clock, calls, admit, take
        self._call_soon = call_soon
        self._device = ""
        self._running = False

    def start(self) -> None:
        """Look for a headset."""
        self._running = True
        self._buttons.start(self)

    def stop(self) -> None:
        """Put the lamps out. May take a moment: not on the loop."""
        self._running = False
        self._buttons.stop()

    def follow(self) -> None:
        """Show the calls as they are now; called on the loop after every change."""
        leds = leds_of(self._calls())
        if self._running and self._machine.follow(leds, self._clock()):
            self._buttons.show(leds)

    # --- the headset, on any thread ---------------------------------------------------------------

    def attached(self, device: str) -> None:
        """See ``ButtonListener``."""
        self._post(self._attached, device)

    def detached(self, device: str) -> None:
        """See ``ButtonListener``."""
        self._post(self._detached, device)

    def refused(self, device: str, code: int, detail: str) -> None:
        """See ``ButtonListener``."""
        self._post(self._refused, device, code, detail)

    def changed(self, changes: Sequence[Change]) -> None:
        """See ``ButtonListener``."""
        if changes:
            self._post(self._changed, tuple(changes))

    def _post(self, function: Callable[..., None], *arguments: Any) -> None:
        if self._running:
            self._call_soon(function, *arguments)

    # --- on the loop ------------------------------------------------------------------------------

    def _attached(self, device: str) -> None:
        self._device = device
        self._machine.attached(self._clock())
        self._note("attached", device)
        self._buttons.show(self._machine.leds, again=True)

    def _detached(self, device: str) -> None:
        self._device = ""
        self._note("detached", device)

    def _refused(self, device: str, code: int, detail: str) -> None:
        log.warning("%s: %s", device, error(code, detail))
        self._note("refused", device, code, detail)

    def _note(self, state: Any, device: str, code: int = 0, detail: str = "") -> None:
        self._take(
            HeadsetButtonsChanged(at_s=self._clock(), state=state, device=device, code=code, detail=detail)
        )

    def _changed(self, changes: Sequence[Change]) -> None:
        for change in changes:
            now_s = self._clock()
            press = self._machine.handle(change, self._calls(), now_s)
            if press is None:
                continue
            asked, code, requests = "", 0, list[Event]()
            if press.command is not None:
                asked = press.command.name
                try:
                    requests.append(self._admit(press.command))
                except ThirdringError as refusal:
                    code = refusal.code
                    log.info("headset button %s: %s", press.control, refusal)
            self._take(HeadsetButton(at_s=now_s, button=press.control, asked=asked, code=code), *requests)
        if self._machine.deviates(self._clock()):
            self._buttons.show(self._machine.leds, again=True)

    # --- commands ---------------------------------------------------------------------------------

    def view(self) -> dict[str, Any]:
        """Return ``HeadsetView`` as JSON."""
        simulated = self._buttons if isinstance(self._buttons, SimulatedButtons) else None
        return to_fields(
            HeadsetView(
                device=self._device,
                leds=(simulated.lit if simulated else self._machine.leds).lit(),
                family=simulated.family if simulated else "",
                buttons=simulated.names if simulated else (),
            )
        )

    def press(self, button: str) -> None:
        """Press a button of the simulated headset; raises 4002 on another board, 1004 for no such button."""
        if not isinstance(self._buttons, SimulatedButtons):
            raise error(4002, "its buttons are pressed by people")
        self._buttons.press(button)
