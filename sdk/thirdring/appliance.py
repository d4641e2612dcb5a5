"""``Appliance``: ``AsyncAppliance`` for programs without asyncio."""

import asyncio
import concurrent.futures
import contextlib
import threading
from collections.abc import AsyncGenerator, Coroutine, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from thirdring.aio import RECONNECT, TIMEOUT_S, AsyncAppliance, Awaited, ReportForm
from thirdring.protocol.errors import error
from thirdring.protocol.events import AgentState, ChosenState, Record, Verdict
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

__all__ = ["Appliance"]

T = TypeVar("T")


class Appliance:
    """One appliance; the methods of ``AsyncAppliance``, each waiting for its outcome.

    A background thread runs the connection, so that events go on while the program does something else. May
    be used from several threads. Close it, or use ``with``.
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
        """As ``AsyncAppliance``."""
        self._appliance = AsyncAppliance(
            url, token, token_file=token_file, timeout_s=timeout_s, reconnect=reconnect
        )
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"thirdring {url}", daemon=True)
        self._thread.start()

    def open(self) -> None:
        """Connect; raises ``ConnectionLost`` 8000 when nobody answers."""
        self._run(self._appliance.open())

    def close(self) -> None:
        """Disconnect and end the thread; may be called twice."""
        if self._loop.is_closed():
            return
        with contextlib.suppress(Exception):
            self._run(_finish(self._appliance))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def __enter__(self) -> Self:
        try:
            self.open()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def state(self) -> DeskState:
        """Return the desk as it is now."""
        return self._run(self._appliance.state())

    def dial(self, number: str, reason: str = "", *, withheld: bool = False) -> str:
        """Call ``number``; return the call's id at once, how it goes on shows in ``events``."""
        return self._run(self._appliance.dial(number, reason, withheld=withheld))

    def answer(self, call_id: str = "") -> str:
        """Answer the ringing call; return its id. Raises ``CallError`` 2001 when none rings."""
        return self._run(self._appliance.answer(call_id))

    def hangup(self, call_id: str = "") -> str:
        """End, refuse or give up the call; return its id. Raises ``CallError`` 2002 when there is none."""
        return self._run(self._appliance.hangup(call_id))

    def hold(self, call_id: str = "") -> str:
        """Put the call on hold; return its id. ``hold_started`` tells when it is."""
        return self._run(self._appliance.hold(call_id))

    def resume(self, call_id: str = "") -> str:
        """Take a held call back, holding another one that is up; ``hold_ended`` tells when it is."""
        return self._run(self._appliance.resume(call_id))

    def swap(self) -> str:
        """Hold the call that is up and take the other one, whose id is returned."""
        return self._run(self._appliance.swap())

    def transfer(self, target: str = "", call_id: str = "", *, consent: bool = False) -> str:
        """Hand the customer on to a number, or without ``target`` to the other call; return the call's id.

        ``consent``: the customer was told and agrees. ``transfer_progress`` tells how it goes on.
        """
        return self._run(self._appliance.transfer(target, call_id, consent=consent))

    def conference(self) -> str:
        """Let the agent and both customers hear one another; ``conference_started`` tells when they do."""
        return self._run(self._appliance.conference())

    def redial(self) -> str:
        """Call the number that was dialled last; return the call's id at once."""
        return self._run(self._appliance.redial())

    def forward(self, target: str, call_id: str = "") -> str:
        """Send the ringing call on to a number without answering it; return its id."""
        return self._run(self._appliance.forward(target, call_id))

    def mute(self, call_id: str = "") -> str:
        """Keep the agent's microphone from the customer."""
        return self._run(self._appliance.mute(call_id))

    def unmute(self, call_id: str = "") -> str:
        """Let the customer hear the agent again."""
        return self._run(self._appliance.unmute(call_id))

    def pause_recording(self, call_id: str = "") -> str:
        """Record silence in place of both directions; return the call's id.

        ``recording_paused`` tells from when on. Raises ``CallError`` 2020 when the call is not recorded.
        """
        return self._run(self._appliance.pause_recording(call_id))

    def resume_recording(self, call_id: str = "") -> str:
        """Record sound again; ``recording_resumed`` tells from when on."""
        return self._run(self._appliance.resume_recording(call_id))

    def recordings(self, limit: int = 100, call_id: str = "") -> list[RecordingView]:
        """Return the recordings that are kept, newest first; with ``call_id`` that call's only."""
        return self._run(self._appliance.recordings(limit, call_id))

    def save_recording(self, call_id: str, path: str | Path) -> None:
        """Write the recording of a call to a file, opened (WAV or Ogg, as it was recorded), over HTTP only.

        The journal notes it. Raises ``MediaError`` 4024 when there is none, 4025 while the call goes on,
        ``ConnectionLost`` 8003 over a serial console.
        """
        self._run(self._appliance.save_recording(call_id, path))

    def save_support_file(self, path: str | Path) -> None:
        """Write a file for whoever helps, over HTTP only: versions, settings, log; no secret, no call.

        Raises ``StorageError`` 5008 when it cannot be written, ``ConnectionLost`` 8003 over a serial console.
        """
        self._run(self._appliance.save_support_file(path))

    def update(self, source: str | Path, *, force: bool = False, wait: bool = False) -> None:
        """Begin an update from a URL, or over HTTP from a bundle's file; ``update_state`` tells how it goes.

        ``force`` takes one that is older than what runs, ``wait`` waits for the call that is up. The unit
        restarts by itself. Raises ``ApplianceError`` 7030 on a board that cannot, 7031 while there is one,
        7035 without room, 7037 in a call, 7038, ``StorageError`` 5003 for a file that cannot be read.
        """
        self._run(self._appliance.update(source, force=force, wait=wait))

    def update_state(self) -> UpdateState:
        """Return what runs and where the last update is."""
        return self._run(self._appliance.update_state())

    def factory_reset(self, serial_number: str) -> None:
        """Wipe journal, recordings, settings, keys, passwords, and start anew; the number is the unit's own.

        Raises ``RequestError`` 1010 for another number, ``CallError`` 2003 while a call is there.
        """
        self._run(self._appliance.factory_reset(serial_number))

    def send_dtmf(self, digits: str, duration_ms: int = 0) -> None:
        """Send DTMF digits (0-9 A-D * #) to the customer, each for 40 to 5000 ms (0: as set)."""
        self._run(self._appliance.send_dtmf(digits, duration_ms))

    def set_agent_state(self, state: ChosenState, agent: str = "", reason: str = "") -> AgentState:
        """Be ready, on break or away as soon as no call stands in the way; return the state now."""
        return self._run(self._appliance.set_agent_state(state, agent, reason))

    def take_notes(
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
        """Write down what a call was about; replaces the call's notes as a whole."""
        self._run(
            self._appliance.take_notes(
                call_id,
                name=name,
                firm=firm,
                post=post,
                matter=matter,
                promised=promised,
                call_back=call_back,
                read_back=read_back,
                complaint=complaint,
            )
        )

    def notes(self, call_id: str = "") -> list[NotesView]:
        """Return the notes of one call (none or one), or of the newest calls."""
        return self._run(self._appliance.notes(call_id))

    def prompts(self, call_id: str, language: str = "") -> list[PromptView]:
        """Return the prompts that a call's agent was shown, in words; ``language`` zh or en, else as set."""
        return self._run(self._appliance.prompts(call_id, language))

    def save_contact(
        self, number: str, name: str, *, firm: str = "", post: str = "", remark: str = ""
    ) -> None:
        """Write a contact, replacing the one with the same number."""
        self._run(self._appliance.save_contact(number, name, firm=firm, post=post, remark=remark))

    def remove_contact(self, number: str) -> None:
        """Remove a contact; raises ``RequestError`` 1003 when there is none."""
        self._run(self._appliance.remove_contact(number))

    def contacts(self, number: str = "") -> list[ContactView]:
        """Return the contacts in order of number, or the one with ``number``."""
        return self._run(self._appliance.contacts(number))

    def call_backs(self, *, done: bool = False) -> list[CallBackView]:
        """Return who is to be called back, the most urgent first, or those who were."""
        return self._run(self._appliance.call_backs(done=done))

    def finish_call_back(self, call_id: str) -> None:
        """Tick a call-back off by hand; calling the number does so by itself."""
        self._run(self._appliance.finish_call_back(call_id))

    def speak(self, path: str) -> float:
        """Play a sound file of the appliance into the simulated headset; return its length in seconds."""
        return self._run(self._appliance.speak(path))

    def press(self, button: str) -> None:
        """Press a button of the simulated headset; raises ``RequestError`` 1004 when it has none such."""
        self._run(self._appliance.press(button))

    def headset(self) -> HeadsetView:
        """Return the headset's buttons and lamps."""
        return self._run(self._appliance.headset())

    def calls(self, limit: int = 20) -> list[CallSummary]:
        """Return the newest calls, newest first."""
        return self._run(self._appliance.calls(limit))

    def call(self, call_id: str) -> CallDetail:
        """Return one call with its verdicts; raises ``CallError`` 2000."""
        return self._run(self._appliance.call(call_id))

    def call_events(self, call_id: str) -> list[Record]:
        """Return the events of one call in order."""
        return self._run(self._appliance.call_events(call_id))

    def norms(self, call_id: str) -> tuple[Verdict, ...]:
        """Return the verdicts of one call."""
        return self._run(self._appliance.norms(call_id))

    def figures(self, start: str = "", end: str = "", by: FiguresBy = "hour") -> FiguresReport:
        """Return key figures from ``start`` (default: today) to ``end`` (default: the next midnight)."""
        return self._run(self._appliance.figures(start, end, by))

    def staffing(
        self,
        calls_per_h: float,
        handling_time_s: float | None = None,
        answer_within_s: float | None = None,
        service_level_percent: float | None = None,
    ) -> Staffing:
        """Return how many agents a load needs (Erlang C), as the appliance is set where nothing is said."""
        return self._run(
            self._appliance.staffing(calls_per_h, handling_time_s, answer_within_s, service_level_percent)
        )

    def forecast(self) -> Forecast:
        """Return the calls expected in each hour of a week, and the agents they need."""
        return self._run(self._appliance.forecast())

    def report(self, call_id: str, form: ReportForm = "text") -> str:
        """Return the report of one call, as the appliance writes it."""
        return self._run(self._appliance.report(call_id, form))

    def settings(self) -> list[SettingView]:
        """Return every setting with value, default, unit and bounds; passwords read as ``***``."""
        return self._run(self._appliance.settings())

    def set_settings(self, changes: Mapping[str, Any]) -> bool:
        """Change settings by dotted name, all or none; return whether some need a restart to count."""
        return self._run(self._appliance.set_settings(changes))

    def hooks(self) -> list[HookView]:
        """Return the web hooks that are set, each with what waits for it."""
        return self._run(self._appliance.hooks())

    def dead_letters(self, limit: int = 100) -> list[DeadLetterView]:
        """Return the newest events that web hooks gave up posting."""
        return self._run(self._appliance.dead_letters(limit))

    def retry_dead_letters(self, letter_id: int = 0) -> int:
        """Post one of them again, or all (0); return how many. Raises ``RequestError`` 1003."""
        return self._run(self._appliance.retry_dead_letters(letter_id))

    def events(self, after: int | None = None) -> Iterator[Record]:
        """Yield events above number ``after``, then those to come; without ``after`` only those to come."""
        records = self._appliance.events(after)
        try:
            while (record := self._run(_next(records))) is not None:
                yield record
        finally:
            if not self._loop.is_closed():
                with contextlib.suppress(RuntimeError):  # an interrupted step is still on its way out
                    self._run(records.aclose())

    def wait_for(self, what: Awaited, timeout_s: float, after: int | None = None) -> Record:
        """Return the first event above number ``after`` that is ``what``; raises ``WaitTimeout`` 9000.

        A test on the record runs on the background thread. Take ``state().last_event`` before the act whose
        outcome is awaited.
        """
        return self._run(self._appliance.wait_for(what, timeout_s, after))

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run ``work`` on the background thread; whoever interrupts the waiting cancels it."""
        try:
            future = asyncio.run_coroutine_threadsafe(work, self._loop)
        except RuntimeError as reason:
            work.close()
            raise error(8000, "closed") from reason
        try:
            return future.result()
        except concurrent.futures.CancelledError as reason:
            raise error(8000, "closed") from reason
        except BaseException:
            future.cancel()
            raise


async def _next(records: AsyncGenerator[Record, None]) -> Record | None:
    return await anext(records, None)


async def _finish(appliance: AsyncAppliance) -> None:
    """Close, and end whatever other threads are still waiting for."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await appliance.close()
    await asyncio.get_running_loop().shutdown_asyncgens()
