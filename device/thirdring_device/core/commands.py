"""What the core asks of the adapters. Only the engine executes these."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from thirdring_device.core.rings import Urgency

__all__ = [
    "AnnounceToCustomer",
    "AnswerCall",
    "DeviceCommand",
    "EndCall",
    "HoldCall",
    "JoinCalls",
    "MaskRecording",
    "MuteCall",
    "PlaceCall",
    "RedirectCall",
    "RefuseCall",
    "ResumeCall",
    "RingCaller",
    "SendDigits",
    "SetHeadsetLamp",
    "SetRinger",
    "TransferCall",
]


@dataclass(frozen=True, slots=True)
class DeviceCommand:
    """A command to an adapter; ``target`` names which."""

    target: ClassVar[Literal["sip", "board", "recording", "sound"]] = "sip"


@dataclass(frozen=True, slots=True)
class RingCaller(DeviceCommand):
    """Send 180 Ringing; the adapter reports ``call_alerting``, ``waiting`` beside another call."""

    call_id: str
    waiting: bool = False


@dataclass(frozen=True, slots=True)
class AnnounceToCustomer(DeviceCommand):
    """Play the announcement ``key`` to the customer in the agent's place, who is not heard from now on."""

    target = "sound"
    call_id: str
    key: str


@dataclass(frozen=True, slots=True)
class AnswerCall(DeviceCommand):
    """Send 200 OK; the adapter reports ``call_answered``."""

    call_id: str


@dataclass(frozen=True, slots=True)
class RefuseCall(DeviceCommand):
    """Answer the INVITE with a final ``sip_code``; the adapter reports ``call_ended`` by ``by``."""

    call_id: str
    sip_code: int
    by: Literal["agent", "appliance"]
    cause: Literal["busy", "overflow", "do_not_disturb", "failed"]


@dataclass(frozen=True, slots=True)
class RedirectCall(DeviceCommand):
    """Answer the INVITE with 302 and ``number`` at the trunk; reports ``call_ended`` by ``by``."""

    call_id: str
    number: str
    by: Literal["agent", "appliance"]
    cause: Literal["forwarded", "overflow"] = "forwarded"


@dataclass(frozen=True, slots=True)
class EndCall(DeviceCommand):
    """BYE, CANCEL or 603 as the state on the wire asks; the adapter reports ``call_ended`` by the agent."""

    call_id: str


@dataclass(frozen=True, slots=True)
class HoldCall(DeviceCommand):
    """Take the call's sound away at once, and tell the other side; reports ``hold_started``."""

    call_id: str


@dataclass(frozen=True, slots=True)
class ResumeCall(DeviceCommand):
    """Take a held call back; reports ``hold_ended`` when its sound is there, else ``request_failed``."""

    call_id: str


@dataclass(frozen=True, slots=True)
class TransferCall(DeviceCommand):
    """Send REFER to ``number``, or without one to ``other_call_id``; reports ``transfer_progress``."""

    call_id: str
    number: str = ""
    other_call_id: str = ""
    by: Literal["agent", "appliance"] = "agent"


@dataclass(frozen=True, slots=True)
class JoinCalls(DeviceCommand):
    """Take back whichever is held and join both; reports ``conference_started`` of each."""

    call_id: str
    other_call_id: str


@dataclass(frozen=True, slots=True)
class MaskRecording(DeviceCommand):
    """Record silence, or sound again; ``recording_paused`` or ``recording_resumed`` is reported."""

    target = "recording"

    call_id: str
    masked: bool


@dataclass(frozen=True, slots=True)
class MuteCall(DeviceCommand):
    """Silence the microphone or open it; reports ``mute_started`` or ``mute_ended``."""

    call_id: str
    on: bool


@dataclass(frozen=True, slots=True)
class PlaceCall(DeviceCommand):
    """Send an INVITE for ``number``; the adapter reports ``call_outgoing``. ``withheld``: anonymously."""

    call_id: str
    number: str
    withheld: bool = False


@dataclass(frozen=True, slots=True)
class SendDigits(DeviceCommand):
    """Send DTMF ``digits`` to the customer one after another, each for ``duration_ms`` (0: as set)."""

    call_id: str
    digits: str
    duration_ms: int = 0


@dataclass(frozen=True, slots=True)
class SetRinger(DeviceCommand):
    """Sound and lamp of the desk while it rings; None when nothing rings.

    ``waiting``: quietly, for the agent is busy with another call.
    """

    target = "board"
    urgency: Urgency | Literal["waiting"] | None


@dataclass(frozen=True, slots=True)
class SetHeadsetLamp(DeviceCommand):
    """Show the agent whether the headset is gone."""

    target = "board"
    lost: bool
