"""The sound of the calls: a lane for each, two inserts in the bridge, and the headset at their other end.

    headset's microphone -> mouth insert -> customer         customer -> ear insert -> headset's ear

In each tick (20 ms) the bridge first asks every port for a frame, then hands every port one. What the
inserts are handed in a tick is processed as a pair, and asked for in the next: 20 ms of delay each way. A
headset with a microphone of its own (``Headset.spoken``) is asked for its frame when the customer is due one:
no delay that way.
A lane whose call is held is linked to nobody and goes on with silence, so that media time goes on.
"""

import logging
from typing import Any, Final

import pjsua2 as pj

from thirdring_device.adapters.headset.interface import Headset
from thirdring_device.adapters.media import CallMedia
from thirdring_device.adapters.sip.guard import explain, guarded
from thirdring_device.adapters.sip.loops import Loop, Samples
from thirdring_device.adapters.sip.pairer import (
    FRAME_MS,
    FRAME_SAMPLES,
    SAMPLE_RATE_HZ,
    FramePairer,
)

__all__ = ["FRAME_MS", "FRAME_SAMPLES", "SAMPLE_RATE_HZ", "FramePairer", "SoundPath", "port_format"]

log = logging.getLogger(__name__)

LANES: Final = 2
"""Calls that have sound at the same time: as many as the desk lets in."""


def port_format() -> Any:
    """Return the bridge's format for ``AudioMediaPort.createPort``."""
    fmt = pj.MediaFormatAudio()
    fmt.init(pj.PJMEDIA_FORMAT_PCM, SAMPLE_RATE_HZ, 1, FRAME_MS * 1000, 16)
    return fmt


class _MouthInsert(pj.AudioMediaPort):  # type: ignore[misc]
    def __init__(self, pairer: FramePairer) -> None:
        super().__init__()
        self._pairer = pairer

    @guarded
    def onFrameReceived(self, frame: Any) -> None:  # noqa: N802
        self._pairer.mouth_received(int(frame.buf.this))

    @guarded
    def onFrameRequested(self, frame: Any) -> None:  # noqa: N802
        frame.size = self._pairer.mouth_requested(int(frame.buf.this))
        frame.type = pj.PJMEDIA_FRAME_TYPE_AUDIO


class _EarInsert(pj.AudioMediaPort):  # type: ignore[misc]
    def __init__(self, pairer: FramePairer) -> None:
        super().__init__()
        self._pairer = pairer

    @guarded
    def onFrameReceived(self, frame: Any) -> None:  # noqa: N802
        self._pairer.ear_received(int(frame.buf.this))

    @guarded
    def onFrameRequested(self, frame: Any) -> None:  # noqa: N802
        frame.size = self._pairer.ear_requested(int(frame.buf.this))
        frame.type = pj.PJMEDIA_FRAME_TYPE_AUDIO


class _Lane:
    """The inserts of one call; they live as long as the stack, for the clock thread may be inside them."""

    def __init__(self, number: int) -> None:
        self.pairer = FramePairer()
        self.mouth = _MouthInsert(self.pairer)
        self.ear = _EarInsert(self.pairer)
        self.mouth.createPort(f"mouth{number}", port_format())
        self.ear.createPort(f"ear{number}", port_format())
        self.owner = ""
        self.stream: Any = None
        """The call's stream while it is linked."""
        self.in_bridge = False
        """Whether that stream is still in the bridge: with it go its links."""
        self.has_keypad = False
        self.hears_music: Any = None
        """The call's stream while it gets the music of those who are held."""


class SoundPath:
    """Owns the lanes and lends one to each call that has sound. Everything here runs on the SIP thread."""

    def __init__(
        self, headset: Headset, *, ringback: Samples | None = None, hold_sound: Samples | None = None
    ) -> None:
        """``ringback``: a period of what the agent hears while a called customer rings."""
        self._headset = headset
        self._ringback = None if ringback is None else Loop("ringback", ringback, port_format())
        self._music = None if hold_sound is None else Loop("music", hold_sound, port_format())
        self._nobody = _MouthInsert(FramePairer())
        self._nobody.createPort("nobody", port_format())
        self._ringing = ""
        self._lanes = [_Lane(number) for number in range(LANES)]
        self._crossed: tuple[_Lane, _Lane] | None = None
        self._keypad = pj.ToneGenerator()
        self._keypad.createToneGenerator(SAMPLE_RATE_HZ, 1)
        headset.open(port_format())

    def has(self, call_id: str) -> bool:
        """Return whether a call has a lane."""
        return self._lane(call_id) is not None

    def media_s(self, call_id: str) -> float:
        """Return the media time of a call, 0 for one without sound."""
        lane = self._lane(call_id)
        return lane.pairer.ticks * FRAME_MS / 1000 if lane else 0.0

    def attach(self, call_id: str, media: CallMedia) -> bool:
        """Lend a lane to ``call_id``, still linked to nobody; return False when there is none left."""
        lane = next((lane for lane in self._lanes if not lane.owner), None)
        if lane is None:
            return False
        lane.owner = call_id
        lane.pairer.start(media)
        return True

    def link(self, call_id: str, stream: Any) -> None:
        """Let headset and customer hear each other; ``stream`` may be a new one after a re-INVITE."""
        self.stop_ringback(call_id)
        lane = self._lane(call_id)
        if lane is None:
            return
        self._stop_music(lane)
        if lane.stream is None:
            self._headset.connect(lane.mouth, lane.ear)
            lane.pairer.spoken = self._headset.spoken
        lane.stream, lane.in_bridge, lane.has_keypad = stream, True, False
        lane.mouth.startTransmit(stream)
        stream.startTransmit(lane.ear)
        if self._crossed is not None and lane in self._crossed:
            self._cross_streams()

    def check(self, name: str, media: CallMedia) -> None:
        """Link the headset with ``media`` and nobody at the other end, in a lane of that name."""
        if self.attach(name, media):
            self.link(name, self._nobody)

    def unlink(self, call_id: str) -> None:
        """Part headset and customer at once; nothing happens when they are not linked."""
        lane = self._lane(call_id)
        if lane is None:
            return
        self._stop_music(lane)
        if lane.stream is None:
            return
        if self._crossed is not None and lane in self._crossed:
            self.uncross()
        stream, lane.stream = lane.stream, None
        had_keypad, lane.has_keypad = lane.has_keypad, False
        in_bridge, lane.in_bridge = lane.in_bridge, False
        lane.pairer.muted = False
        lane.pairer.spoken = None
        try:
            self._headset.disconnect(lane.mouth, lane.ear)
        except pj.Error as failure:
            log.error("the headset was not disconnected: %s", explain(failure))
        if not in_bridge:
            return
        try:
            if had_keypad:
                self._keypad.stopTransmit(stream)
            lane.mouth.stopTransmit(stream)
            stream.stopTransmit(lane.ear)
        except pj.Error as failure:
            log.error("call %s: the customer was not parted: %s", call_id, explain(failure))

    def stream_gone(self, call_id: str) -> None:
        """Note that the stack has taken the call's stream, and its links, from the bridge."""
        lane = self._lane(call_id)
        if lane is not None:
            lane.in_bridge, lane.hears_music = False, None

    def hold(self, call_id: str) -> None:
        """Part headset and customer, who then hears the music there is for that."""
        lane = self._lane(call_id)
        stream = lane.stream if lane is not None and lane.in_bridge else None
        self.unlink(call_id)
        if stream is not None:
            self.play_music(call_id, stream)

    def play_music(self, call_id: str, stream: Any) -> None:
        """Let a held customer hear the music, where there is any, by way of ``stream``."""
        lane = self._lane(call_id)
        if lane is None or self._music is None:
            return
        self._stop_music(lane)
        lane.hears_music = stream
        self._music.startTransmit(stream)

    def _stop_music(self, lane: _Lane) -> None:
        stream, lane.hears_music = lane.hears_music, None
        if stream is not None and self._music is not None:
            try:
                self._music.stopTransmit(stream)
            except pj.Error as failure:
                log.error("call %s: the music goes on: %s", lane.owner, explain(failure))

    def start_ringback(self, call_id: str) -> None:
        """Let the agent hear ringback until ``call_id`` has sound or ends."""
        if self._ringback is None or self._ringing:
            return
        self._ringing = call_id
        self._ringback.rewind()
        self._headset.connect(self._nobody, self._ringback)

    def stop_ringback(self, call_id: str) -> None:
        """End the ringback of ``call_id``, if it has one."""
        if not call_id or self._ringing != call_id:
            return
        self._ringing = ""
        try:
            self._headset.disconnect(self._nobody, self._ringback)
        except pj.Error as failure:
            log.error("the ringback goes on: %s", explain(failure))

    def cross(self, first: str, second: str) -> bool:
        """Let the customers of two linked calls hear each other; return False while one is not linked."""
        lanes = self._lane(first), self._lane(second)
        if any(lane is None or lane.stream is None for lane in lanes):
            return False
        self._crossed = lanes  # type: ignore[assignment]
        self._cross_streams()
        return True

    def _cross_streams(self) -> None:
        assert self._crossed is not None  # noqa: S101 - the callers see to it
        one, other = self._crossed
        one.stream.startTransmit(other.stream)
        other.stream.startTransmit(one.stream)

    def uncross(self) -> None:
        """Part the customers who hear each other."""
        crossed, self._crossed = self._crossed, None
        if crossed is None or not all(lane.in_bridge for lane in crossed):
            return
        one, other = crossed
        for source, sink in ((one.stream, other.stream), (other.stream, one.stream)):
            try:
                source.stopTransmit(sink)
            except pj.Error as failure:
                log.error("the customers of the conference were not parted: %s", explain(failure))

    def play_digit(self, call_id: str, digit: str, duration_ms: int) -> None:
        """Let the customer hear a DTMF digit (ITU-T Q.23); nothing is played to a call that is not linked."""
        lane = self._lane(call_id)
        if lane is None or lane.stream is None:
            return
        if not lane.has_keypad:
            self._keypad.startTransmit(lane.stream)
            lane.has_keypad = True
        tone = pj.ToneDigit()
        tone.digit, tone.on_msec, tone.off_msec, tone.volume = digit, duration_ms, 0, 0
        self._keypad.playDigits(pj.ToneDigitVector([tone]))

    def mute(self, call_id: str, on: bool) -> bool:
        """Silence or open the microphone of a call; return whether that changed anything."""
        lane = self._lane(call_id)
        if lane is None or lane.stream is None or lane.pairer.muted == on:
            return False
        lane.pairer.muted = on
        return True

    def muted(self, call_id: str) -> bool:
        """Return whether the microphone is silenced for a call."""
        lane = self._lane(call_id)
        return lane is not None and lane.pairer.muted

    def detach(self, call_id: str) -> None:
        """Take the lane from ``call_id``, if it has one, and finish its media; end its ringback."""
        self.stop_ringback(call_id)
        lane = self._lane(call_id)
        if lane is None:
            return
        media = lane.pairer.stop()
        self.unlink(call_id)
        lane.owner = ""
        if media is not None:
            media.finish()

    def close(self) -> None:
        """Drop the ports."""
        for lane in self._lanes:
            self.detach(lane.owner)
        self._headset.close()
        del self._lanes, self._keypad, self._ringback, self._music, self._nobody

    def _lane(self, call_id: str) -> _Lane | None:
        return next((lane for lane in self._lanes if call_id and lane.owner == call_id), None)
