"""The two sides of a sound device, each on a thread of its own that opens it again whenever it is gone."""

import logging
import threading
from typing import Final

from thirdring.protocol.errors import ThirdringError
from thirdring_device.adapters.headset.alsa import AlsaError, Direction, Pcm
from thirdring_device.adapters.headset.elastic import ElasticBuffer, Pump
from thirdring_device.adapters.headset.names import alsa_name
from thirdring_device.adapters.realtime import sound_first

__all__ = ["DeviceSide"]

log = logging.getLogger(__name__)

RETRY_S: Final = 0.25
STALE_S: Final = 0.4
"""A device that has moved no sample for so long counts as gone, whatever it says."""
STOP_WAIT_S: Final = 2.0


class DeviceSide:
    """Microphone or ear of a device: moves samples between it and ``buffer`` while it is there."""

    def __init__(
        self, device: str, direction: Direction, buffer: ElasticBuffer, *, rate_hz: int, block_ms: int
    ) -> None:
        self.buffer = buffer
        self.reason = ""
        """Why it is not there, in words."""
        self._device, self._direction, self._rate_hz = device, direction, rate_hz
        self._pump = Pump(buffer, rate_hz * block_ms // 1000, into=direction == "capture")
        self._buffer_ms = 4 * block_ms  # libasound makes four periods of it
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"headset-{direction}", daemon=True)

    def start(self) -> None:
        """Begin to open the device."""
        self._thread.start()

    def close(self) -> None:
        """Close the device; one that hangs is left behind."""
        self._stop.set()
        self._pump.stop()
        log.info("%s (%s): %d samples came late", self._device, self._direction, self.buffer.missing)
        if self._thread.is_alive():
            self._thread.join(STOP_WAIT_S)
            if self._thread.is_alive():
                log.error("%s (%s) does not close", self._device, self._direction)

    def alive(self, now_s: float) -> bool:
        """Whether the device has moved samples of late; ``now_s`` by ``time.monotonic``."""
        return now_s - self._pump.moved_s < STALE_S

    def _run(self) -> None:
        sound_first()
        while not self._stop.is_set():
            try:
                pcm = Pcm(alsa_name(self._device), self._direction, self._rate_hz, self._buffer_ms)
            except (AlsaError, ThirdringError) as reason:
                self._gone(str(reason))
                continue
            log.info("%s (%s) is open", self._device, self._direction)
            try:
                self.buffer.clear()
                while not self._stop.is_set():
                    moved_s = self._pump.moved_s
                    result = self._pump.run(pcm.move, pcm.device)
                    if result < 0:
                        pcm.recover(result, moved=self._pump.moved_s > moved_s)
            except AlsaError as reason:
                self._gone(str(reason))
            finally:
                pcm.close()

    def _gone(self, reason: str) -> None:
        self._pump.gone()
        if reason != self.reason:
            log.warning("headset: %s", reason)
        self.reason = reason
        self._stop.wait(RETRY_S)
