"""What sends calls on with nobody asking there and then: settings, and REFER from the other side of a call.

A number that is dear abuses the trunk whoever names it, so the dial plan has its say in these, too.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, Literal

from thirdring.protocol.errors import CallError, error
from thirdring.protocol.events import DialRefused
from thirdring_device.adapters.numbers import classify
from thirdring_device.core.commands import DeviceCommand, RedirectCall, RefuseCall, TransferCall
from thirdring_device.core.dialplan import DialPlan, DialPlanSettings
from thirdring_device.settings import Settings, number_names

__all__ = ["SendingOn", "plan_settings"]

log = logging.getLogger(__name__)

PLAN_WAIT_S: Final = 1.0
"""How long a REFER may wait for the dial plan: the other side sends it again after 0.5 s (RFC 3261, T1)."""


def plan_settings(settings: Settings) -> DialPlanSettings:
    """Return the dial plan's settings, its country filled in."""
    return replace(settings.dialplan, country=settings.dialplan.country or settings.trunk.country)


class SendingOn:
    """Runs on the engine's loop, ``may_refer`` apart. ``post`` takes in facts from any thread."""

    def __init__(
        self, plan: DialPlan, *, clock: Callable[[], float], post: Callable[[DialRefused], None]
    ) -> None:
        self._plan, self._clock, self._post = plan, clock, post

    def check(self, settings: Settings, changes: Mapping[str, Any]) -> None:
        """Refuse a changed number that ``settings`` forbid; raises ``CallError`` 2009 to 2011."""
        plan = DialPlan(plan_settings(settings), classify)
        for name in sorted(number_names() & changes.keys()):
            if changes[name]:
                try:
                    plan.check_unattended(changes[name])
                except CallError as refusal:
                    raise error(refusal.code, f"{name}: {changes[name]}") from refusal

    def allowed(self, command: DeviceCommand) -> DeviceCommand | None:
        """Return a command as the dial plan lets it go out; None when nothing is left of it.

        A call that may not be sent on is refused, so that the trunk hunts on.
        """
        if not isinstance(command, RedirectCall | TransferCall) or command.by != "appliance":
            return command
        number = self._admitted(command.number, "settings")
        if number is not None:
            return replace(command, number=number)
        if isinstance(command, RedirectCall):
            cause: Literal["overflow", "failed"] = "overflow" if command.cause == "overflow" else "failed"
            return RefuseCall(command.call_id, 480, by="appliance", cause=cause)
        return None

    def may_refer(self, number: str, loop: asyncio.AbstractEventLoop) -> bool:
        """Ask the dial plan from the SIP thread about a number that the other side of a call names."""

        async def ask() -> bool:
            return self._admitted(number, "refer") is not None

        try:
            return asyncio.run_coroutine_threadsafe(ask(), loop).result(PLAN_WAIT_S)
        except TimeoutError:
            return False

    def _admitted(self, number: str, source: str) -> str | None:
        at_s = self._clock()
        try:
            return self._plan.admit_unattended(number, at_s)
        except CallError as refusal:
            log.warning("a call is not sent on: %s", refusal)
            self._post(DialRefused(at_s=at_s, number=number, code=refusal.code, source=source))
            return None
