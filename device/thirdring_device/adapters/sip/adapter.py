"""The SIP adapter: one thread that owns every pjsua2 object, a queue into it, facts out of it."""

import gc
import logging
import queue
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any, Final

import pjsua2 as pj

from thirdring.protocol.errors import ThirdringError, error
from thirdring.protocol.events import CallEnded, CallIncoming, CallOutgoing, Event, StrangerRefused
from thirdring_device.adapters.headset.interface import Headset
from thirdring_device.adapters.media import MediaFactory
from thirdring_device.adapters.sip.addresses import AllowedSources, parse_name_addr, source_host
from thirdring_device.adapters.sip.call import DeskCall, call_options
from thirdring_device.adapters.sip.caller import answer_after_s, caller_of, header_values
from thirdring_device.adapters.sip.desk import Desk
from thirdring_device.adapters.sip.endpoint import EndpointOwner
from thirdring_device.adapters.sip.gate import SERVICE_UNAVAILABLE, Gate
from thirdring_device.adapters.sip.guard import explain
from thirdring_device.adapters.sip.headset_check import CheckMedia, HeadsetLink
from thirdring_device.adapters.sip.limits import RateLimit, RefusalCounter
from thirdring_device.adapters.sip.loops import hold_sound, ringback
from thirdring_device.adapters.sip.network import AddressWatch
from thirdring_device.adapters.sip.placing import Placing
from thirdring_device.adapters.sip.servers import ServerLookup
from thirdring_device.adapters.sip.sound import SoundPath
from thirdring_device.adapters.sip.trunk import Trunk
from thirdring_device.core.calls_settings import CallsSettings
from thirdring_device.core.commands import (
    AnswerCall,
    DeviceCommand,
    EndCall,
    HoldCall,
    JoinCalls,
    MuteCall,
    PlaceCall,
    RedirectCall,
    RefuseCall,
    ResumeCall,
    RingCaller,
    SendDigits,
    TransferCall,
)
from thirdring_device.core.requests import MOST_CALLS
from thirdring_device.settings import Settings

__all__ = ["SipAdapter"]

log = logging.getLogger(__name__)

POLL_MS: Final = 5
"""Longest wait for SIP messages, and so the longest a command waits."""

WIRE_POLL_S: Final = 0.5
HANG_UP_WAIT_S: Final = 1.0
"""At stop: how long the other sides may take to answer our BYE."""

START_TIMEOUT_S: Final = 20.0
STOP_TIMEOUT_S: Final = 20.0


class SipAdapter:
    """Our end of SIP.

    ``clock()`` gives the engine's monotonic seconds, ``post`` takes the facts (from the SIP thread),
    ``media`` makes what processes a call's sound, ``new_call_id`` names incoming calls.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Callable[[], float],
        post: Callable[[Event], None],
        media: MediaFactory,
        new_call_id: Callable[[], str],
        headset: Headset,
        calls_settings: Callable[[], CallsSettings] = CallsSettings,
        may_dial: Callable[[str], bool] = lambda number: False,
    ) -> None:
        """``calls_settings`` gives what is set about calls at that moment.

        ``may_dial`` asks the dial plan, and counts the call, from the SIP thread.

        Raise ``StorageError`` 5005 when ``trunk.peers`` or the trunk's servers hold what is no address.
        """
        self._settings = settings
        self._clock = clock
        self._post = post
        self._media = media
        self._new_call_id = new_call_id
        self._headset = headset
        self._calls_settings = calls_settings
        self._may_dial = may_dial
        self._lookup = ServerLookup(settings.trunk)
        # Bound to one address we do not follow another.
        free = settings.sip.bind in ("0.0.0.0", "::")
        self._address = AddressWatch(lambda: self._lookup.addresses if free else ())
        self._sources = AllowedSources(settings.trunk.peers, lambda: self._lookup.addresses)
        self._invites = RateLimit(settings.sip.invites_per_s)
        self._invites_in_all = RateLimit(settings.sip.invites_in_all_per_s)
        self._strangers = RefusalCounter()
        self._too_many = RefusalCounter()
        self._commands: queue.SimpleQueue[DeviceCommand] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._opened = threading.Event()
        self._turned = False
        self._failure: ThirdringError | None = None
        self._thread: threading.Thread | None = None
        self._refused: list[Any] = []
        self._gate: Gate
        self._next_wire_poll_s = 0.0
        self._endpoint: EndpointOwner
        self._desk: Desk
        self._trunk: Trunk
        self._check: CheckMedia | None = None
        self._headset_link: HeadsetLink
        self.sip_stack = ""
        """Name and version of the SIP stack, known after ``start``."""

    # --- any thread -------------------------------------------------------------------------------

    def start(self) -> None:
        """Open the SIP port; raises ``TrunkError`` 3004 when it cannot be opened."""
        self._thread = threading.Thread(target=self._run, name="sip", daemon=True)
        self._thread.start()
        if not self._opened.wait(START_TIMEOUT_S):
            self._stop.set()
            raise error(3004, "the SIP stack does not come up")
        if self._failure is not None:
            self._thread.join()
            raise self._failure
        self._lookup.start()

    def execute(self, command: DeviceCommand) -> None:
        """Queue a command; its outcome comes as a fact. A call that is already over is no error."""
        self._commands.put(command)

    def check_headset(self, media: CheckMedia) -> None:
        """Link the headset with ``media`` until that is over, or a call comes."""
        self._check = media

    def has_turned(self) -> bool:
        """Return whether the SIP thread came round since this was asked last, or is to stop."""
        turned, self._turned = self._turned, False
        return turned or self._stop.is_set()

    def stop(self) -> None:
        """Hang up every call, leave the trunk, shut the stack down."""
        self._lookup.stop()
        self._stop.set()
        if self._thread is not None:
            self._thread.join(STOP_TIMEOUT_S)
            if self._thread.is_alive():
                log.error("the SIP stack does not shut down")

    # --- the SIP thread ---------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            self._open()
        except Exception as failure:
            known = isinstance(failure, ThirdringError)
            self._failure = failure if known else error(3004, explain(failure))  # type: ignore[assignment]
            self._opened.set()
            return
        self._opened.set()
        while not self._stop.is_set():
            try:
                self._turn()
            except Exception as failure:
                log.error("the SIP thread: %s\n%s", explain(failure), traceback.format_exc().rstrip())
            self._turned = True
        self._close()

    def _open(self) -> None:
        self._endpoint = EndpointOwner(self._settings)
        try:
            self.sip_stack = self._endpoint.version
            self._gate = Gate(self._judge)
            sound = SoundPath(
                self._headset,
                ringback=ringback(self._settings.trunk.country),
                hold_sound=hold_sound(self._settings.calls.hold_sound),
            )
            self._desk = Desk(
                self._clock,
                self._post,
                self._media,
                sound,
                self._calls_settings,
                self._refer,
                self._replacing,
            )
            if self._settings.sip.ice:
                self._desk.pause_clock = self._endpoint.stop_clock
            self._headset_link = HeadsetLink(sound, lambda: self._desk.calls)
            self._trunk = Trunk(
                self._settings, self._desk, self._incoming, self._lookup, self._endpoint.tls_failures
            )
        except BaseException:
            self._endpoint.destroy()
            raise

    def _turn(self) -> None:
        while not self._commands.empty():
            self._execute(self._commands.get_nowait())
        if self._endpoint.handle_events(POLL_MS) < 0:
            self._stop.wait(POLL_MS / 1000)
        self._endpoint.start_clock()
        now_s = self._clock()
        self._trunk.poll(now_s)
        address = self._address.changed(now_s)
        if address is not None:
            log.warning("our address has changed to %s", address)
            self._endpoint.address_changed()
        for call in list(self._desk.calls.values()):
            call.hold.poll(now_s)
            call.transfer.poll(now_s)
            call.digits.poll(now_s)
            if call.placing is not None:
                call.placing.poll(now_s)
        self._desk.conference.poll()
        self._headset_link.poll(self._check)
        if now_s >= self._next_wire_poll_s:
            self._next_wire_poll_s = now_s + WIRE_POLL_S
            sip = self._settings.sip
            for call in list(self._desk.calls.values()):
                call.check_wire(now_s, sip.no_rtp_warn_s, sip.no_rtp_end_s)
        strangers = self._strangers.report(now_s)
        if strangers is not None:
            self._post(StrangerRefused(at_s=now_s, source=strangers[0], count=strangers[1]))
        too_many = self._too_many.report(now_s)
        if too_many is not None:
            log.warning(
                "%d INVITEs so far were too many a second (503), the last from %s", *reversed(too_many)
            )
        self._drop_gone()

    def _drop_gone(self) -> None:
        """Drop the objects the stack is through with: never inside their own callbacks."""
        self._refused.clear()
        for call in [call for call in self._desk.ending if call.gone]:
            self._desk.ending.remove(call)
            call.part()

    def _execute(self, command: DeviceCommand) -> None:
        if isinstance(command, PlaceCall):
            self._place(command)
            return
        call = self._desk.calls.get(getattr(command, "call_id", ""))
        if call is None:
            log.info("too late for %s", command)
            return
        try:
            match command:
                case RingCaller():
                    call.ring(waiting=command.waiting)
                case AnswerCall():
                    call.pick_up()
                case RefuseCall():
                    call.release(command.by, command.cause, command.sip_code)
                case RedirectCall():
                    call.redirect(self._trunk.uri_for(command.number) or "", command.by, command.cause)
                case EndCall():
                    call.end_for_agent()
                case HoldCall():
                    call.hold.begin()
                case ResumeCall():
                    call.hold.end()
                case TransferCall():
                    self._transfer(call, command)
                case JoinCalls():
                    self._desk.conference.join(command.call_id, command.other_call_id)
                case MuteCall():
                    call.mute(command.on)
                case SendDigits():
                    call.digits.send(command.digits, command.duration_ms)
                case _:
                    log.error("not a command for SIP: %s", command)
        except pj.Error as failure:
            log.error("%s: %s", command, explain(failure))
            if isinstance(command, RingCaller | AnswerCall):
                call.release("network", "failed", 500, explain(failure))

    def _place(self, command: PlaceCall) -> None:
        routes = self._trunk.routes(command.number)
        self._post(
            CallOutgoing(
                at_s=self._clock(),
                call_id=command.call_id,
                number=command.number,
                remote_uri=routes[0].uri if routes else "",
            )
        )
        if not routes:
            self._post(
                CallEnded(
                    at_s=self._clock(),
                    call_id=command.call_id,
                    by="appliance",
                    cause="failed",
                    reason="the trunk is not set up for outgoing calls",
                )
            )
            return
        Placing(
            self._desk,
            command.call_id,
            routes,
            silence_s=self._settings.trunk.failover_s,
            failed=self._trunk.call_failed,
            withheld=command.withheld,
        )

    def _transfer(self, call: DeskCall, command: TransferCall) -> None:
        if command.number:
            call.transfer.begin(command.number, self._trunk.uri_for(command.number) or "")
            return
        other = self._desk.calls.get(command.other_call_id)
        if other is not None:
            call.transfer.begin("", "", other)

    def _refer(self, call: DeskCall, uri: str) -> DeskCall | None:
        """Make the call that the other side asks for, unless settings or dial plan forbid it."""
        target = parse_name_addr(uri)
        allowed = self._calls_settings().accept_refer and len(self._desk.calls) < MOST_CALLS
        if not (allowed and call.established and target.user and self._may_dial(target.user)):
            log.warning("call %s: REFER to %s is refused", call.call_id, target.uri)
            return None
        call.hold.begin(tell=False)  # the other side is about to leave
        made = DeskCall(self._trunk.account, self._desk, self._new_call_id())
        self._post(
            CallOutgoing(at_s=self._clock(), call_id=made.call_id, number=target.user, remote_uri=target.uri)
        )
        return made

    def _judge(self, source: str) -> int:
        """Return the status to refuse an INVITE from ``source`` with, 0 to let it in."""
        now_s = self._clock()
        if not self._sources.allows(source):
            self._strangers.refused(source)
            return 403
        # A source that sends too many is stopped before it uses up what all have together.
        if self._invites.allows(source, now_s) and self._invites_in_all.allows("", now_s):
            return 0
        self._too_many.refused(source)
        return SERVICE_UNAVAILABLE

    def _incoming(self, account: Any, prm: Any) -> None:
        source = source_host(prm.rdata.srcAddress)
        if not self._sources.allows(source):  # the gate goes by where the answer is sent
            refused = pj.Call(account, prm.callId)
            self._refused.append(refused)
            refused.hangup(call_options(403))
            self._strangers.refused(source)
            return
        call = DeskCall(account, self._desk, self._new_call_id(), prm.callId)
        self._post(self._announced(call.call_id, prm.rdata.wholeMsg, call.getInfo().remoteUri))

    def _announced(self, call_id: str, message: str, from_value: str, replaces: str = "") -> CallIncoming:
        settings = self._calls_settings()
        caller = caller_of(message, from_value, trust_asserted=settings.trust_asserted_identity)
        after_s = answer_after_s(message) if settings.answer_after else None
        if settings.auto_answer:
            after_s = settings.auto_answer_after_s
        return CallIncoming(
            at_s=self._clock(),
            call_id=call_id,
            number=caller.number,
            display_name=caller.display,
            remote_uri=caller.uri,
            withheld=caller.withheld,
            asserted=caller.asserted,
            answer_after_s=None if replaces else after_s,
            replaces=replaces,
        )

    def _replacing(self, call: DeskCall, rdata: Any) -> DeskCall | None:
        """Make the call that is to take the place of ``call`` (RFC 3891), None to refuse."""
        known = self._sources.allows(source_host(rdata.srcAddress))
        allowed = known and self._calls_settings().accept_replaces
        if not allowed or not call.established or call.hold.keeps_silent:
            log.warning("call %s: INVITE with Replaces is refused", call.call_id)
            return None
        call_id, message = self._new_call_id(), rdata.wholeMsg
        from_value = next(iter(header_values(message, "From")), "")
        announced = self._announced(call_id, message, from_value, call.call_id)
        return DeskCall(call.account, self._desk, call_id, replaces=announced)

    def _close(self) -> None:
        self._end_every_call()
        self._trunk.close()
        self._endpoint.stop_clock()
        self._desk.sound.close()
        del self._trunk, self._desk, self._headset_link
        gc.collect()  # cycles, too, must die on this thread and before the stack
        self._endpoint.destroy()

    def _end_every_call(self) -> None:
        """Apart from ``_close``: no local name may hold a call when the stack is destroyed."""
        for call in list(self._desk.calls.values()):
            call.release("appliance", "interrupted", 503)
        deadline_s = time.monotonic() + HANG_UP_WAIT_S
        self._drop_gone()
        while self._desk.ending and time.monotonic() < deadline_s:
            self._endpoint.handle_events(POLL_MS)
            self._drop_gone()
        self._desk.ending.clear()
