"""The sound of the call that is up: two inserts in the bridge, and the headset at their other end.

    headset's microphone -> mouth insert -> customer         customer -> ear insert -> headset's ear

In each tick (20 ms) the bridge first asks every port for a frame, then hands every port one. What the
inserts are handed in a tick is processed as a pair, and asked for in the next: 20 ms of delay each way.
"""

import logging
import threading
import traceback
from typing import Any, Final

import numpy as np
import pjsua2 as pj

from thirdring_device.adapters.headset.interface import Headset
from thirdring_device.adapters.media import CallMedia
from thirdring_device.adapters.sip.frames import give, take
from thirdring_device.adapters.sip.guard import explain, guarded

__all__ = ["FRAME_MS", "FRAME_SAMPLES", "SAMPLE_RATE_HZ", "FramePairer", "SoundPath", "port_format"]

log = logging.getLogger(__name__)

SAMPLE_RATE_HZ: Final = 16000
FRAME_MS: Final = 20
FRAME_SAMPLES: Final = SAMPLE_RATE_HZ * FRAME_MS // 1000


def port_format() -> Any:
    """Return the bridge's format for ``AudioMediaPort.createPort``."""
    fmt = pj.MediaFormatAudio()
    fmt.init(pj.PJMEDIA_FORMAT_PCM, SAMPLE_RATE_HZ, 1, FRAME_MS * 1000, 16)
    return fmt


class FramePairer:
    """Pairs the frames of both directions and has them processed once a tick.

    ``*_received`` and ``*_requested`` belong to the bridge's clock thread, ``start`` and ``stop`` to the
    SIP thread. Frame addresses are ``int(frame.buf.this)``. Should the media fail, the sound goes through
    as it is: two people are talking.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._media: CallMedia | None = None
        self._mouth_in, self._ear_in, self._mouth_out, self._ear_out = (
            np.zeros(FRAME_SAMPLES, dtype=np.int16) for _ in range(4)
        )
        self._has_mouth = self._has_ear = False
        self._failed = False
        self.ticks = 0
        """Frames processed since ``start``."""

    def start(self, media: CallMedia) -> None:
        """Process from the next tick on; its first sample is sample 0."""
        with self._lock:
            self._media = media
            self._has_mouth = self._has_ear = self._failed = False
            self.ticks = 0

    def stop(self) -> CallMedia | None:
        """Process no more; return what did, to be finished."""
        with self._lock:
            media, self._media = self._media, None
            self._mouth_out[:] = 0
            self._ear_out[:] = 0
            return media

    def mouth_received(self, address: int) -> None:
        """Take the microphone's frame."""
        if self._has_mouth:
            self._process()
        take(address, self._mouth_in)
        self._has_mouth = True
        if self._has_ear:
            self._process()

    def ear_received(self, address: int) -> None:
        """Take the customer's frame."""
        if self._has_ear:
            self._process()
        take(address, self._ear_in)
        self._has_ear = True
        if self._has_mouth:
            self._process()

    def mouth_requested(self, address: int) -> int:
        """Give the frame for the customer; return its size in bytes."""
        if self._has_mouth or self._has_ear:
            self._process()
        return give(address, self._mouth_out)

    def ear_requested(self, address: int) -> int:
        """Give the frame for the headset's ear; return its size in bytes."""
        if self._has_mouth or self._has_ear:
            self._process()
        return give(address, self._ear_out)

    def _process(self) -> None:
        if not self._has_mouth:
            self._mouth_in[:] = 0
        if not self._has_ear:
            self._ear_in[:] = 0
        self._has_mouth = self._has_ear = False
        with self._lock:
            if self._media is None:
                return
            self.ticks += 1
            if not self._failed:
                try:
                    self._media.process(self._mouth_in, self._ear_in, self._mouth_out, self._ear_out)
                    return
                except Exception:
                    self._failed = True
                    log.error("the call goes on unjudged:\n%s", traceback.format_exc().rstrip())
            self._mouth_out[:] = self._mouth_in
            self._ear_out[:] = self._ear_in


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


class SoundPath:
    """Owns the inserts and lends them to one call at a time. Everything here runs on the SIP thread."""

    def __init__(self, headset: Headset) -> None:
        self._pairer = FramePairer()
        self._headset = headset
        self._mouth = _MouthInsert(self._pairer)
        self._ear = _EarInsert(self._pairer)
        self._mouth.createPort("mouth", port_format())
        self._ear.createPort("ear", port_format())
        self._owner = ""
        headset.open(port_format())

    @property
    def owner(self) -> str:
        """The call that has the sound, empty when none has."""
        return self._owner

    @property
    def media_s(self) -> float:
        """Media time of the call that has the sound."""
        return self._pairer.ticks * FRAME_MS / 1000

    def attach(self, call_id: str, media: CallMedia, stream: Any) -> None:
        """Give the sound to ``call_id``, whose stream in the bridge is ``stream``."""
        self._owner = call_id
        self._headset.connect(self._mouth, self._ear)
        self.relink(stream)
        self._pairer.start(media)

    def relink(self, stream: Any) -> None:
        """Link the call's new stream, after a re-INVITE."""
        self._mouth.startTransmit(stream)
        stream.startTransmit(self._ear)

    def detach(self, call_id: str) -> None:
        """Take the sound from ``call_id``, if it has it, and finish its media."""
        if self._owner != call_id:
            return
        media = self._pairer.stop()
        self._owner = ""
        try:
            self._headset.disconnect()
        except pj.Error as failure:
            log.error("the headset was not disconnected: %s", explain(failure))
        if media is not None:
            media.finish()

    def close(self) -> None:
        """Drop the ports."""
        if self._owner:
            self.detach(self._owner)
        self._headset.close()
        del self._mouth, self._ear
