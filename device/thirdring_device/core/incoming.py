"""What becomes of an incoming call before anybody is asked, and what the desk does of its own accord."""

from typing import Final

from thirdring.protocol.events import AutoAnswered, CallAlerting, CallIncoming, Event, Record, ToneHeard
from thirdring_device.core.agent_settings import AgentSettings
from thirdring_device.core.call import Call
from thirdring_device.core.calls_settings import CallsSettings
from thirdring_device.core.commands import DeviceCommand, RedirectCall, RefuseCall, RingCaller

__all__ = ["AutoAnswer", "FaxCaller", "received", "received_absent"]

_DO_NOT_DISTURB: Final = {"unavailable": 480, "busy": 486}


def received(call: Call, settings: CallsSettings, *, busy: bool, waiting: bool) -> DeviceCommand:
    """Return what is done about a call that has just come in.

    ``busy``: there are as many calls as the desk takes. ``waiting``: it stands behind another one.
    """
    if settings.do_not_disturb:
        sip_code = _DO_NOT_DISTURB[settings.do_not_disturb_answer]
        return RefuseCall(call.call_id, sip_code, by="appliance", cause="do_not_disturb")
    target = settings.forward_to or (settings.forward_busy_to if busy else "")
    if target:
        return RedirectCall(call.call_id, target, by="appliance")
    if busy:
        return RefuseCall(call.call_id, 486, by="appliance", cause="busy")
    return RingCaller(call.call_id, waiting=waiting)


def received_absent(call: Call, settings: AgentSettings) -> DeviceCommand | None:
    """Return what is done about a call that comes in while the agent is on break or away; None: it rings."""
    if settings.absent_calls == "ring":
        return None
    if settings.absent_calls == "forward" and settings.absent_target:
        return RedirectCall(call.call_id, settings.absent_target, by="appliance")
    return RefuseCall(call.call_id, 480, by="appliance", cause="do_not_disturb")


class AutoAnswer:
    """Answers a call that asks for it and does not wait behind another one."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._after_s: float | None = None
        self.wake_at_s: float | None = None

    def handle(self, record: Record) -> list[Event]:
        """Start the clock when the call begins to ring, stop it when it no longer does."""
        event = record.event
        if isinstance(event, CallIncoming):
            self._after_s = event.answer_after_s
        elif isinstance(event, CallAlerting) and self._after_s is not None and not event.waiting:
            self.wake_at_s = event.at_s + self._after_s
        if self._call.state != "incoming":
            self.wake_at_s = None
        return []

    def wake(self, at_s: float) -> list[Event]:
        """Answer now."""
        self.wake_at_s = None
        return [AutoAnswered(at_s=at_s, call_id=self._call.call_id)]


class FaxCaller:
    """Tells, once a call, that the one who called us is a fax machine."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._told = False

    def heard(self, event: Event) -> bool:
        """Return whether ``event`` is the first CNG (ITU-T T.30) of a caller who has been answered."""
        cng = isinstance(event, ToneHeard) and event.tone == "cng" and event.side == "customer"
        if not cng or self._told or not self._call.incoming or self._call.state != "active":
            return False
        self._told = True
        return True
