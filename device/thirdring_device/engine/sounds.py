"""The sound of every call that is up: made for the SIP adapter, and what a customer is told in it."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from thirdring.protocol.errors import StorageError
from thirdring.protocol.events import Event
from thirdring_device.adapters.media import CallMedia
from thirdring_device.adapters.prompts import load_catalogue
from thirdring_device.core.catalogue import Situation
from thirdring_device.engine.media import CallSound
from thirdring_device.engine.recordings import Recordings, Tap
from thirdring_device.engine.spoken import Announcement, announcement_file
from thirdring_device.settings import Settings

__all__ = ["CallSounds"]

log = logging.getLogger(__name__)


class CallSounds:
    """Changed by single operations, from several threads."""

    def __init__(
        self,
        state_dir: Path,
        settings: Callable[[], Settings],
        recordings: Recordings,
        post: Callable[[Event], None],
        clock: Callable[[], float],
    ) -> None:
        """``post`` takes events from any thread."""
        self._state_dir, self._settings, self._recordings = state_dir, settings, recordings
        self._post, self._clock = post, clock
        self._sounds: dict[str, CallSound] = {}

    def media(self, call_id: str, codec: str) -> CallMedia:
        """Make the sound path of a call; runs on the SIP thread."""

        def call_sound(tap: Tap | None) -> CallMedia:
            sound = CallSound(call_id, codec, self._settings(), self._post, self._clock, tap)
            self._sounds[call_id] = sound
            return sound

        return self._recordings.media(call_id, call_sound)

    def announce(self, call_id: str, key: str) -> None:
        """Play an announcement to a customer; takes a while, for a worker thread."""
        sound, language = self._sounds.get(call_id), self._settings().firm.language
        try:
            text = load_catalogue(language, self._state_dir).text(key, Situation(at=datetime.now(UTC).time()))
            path = announcement_file(self._state_dir / "announcements", key, language, text)
            if sound is not None and path is not None:
                sound.instead = Announcement(path).fill
        except (OSError, RuntimeError, StorageError):
            log.exception("announcement %s-%s", key, language)

    def forget(self, call_id: str) -> None:
        """Let go of the sound of a call that is over."""
        self._sounds.pop(call_id, None)
