"""One call: its pjsua2 object, the facts it posts and how it ends. All of it on the SIP thread."""

import logging
import re
import traceback
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import pjsua2 as pj

from thirdring.protocol.events import (
    CallAlerting,
    CallAnswered,
    CallEnded,
    CallIncoming,
    Cause,
    Dtmf,
    Event,
    MuteEnded,
    MuteStarted,
    Party,
)
from thirdring_device.adapters.sip.desk import Desk
from thirdring_device.adapters.sip.digits import DigitSender
from thirdring_device.adapters.sip.guard import explain, guarded
from thirdring_device.adapters.sip.hold import Hold
from thirdring_device.adapters.sip.quality import QualityMeter
from thirdring_device.adapters.sip.release import Trigger, ended_by_other_side
from thirdring_device.adapters.sip.transfer import Transfer

if TYPE_CHECKING:
    from thirdring_device.adapters.sip.placing import Placing

__all__ = ["DeskCall", "call_options"]

log = logging.getLogger(__name__)

REASON = re.compile(r'^Reason\s*:.*?text\s*=\s*"([^"\r\n]{0,120})"', re.IGNORECASE | re.MULTILINE)
REFER_ACCEPTED: Final = 202
TRIGGERS: Final[dict[int, Trigger]] = {
    pj.PJSIP_EVENT_TIMER: "timer",
    pj.PJSIP_EVENT_TRANSPORT_ERROR: "transport",
}


def call_options(sip_code: int = 0) -> Any:
    """Return a ``CallOpParam`` for one stream of sound and nothing else."""
    options = pj.CallOpParam(True)
    options.opt.audioCount = 1
    options.opt.videoCount = 0
    if hasattr(options.opt, "textCount"):  # from 2.16 on
        options.opt.textCount = 0
    options.statusCode = sip_code
    return options


class DeskCall(pj.Call):  # type: ignore[misc]
    """A call in the table; ``call_id`` is ours."""

    def __init__(
        self,
        account: Any,
        desk: Desk,
        call_id: str,
        pjsua_id: int | None = None,
        *,
        replaces: CallIncoming | None = None,
    ) -> None:
        """Make a call; ``replaces`` is what to post once it has taken another one's place."""
        if pjsua_id is None:
            super().__init__(account)
        else:
            super().__init__(account, pjsua_id)
        self.call_id = call_id
        self.desk = desk
        self.account = account
        self._incoming = pjsua_id is not None or replaces is not None
        self._announcement = replaces
        self._replaced_by: DeskCall | None = None
        self._alerted = self._answered = self._released = self._ended = self.gone = False
        self._waiting = False
        self._mute_at_first = False
        self.heard = False
        """Whether anything came in answer to our INVITE, be it 100."""
        self.placing: Placing | None = None
        self.hold = Hold(self, call_id_is_ours=not self._incoming)
        self.transfer = Transfer(self)
        self.digits = DigitSender(self, desk.calls_settings)
        self._stream_index: int | None = None
        self._packets = 0
        self._wire_alive_s = 0.0
        self._wire_warned = False
        self._quality = QualityMeter()
        if replaces is None:
            desk.calls[call_id] = self

    # --- commands ---------------------------------------------------------------------------------

    @property
    def established(self) -> bool:
        """Whether the call was answered and is not over."""
        return self._answered and not self._released and not self._ended and not self.gone

    @property
    def confirmed(self) -> bool:
        """Whether the ACK, too, has come: a re-INVITE may be sent."""
        return bool(self.getInfo().state == pj.PJSIP_INV_STATE_CONFIRMED)

    @staticmethod
    def options() -> Any:
        """Return ``call_options()``."""
        return call_options()

    def ring(self, *, waiting: bool) -> None:
        """Send 180."""
        self._waiting = waiting
        self.answer(call_options(180))

    def pick_up(self) -> None:
        """Send 200."""
        self.answer(call_options(200))

    def end_for_agent(self) -> None:
        """Send what the state asks for: BYE, CANCEL or 603."""
        if self._answered:
            self.release("agent", "hangup", 0)
        elif self._incoming:
            self.release("agent", "rejected", 603)
        else:
            self.release("agent", "cancelled", 487)

    def release(self, by: Party, cause: Cause, sip_code: int, reason: str = "") -> None:
        """End the call from our side.

        The end is reported as soon as our message is sent: the other side may be gone and its answer
        would then take 32 s (RFC 3261 timers B, F).
        """
        self._released = True  # hangup may call onCallState before it returns
        self._sample_quality()  # hanging up takes the stream away
        self.desk.sound.unlink(self.call_id)
        try:
            self.hangup(call_options(sip_code if self._incoming and not self._answered else 0))
        except pj.Error as failure:
            log.warning("call %s: hanging up: %s", self.call_id, explain(failure))
        self._report_end(by, cause, sip_code, reason)

    def leave(self) -> None:
        """Give up this attempt at an outgoing call without a word: another one takes its place."""
        self._released = self._ended = True
        self.placing = None
        self.desk.sound.detach(self.call_id)
        self.desk.calls.pop(self.call_id, None)
        self.desk.ending.append(self)
        if not self.gone:
            try:
                self.hangup(call_options())
            except pj.Error as failure:
                log.warning("call %s: leaving a server: %s", self.call_id, explain(failure))

    def redirect(self, uri: str, by: Party, cause: Cause) -> None:
        """Send 302 with ``uri`` as the contact; without a trunk to name there, 480."""
        if not uri:
            self.release(by, cause, 480, "the trunk is not set up for outgoing calls")
            return
        self._released = True
        options = call_options(302)
        header = pj.SipHeader()
        header.hName, header.hValue = "Contact", f"<{uri}>"
        options.txOption.headers.append(header)
        try:
            self.answer(options)
        except pj.Error as failure:
            log.warning("call %s: sending it on: %s", self.call_id, explain(failure))
        self._report_end(by, cause, 302, "")

    def mute(self, on: bool) -> None:
        """Silence the microphone or open it, as soon as there is sound."""
        self._mute_at_first = on and not self.desk.sound.has(self.call_id)
        if self.desk.sound.mute(self.call_id, on):
            kind = MuteStarted if on else MuteEnded
            self.post(kind(at_s=self.desk.clock(), call_id=self.call_id))

    def part(self) -> None:
        """Let go of what refers back to this call, once the stack is through with it.

        Else it would live until Python looks for cycles, on whatever thread that happens, and a pjsua2 call
        that is deleted late takes the stack's next call with it.
        """
        del self.hold, self.transfer, self.digits
        self.placing = self._replaced_by = None

    # --- the wire ---------------------------------------------------------------------------------

    def check_wire(self, now_s: float, warn_s: float, end_s: float) -> None:
        """End the call when no RTP came for ``end_s``, unless the other side holds it."""
        if self._ended or not self._answered:
            self._wire_alive_s = now_s
            return
        if not self.isActive():
            self.gone = True
            self._report_end("network", "lost", 0, "the SIP stack has dropped the call")
            return
        if self._stream_index is None:
            self._wire_alive_s = now_s
            return
        info = self.getInfo()  # owns the memory that its media live in
        if not info.media[self._stream_index].dir & pj.PJMEDIA_DIR_DECODING:
            self._wire_alive_s = now_s
            return
        try:
            statistics = self.getStreamStat(self._stream_index)
        except pj.Error:  # being made anew, after a change of our address
            self._wire_alive_s = now_s
            return
        packets = statistics.rtcp.rxStat.pkt
        if packets != self._packets:
            self._packets, self._wire_alive_s, self._wire_warned = packets, now_s, False
            return
        silent_s = now_s - self._wire_alive_s
        if silent_s >= end_s:
            self.release("network", "lost", 0, f"no RTP for {silent_s:.0f} s")
        elif silent_s >= warn_s and not self._wire_warned:
            self._wire_warned = True
            log.warning("call %s: no RTP for %.0f s", self.call_id, silent_s)

    # --- callbacks --------------------------------------------------------------------------------

    @guarded
    def onCallState(self, prm: Any) -> None:  # noqa: N802
        """Post what the change of state means."""
        info = self.getInfo()
        if info.state == pj.PJSIP_INV_STATE_DISCONNECTED:
            self.gone = True
            if not self._released and not self._ended:
                self._ended_by_other_side(prm.e, info)
        elif self._released:
            return
        elif info.state == pj.PJSIP_INV_STATE_EARLY:
            self._note_alerting(info.lastStatusCode)
            if info.lastStatusCode == 180 and not self._incoming and not self.desk.sound.has(self.call_id):
                self.desk.sound.start_ringback(self.call_id)
        elif info.state in (pj.PJSIP_INV_STATE_CONNECTING, pj.PJSIP_INV_STATE_CONFIRMED):
            self._note_answered()

    @guarded
    def onCallMediaState(self, prm: Any) -> None:  # noqa: N802
        """Link the sound once a stream is in the bridge."""
        if self._released or self._ended:
            return
        self.link_sound()

    @guarded
    def onStreamDestroyed(self, prm: Any) -> None:  # noqa: N802
        """Note that the stream leaves the bridge: at the call's end, or for a new one."""
        self.desk.pause_clock()  # its transport goes next
        if prm.streamIdx == self._stream_index:
            self._stream_index = None
        if not self._ended:
            self.desk.sound.stream_gone(self.call_id)

    @guarded
    def onCallTsxState(self, prm: Any) -> None:  # noqa: N802
        """Take what re-INVITE and UPDATE say about hold; read the stream's figures while it is there."""
        event = prm.e
        self._sample_quality()  # a BYE or a new offer takes the stream away
        if event.type == pj.PJSIP_EVENT_TSX_STATE and event.body.tsxState.type == pj.PJSIP_EVENT_RX_MSG:
            self.heard = True
        if event.type != pj.PJSIP_EVENT_TSX_STATE or not self.established:
            return
        state = event.body.tsxState
        tsx = state.tsx
        message = state.src.rdata.wholeMsg if state.type == pj.PJSIP_EVENT_RX_MSG else ""
        if tsx.role == pj.PJSIP_ROLE_UAC:
            # A transaction is told again when its timers have run out, maybe in the midst of the next one.
            if tsx.statusCode < 200 or state.prevState >= pj.PJSIP_TSX_STATE_COMPLETED:
                return
            if tsx.method == "INVITE":
                self.hold.answered(tsx.statusCode, message)
            elif tsx.method == "REFER":
                self.transfer.answered(tsx.statusCode, tsx.statusText)
            elif tsx.method == "INFO":
                self.digits.answered(tsx.statusCode, tsx.statusText)
        elif tsx.method in ("INVITE", "UPDATE") and message:
            self.hold.offered(message)

    @guarded
    def onDtmfDigit(self, prm: Any) -> None:  # noqa: N802
        """Post the digit."""
        if self._ended:
            return
        self.post(
            Dtmf(
                at_s=self.desk.clock(),
                call_id=self.call_id,
                side="customer",
                digit=prm.digit,
                method="info" if prm.method == pj.PJSUA_DTMF_METHOD_SIP_INFO else "event",
                start_s=self.desk.sound.media_s(self.call_id),
            )
        )

    @guarded
    def onCallTransferRequest(self, prm: Any) -> None:  # noqa: N802
        """Refuse REFER unless it is set: the other side does not send our agent elsewhere (toll fraud)."""
        referred = self.desk.referred(self, prm.dstUri)
        prm.statusCode = 603 if referred is None else 202
        if referred is not None:
            prm.newCall = referred

    @guarded
    def onCallTransferStatus(self, prm: Any) -> None:  # noqa: N802
        """Take the progress of our REFER; its own answer comes as a transaction."""
        if prm.statusCode != REFER_ACCEPTED and not self.gone:
            self.transfer.told(prm.statusCode, prm.reason)

    @guarded
    def onCallReplaceRequest(self, prm: Any) -> None:  # noqa: N802
        """Let another call take this one's place (RFC 3891), where that is allowed."""
        self._replaced_by = self.desk.replacing(self, prm.rdata)
        prm.statusCode = 603 if self._replaced_by is None else 200
        if self._replaced_by is not None:
            prm.newCall = self._replaced_by

    @guarded
    def onCallReplaced(self, prm: Any) -> None:  # noqa: N802
        """End this call, to which the stack says goodbye, and begin the one in its place."""
        other = self._replaced_by
        if other is None or self._ended:
            return
        self._released = True
        self._sample_quality()
        self._report_end("customer", "transferred", 0, "")
        self.desk.calls[other.call_id] = other
        assert other._announcement is not None  # noqa: S101 - it was made for this
        self.post(replace(other._announcement, at_s=self.desk.clock()))

    # --- inside -----------------------------------------------------------------------------------

    def link_sound(self) -> None:
        """Link the stream that is in the bridge, unless the desk holds the call."""
        self._stream_index = None
        info = self.getInfo()  # owns the memory that its media live in
        for media in info.media:
            in_bridge = media.audioConfSlot != pj.INVALID_ID
            if media.type != pj.PJMEDIA_TYPE_AUDIO or not in_bridge:
                continue
            if media.status in LIVE:
                self._sound_on(media.index)
                return
            if media.status == pj.PJSUA_CALL_MEDIA_LOCAL_HOLD and self.hold.keeps_silent:
                self.desk.sound.play_music(self.call_id, self.getAudioMedia(media.index))
                return

    def _sound_on(self, index: int) -> None:
        sound = self.desk.sound
        self._stream_index = index
        self._wire_alive_s = self.desk.clock()
        if not sound.has(self.call_id):
            codec = self.getStreamInfo(index).codecName
            if not sound.attach(self.call_id, self.desk.media(self.call_id, codec)):
                log.error("call %s stays silent: every lane is taken", self.call_id)
                return
        if not self.hold.keeps_silent:
            sound.link(self.call_id, self.getAudioMedia(index))
            self.hold.linked()
            if self._mute_at_first:
                self.mute(True)
        else:
            sound.play_music(self.call_id, self.getAudioMedia(index))

    def _sample_quality(self) -> None:
        if self._stream_index is None:
            return
        try:
            self._quality.sample(self, self._stream_index)
        except pj.Error as failure:
            log.info("call %s: no figures of its stream: %s", self.call_id, explain(failure))

    def _note_alerting(self, sip_code: int) -> None:
        if sip_code in (180, 183) and not self._alerted:
            self._alerted = True
            self.post(
                CallAlerting(
                    at_s=self.desk.clock(),
                    call_id=self.call_id,
                    waiting=self._waiting,
                    early_media=sip_code == 183,
                )
            )

    def _note_answered(self) -> None:
        if not self._answered:
            self._answered = True
            self.post(CallAnswered(at_s=self.desk.clock(), call_id=self.call_id))

    def _ended_by_other_side(self, event: Any, info: Any) -> None:
        method, trigger, reason = "", "timer", info.lastReason
        if event.type == pj.PJSIP_EVENT_TSX_STATE:
            state = event.body.tsxState
            # A BYE that is ours, though we did not ask for it, is the stack's: a session timer that ran out.
            method = state.tsx.method if state.tsx.role == pj.PJSIP_ROLE_UAS or not self._answered else ""
            trigger = TRIGGERS.get(state.type, "message")
            if state.type == pj.PJSIP_EVENT_RX_MSG:
                told = REASON.search(state.src.rdata.wholeMsg.partition("\r\n\r\n")[0])
                reason = told[1] if told else reason
        if self.placing is not None and self.placing.goes_on(self, info.lastStatusCode, trigger):  # type: ignore[arg-type]
            return
        by, cause = ended_by_other_side(
            incoming=self._incoming,
            answered=self._answered,
            sip_code=info.lastStatusCode,
            method=method,
            trigger=trigger,  # type: ignore[arg-type]
        )
        if cause == "hangup" and self.transfer.accepted:
            self._report_end("agent", "transferred", 0, "")
        elif cause == "hangup":
            self._report_end(by, cause, 0, "" if reason == info.lastReason else reason)
        else:
            self._report_end(by, cause, info.lastStatusCode, reason)

    def _report_end(self, by: Party, cause: Cause, sip_code: int, reason: str) -> None:
        if self._ended:
            return
        self._ended = True
        self.desk.calls.pop(self.call_id, None)
        self.desk.ending.append(self)
        try:
            self.desk.sound.detach(self.call_id)
        except Exception:
            log.error("call %s: finishing its media:\n%s", self.call_id, traceback.format_exc().rstrip())
        quality = self._quality.event(self.desk.clock(), self.call_id)
        if quality is not None:
            self.post(quality)
        self.post(
            CallEnded(
                at_s=self.desk.clock(),
                call_id=self.call_id,
                by=by,
                cause=cause,
                sip_code=sip_code,
                reason=reason,
            )
        )

    def post(self, event: Event) -> None:
        """Hand a fact to the core."""
        self.desk.post(event)


LIVE: Final = (pj.PJSUA_CALL_MEDIA_ACTIVE, pj.PJSUA_CALL_MEDIA_REMOTE_HOLD)
"""Media states in which a stream is in the bridge."""
