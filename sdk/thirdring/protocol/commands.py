"""The commands: what may be asked of the engine, by HTTP, AT and SDK alike.

Each is a frozen dataclass; the engine's socket carries ``{"id": 7, "command": "dial", "args": {...}}`` and
answers ``{"id": 7, "result": {...}}`` or ``{"id": 7, "error": {"code": 2003, "detail": "..."}}``. An empty
``call_id`` means the call that is ringing (``answer``), the one that is held (``resume``) or the current
call (all others).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from thirdring.protocol.codec import from_fields, to_fields
from thirdring.protocol.errors import error
from thirdring.protocol.events import ChosenState

__all__ = [
    "COMMANDS",
    "Answer",
    "Command",
    "Conference",
    "Dial",
    "FinishCallBack",
    "Forward",
    "GetHeadset",
    "GetHeadsetTest",
    "GetMetrics",
    "GetSettings",
    "GetState",
    "Hangup",
    "Hold",
    "ListDeadLetters",
    "ListHooks",
    "ListRecordings",
    "Mute",
    "PauseRecording",
    "PressButton",
    "ReadRecording",
    "Redial",
    "RemoveContact",
    "Restart",
    "Resume",
    "ResumeRecording",
    "RetryDeadLetters",
    "SaveContact",
    "SendDtmf",
    "SetAgentState",
    "SetSettings",
    "Speak",
    "Swap",
    "TakeNotes",
    "TestHeadset",
    "TestTrunk",
    "Transfer",
    "Unmute",
    "command_from_json",
    "command_to_json",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What every command has: ``source`` tells the way it came (``http``, ``at``, ...), for the journal."""

    name: ClassVar[str] = ""
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GetState(Command):
    """Return ``views.DeskState``."""

    name = "get_state"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dial(Command):
    """Call ``number`` (digits, ``*``, ``#``, a leading ``+``); return ``{"call_id": ...}`` at once.

    ``reason``: why, in the agent's words; it answers what is asked before dialling (2013, 2014).
    ``withheld``: ask the trunk not to show our number to the other side (RFC 3323); never so
    of an emergency number.
    """

    name = "dial"
    number: str
    reason: str = ""
    withheld: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer(Command):
    """Answer the ringing call; return ``{"call_id": ...}``. Another call that is up is put on hold."""

    name = "answer"
    call_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hangup(Command):
    """End the call, refuse it if it rings, give up if it is being dialled."""

    name = "hangup"
    call_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Redial(Command):
    """Call the number that was dialled last; return ``{"call_id": ...}`` at once.

    ``withheld`` as in ``Dial``; a number that was dialled so is always dialled so again.
    """

    name = "redial"
    withheld: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Forward(Command):
    """Send the ringing call on to the number ``target`` without answering it (302)."""

    name = "forward"
    target: str
    call_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold(Command):
    """Put the call on hold: the customer hears nothing of the desk until ``resume``."""

    name = "hold"
    call_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume(Command):
    """Take a held call back; another call that is up is put on hold."""

    name = "resume"
    call_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Swap(Command):
    """Hold the call that is up and take the other one; return the latter's ``call_id``."""

    name = "swap"


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer(Command):
    """Hand the customer on: to the number ``target``, or without one to the other call.

    ``consent``: the customer was told and agrees (norm ``transfer.consent``). How it goes on shows in
    ``transfer_progress``; the call ends when it has succeeded and stays when it has failed.
    """

    name = "transfer"
    target: str = ""
    call_id: str = ""
    consent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Conference(Command):
    """Let the agent and both customers hear one another; return the ``call_id`` of the call in talk."""

    name = "conference"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mute(Command):
    """Keep the agent's microphone from the customer; holding the call or its end unmutes."""

    name = "mute"
    call_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmute(Command):
    """Let the customer hear the agent again."""

    name = "unmute"
    call_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseRecording(Command):
    """Record silence in place of both directions, while a card number is read out, say.

    ``recording_paused`` tells from when on. The norms go on being judged.
    """

    name = "pause_recording"
    call_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeRecording(Command):
    """Record sound again; ``recording_resumed`` tells from when on."""

    name = "resume_recording"
    call_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRecordings(Command):
    """Return ``{"recordings": [views.RecordingView...]}``: the newest ``limit`` (1 to 1000) that are kept.

    With ``call_id`` that call's only, none when there is none.
    """

    name = "list_recordings"
    limit: int = 100
    call_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRecording(Command):
    """Note that the recording of a call is read; return ``{"path": ...}``, below the state folder."""

    name = "read_recording"
    call_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SendDtmf(Command):
    """Send ``digits`` (0-9 A-D * #) to the customer, each for ``duration_ms`` (0: as set)."""

    name = "send_dtmf"
    digits: str
    call_id: str = ""
    duration_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAgentState(Command):
    """Be ``ready``, on ``break`` or ``away`` as soon as no call stands in the way; ends a wrap-up at once.

    ``agent`` signs in who sits at the desk from now on. Returns ``{"state": ...}``, the state now.
    """

    name = "set_agent_state"
    state: ChosenState
    agent: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeNotes(Command):
    """Write down what a call was about; replaces the call's notes as a whole. See ``NotesTaken``."""

    name = "take_notes"
    call_id: str
    customer: str = ""
    firm: str = ""
    post: str = ""
    matter: str = ""
    promised: str = ""
    call_back_utc: str = ""
    read_back: bool = False
    complaint: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishCallBack(Command):
    """Tick off the call-back that a call is listed for."""

    name = "finish_call_back"
    call_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveContact(Command):
    """Write a contact, replacing the one with the same number."""

    name = "save_contact"
    number: str
    contact: str
    firm: str = ""
    post: str = ""
    remark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveContact(Command):
    """Remove a contact by number."""

    name = "remove_contact"
    number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Speak(Command):
    """Play a sound file on the appliance into the simulated headset's microphone (simulator board).

    An empty ``path`` stops what is playing. Returns ``{"duration_s": ...}``.
    """

    name = "speak"
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PressButton(Command):
    """Press a button of the simulated headset (simulator board), such as ``hook``, ``mute`` or ``flash``."""

    name = "press_button"
    button: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GetHeadset(Command):
    """Return ``views.HeadsetView``: whether a headset with buttons is there, and its lamps."""

    name = "get_headset"


@dataclass(frozen=True, slots=True, kw_only=True)
class GetMetrics(Command):
    """Return ``{"frame_interval": {"count", "p50_ms", "p99_ms", "p99_9_ms", "max_ms", "bins_ms"}}``.

    The intervals between the sound bridge's ticks (20 ms when all is well) since the start or the last
    ``reset``; ``bins_ms`` has the histogram as pairs of upper edge and number.
    """

    name = "get_metrics"
    reset: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GetSettings(Command):
    """Return ``{"settings": [views.SettingView...]}``."""

    name = "get_settings"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetSettings(Command):
    """Change settings by dotted name; all or none. Returns ``{"restart_required": bool}``."""

    name = "set_settings"
    changes: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class TestTrunk(Command):
    """Try the trunk with ``changes`` (dotted names of ``trunk`` to values) over what is set; nothing is kept.

    Takes up to 20 s; the registration in use and calls are left alone. Returns ``views.TrunkTrial``.
    """

    name = "test_trunk"
    changes: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class TestHeadset(Command):
    """Listen to the headset's microphone for some seconds, then play that in its ear; a call breaks it off.

    Returns ``views.HeadsetTest``, as ``get_headset_test`` does while it goes on and afterwards.
    """

    name = "test_headset"


@dataclass(frozen=True, slots=True, kw_only=True)
class GetHeadsetTest(Command):
    """Return ``views.HeadsetTest``: how far the headset test is, and what it has measured."""

    name = "get_headset_test"


@dataclass(frozen=True, slots=True, kw_only=True)
class Restart(Command):
    """Start the engine anew so that every setting counts; refused while a call is there.

    Returns ``{"restarting": true}``; the new one says ``engine_started``.
    """

    name = "restart"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListHooks(Command):
    """Return ``{"hooks": [views.HookView...]}``; the gateway's own, as the next two are."""

    name = "list_hooks"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListDeadLetters(Command):
    """Return ``{"dead_letters": [views.DeadLetterView...]}``: the newest ``limit`` (1 to 1000)."""

    name = "list_dead_letters"
    limit: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryDeadLetters(Command):
    """Post a dead letter again, or every one (0); return ``{"retried": NUMBER}``."""

    name = "retry_dead_letters"
    letter_id: int = 0


COMMANDS: Final[Mapping[str, type[Command]]] = {
    cls.name: cls
    for cls in (
        GetState,
        GetMetrics,
        Dial,
        Answer,
        Redial,
        Forward,
        Hangup,
        Hold,
        Resume,
        Swap,
        Transfer,
        Conference,
        Mute,
        Unmute,
        PauseRecording,
        ResumeRecording,
        ListRecordings,
        ReadRecording,
        SendDtmf,
        SetAgentState,
        TakeNotes,
        FinishCallBack,
        SaveContact,
        RemoveContact,
        Speak,
        PressButton,
        GetHeadset,
        GetSettings,
        SetSettings,
        TestTrunk,
        TestHeadset,
        GetHeadsetTest,
        Restart,
        ListHooks,
        ListDeadLetters,
        RetryDeadLetters,
    )
}


def command_to_json(command: Command, request_id: int) -> dict[str, Any]:
    """Return the request object for the engine's socket."""
    return {"id": request_id, "command": command.name, "args": to_fields(command)}


def command_from_json(data: Mapping[str, Any]) -> Command:
    """Build the command of a request object; raises ``RequestError`` 1001 or 1002."""
    name = data.get("command")
    cls = COMMANDS.get(name) if isinstance(name, str) else None
    if cls is None:
        raise error(1002, f"{name!r:.60}")
    args = data.get("args", {})
    if not isinstance(args, Mapping):
        raise error(1001, "args is not an object")
    return from_fields(cls, args)
