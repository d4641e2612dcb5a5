"""``AsyncAppliance``: everything a host can ask of an appliance, with asyncio."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, Self, TypeVar, cast

from thirdring.protocol.codec import from_fields
from thirdring.protocol.commands import (
    Answer,
    Command,
    Conference,
    Dial,
    FinishCallBack,
    Forward,
    GetHeadset,
    GetSettings,
    GetState,
    Hangup,
    Hold,
    ListDeadLetters,
    ListHooks,
    ListRecordings,
    Mute,
    PauseRecording,
    PressButton,
    Redial,
    RemoveContact,
    Resume,
    ResumeRecording,
    RetryDeadLetters,
    SaveContact,
    SendDtmf,
    SetAgentState,
    SetSettings,
    Speak,
    Swap,
    TakeNotes,
    Transfer,
    Unmute,
)
from thirdring.protocol.errors import RequestError, error
from thirdring.protocol.events import EVENT_KINDS, AgentState, ChosenState, Event, Record, Verdict
from thirdring.protocol.figures import FiguresBy, FiguresReport, Forecast, Staffing
from thirdring.protocol.views import (
    CallBackView,
    CallDetail,
    CallSummary,
    ContactView,
    DeadLetterView,
    DeskState,
    HeadsetView,
    HookView,
    NotesView,
    PromptView,
    RecordingView,
    SettingView,
    UpdateState,
)
from thirdring.reconnect import Reconnect
from thirdring.transports.base import Transport
from thirdring.transports.pick import pick_transport

__all__ = ["RECONNECT", "TIMEOUT_S", "AsyncAppliance", "Awaited", "ReportForm"]

TIMEOUT_S: Final = 10.0
"""For one request: the engine answers within 5 s or the gateway says that it did not."""

RECONNECT: Final = Reconnect()
"""Events wait a minute for an appliance that restarts."""

T = TypeVar("T")

ReportForm = Literal["text", "json", "html"]

Awaited = str | type[Event] | Callable[[Record], bool]
"""An event's kind, its class, or a test on the record."""


class AsyncAppliance:
    """One appliance. Connects when first used, or on entering ``async with``; for one event loop.

    Every method raises ``ThirdringError`` and its subclasses only. Nothing is sent twice: when the answer to
    a ``dial`` is lost (``ConnectionLost``), look at ``state()`` or the events before dialling again.
    """

    def __init__(
        self,
        url: str,
        token: str | None = None,
        *,
        token_file: str | Path | None = None,
        timeout_s: float = TIMEOUT_S,
        reconnect: Reconnect = RECONNECT,
    ) -> None:
        """``url`` is ``http://HOST:PORT`` or ``serial:/dev/NAME``.

        The token is needed for HTTP; on a serial console it is the password, where consoles are locked.
        ``reconnect`` says how ``events`` come back after the connection broke.
        Raises ``RequestError`` 1004 for another URL, ``AccessError`` 6000 when the file cannot be read.
        """
        self._transport: Transport = pick_transport(
            url, token=token, token_file=token_file, timeout_s=timeout_s, reconnect=reconnect
        )
        self._opening = asyncio.Lock()
        self._opened = False

    async def open(self) -> None:
        """Connect; raises ``ConnectionLost`` 8000 when nobody answers."""
        async with self._opening:
            if not self._opened:
                await self._transport.open()
                self._opened = True

    async def close(self) -> None:
        """Disconnect; may be called twice."""
        await self._transport.close()

    async def __aenter__(self) -> Self:
        try:
            await self.open()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def state(self) -> DeskState:
        """Return the desk as it is now."""
        return _parsed(DeskState, await self._command(GetState()))

    async def dial(self, number: str, reason: str = "", *, withheld: bool = False) -> str:
        """Call ``number``, ``reason`` why; return the call's id at once. ``events`` show how it goes on.

        ``withheld`` keeps our number from the other side.
        """
        return _call_id(await self._command(Dial(number=number, reason=reason, withheld=withheld)))

    async def answer(self, call_id: str = "") -> str:
        """Answer the ringing call; return its id. Raises ``CallError`` 2001 when none rings."""
        return _call_id(await self._command(Answer(call_id=call_id)))

    async def hangup(self, call_id: str = "") -> str:
        """End, refuse or give up the call; return its id. Raises ``CallError`` 2002 when there is none."""
        return _call_id(await self._command(Hangup(call_id=call_id)))

    async def hold(self, call_id: str = "") -> str:
        """Put the call on hold; return its id. ``hold_started`` tells when it is."""
        return _call_id(await self._command(Hold(call_id=call_id)))

    async def resume(self, call_id: str = "") -> str:
        """Take a held call back, holding another one that is up; ``hold_ended`` tells when it is."""
        return _call_id(await self._command(Resume(call_id=call_id)))

    async def swap(self) -> str:
        """Hold the call that is up and take the other one, whose id is returned."""
        return _call_id(await self._command(Swap()))

    async def transfer(self, target: str = "", call_id: str = "", *, consent: bool = False) -> str:
        """Hand the customer on to a number, or without ``target`` to the other call; return the call's id.

        ``consent``: the customer was told and agrees. ``transfer_progress`` tells how it goes on.
        """
        return _call_id(await self._command(Transfer(target=target, call_id=call_id, consent=consent)))

    async def conference(self) -> str:
        """Let the agent and both customers hear one another; ``conference_started`` tells when they do."""
        return _call_id(await self._command(Conference()))

    async def redial(self) -> str:
        """Call the number that was dialled last; return the call's id at once."""
        return _call_id(await self._command(Redial()))

    async def forward(self, target: str, call_id: str = "") -> str:
        """Send the ringing call on to a number without answering it; return its id."""
        return _call_id(await self._command(Forward(target=target, call_id=call_id)))

    async def mute(self, call_id: str = "") -> str:
        """Keep the agent's microphone from the customer."""
        return _call_id(await self._command(Mute(call_id=call_id)))

    async def unmute(self, call_id: str = "") -> str:
        """Let the customer hear the agent again."""
        return _call_id(await self._command(Unmute(call_id=call_id)))

    async def pause_recording(self, call_id: str = "") -> str:
        """Record silence in place of both directions; return the call's id.

        ``recording_paused`` tells from when on. Raises ``CallError`` 2020 when the call is not recorded.
        """
        return _call_id(await self._command(PauseRecording(call_id=call_id)))

    async def resume_recording(self, call_id: str = "") -> str:
        """Record sound again; ``recording_resumed`` tells from when on."""
        return _call_id(await self._command(ResumeRecording(call_id=call_id)))

    async def recordings(self, limit: int = 100, call_id: str = "") -> list[RecordingView]:
        """Return the recordings that are kept, newest first; with ``call_id`` that call's only."""
        result = await self._command(ListRecordings(limit=limit, call_id=call_id))
        return [_parsed(RecordingView, view) for view in result.get("recordings", [])]

    async def save_recording(self, call_id: str, path: str | Path) -> None:
        """Write the recording of a call to a file, opened (WAV or Ogg, as it was recorded), over HTTP only.

        The journal notes it. Raises ``MediaError`` 4024 when there is none, 4025 while the call goes on,
        ``ConnectionLost`` 8003 over a serial console.
        """
        await self.open()
        await self._transport.save_recording(call_id, Path(path))

    async def save_support_file(self, path: str | Path) -> None:
        """Write a file for whoever helps, over HTTP only: versions, settings, log; no secret, no call.

        Raises ``StorageError`` 5008 when it cannot be written, ``ConnectionLost`` 8003 over a serial console.
        """
        await self.open()
        await self._transport.save_support_file(Path(path))

    async def update(self, source: str | Path, *, force: bool = False, wait: bool = False) -> None:
        """Begin an update from a URL, or over HTTP from a bundle's file; ``update_state`` tells how it goes.

        ``force`` takes one that is older than what runs, ``wait`` waits for the call that is up. The unit
        restarts by itself. Raises ``ApplianceError`` 7030 on a board that cannot, 7031 while there is one,
        7035 without room, 7037 in a call, 7038, ``StorageError`` 5003 for a file that cannot be read.
        """
        await self.open()
        if isinstance(source, str) and source.startswith(("http://", "https://")):
            await self._transport.update_from_url(source, force=force, wait=wait)
        else:
            await self._transport.update_from_file(Path(source), force=force, wait=wait)

    async def update_state(self) -> UpdateState:
        """Return what runs and where the last update is."""
        await self.open()
        return await self._transport.update_state()

    async def factory_reset(self, serial_number: str) -> None:
        """Wipe journal, recordings, settings, keys, passwords, and start anew; the number is the unit's own.

        Raises ``RequestError`` 1010 for another number, ``CallError`` 2003 while a call is there.
        """
        await self.open()
        await self._transport.factory_reset(serial_number)

    async def send_dtmf(self, digits: str, duration_ms: int = 0) -> None:
        """Send DTMF digits (0-9 A-D * #) to the customer, each for 40 to 5000 ms (0: as set)."""
        await self._command(SendDtmf(digits=digits, duration_ms=duration_ms))

    async def set_agent_state(self, state: ChosenState, agent: str = "", reason: str = "") -> AgentState:
        """Be ready, on break or away as soon as no call stands in the way; return the state now.

        ``agent`` signs in who sits at the desk from now on.
        """
        result = await self._command(SetAgentState(state=state, agent=agent, reason=reason))
        return cast("AgentState", str(result.get("state", "")))

    async def take_notes(
        self,
        call_id: str,
        *,
        name: str = "",
        firm: str = "",
        post: str = "",
        matter: str = "",
        promised: str = "",
        call_back: str = "",
        read_back: bool = False,
        complaint: bool = False,
    ) -> None:
        """Write down what a call was about; replaces the call's notes as a whole.

        ``name``, ``firm`` and ``post`` are the customer's; ``call_back`` is when a promised call-back is due
        (ISO 8601, the appliance's local time without a zone); ``read_back`` that figures were read back.
        """
        await self._command(
            TakeNotes(
                call_id=call_id,
                customer=name,
                firm=firm,
                post=post,
                matter=matter,
                promised=promised,
                call_back_utc=call_back,
                read_back=read_back,
                complaint=complaint,
            )
        )

    async def notes(self, call_id: str = "") -> list[NotesView]:
        """Return the notes of one call (none or one), or of the newest calls."""
        return await self._listed(NotesView, "notes", {"call_id": call_id})

    async def prompts(self, call_id: str, language: str = "") -> list[PromptView]:
        """Return the prompts that a call's agent was shown, in words; ``language`` zh or en, else as set."""
        return await self._listed(PromptView, "prompts", {"call_id": call_id, "language": language})

    async def save_contact(
        self, number: str, name: str, *, firm: str = "", post: str = "", remark: str = ""
    ) -> None:
        """Write a contact, replacing the one with the same number."""
        await self._command(SaveContact(number=number, contact=name, firm=firm, post=post, remark=remark))

    async def remove_contact(self, number: str) -> None:
        """Remove a contact; raises ``RequestError`` 1003 when there is none."""
        await self._command(RemoveContact(number=number))

    async def contacts(self, number: str = "") -> list[ContactView]:
        """Return the contacts in order of number, or the one with ``number``."""
        return await self._listed(ContactView, "contacts", {"number": number})

    async def call_backs(self, *, done: bool = False) -> list[CallBackView]:
        """Return who is to be called back, the most urgent first, or those who were."""
        return await self._listed(CallBackView, "call_backs", {"done": done})

    async def finish_call_back(self, call_id: str) -> None:
        """Tick a call-back off by hand; calling the number does so by itself."""
        await self._command(FinishCallBack(call_id=call_id))

    async def _listed(self, view: type[T], what: str, asked: Mapping[str, Any]) -> list[T]:
        await self.open()
        return [_parsed(view, fields) for fields in await self._transport.listed(what, asked)]

    async def speak(self, path: str) -> float:
        """Play a sound file of the appliance into the simulated headset; return its length in seconds."""
        result = await self._command(Speak(path=path))
        return float(result.get("duration_s") or 0.0)

    async def press(self, button: str) -> None:
        """Press a button of the simulated headset; raises ``RequestError`` 1004 when it has none such."""
        await self._command(PressButton(button=button))

    async def headset(self) -> HeadsetView:
        """Return the headset's buttons and lamps."""
        return _parsed(HeadsetView, await self._command(GetHeadset()))

    async def calls(self, limit: int = 20) -> list[CallSummary]:
        """Return the newest calls, newest first."""
        await self.open()
        return await self._transport.calls(limit=limit)

    async def call(self, call_id: str) -> CallDetail:
        """Return one call with its verdicts; raises ``CallError`` 2000."""
        await self.open()
        return await self._transport.call(call_id)

    async def call_events(self, call_id: str) -> list[Record]:
        """Return the events of one call in order."""
        await self.open()
        return await self._transport.call_events(call_id)

    async def norms(self, call_id: str) -> tuple[Verdict, ...]:
        """Return the verdicts of one call."""
        return (await self.call(call_id)).verdicts

    async def figures(self, start: str = "", end: str = "", by: FiguresBy = "hour") -> FiguresReport:
        """Return key figures from ``start`` (default: today) to ``end`` (default: the next midnight).

        Each is a date or date and time (ISO 8601), in the appliance's local time unless it says otherwise.
        """
        await self.open()
        return await self._transport.figures(start, end, by)

    async def staffing(
        self,
        calls_per_h: float,
        handling_time_s: float | None = None,
        answer_within_s: float | None = None,
        service_level_percent: float | None = None,
    ) -> Staffing:
        """Return how many agents a load needs (Erlang C), as the appliance is set where nothing is said."""
        load = {
            "calls_per_h": calls_per_h,
            "handling_time_s": handling_time_s,
            "answer_within_s": answer_within_s,
            "service_level_percent": service_level_percent,
        }
        await self.open()
        return await self._transport.staffing(
            {name: value for name, value in load.items() if value is not None}
        )

    async def forecast(self) -> Forecast:
        """Return the calls expected in each hour of a week, and the agents they need."""
        await self.open()
        return await self._transport.forecast()

    async def report(self, call_id: str, form: ReportForm = "text") -> str:
        """Return the report of one call, as the appliance writes it."""
        await self.open()
        return await self._transport.report(call_id, form)

    async def settings(self) -> list[SettingView]:
        """Return every setting with value, default, unit and bounds; passwords read as ``***``."""
        result = await self._command(GetSettings())
        return [_parsed(SettingView, fields) for fields in result.get("settings", ())]

    async def set_settings(self, changes: Mapping[str, Any]) -> bool:
        """Change settings by dotted name, all or none; return whether some need a restart to count."""
        result = await self._command(SetSettings(changes=dict(changes)))
        return bool(result.get("restart_required", False))

    async def hooks(self) -> list[HookView]:
        """Return the web hooks that are set, each with what waits for it."""
        result = await self._command(ListHooks())
        return [_parsed(HookView, fields) for fields in result.get("hooks", ())]

    async def dead_letters(self, limit: int = 100) -> list[DeadLetterView]:
        """Return the newest events that web hooks gave up posting."""
        result = await self._command(ListDeadLetters(limit=limit))
        return [_parsed(DeadLetterView, fields) for fields in result.get("dead_letters", ())]

    async def retry_dead_letters(self, letter_id: int = 0) -> int:
        """Post one of them again, or all (0); return how many. Raises ``RequestError`` 1003."""
        result = await self._command(RetryDeadLetters(letter_id=letter_id))
        return int(result.get("retried") or 0)

    async def events(self, after: int | None = None) -> AsyncGenerator[Record, None]:
        """Yield events above number ``after``, then those to come; without ``after`` only those to come.

        "To come" counts from the first step of the iteration. Nothing is lost or doubled when the connection
        breaks or the appliance restarts.
        """
        await self.open()
        start = (await self.state()).last_event if after is None else after
        stream = cast("AsyncGenerator[Record, None]", self._transport.events(start))
        async with contextlib.aclosing(stream):
            async for record in stream:
                yield record

    async def wait_for(self, what: Awaited, timeout_s: float, after: int | None = None) -> Record:
        """Return the first event above number ``after`` that is ``what``; raises ``WaitTimeout`` 9000.

        What happens before the waiting begins is missed without ``after``: take ``state().last_event``
        before the act whose outcome is awaited.
        """
        matches = _test(what)
        try:
            async with asyncio.timeout(timeout_s):
                async with contextlib.aclosing(self.events(after)) as records:
                    async for record in records:
                        if matches(record):
                            return record
        except TimeoutError as reason:
            name = what if isinstance(what, str) else getattr(what, "__name__", repr(what))
            raise error(9000, f"{name} within {timeout_s:g} s") from reason
        raise error(8000, "the stream of events ended")

    async def _command(self, command: Command) -> Mapping[str, Any]:
        await self.open()
        return await self._transport.command(command)


def _test(what: Awaited) -> Callable[[Record], bool]:
    if isinstance(what, str):
        if what not in EVENT_KINDS:
            raise error(1004, f"{what!r:.60} is not a kind of event")
        return lambda record: record.event.kind == what
    if isinstance(what, type):
        kind = what
        return lambda record: isinstance(record.event, kind)
    return what


def _call_id(result: Mapping[str, Any]) -> str:
    return str(result.get("call_id", ""))


def _parsed(cls: type[T], fields: Mapping[str, Any]) -> T:
    try:
        return from_fields(cls, fields)
    except RequestError as reason:
        raise error(8002, f"{cls.__name__}: {reason.detail}") from reason
